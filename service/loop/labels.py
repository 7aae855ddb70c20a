"""The labels that people left in force, for counting."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from pilah.service.desk.standing import Entry, standing_of
from pilah.service.tables import decisions


def decided_labels(connection: Connection) -> dict[str, dict[str, Any]]:
    """Report id -> label fields in force, of every report with a decision."""
    query = select(decisions).order_by(decisions.c.report_id, decisions.c.number)
    found = {}
    for report_id, rows in groupby(connection.execute(query), lambda row: row.report_id):
        entries = [Entry(r.number, r.action, json.loads(r.labels), r.undoes) for r in rows]
        found[report_id] = dict(standing_of(entries, unsure=True).labels)
    return found
