"""Bukan wewenang: who refused a report, and who is asked next. Nothing is overwritten."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, insert, select, update

from pilah.models.answer import Agency, Triage
from pilah.models.refused import Body, without
from pilah.service.codecs import dump, now_text
from pilah.service.desk.cases import save_case
from pilah.service.loop.tables import offers, refusals, review_requests
from pilah.service.tables import reports

REFUSED = "refused"
"""Reason why a report waits again."""
BEFORE = "refused_before"
"""Review reason: the incident's agency refused it earlier, so the next best is named."""
PING_PONG = 2
"""From so many refusals a report is said to go to and fro."""


def refused_bodies(connection: Connection, report_id: str) -> list[Body]:
    """The bodies that refused a report and did not take it back."""
    return _standing(connection.execute(_rows().where(refusals.c.report_id == report_id)))


def refused_by_incident(connection: Connection, incident_id: str) -> list[Body]:
    """The bodies that refused any report of an incident and did not take it back."""
    query = _rows().join(reports).where(reports.c.incident_id == incident_id)
    return _standing(connection.execute(query))


def history(connection: Connection, report_id: str) -> list[dict[str, Any]]:
    """Every refusal and withdrawal of a report, oldest first."""
    rows = connection.execute(_rows().where(refusals.c.report_id == report_id))
    return [
        {"decision": r.number, "agency": r.agency, "government": r.government}
        | {"withdrawn": r.withdrawn}
        for r in rows
    ]


def offered(connection: Connection, report_id: str) -> list[dict[str, Any]]:
    """Every later suggestion of a body, oldest first."""
    query = select(offers).where(offers.c.report_id == report_id).order_by(offers.c.number)
    return [
        {
            "decision": row.number,
            "agency": json.loads(row.agency),
            "versions": json.loads(row.versions),
            "made_at": row.made_at,
        }
        for row in connection.execute(query)
    ]


def refuser(connection: Connection, report_id: str, number: int) -> str | None:
    """The agency that refused a report by decision ``number``; None: that was no refusal."""
    mine = (refusals.c.report_id == report_id) & (refusals.c.number == number)
    query = select(refusals.c.agency).where(mine, ~refusals.c.withdrawn)
    return connection.execute(query).scalar_one_or_none()


def is_ping_pong(entries: Iterable[dict[str, Any]]) -> bool:
    """Whether a history of refusals says that the report goes to and fro."""
    return sum(not entry["withdrawn"] for entry in entries) >= PING_PONG


def save_refusal(
    connection: Connection, report_id: str, number: int, *, body: Body, withdrawn: bool
) -> None:
    """Write that a body refuses a report, or takes its refusal back, by decision ``number``."""
    connection.execute(
        insert(refusals).values(
            report_id=report_id,
            number=number,
            agency=body.name,
            government=body.government,
            withdrawn=withdrawn,
        )
    )


def save_offer(connection: Connection, report_id: str, number: int, fresh: Triage) -> None:
    """Write the next best body of a fresh answer as a suggestion of its own."""
    agency = without(fresh.agency, refused_bodies(connection, report_id))
    connection.execute(
        insert(offers).values(
            report_id=report_id,
            number=number,
            agency=dump(dataclasses.asdict(agency)),
            versions=dump(dataclasses.asdict(fresh.versions)),
            made_at=now_text(),
        )
    )


def ask(connection: Connection, report_id: str, reason: str) -> None:
    """Put a report into the queue, for a reason that the machine's answer does not name."""
    connection.execute(
        insert(review_requests).values(report_id=report_id, reason=reason, made_at=now_text())
    )
    save_case(connection, report_id)


def close_requests(connection: Connection, report_id: str, number: int) -> None:
    """Decision ``number`` answers what was asked about a report."""
    mine = (review_requests.c.report_id == report_id) & review_requests.c.decision.is_(None)
    connection.execute(update(review_requests).where(mine).values(decision=number))


def spare(triage: Triage, refused: Collection[Body]) -> Triage:
    """A fresh answer that does not name a body which refused its incident before."""
    agency = triage.agency
    if not any(body.is_same(agency.name, agency.government) for body in refused):
        return triage
    reasons = (*triage.review.reasons, BEFORE)
    review = dataclasses.replace(triage.review, needed=True, reasons=reasons)
    return dataclasses.replace(triage, agency=without(agency, refused), review=review)


def body_named(name: str, known: Iterable[Agency | dict[str, Any]]) -> Body:
    """The body of a name, with the government that the answers so far give it."""
    for agency in known:
        plain = agency if isinstance(agency, dict) else dataclasses.asdict(agency)
        for option in (plain, *plain["alternatives"]):
            if (option["name"] or "").casefold() == name.casefold():
                return Body(option["name"], option["government"])
    return Body(name)


def _rows() -> Any:  # noqa: ANN401 - a select of these columns
    return select(refusals).order_by(refusals.c.report_id, refusals.c.number)


def _standing(rows: Iterable[Any]) -> list[Body]:
    bodies: dict[tuple[str, str], Body] = {}
    for row in rows:
        key = (row.report_id, row.agency.casefold())
        bodies.pop(key, None)
        if not row.withdrawn:
            bodies[key] = Body(row.agency, row.government)
    return list(bodies.values())
