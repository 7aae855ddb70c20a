"""The engine's memory and the store: brought together when the service starts."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from pilah.datasets.records import Report
from pilah.models.reading import Analysis
from pilah.service import incident_reads, reads, writes
from pilah.service.engine import Engine
from pilah.service.live import LiveEngine
from pilah.service.logs import safe
from pilah.service.store import Store
from pilah.service.tables import incident_events, reports

log = logging.getLogger(__name__)

_BATCH = 256


def vectors_name(engine: Engine) -> str:
    """What made the engine's vectors, as it says itself; empty when it does not."""
    return str(engine.describe().get("vectors") or "")


def restore(store: Store, engine: Engine) -> None:
    """Make the engine remember every stored report.

    Vectors that another encoder made are made anew first, from the stored text.
    """
    made_by = vectors_name(engine)
    refresh(store, engine, made_by)
    with store.reading() as connection:
        mark = store_mark(connection, made_by)
        engine.restore(reads.remembered(connection, made_by), mark=mark)
        engine.keep_apart(incident_reads.told_apart(connection))


def save(store: Store, engine: LiveEngine) -> None:
    """Let the engine save its memory under the state of the store, when the service stops."""
    with store.reading() as connection:
        engine.save(store_mark(connection, engine.made_by))


def store_mark(connection: Connection, made_by: str) -> str:
    """Changes whenever reports are added or removed, or people act on incidents."""
    number, newest = connection.execute(select(func.count(), func.max(reports.c.seq))).one()
    event = connection.execute(select(func.max(incident_events.c.number))).scalar_one()
    latest = select(func.max(reports.c.received_at))
    moment = connection.execute(latest.where(reports.c.seq == newest)).scalar_one()
    return f"{number}/{newest}/{moment}/{event}/{made_by}"


def refresh(store: Store, engine: Engine, made_by: str) -> int:
    """Make anew every fingerprint and vector that ``made_by`` did not make; gives their number."""
    done, after = 0, 0
    with store.reading() as connection:
        if reads.all_made_by(connection, made_by):
            return 0
    while True:
        with store.reading() as connection:
            stale = reads.stale_reports(connection, made_by, after=after, limit=_BATCH)
        if not stale:
            break
        after = stale[-1].seq
        done += _refresh_batch(store, engine, made_by, [(s.report_id, s.report) for s in stale])
        log.info("made %d stored vectors anew with the engine's encoder", done)
    return done


def _refresh_batch(
    store: Store, engine: Engine, made_by: str, items: Sequence[tuple[str, Report]]
) -> int:
    analyses = analyse_each(engine, items)
    with store.writing() as connection:
        for analysis in analyses:
            old = reads.fingerprint_of(connection, analysis.report_id)
            fresh = analysis.fingerprint
            if old is not None:
                fresh = dataclasses.replace(fresh, received_at=old[0].received_at)
            writes.save_fingerprint(connection, fresh, analysis.vector, made_by=made_by)
            writes.save_place(connection, fresh)
    return len(analyses)


def analyse_each(engine: Engine, items: Sequence[tuple[str, Report]]) -> list[Analysis]:
    """Read stored reports; one that cannot be read is left out, and the log says so."""
    try:
        return engine.analyse(items)
    except Exception as error:  # noqa: BLE001 - one unreadable report must not keep the service down
        if len(items) > 1:
            return [analysis for item in items for analysis in analyse_each(engine, [item])]
        log.warning("a stored report is not remembered: %s", safe(error))
        return []
