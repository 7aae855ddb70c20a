"""What is read: each function asks one question on the connection of its caller."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from pilah.datasets.records import Report
from pilah.models.reading import Fingerprint, Stored, Vector
from pilah.service.codecs import fingerprint_from_text, report_from_columns, vector_from_bytes
from pilah.service.desk.cases import has_reason
from pilah.service.desk.tables import cases
from pilah.service.loop import refusing
from pilah.service.tables import (
    decisions,
    fingerprints,
    replies,
    reports,
    suggestions,
)

_BATCH = 500
_DECISION = ("number", "actor", "action", "reason", "undoes", "note", "decided_at")


@dataclass(frozen=True, slots=True)
class Known:
    """A stored answer: the hash of the report it answers, and the triage as JSON object."""

    report_hash: str
    triage: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A stored answer to an idempotency key."""

    request_hash: str
    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Memory:
    """A stored report, its incident, and the (fingerprint, vector) that ``made_by`` made."""

    seq: int
    report_id: str
    report: Report
    incident_id: str
    made_by: str | None
    mark: tuple[Fingerprint, Vector] | None


@dataclass(frozen=True, slots=True)
class Record:
    """A stored report with its suggestion and the history of decisions, unshielded."""

    report_id: str
    visibility: str
    received_at: str
    reported_at: str | None
    channel: str | None
    chosen_agency: str | None
    incident_id: str
    triage: dict[str, Any]
    decisions: list[dict[str, Any]]
    refusals: list[dict[str, Any]]
    offers: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Member:
    """One report of an incident or of the review queue, unshielded."""

    seq: int
    report_id: str
    visibility: str
    received_at: str
    incident_id: str
    triage: dict[str, Any]
    why: tuple[str, ...] = ()  # of the review queue: why a person must look


@dataclass(frozen=True, slots=True)
class StaleReport:
    """A stored report whose vector another encoder made."""

    seq: int
    report_id: str
    report: Report


def known_answers(connection: Connection, ids: Sequence[str]) -> dict[str, Known]:
    """The stored answers of those ids that are stored."""
    found: dict[str, Known] = {}
    columns = select(reports.c.id, reports.c.hash, suggestions.c.triage).join(suggestions)
    for start in range(0, len(ids), _BATCH):
        part = columns.where(reports.c.id.in_(ids[start : start + _BATCH]))
        for row in connection.execute(part):
            found[row.id] = Known(row.hash, json.loads(row.triage))
    return found


def secret_among(connection: Connection, ids: Sequence[str]) -> frozenset[str]:
    """Those of the ids that belong to secret reports."""
    if not ids:
        return frozenset()
    query = select(reports.c.id).where(reports.c.id.in_(ids), reports.c.visibility == "secret")
    return frozenset(connection.execute(query).scalars())


def stored_reply(connection: Connection, client: str, key: str) -> StoredReply | None:
    """The answer kept for an idempotency key of a client."""
    mine = (replies.c.client == client) & (replies.c.key == key)
    row = connection.execute(select(replies).where(mine)).first()
    return None if row is None else StoredReply(row.request_hash, row.status, row.body)


def record(connection: Connection, report_id: str) -> Record | None:
    """One report with everything that was said about it."""
    query = select(reports, suggestions.c.triage).join(suggestions)
    row = connection.execute(query.where(reports.c.id == report_id)).first()
    if row is None:
        return None
    return Record(
        report_id=row.id,
        visibility=row.visibility,
        received_at=row.received_at,
        reported_at=row.reported_at,
        channel=row.channel,
        chosen_agency=row.chosen_agency,
        incident_id=row.incident_id,
        triage=json.loads(row.triage),
        decisions=_history(connection, report_id),
        refusals=refusing.history(connection, report_id),
        offers=refusing.offered(connection, report_id),
    )


def decision(connection: Connection, report_id: str, number: int) -> dict[str, Any]:
    """One decision about a report, with what stood before it (None: it is older than that)."""
    mine = (decisions.c.report_id == report_id) & (decisions.c.number == number)
    return _plain_decision(connection.execute(select(decisions).where(mine)).one())


def _history(connection: Connection, report_id: str) -> list[dict[str, Any]]:
    mine = decisions.c.report_id == report_id
    query = select(decisions).where(mine).order_by(decisions.c.number)
    return [_plain_decision(row) for row in connection.execute(query)]


def _plain_decision(row: Row[Any]) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in _DECISION}
    plain["labels"] = json.loads(row.labels)
    return plain | {
        name: None if text is None else json.loads(text)
        for name, text in (("before", row.before), ("versions", row.versions))
    }


def incident_counts(connection: Connection, incident_id: str) -> list[Row[Any]]:
    """Per visibility: rows (visibility, number, first, last) of the incident's reports."""
    moment = reports.c.received_at
    return list(
        connection.execute(
            select(
                reports.c.visibility,
                func.count().label("number"),
                func.min(moment).label("first"),
                func.max(moment).label("last"),
            )
            .where(reports.c.incident_id == incident_id)
            .group_by(reports.c.visibility)
        )
    )


def incident_members(connection: Connection, incident_id: str, *, limit: int) -> list[Member]:
    """The reports of an incident, oldest first, at most ``limit``."""
    query = _members().where(reports.c.incident_id == incident_id)
    return [_member(r) for r in connection.execute(query.order_by(reports.c.seq).limit(limit))]


