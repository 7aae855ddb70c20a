"""Which stored report a user may see: asked before every page and inside every transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from pilah.service.accounts.roles import User
from pilah.service.desk.cases import Case, case_of
from pilah.service.problems import Problem


def visible_case(connection: Connection, user: User, report_id: str) -> Case:
    """The case of a report that the user may see; others are answered like unknown ones.

    Raises:
        Problem: ``report-unknown``.
    """
    case = case_of(connection, report_id)
    if case is None or not user.sees(case.government):
        raise Problem("report-unknown")
    return case
