"""An incident as it is answered: its standing, its reports as they may be seen, its history."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from pilah.datasets.regions import load_regions
from pilah.service import incident_reads, reads, shield
from pilah.service.incident_reads import Standing
from pilah.service.problems import Problem
from pilah.service.tables import reports

MAX_MEMBERS = 200
"""Most reports of an incident that one answer lists; the rest is counted in members_left_out."""


def incident_body(connection: Connection, incident_id: str) -> dict[str, Any]:
    """Everything that a moderator may know of an incident.

    Raises:
        Problem: ``incident-unknown``.
    """
    found = incident_reads.standing(connection, incident_id)
    if found is None:
        raise Problem("incident-unknown")
    counts = reads.incident_counts(connection, incident_id)
    members = reads.incident_members(connection, incident_id, limit=MAX_MEMBERS)
    body = shield.incident_view(incident_id, found.created_from, counts, members)
    return (
        body
        | _standing(connection, found)
        | {
            "topic": incident_reads.most_common(connection, incident_id, reports.c.topic),
            "place": place_view(
                incident_reads.most_common(connection, incident_id, reports.c.place)
            ),
            "citizens": incident_reads.citizens(connection, incident_id).to_dict(),
            "history": [
                _event(event) for event in incident_reads.events_of(connection, incident_id)
            ],
        }
    )


def place_view(code: str | None) -> dict[str, str] | None:
    """A Kemendagri code with the name of its region."""
    if code is None:
        return None
    region = load_regions().by_code.get(code)
    return {"code": code, "name": region.name if region else code}


def _standing(connection: Connection, found: Standing) -> dict[str, Any]:
    return {
        "created_at": found.created_at,
        "status": found.status,
        "closed_at": found.closed_at,
        "merged_into": found.merged_into,
        "recurs_of": found.recurs_of,
        "recurred_as": incident_reads.recurrences(connection, found.incident_id),
        "apart_from": incident_reads.apart_from(connection, found.incident_id),
    }


def _event(event: dict[str, Any]) -> dict[str, Any]:
    names = ("number", "kind", "actor", "reason", "happened_at", "undoes", "before", "after")
    return {name: event[name] for name in names}
