"""What is written of incidents: each function adds to the transaction of its caller."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from pilah.models.incidents import new_incident_id
from pilah.service import incident_reads
from pilah.service.accounts import audit
from pilah.service.codecs import dump, now_text
from pilah.service.tables import (
    incident_events,
    incidents,
    incidents_apart,
    incidents_touched,
    reports,
)

_MANY = 500


@dataclass(frozen=True, slots=True)
class Event:
    """What one person did to incidents.

    ``before`` and ``after`` are ``{"incidents": {id: state}, "reports": {id: incident}}``: the
    states of the incidents that were touched, and where the reports that were moved belong.
    """

    kind: str
    actor: str
    reason: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    undoes: int | None = None
    number: int = 0


def begin(
    connection: Connection, incident_id: str, *, created_from: str, recurs_of: str | None = None
) -> None:
    """Make the incident unless it exists."""
    if incident_reads.standing(connection, incident_id) is None:
        row = {"id": incident_id, "created_from": created_from, "created_at": now_text()}
        connection.execute(insert(incidents).values(row | {"recurs_of": recurs_of}))


def fresh_id(connection: Connection, incident_id: str) -> str:
    """This id, or the first derived from it that no incident has; the same at every replay."""
    while incident_reads.standing(connection, incident_id) is not None:
        incident_id = new_incident_id(incident_id)
    return incident_id


def move(connection: Connection, ids: Sequence[str], incident_id: str) -> None:
    """Put reports into an incident."""
    for start in range(0, len(ids), _MANY):
        mine = reports.c.id.in_(ids[start : start + _MANY])
        connection.execute(update(reports).where(mine).values(incident_id=incident_id))


def set_open(connection: Connection, incident_id: str) -> None:
    """The incident is in work."""
    _set(connection, incident_id, {"status": "open", "closed_at": None, "merged_into": None})


def set_closed(connection: Connection, incident_id: str) -> None:
    """The incident is settled from this moment on."""
    _set(connection, incident_id, {"status": "closed", "closed_at": now_text()})


def set_merged(connection: Connection, incident_id: str, *, into: str) -> None:
    """The incident has become part of another one."""
    _set(connection, incident_id, {"status": "merged", "closed_at": None, "merged_into": into})


def states(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """Incident id -> status, closed_at, merged_into, of the incidents that exist."""
    found = {i: s for i in ids if (s := incident_reads.standing(connection, i)) is not None}
    return {
        i: {"status": s.status, "closed_at": s.closed_at, "merged_into": s.merged_into}
        for i, s in found.items()
    }


def restore_states(connection: Connection, known: Mapping[str, Mapping[str, str | None]]) -> None:
    """Put incidents back into the states that :func:`states` noted."""
    for incident_id, state in known.items():
        _set(connection, incident_id, state)


def tell_apart(connection: Connection, one: str, other: str, event: int) -> None:
    """Remember that a person told two incidents apart."""
    pair = {"one": min(one, other), "other": max(one, other)}
    known = incidents_apart.select().filter_by(**pair)
    if one != other and connection.execute(known).first() is None:
        connection.execute(insert(incidents_apart).values(pair | {"event": event}))


def forget_apart(connection: Connection, event: int) -> None:
    """Forget the pairs that one event told apart."""
    connection.execute(delete(incidents_apart).where(incidents_apart.c.event == event))


def hand_over_apart(connection: Connection, source: str, target: str, event: int) -> None:
    """What was told apart from a merged incident is apart from the survivor; the pair no more."""
    one, other = incidents_apart.c.one, incidents_apart.c.other
    for stranger in incident_reads.apart_from(connection, source):
        tell_apart(connection, target, stranger, event)
    both = or_((one == source) & (other == target), (one == target) & (other == source))
    connection.execute(delete(incidents_apart).where(both))


def record(connection: Connection, event: Event) -> Event:
    """Append an event to the history of every incident it touched; gives it with its number."""
    newest = connection.execute(select(func.max(incident_events.c.number))).scalar_one()
    event = dataclasses.replace(event, number=(newest or 0) + 1)
    plain = dataclasses.asdict(event)
    plain |= {"before": dump(event.before), "after": dump(event.after)}
    connection.execute(insert(incident_events).values(plain | {"happened_at": now_text()}))
    for incident_id in event.after["incidents"]:
        row = {"incident_id": incident_id, "event": event.number}
        connection.execute(insert(incidents_touched).values(row))
        audit.record(
            connection,
            event.actor,
            f"incident.{event.kind}",
            subject=incident_id,
            detail={"event": event.number, "undoes": event.undoes},
        )
    return event


def _set(connection: Connection, incident_id: str, values: Mapping[str, str | None]) -> None:
    mine = incidents.c.id == incident_id
    connection.execute(update(incidents).where(mine).values(dict(values)))
