"""Which stored report a user may see: asked before every page and inside every transaction."""

from __future__ import annotations

from sqlalchemy import Connection, select

from pilah.service.accounts.roles import User
from pilah.service.desk.cases import Case, case_of
from pilah.service.problems import Problem
from pilah.service.tables import decisions


def visible_case(connection: Connection, user: User, report_id: str) -> Case:
    """The case of a report that the user may see; others are answered like unknown ones.

    Raises:
        Problem: ``report-unknown``.
    """
    case = case_of(connection, report_id)
    if case is None or not user.sees(case.government):
        raise Problem("report-unknown")
    return case


def undoable_case(connection: Connection, user: User, report_id: str) -> Case:
    """The case of a report whose last decision the user may take back.

    It is a visible one, or one that the user decided last: who sent a report to another government
    by mistake gets it back.

    Raises:
        Problem: ``report-unknown``.
    """
    case = case_of(connection, report_id)
    if case is not None and _last_actor(connection, report_id) == user.name:
        return case
    return visible_case(connection, user, report_id)


def _last_actor(connection: Connection, report_id: str) -> str | None:
    """Who decided last; None when that was an undo, or nobody did."""
    mine = select(decisions.c.actor, decisions.c.action).where(decisions.c.report_id == report_id)
    last = connection.execute(mine.order_by(decisions.c.number.desc()).limit(1)).first()
    return None if last is None or last.action == "undo" else last.actor
