"""Indicators: what the work is worth, in measures that can be counted from the store.

Every measure is asked of the database grouped by one or more dimensions; incidents and medians do
not add up, so each grouping is asked for itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, distinct, func, select

from pilah.evaluation.intervals import wilson
from pilah.service.codecs import now_text
from pilah.service.desk.tables import cases
from pilah.service.loop.live_precision import audited
from pilah.service.loop.samples import AUDIT
from pilah.service.loop.tables import facts, refusals, review_requests
from pilah.service.tables import decisions, reports

PILOTS = (
    "Pemerintah Provinsi Sumatera Barat",
    "Pemerintah Provinsi DI Yogyakarta",
    "Pemerintah Provinsi Bali",
    "Pemerintah Kabupaten Tangerang",
    "Pemerintah Kabupaten Sleman",
    "Pemerintah Kabupaten Badung",
)
"""The governments that the platform is strengthened with first."""

_PLACE = reports.c.place
DIMENSIONS: Mapping[str, ColumnElement[Any]] = {
    "week": facts.c.week,
    "government": cases.c.government,
    "topic": cases.c.topic,
    "province": func.substr(_PLACE, 1, 2),
    "area": case(
        (func.substr(_PLACE, 4, 1) == "7", "kota"),
        (func.length(_PLACE) >= 5, "kabupaten"),
        else_=None,
    ),
    "island": case((_PLACE.is_(None), None), (_PLACE.like("3%"), "jawa"), else_="luar_jawa"),
    "visibility": reports.c.visibility,
    "channel": reports.c.channel,
}
"""What can be grouped by. ``government`` and ``topic`` are where a report stands now."""

Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which reports are counted.

    Attributes:
        since: Monday of the first week, ISO date.
        until: Monday of the last week.
        government: only reports that stand with this body; None: all.
        topic: only those of this main topic; None: all.
    """

    since: str = ""
    until: str = "9999"
    government: str | None = None
    topic: str | None = None


@dataclass(slots=True)
class Measures:
    """The measures of one group.

    Attributes:
        reports: reports received.
        incidents: incidents they tell of.
        merged: reports that joined a known incident at once.
        alone: reports routed without a person.
        needs_information: reports that lack something.
        overdue: reports that wait past their third working day.
        decided: reports that a person decided.
        in_time: of those, decided within three working days.
        hours: median hours from receipt to the first decision; None when nobody decided.
        refused: standing refusals ("bukan wewenang").
        hoax: reports flagged as hoax-like.
        hoax_confirmed: flags that a person confirmed.
        hoax_dismissed: flags that a person dismissed.
        audited: sure answers that a person was asked to check and did.
        right: of those, with the right agency.
    """

    reports: int = 0
    incidents: int = 0
    merged: int = 0
    alone: int = 0
    needs_information: int = 0
    overdue: int = 0
    decided: int = 0
    in_time: int = 0
    hours: float | None = None
    refused: int = 0
    hoax: int = 0
    hoax_confirmed: int = 0
    hoax_dismissed: int = 0
    audited: int = 0
    right: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON, with shares and the interval of the precision; None where nothing is known."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        share = wilson(self.right, self.audited) if self.audited else None
        return plain | {
            "alone_share": self.alone / self.reports if self.reports else None,
            "in_time_share": self.in_time / self.decided if self.decided else None,
            "precision": share.value if share else None,
            "precision_lower": share.lower if share else None,
            "precision_upper": share.upper if share else None,
        }


def measures(connection: Connection, scope: Scope, by: Sequence[str]) -> dict[Key, Measures]:
    """Every measure, grouped.

    Args:
        connection: of a read.
        scope: which reports.
        by: dimensions, keys of ``DIMENSIONS``; none gives one group, ``()``.
    """
    groups = [DIMENSIONS[name].label(name) for name in by]
    found: dict[Key, Measures] = defaultdict(Measures)
    _count_reports(connection, scope, groups, found)
    _count_decided(connection, scope, groups, found)
    _count_refused(connection, scope, groups, found)
    _count_hoax(connection, scope, groups, found)
    _count_audited(connection, scope, groups, found)
    return dict(found)


