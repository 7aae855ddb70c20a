"""The nearest past cases of a report, with what people decided."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pilah.service import reads
from pilah.service.accounts.roles import User
from pilah.service.desk.tables import cases
from pilah.service.engine import Engine
from pilah.service.tables import reports, suggestions

MIN_SIMILARITY = 0.5
"""Cosine from which a past case is shown: below, most went to another unit (docs/desk.md)."""
MAX_SHOWN = 5
"""Most past cases on a page."""
NEAREST = 200
"""Nearest reports among which decided ones are looked for."""
DECIDED = ("decided", "asked", "archived")
"""Where a person acted last."""
SNIPPET = 240
"""Characters of a past case's text that are shown."""


@dataclass(frozen=True, slots=True)
class PastCase:
    """A decided report that is near, and what was decided."""

    report_id: str
    similarity: float
    status: str
    topic: str | None
    agency: str | None
    text: str


def past_cases(
    connection: Connection, engine: Engine, user: User, report_id: str
) -> list[PastCase]:
    """Decided reports that the user may see and that are alike enough, the nearest first."""
    known = reads.fingerprint_of(connection, report_id)
    if known is None:
        return []
    found = engine.nearest(known[1], limit=NEAREST)
    near = {name: cosine for name, cosine in found if cosine >= MIN_SIMILARITY}
    near.pop(report_id, None)
    query = (
        select(cases, suggestions.c.triage)
        .join_from(cases, suggestions, cases.c.report_id == suggestions.c.report_id)
        .join(reports, reports.c.id == cases.c.report_id)
        .where(cases.c.report_id.in_(list(near)), cases.c.status.in_(DECIDED))
        .where(reports.c.visibility != "secret")
    )
    rows = [r for r in connection.execute(query) if user.sees(r.government)]
    rows.sort(key=lambda row: (-near[row.report_id], row.report_id))
    return [
        PastCase(r.report_id, near[r.report_id], r.status, r.topic, r.agency, _snippet(r.triage))
        for r in rows[:MAX_SHOWN]
    ]


def _snippet(triage: str) -> str:
    text: str = json.loads(triage)["masked_text"]
    return text if len(text) <= SNIPPET else f"{text[:SNIPPET]} \u2026"
