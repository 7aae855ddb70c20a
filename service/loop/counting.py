"""Indicators are counted once and shown for a while: reading 100,000 reports takes a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from pilah.service.loop.columns import Columns, Span, read_columns
from pilah.service.loop.indicators import Key, Measures, measures
from pilah.service.store import Store

FRESH_SECONDS = 600.0
"""How long counted numbers are shown before the store is read again."""
SPANS = 4
"""Spans whose columns are kept; the one read first goes first."""
GROUPINGS = 200
"""Groupings that are kept of a span."""

Question = tuple[tuple[str, ...], str | None, str | None]


@dataclass(slots=True)
class _Kept:
    columns: Columns
    until: float  # monotonic seconds
    answers: dict[Question, Mapping[Key, Measures]] = field(default_factory=dict)


class Counting:
    """Counts for everybody; of those who ask at once for the same span, one reads."""

    def __init__(self, store: Store) -> None:
        """Nothing is read yet."""
        self._store, self._reading = store, threading.Lock()
        self._spans: dict[Span, _Kept] = {}

    def columns(self, span: Span) -> Columns:
        """The reports of a span, as they were at most ``FRESH_SECONDS`` ago."""
        return self._kept(span).columns

    def measures(
        self,
        span: Span,
        by: tuple[str, ...] = (),
        *,
        government: str | None = None,
        topic: str | None = None,
    ) -> Mapping[Key, Measures]:
        """The measures of a span, grouped; as :func:`pilah.service.loop.indicators.measures`."""
        kept, question = self._kept(span), (by, government, topic)
        found = kept.answers.get(question)
        if found is None:
            found = measures(kept.columns, by, government=government, topic=topic)
            if len(kept.answers) < GROUPINGS:
                kept.answers[question] = found
        return found

    def forget(self) -> None:
        """Read anew at the next question."""
        self._spans = {}

    def _kept(self, span: Span) -> _Kept:
        found = self._fresh(span)
        if found is None:
            with self._reading:
                found = self._fresh(span) or self._read(span)
        return found

    def _fresh(self, span: Span) -> _Kept | None:
        kept = self._spans.get(span)
        return kept if kept is not None and time.monotonic() < kept.until else None

    def _read(self, span: Span) -> _Kept:
        with self._store.reading() as connection:
            kept = _Kept(read_columns(connection, span), time.monotonic() + FRESH_SECONDS)
        others = [item for item in self._spans.items() if item[0] != span]
        self._spans = dict([*others, (span, kept)][-SPANS:])
        return kept