Groups = Sequence[ColumnElement[Any]]
Found = dict[Key, Measures]


def _scoped(query: Select[Any], scope: Scope) -> Select[Any]:
    """Joined to the three tables that every dimension is of, and filtered."""
    query = query.join(reports, reports.c.id == facts.c.report_id)
    query = query.join(cases, cases.c.report_id == facts.c.report_id)
    query = query.where(facts.c.week >= scope.since, facts.c.week <= scope.until)
    if scope.government is not None:
        query = query.where(cases.c.government == scope.government)
    return query if scope.topic is None else query.where(cases.c.topic == scope.topic)


def _key(row: Sequence[Any], groups: Groups) -> Key:
    return tuple(row[: len(groups)])


def _count_reports(connection: Connection, scope: Scope, groups: Groups, found: Found) -> None:
    late = (cases.c.status == "waiting") & (cases.c.due_at < now_text())
    counts = (
        func.count(),
        func.count(distinct(reports.c.incident_id)),
        *(
            func.sum(case((condition, 1), else_=0))
            for condition in (
                facts.c.merged, facts.c.sure, facts.c.outcome == "needs_information", late,
                facts.c.hoax,
            )
        ),
    )  # fmt: skip
    query = _scoped(select(*groups, *counts).select_from(facts), scope)
    names = ("reports", "incidents", "merged", "alone", "needs_information", "overdue", "hoax")
    for row in connection.execute(query.group_by(*groups)):
        group = found[_key(row, groups)]
        for name, value in zip(names, row[len(groups) :], strict=True):
            setattr(group, name, value or 0)


def _count_decided(connection: Connection, scope: Scope, groups: Groups, found: Found) -> None:
    moments = (reports.c.received_at, decisions.c.decided_at, cases.c.due_at)
    query = _scoped(select(*groups, *moments).select_from(facts), scope)
    query = query.join(decisions, decisions.c.report_id == facts.c.report_id)
    hours: dict[Key, list[float]] = defaultdict(list)
    for row in connection.execute(query.where(decisions.c.number == 1)):
        received, decided, due = (datetime.fromisoformat(m) for m in row[len(groups) :])
        key = _key(row, groups)
        hours[key].append((decided - received).total_seconds() / 3600)
        found[key].decided += 1
        found[key].in_time += decided <= due
    for key, values in hours.items():
        found[key].hours = median(values)


def _count_refused(connection: Connection, scope: Scope, groups: Groups, found: Found) -> None:
    sign = case((refusals.c.withdrawn, -1), else_=1)
    query = _scoped(select(*groups, func.sum(sign)).select_from(facts), scope)
    query = query.join(refusals, refusals.c.report_id == facts.c.report_id)
    for row in connection.execute(query.group_by(*groups)):
        found[_key(row, groups)].refused = row[-1] or 0


def _count_hoax(connection: Connection, scope: Scope, groups: Groups, found: Found) -> None:
    columns = (decisions.c.report_id, decisions.c.labels)
    query = _scoped(select(*groups, *columns).select_from(facts), scope)
    query = query.join(decisions, decisions.c.report_id == facts.c.report_id)
    query = query.where(facts.c.hoax, decisions.c.labels.like('%"hoax"%'))
    last: dict[str, tuple[Key, bool]] = {}
    for row in connection.execute(query.order_by(decisions.c.report_id, decisions.c.number)):
        last[row[-2]] = _key(row, groups), bool(json.loads(row[-1])["hoax"])
    for key, confirmed in last.values():
        found[key].hoax_confirmed += confirmed
        found[key].hoax_dismissed += not confirmed


def _count_audited(connection: Connection, scope: Scope, groups: Groups, found: Found) -> None:
    right = {a.report_id: a.right for a in audited(connection)}
    if not right:
        return
    query = _scoped(select(*groups, facts.c.report_id).distinct().select_from(facts), scope)
    query = query.join(review_requests, review_requests.c.report_id == facts.c.report_id)
    for row in connection.execute(query.where(review_requests.c.reason == AUDIT)):
        if row[-1] in right:
            group = found[_key(row, groups)]
            group.audited += 1
            group.right += right[row[-1]]
