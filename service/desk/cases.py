"""One row a report, brought up to date inside the transaction that changes what it depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select, update

from pilah.datasets.agencies import load_agencies
from pilah.service.codecs import now_text
from pilah.service.desk.clock import due_at
from pilah.service.desk.history import entries
from pilah.service.desk.ranking import doublings, harm_hours, rank_of, risk_of
from pilah.service.desk.standing import Standing, standing_of
from pilah.service.desk.tables import cases
from pilah.service.loop.tables import offers, review_requests
from pilah.service.tables import reports, suggestions

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Case:
    """A row of ``cases``."""

    report_id: str
    status: str
    topic: str | None
    agency: str | None
    government: str | None
    region: str | None
    reasons: str
    due_at: str
    claimed_by: str | None
    claimed_until: str | None

    @property
    def is_late(self) -> bool:
        """Whether it still waits past its third working day."""
        return self.status == "waiting" and self.due_at < now_text()

    @property
    def why(self) -> list[str]:
        """Why a person must look: what people asked first, then what the machine says."""
        return self.reasons.split()


def save_case(connection: Connection, report_id: str) -> None:
    """Add or renew the row of a report; a claim on it stays.

    Args:
        connection: inside the transaction that stored the report or a decision about it.
        report_id: a stored report.
    """
    said = (suggestions.c.triage, suggestions.c.review_needed)
    columns = [reports.c[name] for name in ("received_at", "incident_id", "place")]
    query: Select[Any] = select(*columns, *said).join_from(reports, suggestions)
    row = connection.execute(query.where(reports.c.id == report_id)).one()
    asked = requests_of(connection, report_id)
    now = standing(connection, report_id, unsure=row.review_needed)
    values = _values(row, now, offer=last_offer(connection, report_id))
    if asked:
        values["status"] = "waiting"
    values["reasons"] = marked([*asked, *json.loads(row.triage)["review"]["reasons"]])
    values |= _ranked(connection, row, risk=float(values["risk"]))
    mine = cases.c.report_id == report_id
    if connection.execute(update(cases).where(mine).values(**values)).rowcount == 0:
        connection.execute(insert(cases).values(report_id=report_id, **values))
        if doublings(values["size"]) > doublings(values["size"] - 1):
            resize(connection, row.incident_id)


def rebuild_cases(connection: Connection) -> None:
    """Make the row of every report anew; claims stay.

    Args:
        connection: inside a transaction.
    """
    stored = select(reports.c.seq, reports.c.id).join_from(reports, suggestions)
    query, after = stored.order_by(reports.c.seq).limit(_BATCH), 0
    while rows := connection.execute(query.where(reports.c.seq > after)).all():
        after = rows[-1].seq
        for row in rows:
            save_case(connection, row.id)


def resize(connection: Connection, incident_id: str) -> None:
    """Rank every report of an incident anew after its size changed."""
    members = select(reports.c.id).where(reports.c.incident_id == incident_id)
    size = _size(connection, incident_id)
    mine = cases.c.report_id.in_(members) & (cases.c.size != size)
    for row in connection.execute(select(cases).where(mine)).all():
        harm = harm_hours(risk=row.risk, size=size)
        rank = rank_of(datetime.fromisoformat(row.due_at), harm)
        here = cases.c.report_id == row.report_id
        connection.execute(update(cases).where(here).values(size=size, harm=harm, rank=rank))


def case_of(connection: Connection, report_id: str) -> Case | None:
    """The row of a report; None for an unknown one."""
    row = connection.execute(select(cases).where(cases.c.report_id == report_id)).first()
    return None if row is None else case_from(row)


def case_from(row: Row[Any]) -> Case:
    """The case of a row that has the columns of ``cases``."""
    return Case(**{name: getattr(row, name) for name in Case.__slots__})


def standing(connection: Connection, report_id: str, *, unsure: bool) -> Standing:
    """How a stored report stands."""
    return standing_of(entries(connection, report_id), unsure=unsure)


def government_of(agency: object, triage: Mapping[str, Any]) -> str | None:
    """The body that answers for an agency, from the suggestion or the national table."""
    if agency is None:
        return None
    said = triage["agency"]
    for option in (said, *said["alternatives"]):
        if option["name"] == agency and option["government"]:
            return str(option["government"])
    national = load_agencies().resolve(str(agency))
    return national.name if national else None


def last_offer(connection: Connection, report_id: str) -> dict[str, Any] | None:
    """The agency, as in a suggestion, that was offered after the last refusal."""
    mine = select(offers.c.agency).where(offers.c.report_id == report_id)
    text = connection.execute(mine.order_by(offers.c.number.desc()).limit(1)).scalar_one_or_none()
    found: dict[str, Any] | None = None if text is None else json.loads(text)
    return found


def _values(row: Row[Any], now: Standing, *, offer: Mapping[str, Any] | None) -> dict[str, Any]:
    triage = json.loads(row.triage)
    suggested = offer or triage["agency"]
    agency = now.labels.get("agency")
    government = now.labels.get("government") or government_of(agency, triage)
    return {
        "status": now.status,
        "risk": risk_of(triage["outcome"], suggested["probability"]),
        "due_at": due_at(datetime.fromisoformat(row.received_at)).isoformat(),
        "topic": now.labels.get("topic_main") or triage["topic"]["main"],
        "agency": agency or suggested["name"],
        "government": government if agency else suggested["government"],
        "region": row.place,
    }


def requests_of(connection: Connection, report_id: str) -> list[str]:
    """Why people want a report looked at again, as far as nobody did, the oldest first."""
    table = review_requests
    mine = (table.c.report_id == report_id) & table.c.decision.is_(None)
    query = select(table.c.reason).where(mine).order_by(table.c.made_at, table.c.reason)
    return list(connection.execute(query).scalars())


def marked(reasons: Sequence[str]) -> str:
    """Reasons as ``cases.reasons`` holds them."""
    return "".join(f" {reason}" for reason in dict.fromkeys(reasons)) + " " * bool(reasons)


def has_reason(reason: str) -> ColumnElement[bool]:
    """Whether a row of ``cases`` waits for this reason."""
    return cases.c.reasons.contains(f" {reason} ", autoescape=True)


def _ranked(connection: Connection, row: Row[Any], *, risk: float) -> dict[str, Any]:
    size = _size(connection, row.incident_id)
    harm = harm_hours(risk=risk, size=size)
    due = due_at(datetime.fromisoformat(row.received_at))
    return {"size": size, "harm": harm, "rank": rank_of(due, harm)}


def _size(connection: Connection, incident_id: str) -> int:
    mine = select(func.count()).where(reports.c.incident_id == incident_id)
    count: int = connection.execute(mine).scalar_one()
    return count
