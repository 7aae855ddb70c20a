"""The queue: what waits, in order of harm and age, within what the user may see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select, tuple_

from pilah.service.accounts.roles import User
from pilah.service.codecs import now_text
from pilah.service.desk.cases import Case, case_from, has_reason
from pilah.service.desk.clock import day_start
from pilah.service.desk.tables import cases
from pilah.service.tables import decisions, reports, suggestions

PAGE = 50
"""Reports on one page of the queue."""
_ORDER = (cases.c.rank, cases.c.report_id)


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


@dataclass(frozen=True, slots=True)
class Counts:
    """What the head of the queue says.

    Attributes:
        waiting: with the filter.
        overdue: of those, past their third working day.
        mine: decisions of the user today.
        everybody: decisions of all today, about what the user may see now.
    """

    waiting: int
    overdue: int
    mine: int
    everybody: int


def rows(connection: Connection, user: User, shown: Filter, *, start: int) -> list[Waiting]:
    """One page of the queue from its ``start``-th row, and one row more when there are more."""
    page = (  # sorted by itself: the texts of a page need not be carried through the sorting
        select(cases.c.report_id)
        .where(*scope(user.only), *_conditions(shown))
        .order_by(*_ORDER)
        .offset(start)
        .limit(PAGE + 1)
    )
    query = (
        select(cases, reports.c.visibility, reports.c.received_at, suggestions.c.triage)
        .join_from(cases, reports)
        .join(suggestions, suggestions.c.report_id == cases.c.report_id)
        .where(cases.c.report_id.in_(page))
        .order_by(*_ORDER)
    )
    return [_waiting(row) for row in connection.execute(query)]


def _waiting(row: Row[Any]) -> Waiting:
    triage = json.loads(row.triage)
    return Waiting(case_from(row), row.visibility, row.received_at, row.size, row.harm, triage)


def next_free(connection: Connection, user: User, shown: Filter, *, passed: str = "") -> str | None:
    """The first report of the queue that nobody has, or that the user has already.

    A report that is ``passed`` is not wanted now: those behind it come first, then the others.
    """
    free = or_(
        cases.c.claimed_by.is_(None),
        cases.c.claimed_until <= now_text(),
        cases.c.claimed_by == user.name,
    )
    mine = (*scope(user.only), *_conditions(shown), free, cases.c.report_id != passed)
    query = select(cases.c.report_id).where(*mine).order_by(*_ORDER).limit(1)
    here = select(*_ORDER).where(cases.c.report_id == passed)
    if (place := connection.execute(here).one_or_none()) is not None:
        behind = query.where(tuple_(*_ORDER) > tuple(place))
        if (found := _name(connection, behind)) is not None:
            return found
    return _name(connection, query)


def counts(connection: Connection, user: User, shown: Filter) -> Counts:
    """How much waits and how far the day's work is."""
    late = func.count().filter(cases.c.due_at < now_text())
    base = select(func.count(), late).select_from(cases)
    waiting, overdue = connection.execute(base.where(*scope(user.only), *_conditions(shown))).one()
    today = decisions.c.decided_at >= day_start(datetime.now(UTC)).isoformat(
        timespec="microseconds"
    )
    own_work = func.count().filter(decisions.c.actor == user.name)
    done = select(own_work, func.count()).select_from(decisions).where(today)
    if own := scope(user.only):
        done = done.join(cases, cases.c.report_id == decisions.c.report_id).where(*own)
    mine, everybody = connection.execute(done).one()
    return Counts(waiting=waiting, overdue=overdue, mine=mine, everybody=everybody)


def scope(only: str | None) -> list[ColumnElement[bool]]:
    """Conditions on ``cases``: what a user with this :attr:`User.only` may see."""
    return [] if only is None else [cases.c.government == only]


def _conditions(shown: Filter) -> list[ColumnElement[bool]]:
    found = [cases.c.status == shown.status]
    if shown.region:
        found += [cases.c.region >= shown.region, cases.c.region < f"{shown.region}/"]
    if shown.topic:
        found.append(cases.c.topic == shown.topic)
    if shown.agency:
        found.append(cases.c.agency == shown.agency)
    if shown.reason:
        found.append(has_reason(shown.reason))
    return found


def _name(connection: Connection, query: Select[Any]) -> str | None:
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found
