"""Saves the engine's memory now and then: a start after a kill then reads little of the store."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pilah.service.intake import Intake
from pilah.service.logs import safe
from pilah.service.memory import Mark, mark_now
from pilah.service.repeating import repeating

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""How often it looks whether it is time."""
SAVE_EVERY = 10_000
"""Reports stored, or acts of people on incidents, from which on memory is saved again."""


class Keeper:
    """Keeps a saved memory near what one running service remembers."""

    def __init__(self, intake: Intake, saved: Mark | None) -> None:
        """Go on from what the service was started with, if that was saved."""
        self._intake, self._saved = intake, saved

    @contextmanager
    def running(self, every: float = LOOK_SECONDS) -> Iterator[None]:
        """Look every so many seconds, in a thread; save in any case at the end of the block.

        What cannot be saved is logged: the next start reads the store instead.
        """
        try:
            with repeating("pilah-keeper", self.look, every=every):
                yield
        finally:
            try:
                self.save()
            except Exception as error:  # noqa: BLE001 - it must not hide why the block ended
                log.error("the memory was not saved at the end: %s", safe(error))

    def look(self) -> None:
        """Save when much has changed, or when what is saved is of another encoder."""
        with self._intake.store.reading() as connection:
            now = mark_now(connection, self._intake.engine.made_by)
        then = self._saved
        if then is None or then.made_by != now.made_by or _changes(then, now) >= SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Save what is remembered now; reports wait only while it is copied, not while written."""
        engine = self._intake.engine
        with self._intake.locked(), self._intake.store.reading() as connection:
            now = mark_now(connection, engine.made_by)
            if now == self._saved:
                return
            write = engine.saving(now.text())
        write()
        self._saved = now


def _changes(then: Mark, now: Mark) -> int:
    return now.number - then.number + now.event - then.event
