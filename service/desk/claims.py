"""Taking a report, so that two people never do the same one. A claim expires by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, update

from pilah.service.codecs import now_text
from pilah.service.desk.cases import Case
from pilah.service.desk.tables import cases
from pilah.service.problems import Problem

HOLD = timedelta(minutes=15)
"""How long a claim holds after it was taken or used last."""


def holder(case: Case) -> str | None:
    """Who has the report now."""
    if case.claimed_until is None or case.claimed_until <= now_text():
        return None
    return case.claimed_by


def claim(connection: Connection, case: Case, name: str) -> None:
    """Take a report, or keep it for longer.

    Raises:
        Problem: ``case-claimed``: somebody else has it.
    """
    if holder(case) not in (None, name):
        raise Problem("case-claimed")
    until = (datetime.now(UTC) + HOLD).isoformat(timespec="microseconds")
    mine = cases.c.report_id == case.report_id
    connection.execute(update(cases).where(mine).values(claimed_by=name, claimed_until=until))


def release(connection: Connection, report_id: str, name: str) -> None:
    """Give a report back; that of somebody else stays."""
    mine = (cases.c.report_id == report_id) & (cases.c.claimed_by == name)
    connection.execute(update(cases).where(mine).values(claimed_by=None, claimed_until=None))
