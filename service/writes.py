"""What is written: each function adds rows inside the transaction of its caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from pilah.datasets.records import Report
from pilah.models.answer import Triage
from pilah.models.reading import Answer, Fingerprint, Vector
from pilah.service import incident_writes
from pilah.service.accounts import audit
from pilah.service.codecs import (
    digest,
    dump,
    fingerprint_to_text,
    now_text,
    report_columns,
    vector_to_bytes,
)
from pilah.service.desk import history
from pilah.service.desk.cases import save_case
from pilah.service.desk.standing import standing_of
from pilah.service.loop.facts import save_facts
from pilah.service.loop.refusing import close_requests
from pilah.service.loop.tables import looks
from pilah.service.tables import (
    decisions,
    fingerprints,
    replies,
    reports,
    suggestions,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one person decided about one report; ``labels`` are contract label fields.

    Attributes:
        refused_by: the agency that said "bukan wewenang".
        taken_back_by: the agency that takes its refusal back.
        action: what was done, see :mod:`pilah.service.desk.standing`.
        reason: why it was archived; a key of ``ARCHIVE_REASONS``.
        undoes: number of the decision that an undo takes out of force.
        look: how the person looked at the suggestion: blind, read or unread; None: not said.
        role: of the person, where it is known.
        decided_at: ISO 8601, UTC; None: now.
    """

    report_id: str
    actor: str
    labels: Mapping[str, object]
    note: str | None = None
    refused_by: str | None = None
    taken_back_by: str | None = None
    action: str = "label"
    reason: str | None = None
    undoes: int | None = None
    look: str | None = None
    role: str | None = None
    decided_at: str | None = None


def save_answer(
    connection: Connection, report: Report, answer: Answer, *, report_hash: str, made_by: str
) -> None:
    """Store a report, its suggestion and its fingerprint."""
    moment, report_id = now_text(), answer.triage.report_id
    incident_writes.begin(
        connection,
        answer.incident_id,
        created_from=report_id,
        recurs_of=answer.triage.duplicates.recurs_of,
    )
    connection.execute(
        insert(reports).values(
            report_columns(report)
            | {"id": report_id, "hash": report_hash, "received_at": moment}
            | {"incident_id": answer.incident_id}
            | {"topic": answer.triage.topic.main, "place": answer.fingerprint.place}
        )
    )
    _save_suggestion(connection, answer.triage, answer.incident_id, moment)
    save_fingerprint(connection, answer.fingerprint, answer.vector, made_by=made_by)
    save_facts(connection, answer.triage.to_dict(), moment)
    save_case(connection, report_id)


def _save_suggestion(connection: Connection, triage: Triage, incident: str, moment: str) -> None:
    plain = triage.to_dict()
    connection.execute(
        insert(suggestions).values(
            report_id=triage.report_id,
            triage=dump(plain),
            versions=dump(plain["versions"]),
            incident_id=incident,
            review_needed=triage.review.needed,
            made_at=moment,
        )
    )


def save_fingerprint(
    connection: Connection, fingerprint: Fingerprint, vector: Vector, *, made_by: str
) -> None:
    """Store what recognises the report again, in place of an older one."""
    key = fingerprint.report_id
    connection.execute(delete(fingerprints).where(fingerprints.c.report_id == key))
    connection.execute(
        insert(fingerprints).values(
            report_id=key,
            fingerprint=fingerprint_to_text(fingerprint),
            vector=vector_to_bytes(vector),
            made_by=made_by,
        )
    )


def save_place(connection: Connection, fingerprint: Fingerprint) -> None:
    """Note where a stored report happened, as it is read now."""
    mine = reports.c.id == fingerprint.report_id
    connection.execute(update(reports).where(mine).values(place=fingerprint.place))


def save_decision(connection: Connection, decision: Decision) -> int:
    """Append a decision to the report's history and return its number, from 1."""
    number = count_decisions(connection, decision.report_id) + 1
    known = suggestions.c.report_id == decision.report_id
    versions = connection.execute(select(suggestions.c.versions).where(known)).scalar_one()
    row = {
        "report_id": decision.report_id,
        "number": number,
        "actor": decision.actor,
        "labels": dump(dict(decision.labels)),
        "note": decision.note,
        "decided_at": decision.decided_at or now_text(),
        "action": decision.action,
        "reason": decision.reason,
        "undoes": decision.undoes,
        "before": dump(_before(connection, decision.report_id)),
        "versions": versions,
    }
    connection.execute(insert(decisions).values(row))
    detail = {"number": number, "labels": dict(decision.labels), "digest": digest(row)}
    audit.record(
        connection,
        decision.actor,
        f"decision.{decision.action}",
        subject=decision.report_id,
        detail=detail,
    )
    if decision.look is not None or decision.role is not None:
        seen = {"look": decision.look, "role": decision.role}
        row = {"report_id": decision.report_id, "number": number, **seen}
        connection.execute(insert(looks).values(row))
    close_requests(connection, decision.report_id, number)
    return number


def _before(connection: Connection, report_id: str) -> dict[str, object]:
    now = standing_of(history.entries(connection, report_id), unsure=True)
    mine = select(reports.c.incident_id).where(reports.c.id == report_id)
    return {"labels": dict(now.labels), "incident": connection.execute(mine).scalar_one()}


def count_decisions(connection: Connection, report_id: str) -> int:
    """How many decisions the report has."""
    mine = decisions.c.report_id == report_id
    return connection.execute(select(func.count()).where(mine)).scalar_one()


def save_reply(
    connection: Connection, client: str, key: str, *, request_hash: str, status: int, body: str
) -> None:
    """Keep the answer to an idempotency key."""
    connection.execute(
        insert(replies).values(
            client=client,
            key=key,
            request_hash=request_hash,
            status=status,
            body=body,
            saved_at=now_text(),
        )
    )
