"""Every report of some weeks as columns of numbers: read in one pass, counted in any grouping.

Text is coded on the way (one number a value), so that a hundred thousand reports are a few
megabytes and a grouping of them takes milliseconds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, and_, case, literal, select

from pilah.service.codecs import now_text
from pilah.service.desk.tables import cases
from pilah.service.loop.live_precision import audited
from pilah.service.loop.tables import facts, refusals
from pilah.service.tables import decisions, reports

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Part = dict[str, NDArray[Any]]

_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Span:
    """Weeks of receipt, named by their Mondays (ISO dates), both included."""

    since: str = ""
    until: str = "9999"


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of text: that of a row is ``values[codes[row]]``; every value is there once."""

    codes: NDArray[np.int64]
    values: Sequence[str | None]

    def renamed(self, name: Callable[[str | None], str | None]) -> Coded:
        """The column with other values; several may become one."""
        coder = _Coder()
        into = np.array([coder[name(value)] for value in self.values], dtype=np.int64)
        return Coded(into[self.codes], tuple(coder))


@dataclass(frozen=True, slots=True)
class Columns:
    """The reports of a span.

    Attributes:
        read_at: UTC, ISO 8601.
        dimensions: what can be grouped by; ``government`` and ``topic`` are where a report stands.
        incident: number of each report's incident, from 0.
        counts: measure -> what each report adds to it.
        hours: from receipt to the first decision; NaN where nobody decided.
    """

    read_at: str
    dimensions: Mapping[str, Coded]
    incident: NDArray[np.int64]
    counts: Mapping[str, NDArray[np.int64]]
    hours: NDArray[np.float64]

    @property
    def size(self) -> int:
        """How many reports there are."""
        return len(self.incident)


def read_columns(connection: Connection, span: Span) -> Columns:
    """Read the reports of a span in one pass, as one state of the store."""
    moment = now_text()
    rare = _rare(connection, span)
    coders = {name: _Coder() for name in (*_CODED, "incident_id")}
    query = _rows(span, moment)
    rows = connection.execution_options(yield_per=_BATCH).execute(query)
    parts = [_part(part, list(rows.keys()), coders, rare) for part in rows.partitions()]
    names = parts[0] if parts else _part((), list(rows.keys()), coders, rare)
    whole = {name: np.concatenate([p[name] for p in parts or [names]]) for name in names}
    coded = {name: Coded(whole[name], tuple(coders[name])) for name in _CODED}
    place = coded.pop("place")
    return Columns(
        read_at=moment,
        dimensions=coded | {name: place.renamed(of) for name, of in _OF_PLACE.items()},
        incident=whole["incident_id"],
        counts={name: whole[name] for name in (*_FLAGS, *rare)},
        hours=whole["hours"],
    )


class _Coder(dict[str | None, int]):
    """Numbers the values that it is asked for, from 0."""

    def __missing__(self, key: str | None) -> int:
        self[key] = len(self)
        return self[key]


_CODED: Mapping[str, ColumnElement[Any]] = {
    "week": facts.c.week,
    "government": cases.c.government,
    "topic": cases.c.topic,
    "visibility": reports.c.visibility,
    "channel": reports.c.channel,
    "place": reports.c.place,
}
_WAITS = cases.c.status == "waiting"
_DECIDED = decisions.c.decided_at.is_not(None)
_FLAGS: Mapping[str, Callable[[str], ColumnElement[bool]]] = {
    "merged": lambda _: facts.c.merged,
    "alone": lambda _: facts.c.sure,
    "needs_information": lambda _: facts.c.outcome == "needs_information",
    "hoax": lambda _: facts.c.hoax,
    "overdue": lambda moment: and_(_WAITS, cases.c.due_at < moment),
    "decided": lambda _: _DECIDED,
    "in_time": lambda _: and_(_DECIDED, decisions.c.decided_at <= cases.c.due_at),
}
"""Measures that a row says by itself, at a moment; one bit each of the number that is read."""


def _province(place: str | None) -> str | None:
    return place and place[:2]


def _regency(place: str | None) -> str | None:
    return place[:5] if place and len(place) >= len("34.04") else None


def _district(place: str | None) -> str | None:
    return place[:8] if place and len(place) >= len("34.04.07") else None


