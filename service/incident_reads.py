"""What is read of incidents: their standing, who tells of them, and what people did to them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, Connection, func, or_, select

from pilah.service.tables import (
    incident_events,
    incidents,
    incidents_apart,
    incidents_touched,
    reports,
    suggestions,
)

_MANY = 500
"""Most ids in one query."""
Status = Literal["open", "closed", "merged"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What an incident is now.

    Attributes:
        closed_at: when a person closed it, ISO 8601; None unless it is closed.
        merged_into: the incident that took its reports over; None unless it is merged.
        recurs_of: the closed incident whose problem came back in this one.
    """

    incident_id: str
    created_from: str
    created_at: str
    status: Status
    closed_at: str | None
    merged_into: str | None
    recurs_of: str | None


@dataclass(frozen=True, slots=True)
class Citizens:
    """How many people told of an incident, as far as can be said without telling who.

    Attributes:
        known: different senders of its public reports that name one.
        unknown_reports: reports whose sender is not named or must not be compared.
    """

    known: int
    unknown_reports: int

    def to_dict(self) -> dict[str, int]:
        """With the bounds: all unknown reports by known people, or each by another one."""
        least = max(self.known, min(1, self.unknown_reports))
        return {
            "known": self.known,
            "unknown_reports": self.unknown_reports,
            "at_least": least,
            "at_most": self.known + self.unknown_reports,
        }


def standing(connection: Connection, incident_id: str) -> Standing | None:
    """One incident as it stands; None for an unknown one."""
    row = connection.execute(select(incidents).where(incidents.c.id == incident_id)).first()
    return None if row is None else Standing(*row)


def survivor(connection: Connection, incident_id: str) -> Standing | None:
    """The incident that holds what was once this one: itself, or what it was merged into."""
    found = standing(connection, incident_id)
    while found is not None and found.merged_into is not None:
        found = standing(connection, found.merged_into)
    return found


def recurrences(connection: Connection, incident_id: str) -> list[str]:
    """Incidents in which the problem of this one came back, oldest first."""
    query = select(incidents.c.id).where(incidents.c.recurs_of == incident_id)
    return list(connection.execute(query.order_by(incidents.c.created_at)).scalars())


def members_of(connection: Connection, incident_id: str) -> list[str]:
    """Ids of the reports of an incident, oldest first."""
    query = select(reports.c.id).where(reports.c.incident_id == incident_id)
    return list(connection.execute(query.order_by(reports.c.seq)).scalars())


def homes(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Report id -> incident, of those ids that are stored."""
    wanted = list(dict.fromkeys(ids))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _MANY):
        mine = reports.c.id.in_(wanted[start : start + _MANY])
        rows = connection.execute(select(reports.c.id, reports.c.incident_id).where(mine))
        found |= {row.id: row.incident_id for row in rows}
    return found


def moved_since(connection: Connection, event: int) -> list[str]:
    """Ids of the reports that people moved by acts later than this one."""
    after = select(incident_events.c.after).where(incident_events.c.number > event)
    told = (json.loads(text)["reports"] for text in connection.scalars(after))
    return list(dict.fromkeys(report_id for moved in told for report_id in moved))


def citizens(connection: Connection, incident_id: str) -> Citizens:
    """How many people told of it; senders of anonymous and secret reports are never compared."""
    mine = reports.c.incident_id == incident_id
    named = (reports.c.visibility == "public") & reports.c.reporter_ref.is_not(None)
    query = select(func.count(), func.count(reports.c.reporter_ref.distinct()))
    named_reports, people = connection.execute(query.where(mine, named)).one()
    every = connection.execute(select(func.count()).select_from(reports).where(mine)).scalar_one()
    return Citizens(people, every - named_reports)


def most_common(
    connection: Connection, incident_id: str, column: Column[Any], *, public_only: bool = False
) -> str | None:
    """What most of its reports say in a column of ``reports``; secret ones are not asked."""
    asked = ("public",) if public_only else ("public", "anonymous")
    query = (
        select(column)
        .where(reports.c.incident_id == incident_id, column.is_not(None))
        .where(reports.c.visibility.in_(asked))
        .group_by(column)
        .order_by(func.count().desc(), func.min(reports.c.seq))
    )
    found: str | None = connection.execute(query.limit(1)).scalar_one_or_none()
    return found


def told_apart(connection: Connection) -> list[tuple[str, str]]:
    """Every pair of incidents that a person told apart."""
    query = select(incidents_apart.c.one, incidents_apart.c.other)
    return [(one, other) for one, other in connection.execute(query)]


def apart_from(connection: Connection, incident_id: str) -> list[str]:
    """The incidents that a person told apart from this one."""
    one, other = incidents_apart.c.one, incidents_apart.c.other
    query = select(one, other).where(or_(one == incident_id, other == incident_id))
    pairs = connection.execute(query).all()
    return sorted(other if one == incident_id else one for one, other in pairs)


def events_of(connection: Connection, incident_id: str) -> list[dict[str, Any]]:
    """What people did to an incident, oldest first."""
    query = (
        select(incident_events)
        .join(incidents_touched, incidents_touched.c.event == incident_events.c.number)
        .where(incidents_touched.c.incident_id == incident_id)
        .order_by(incident_events.c.number)
    )
    return [
        {**row, "before": json.loads(row["before"]), "after": json.loads(row["after"])}
        for row in connection.execute(query).mappings()
    ]


def last_standing_event(connection: Connection, incident_id: str) -> dict[str, Any] | None:
    """The latest act on an incident that was not undone."""
    events = events_of(connection, incident_id)
    undone = {event["undoes"] for event in events}
    acts = [e for e in events if e["kind"] != "undo" and e["number"] not in undone]
    return acts[-1] if acts else None


def closing(connection: Connection, incident_id: str) -> dict[str, Any] | None:
    """Who closed an incident last, when and why; None if nobody did."""
    closings = [e for e in events_of(connection, incident_id) if e["kind"] == "close"]
    return closings[-1] if closings else None


def public_summary(connection: Connection, incident_id: str) -> dict[str, Any] | None:
    """What anybody may know of an incident, from its public reports alone; None without any."""
    public = (reports.c.incident_id == incident_id) & (reports.c.visibility == "public")
    moment = reports.c.received_at
    counts = select(func.count(), func.min(moment), func.max(moment)).where(public)
    number, first, last = connection.execute(counts).one()
    if not number:
        return None
    newest = select(suggestions.c.triage).join(reports).where(public).order_by(reports.c.seq)
    triage = json.loads(connection.execute(newest.limit(1)).scalar_one())
    return {
        "reports": number,
        "first_received_at": first,
        "last_received_at": last,
        "topic": triage["topic"]["main"],
        "agency": triage["agency"]["name"],
        "masked_text": triage["masked_text"],
    }