def review_queue(
    connection: Connection, *, reason: str | None, after: int, limit: int
) -> list[Member]:
    """Reports that wait for a person, oldest first, those after the sequence number ``after``."""
    query = _members(cases.c.reasons).join(cases, cases.c.report_id == reports.c.id)
    query = query.where(*_waits(reason), reports.c.seq > after)
    rows = connection.execute(query.order_by(reports.c.seq).limit(limit))
    return [_member(row, tuple(row.reasons.split())) for row in rows]


def review_count(connection: Connection, *, reason: str | None = None) -> int:
    """How many reports wait for a person."""
    number = select(func.count()).where(*_waits(reason))
    count: int = connection.execute(number).scalar_one()
    return count


def _waits(reason: str | None) -> list[ColumnElement[bool]]:
    """Conditions on ``cases``."""
    waits = [cases.c.status == "waiting"]
    return waits if reason is None else [*waits, has_reason(reason)]


def _members(*more: ColumnElement[Any]) -> Select[Any]:
    names = ("seq", "id", "visibility", "received_at", "incident_id")
    mine = [reports.c[name] for name in names]
    return select(*mine, suggestions.c.triage, *more).join_from(reports, suggestions)


def _member(row: Row[Any], why: tuple[str, ...] = ()) -> Member:
    return Member(
        row.seq,
        row.id,
        row.visibility,
        row.received_at,
        row.incident_id,
        json.loads(row.triage),
        why,
    )


def remembered(connection: Connection, made_by: str, *, after: int = 0) -> Iterator[Stored]:
    """Every (fingerprint, vector, current incident id) that ``made_by`` made, oldest first.

    Args:
        connection: open until the last is taken.
        made_by: others are left out.
        after: only of reports whose ``seq`` is larger.
    """
    query = (
        select(fingerprints.c.fingerprint, fingerprints.c.vector, reports.c.incident_id)
        .join_from(fingerprints, reports)
        .where(fingerprints.c.made_by == made_by, reports.c.seq > after)
        .order_by(reports.c.seq)
    )
    rows = connection.execution_options(yield_per=_BATCH).execute(query)
    for row in rows:
        yield fingerprint_from_text(row[0]), vector_from_bytes(row[1]), row[2]


def memories(connection: Connection, *, after: int, limit: int) -> list[Memory]:
    """Stored reports behind ``after`` with what they are recognised by, oldest first."""
    query = _memories().where(reports.c.seq > after).order_by(reports.c.seq).limit(limit)
    return [_memory(dict(row)) for row in connection.execute(query).mappings()]


def memories_of(connection: Connection, report_ids: Sequence[str]) -> list[Memory]:
    """The same of these reports; ids that are not stored are passed over."""
    query = _memories().order_by(reports.c.seq)
    parts = [report_ids[i : i + _BATCH] for i in range(0, len(report_ids), _BATCH)]
    rows = (connection.execute(query.where(reports.c.id.in_(p))).mappings() for p in parts)
    return [_memory(dict(row)) for part in rows for row in part]


def _memories() -> Select[Any]:
    marks = (fingerprints.c.fingerprint, fingerprints.c.vector, fingerprints.c.made_by)
    return select(reports, *marks).outerjoin(fingerprints)


def _memory(row: dict[str, Any]) -> Memory:
    mark = None
    if row["made_by"] is not None:
        mark = fingerprint_from_text(row["fingerprint"]), vector_from_bytes(row["vector"])
    report = report_from_columns(row)
    return Memory(row["seq"], row["id"], report, row["incident_id"], row["made_by"], mark)


def fingerprint_of(connection: Connection, report_id: str) -> tuple[Fingerprint, Vector] | None:
    """What is remembered of one report."""
    mine = fingerprints.c.report_id == report_id
    row = connection.execute(select(fingerprints).where(mine)).first()
    if row is None:
        return None
    return fingerprint_from_text(row.fingerprint), vector_from_bytes(row.vector)


def stored_report(connection: Connection, report_id: str) -> Report | None:
    """A report as it came in, for the engine only."""
    row = connection.execute(select(reports).where(reports.c.id == report_id)).mappings().first()
    return None if row is None else report_from_columns(dict(row))


def all_made_by(connection: Connection, made_by: str) -> bool:
    """Whether every stored report has a vector that ``made_by`` made; asks indexes only."""
    mine = select(func.count()).select_from(fingerprints).where(fingerprints.c.made_by == made_by)
    every = select(func.count()).select_from(reports)
    return bool(connection.scalar(mine) == connection.scalar(every))


def stale_reports(
    connection: Connection, made_by: str, *, after: int, limit: int
) -> list[StaleReport]:
    """Reports behind ``after`` whose vector was not made by ``made_by``, oldest first."""
    query = (
        select(reports)
        .outerjoin(fingerprints)
        .where(fingerprints.c.made_by.is_distinct_from(made_by), reports.c.seq > after)
        .order_by(reports.c.seq)
        .limit(limit)
    )
    return [
        StaleReport(row["seq"], row["id"], report_from_columns(dict(row)))
        for row in connection.execute(query).mappings()
    ]
