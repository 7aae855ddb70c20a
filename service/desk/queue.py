"""The queue: what waits, in order of harm and age, within what the user may see."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from pilah.service import reads
from pilah.service.accounts.roles import User
from pilah.service.codecs import now_text
from pilah.service.desk.cases import Case, case_from
from pilah.service.desk.clock import day_start
from pilah.service.desk.tables import cases
from pilah.service.loop.tables import review_requests
from pilah.service.tables import decisions, reports, review_reasons, suggestions

PAGE = 50
"""Reports on one page of the queue."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the queue is shown; empty fields hold for everything.

    Attributes:
        region: Kemendagri code; reports below it count too.
        status: ``waiting``, or what became of reports that were decided.
    """

    region: str = ""
    topic: str = ""
    agency: str = ""
    reason: str = ""
    status: str = "waiting"

    @classmethod
    def of(cls, fields_given: Mapping[str, str]) -> Filter:
        """The filter that a query or a form names; unknown fields are passed over."""
        known = {f.name for f in fields(cls)}
        return cls(**{k: v[:500] for k, v in fields_given.items() if k in known and v})

    def to_query(self) -> dict[str, str]:
        """The fields that differ from the plain queue."""
        plain = Filter()
        pairs = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in pairs if value != getattr(plain, name)}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One row of the queue, unshielded."""

    case: Case
    visibility: str
    received_at: str
    size: int
    harm: float
    triage: dict[str, Any]
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Counts:
    """What the head of the queue says.

    Attributes:
        waiting: with the filter.
        overdue: of those, past their third working day.
        mine: decisions of the user today.
        everybody: decisions of all today.
    """

    waiting: int
    overdue: int
    mine: int
    everybody: int


def rows(connection: Connection, user: User, shown: Filter, *, start: int) -> list[Waiting]:
    """One page of the queue from its ``start``-th row, and one row more when there are more."""
    order = (cases.c.rank, cases.c.report_id)
    page = (  # sorted by itself: the texts of a page need not be carried through the sorting
        select(cases.c.report_id)
        .where(*_scope(user), *_conditions(shown))
        .order_by(*order)
        .offset(start)
        .limit(PAGE + 1)
    )
    query = (
        select(cases, reports.c.visibility, reports.c.received_at, suggestions.c.triage)
        .join_from(cases, reports)
        .join(suggestions, suggestions.c.report_id == cases.c.report_id)
        .where(cases.c.report_id.in_(page))
        .order_by(*order)
    )
    found = connection.execute(query).all()
    asked = reads.open_requests(connection, [row.report_id for row in found])
    return [_waiting(row, asked.get(row.report_id, [])) for row in found]


def _waiting(row: Row[Any], asked: Sequence[str]) -> Waiting:
    triage = json.loads(row.triage)
    reasons = [*asked, *triage["review"]["reasons"]]
    case = case_from(row)
    return Waiting(case, row.visibility, row.received_at, row.size, row.harm, triage, reasons)


def next_free(
    connection: Connection, user: User, shown: Filter, *, skip: Sequence[str] = ()
) -> str | None:
    """The first report of the queue that nobody has, or that the user has already."""
    free = or_(
        cases.c.claimed_by.is_(None),
        cases.c.claimed_until <= now_text(),
        cases.c.claimed_by == user.name,
    )
    query = select(cases.c.report_id).where(*_scope(user), *_conditions(shown), free)
    if skip:
        query = query.where(cases.c.report_id.not_in(skip))
    query = query.order_by(cases.c.rank, cases.c.report_id).limit(1)
    return connection.execute(query).scalar_one_or_none()


def counts(connection: Connection, user: User, shown: Filter) -> Counts:
    """How much waits and how far the day's work is."""
    late = func.count().filter(cases.c.due_at < now_text())
    base = select(func.count(), late).select_from(cases)
    waiting, overdue = connection.execute(base.where(*_scope(user), *_conditions(shown))).one()
    today = decisions.c.decided_at >= day_start(datetime.now(UTC)).isoformat(
        timespec="microseconds"
    )
    done = select(func.count()).select_from(decisions).where(today)
    return Counts(
        waiting=waiting,
        overdue=overdue,
        mine=_number(connection, done.where(decisions.c.actor == user.name)),
        everybody=_number(connection, done),
    )


def agencies(connection: Connection, user: User, shown: Filter) -> list[tuple[str, int]]:
    """The agencies that reports of this status wait for, and how many each, the most first."""
    number = func.count().label("number")
    query = (
        select(cases.c.agency, number)
        .where(*_scope(user), cases.c.status == shown.status, cases.c.agency.is_not(None))
        .group_by(cases.c.agency)
        .order_by(number.desc(), cases.c.agency)
        .limit(100)
    )
    return [(row.agency, row.number) for row in connection.execute(query)]


def _scope(user: User) -> list[ColumnElement[bool]]:
    return [cases.c.government == user.government] if user.role == "moderator" else []


def _conditions(shown: Filter) -> list[ColumnElement[bool]]:
    found = [cases.c.status == shown.status]
    if shown.region:
        found += [cases.c.region >= shown.region, cases.c.region < f"{shown.region}/"]
    if shown.topic:
        found.append(cases.c.topic == shown.topic)
    if shown.agency:
        found.append(cases.c.agency == shown.agency)
    if shown.reason:
        named = select(review_reasons.c.report_id).where(review_reasons.c.reason == shown.reason)
        asked = _open_requests(review_requests.c.reason == shown.reason)
        found.append(cases.c.report_id.in_(named.union(asked)))
    return found


def _open_requests(*conditions: ColumnElement[bool]) -> Select[tuple[str]]:
    """Reports that wait for another reason than the machine's answer names."""
    table = review_requests
    return select(table.c.report_id).where(table.c.decision.is_(None), *conditions)


def _number(connection: Connection, query: Select[Any]) -> int:
    number: int = connection.execute(query).scalar_one()
    return number