def _area(place: str | None) -> str | None:
    if place is None or len(place) < len("34.04"):
        return None
    return "kota" if place[3] == "7" else "kabupaten"


def _island(place: str | None) -> str | None:
    if place is None:
        return None
    return "jawa" if place.startswith("3") else "luar_jawa"


_OF_PLACE: Mapping[str, Callable[[str | None], str | None]] = {
    "province": _province,
    "regency": _regency,
    "district": _district,
    "area": _area,
    "island": _island,
}
DIMENSIONS = ("week", "government", "topic", *_OF_PLACE, "visibility", "channel")


def _rows(span: Span, moment: str) -> Select[Any]:
    bits = (case((of(moment), 1 << bit), else_=0) for bit, of in enumerate(_FLAGS.values()))
    received = case((_DECIDED, reports.c.received_at)).label("received_at")
    coded = [column.label(name) for name, column in _CODED.items()]
    first = (decisions.c.report_id == facts.c.report_id) & (decisions.c.number == 1)
    said = (sum(bits, literal(0)).label("flags"), received, decisions.c.decided_at)
    return (
        select(facts.c.report_id, reports.c.incident_id, *coded, *said)
        .join_from(facts, reports, reports.c.id == facts.c.report_id)
        .join(cases, cases.c.report_id == facts.c.report_id)
        .outerjoin(decisions, first)
        .where(*_within(span))
    )


def _within(span: Span) -> tuple[ColumnElement[bool], ...]:
    return facts.c.week >= span.since, facts.c.week <= span.until


def _part(
    rows: Sequence[Any],
    names: Sequence[str],
    coders: Mapping[str, _Coder],
    rare: Mapping[str, Mapping[str, int]],
) -> Part:
    """Some rows as columns."""
    texts = dict(zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True))
    part: Part = {}
    for name, coder in coders.items():
        part[name] = np.array([coder[value] for value in texts[name]], dtype=np.int64)
    flags = np.array(texts["flags"], dtype=np.int64)
    for bit, name in enumerate(_FLAGS):
        part[name] = flags >> bit & 1
    place = {report_id: number for number, report_id in enumerate(texts["report_id"])}
    for name, known in rare.items():
        part[name] = np.zeros(len(rows), dtype=np.int64)
        for report_id in known.keys() & place.keys():
            part[name][place[report_id]] = known[report_id]
    moments = zip(texts["received_at"], texts["decided_at"], strict=True)
    part["hours"] = np.array([_hours(*pair) for pair in moments], dtype=np.float64)
    return part


def _hours(received: str | None, decided: str | None) -> float:
    if received is None or decided is None:
        return float("nan")
    took = datetime.fromisoformat(decided) - datetime.fromisoformat(received)
    return took.total_seconds() / 3600


def _rare(connection: Connection, span: Span) -> dict[str, Mapping[str, int]]:
    """Measures that few reports have: report -> what it adds."""
    judged = _hoax_judged(connection, span)
    right = {a.report_id: a.right for a in audited(connection, since=span.since)}
    return {
        "refused": _refused(connection, span),
        "hoax_confirmed": {name: 1 for name, hoax in judged.items() if hoax},
        "hoax_dismissed": {name: 1 for name, hoax in judged.items() if not hoax},
        "audited": dict.fromkeys(right, 1),
        "right": {name: int(is_right) for name, is_right in right.items()},
    }


def _refused(connection: Connection, span: Span) -> Counter[str]:
    query = select(refusals.c.report_id, refusals.c.withdrawn)
    query = query.join(facts, facts.c.report_id == refusals.c.report_id).where(*_within(span))
    standing: Counter[str] = Counter()
    for report_id, withdrawn in connection.execute(query):
        standing[report_id] += -1 if withdrawn else 1
    return standing


def _hoax_judged(connection: Connection, span: Span) -> dict[str, bool]:
    """What people said last of the reports that were flagged."""
    query = select(decisions.c.report_id, decisions.c.labels)
    query = query.join(facts, facts.c.report_id == decisions.c.report_id)
    query = query.where(facts.c.hoax, decisions.c.labels.like('%"hoax"%'), *_within(span))
    rows = connection.execute(query.order_by(decisions.c.report_id, decisions.c.number))
    return {report_id: bool(json.loads(labels)["hoax"]) for report_id, labels in rows}
