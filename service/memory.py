"""The engine's memory and the store: brought together when the service starts."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pilah.datasets.records import Report
from pilah.models.reading import Analysis, Changes
from pilah.service import incident_reads, reads, writes
from pilah.service.engine import Engine
from pilah.service.logs import safe
from pilah.service.store import Store
from pilah.service.tables import incident_events, reports

log = logging.getLogger(__name__)

_BATCH = 256


def vectors_name(engine: Engine) -> str:
    """What made the engine's vectors, as it says itself; empty when it does not."""
    return str(engine.describe().get("vectors") or "")


@dataclass(frozen=True, slots=True)
class Mark:
    """A state of the store: later ones hold everything that it holds, for nothing is taken out.

    Attributes:
        number: of reports.
        newest: ``seq`` of the newest report, 0 without any.
        received: when that one came.
        event: number of the latest act of a person on an incident, 0 without any.
        happened: when that was.
        made_by: what makes the engine's vectors.
    """

    number: int
    newest: int
    received: str | None
    event: int
    happened: str | None
    made_by: str

    def text(self) -> str:
        """As JSON, to be kept beside what stands for this state."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def of(cls, text: str) -> Mark | None:
        """The inverse of :meth:`text`; None of anything else."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None


def restore(store: Store, engine: Engine) -> Mark | None:
    """Make the engine remember every stored report.

    Vectors that another encoder made are made anew first, from the stored text. Gives the mark of
    the saved memory, if one was taken.
    """
    made_by = vectors_name(engine)
    refresh(store, engine, made_by)
    with store.reading() as connection:
        taken = engine.restore(
            reads.remembered(connection, made_by),
            since=lambda mark: changes_since(connection, mark, made_by),
        )
        engine.keep_apart(incident_reads.told_apart(connection))
    return None if taken is None else Mark.of(taken)


def mark_now(connection: Connection, made_by: str) -> Mark:
    """The present state of the store; asks indexes only, and single rows."""
    number, newest = connection.execute(select(func.count(), func.max(reports.c.seq))).one()
    event = connection.scalar(select(func.max(incident_events.c.number)))
    moments = _moments(connection, newest or 0, event or 0)
    return Mark(number, newest or 0, moments[0], event or 0, moments[1], made_by)


def changes_since(connection: Connection, mark: str, made_by: str) -> Changes | None:
    """What the store holds beyond the state of a mark; None when that is not one of its own.

    It is when its newest report and its latest act are there, and as many reports up to that one.
    """
    then = Mark.of(mark)
    if then is None or then.made_by != made_by:
        return None
    number = connection.scalar(select(func.count()).select_from(reports)) or 0
    later = reports.c.seq > then.newest
    number -= connection.scalar(select(func.count()).where(later)) or 0
    moments = _moments(connection, then.newest, then.event)
    if (number, *moments) != (then.number, then.received, then.happened):
        return None
    moved = incident_reads.moved_since(connection, then.event)
    return Changes(
        fresh=reads.remembered(connection, made_by, after=then.newest),
        moved=incident_reads.homes(connection, moved),
    )


def _moments(connection: Connection, seq: int, event: int) -> tuple[str | None, str | None]:
    """When a report came, and when an act happened."""
    received = select(reports.c.received_at).where(reports.c.seq == seq)
    happened = select(incident_events.c.happened_at).where(incident_events.c.number == event)
    return connection.scalar(received), connection.scalar(happened)


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
