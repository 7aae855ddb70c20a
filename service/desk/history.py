"""The decisions about a report as they are stored, oldest first."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select

from pilah.service.desk.standing import Entry
from pilah.service.tables import decisions


def entries(connection: Connection, report_id: str) -> list[Entry]:
    """The history of a report, as far as its standing depends on it."""
    columns = [decisions.c[n] for n in ("number", "action", "labels", "undoes")]
    mine = select(*columns).where(decisions.c.report_id == report_id)
    rows = connection.execute(mine.order_by(decisions.c.number))
    return [Entry(r.number, r.action, json.loads(r.labels), r.undoes) for r in rows]
