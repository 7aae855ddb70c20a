"""Where a new report belongs, when what it resembles was merged or closed meanwhile."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from sqlalchemy import Connection

from pilah.models.closed_cases import ClosedCase, told
from pilah.models.incidents import new_incident_id
from pilah.models.reading import Answer
from pilah.service import incident_reads, incident_writes
from pilah.service.incident_reads import Standing
from pilah.service.loop.facts import WIB


def assigned(connection: Connection, answer: Answer, *, normal: str) -> Answer:
    """The answer with the incident that stands, in the answer and in its triage.

    A merged incident is its survivor. A report of a time after its incident was closed belongs to
    the latest recurrence that is still open; without one it starts a new incident, linked to the
    closed one by ``recurs_of``, and is no duplicate. When its normalised text (``normal``) says
    that the closed case is not settled, that is named and a person looks.
    """
    home, closed = _home(connection, answer)
    duplicates = answer.triage.duplicates
    incident = home.incident_id if home else answer.incident_id
    if home is None and closed is not None:
        own = new_incident_id(answer.triage.report_id)
        incident = incident_writes.fresh_id(connection, own)
        duplicates = dataclasses.replace(duplicates, verdict="none", recurs_of=closed.incident_id)
    duplicates = dataclasses.replace(duplicates, incident_id=incident)
    triage = dataclasses.replace(answer.triage, duplicates=duplicates)
    if home is None and closed is not None and closed.closed_at is not None:
        closed_at = datetime.fromisoformat(closed.closed_at).astimezone(WIB)
        case = ClosedCase(closed.incident_id, closed_at)
        triage = told(triage, normal, case)
    return dataclasses.replace(answer, triage=triage, incident_id=incident)


def _home(connection: Connection, answer: Answer) -> tuple[Standing | None, Standing | None]:
    """The standing incident that takes the report, and the last closed one that does not."""
    moment = answer.fingerprint.received_at
    home, closed = incident_reads.survivor(connection, answer.incident_id), None
    passed: set[str] = set()
    while home is not None and _settled(home, moment):
        closed = home
        passed.add(home.incident_id)
        later = incident_reads.recurrences(connection, home.incident_id)
        home = incident_reads.survivor(connection, later[-1]) if later else None
        if home is not None and home.incident_id in passed:  # merged back into the closed one
            home = None
    return home, closed


def _settled(incident: Standing, moment: datetime) -> bool:
    """Whether the incident was closed before this moment."""
    if incident.closed_at is None:
        return False
    return moment.astimezone(UTC) > datetime.fromisoformat(incident.closed_at)
