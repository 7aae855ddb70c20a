"""Takes a promoted or rolled back bundle while the service runs.

A thread looks at the registry's pointer. When it moved, the new bundle is loaded and filled with
everything the store remembers, in the background; vectors of another encoder are made anew from
the stored text. What changed meanwhile follows under the lock, and the engines change places. A
bundle that does not load, or does not answer a fixed sentence, is refused: the earlier one goes on.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pilah.datasets.errors import PilahError
from pilah.models.reading import Answer
from pilah.models.registry import Pointer, Registry
from pilah.service import incident_reads, reads, writes
from pilah.service.codecs import now_text
from pilah.service.health import SENTENCE
from pilah.service.logs import safe
from pilah.service.memory import analyse_each, vectors_name

if TYPE_CHECKING:
    from pilah.models.reading import Fingerprint, Vector
    from pilah.service.engine import Engine, EngineFactory
    from pilah.service.state import Service

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""How often the pointer is looked at."""
_BATCH = 64
"""Reports that are read, made anew or written at a time."""


class _StoppedError(Exception):
    """The service stops: leave the switch where it is."""


class Switcher:
    """Follows the registry's pointer for one running service."""

    def __init__(self, service: Service, make: EngineFactory, seen: Pointer) -> None:
        """Follow on from ``seen``, the pointer before the present engine was made."""
        self._settings, self._metrics = service.settings, service.metrics
        self._intake, self._make, self._seen = service.intake, make, seen
        self._registry = Registry(service.settings.data_dir / "bundles")
        self._stop = threading.Event()

    @contextmanager
    def running(self, every: float = POLL_SECONDS) -> Iterator[None]:
        """Look every so many seconds, in a thread, until the end of the block."""
        thread = threading.Thread(target=self._run, args=(every,), name="pilah-switch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _run(self, every: float) -> None:
        while not self._stop.wait(every):
            self.look()

    def look(self) -> None:
        """Switch when the pointer moved since the last look; nothing raises."""
        try:
            pointer = self._registry.pointer()
            if pointer == self._seen:
                return
            before, self._seen = self._seen, pointer
            if pointer.live != before.live or self._intake.engine.refused is not None:
                self._switch()
        except _StoppedError:
            return
        except Exception as error:  # noqa: BLE001 - whatever fails must not stop the service
            self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        reason = str(error) if isinstance(error, PilahError) else safe(error)
        engine = self._intake.engine
        log.error("bundle %s refused, %s goes on: %s", self._seen.live, engine.bundle, reason)
        engine.refused = {"bundle": self._seen.live, "at": now_text()}
        self._metrics.switches.labels("refused").inc()

    def _switch(self) -> None:
        live = self._intake.engine
        fresh = self._make(self._settings)
        fresh.settle(fresh.analyse([("pilah-readiness", SENTENCE)])[0])
        with live.followed() as changed:
            with self._intake.locked():
                pass  # what was remembered before we followed is in the store from here on
            remade = self._fill(fresh)
            with live.alone(), self._intake.locked():
                remade |= self._follow(fresh, sorted(changed))
                live.switch(fresh, remade)
        self._metrics.switches.labels("switched").inc()
        log.info("bundle %s answers now", live.bundle)
        self._write(list(remade.values()), live.made_by)

    def _fill(self, engine: Engine) -> dict[str, tuple[Fingerprint, Vector]]:
        """Let an engine remember the whole store; returns the marks that were made anew."""
        remade: dict[str, tuple[Fingerprint, Vector]] = {}
        engine.restore(self._memories(engine, remade))
        return remade

    def _memories(
        self, engine: Engine, remade: dict[str, tuple[Fingerprint, Vector]]
    ) -> Iterator[tuple[Fingerprint, Vector, str]]:
        after = 0
        while True:
            with self._intake.store.reading() as connection:
                batch = reads.memories(connection, after=after, limit=_BATCH)
            if not batch:
                return
            if self._stop.is_set():
                raise _StoppedError
            after = batch[-1].seq
            yield from _renewed(engine, batch, remade)

    def _follow(
        self, engine: Engine, changed: Sequence[str]
    ) -> dict[str, tuple[Fingerprint, Vector]]:
        """Bring an engine up to date with the reports that changed; under the lock."""
        remade: dict[str, tuple[Fingerprint, Vector]] = {}
        with self._intake.store.reading() as connection:
            batch = reads.memories_of(connection, changed)
            apart = incident_reads.told_apart(connection)
        for report_id in changed:
            engine.forget(report_id)
        triage = engine.analyse([("pilah-readiness", SENTENCE)])[0].draft
        for fingerprint, vector, incident_id in _renewed(engine, batch, remade):
            engine.remember(Answer(triage, fingerprint, vector, incident_id))
        engine.keep_apart(apart)
        return remade

    def _write(self, remade: Sequence[tuple[Fingerprint, Vector]], made_by: str) -> None:
        """Store what was made anew. A process that is killed here does it at its next start."""
        for start in range(0, len(remade), _BATCH):
            if self._stop.is_set():
                return
            part = remade[start : start + _BATCH]
            with self._intake.transaction() as transaction:
                for fingerprint, vector in part:
                    writes.save_fingerprint(
                        transaction.connection, fingerprint, vector, made_by=made_by
                    )
                    writes.save_place(transaction.connection, fingerprint)
            self._intake.engine.written([fingerprint.report_id for fingerprint, _ in part])
        if remade:
            log.info("made %d stored vectors anew with the engine's encoder", len(remade))


def _renewed(
    engine: Engine,
    batch: Sequence[reads.Memory],
    remade: dict[str, tuple[Fingerprint, Vector]],
) -> Iterator[tuple[Fingerprint, Vector, str]]:
    """(fingerprint, vector, incident) of each; those of another encoder are made anew."""
    made_by = vectors_name(engine)
    old = [m for m in batch if m.made_by != made_by]
    for analysis in analyse_each(engine, [(m.report_id, m.report) for m in old]):
        remade[analysis.report_id] = analysis.fingerprint, analysis.vector
    for memory in batch:
        mark = memory.mark
        if memory.report_id in remade:
            fingerprint, vector = remade[memory.report_id]
            received = mark[0].received_at if mark else fingerprint.received_at
            mark = dataclasses.replace(fingerprint, received_at=received), vector
            remade[memory.report_id] = mark
        elif memory.made_by != made_by:
            continue  # cannot be read anew; the log says so
        if mark is not None:
            yield *mark, memory.incident_id
