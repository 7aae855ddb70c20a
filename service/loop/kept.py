"""What takes long to find is found once and shown for a while, to everybody who asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Connection

from pilah.service.store import Store

FRESH_SECONDS = 600.0
"""How long an answer is given again before it is found anew."""
QUICK_SECONDS = 0.1
"""Up to which an answer is found anew each time: a small store shows what is."""

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Kept(Generic[Question, Answer]):
    """Answers that were found; of those who ask the same at once, one looks, the others wait."""

    def __init__(
        self,
        store: Store,
        find: Callable[[Connection, Question], Answer],
        *,
        most: int,
        seconds: float = FRESH_SECONDS,
        quick: float | None = None,
    ) -> None:
        """Nothing is found yet.

        Args:
            store: what is asked.
            find: answers a question on a connection; it takes long.
            most: answers that are kept; the oldest goes first.
            seconds: how long an answer that took long is given again.
            quick: seconds up to which it did not; None: :data:`QUICK_SECONDS`.
        """
        self._store, self._seconds, self._quick = store, seconds, quick
        self._find, self._most, self._finding = find, most, threading.Lock()
        self._answers: dict[Question, tuple[Answer, float]] = {}

    def __call__(self, question: Question) -> Answer:
        """The answer as it was that long ago at most."""
        if (found := self._fresh(question)) is None:
            with self._finding:
                found = self._fresh(question) or self._look(question)
        return found[0]

    def renew(self, question: Question) -> None:
        """Find the answer now; until it is found the one before is given."""
        with self._finding:
            self._look(question)

    def _fresh(self, question: Question) -> tuple[Answer, float] | None:
        kept = self._answers.get(question)
        return kept if kept is not None and time.monotonic() < kept[1] else None

    def _look(self, question: Question) -> tuple[Answer, float]:
        start = time.monotonic()
        with self._store.reading() as connection:
            answer = self._find(connection, question)
        now, quick = time.monotonic(), QUICK_SECONDS if self._quick is None else self._quick
        found = answer, now + (self._seconds if now - start > quick else 0.0)
        others = [item for item in self._answers.items() if item[0] != question]
        self._answers = dict([*others, (question, found)][-self._most :])
        return found
