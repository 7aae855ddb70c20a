"""What is known already, shown before a report is sent. Nothing is stored or remembered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from pilah.datasets.records import Report
from pilah.models.answer import Match
from pilah.service import incident_reads
from pilah.service.incident_views import place_view
from pilah.service.intake import Intake
from pilah.service.tables import reports

MAX_INCIDENTS = 10
"""Most incidents in one answer."""


def similar(intake: Intake, draft: Report, *, limit: int = MAX_INCIDENTS) -> dict[str, Any]:
    """Known incidents that a draft may tell of, the likeliest first.

    Only public reports are looked at, counted and shown: no answer tells whether an anonymous or
    a secret one exists.

    Raises:
        ReportError: the draft cannot be read, e.g. an unknown region.
    """
    matches = intake.look(draft)
    with intake.store.reading() as connection:
        homes = incident_reads.homes(connection, (match.report_id for match in matches))
        best: dict[str, Match] = {}
        for match in matches:
            if (home := homes.get(match.report_id)) is not None:
                best.setdefault(home, match)
        shown = (_view(connection, *found) for found in best.items())
        return {"incidents": [view for view in shown if view is not None][:limit]}


def _view(connection: Connection, incident_id: str, match: Match) -> dict[str, Any] | None:
    found = incident_reads.standing(connection, incident_id)
    public = incident_reads.public_summary(connection, incident_id)
    if found is None or public is None:
        return None
    place = incident_reads.most_common(connection, incident_id, reports.c.place, public_only=True)
    return {
        "incident_id": incident_id,
        "status": found.status,
        "probability": match.probability,
        "evidence": list(match.evidence),
        "place": place_view(place),
        **public,
    }
