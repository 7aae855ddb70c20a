"""What people do on the desk: from a form to a decision, within claim, scope and version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from pilah.datasets.records import OUTCOMES
from pilah.service import incidents, reads
from pilah.service.accounts import audit
from pilah.service.accounts.roles import User
from pilah.service.checks import check_decision
from pilah.service.deciding import decide
from pilah.service.desk import claims, queue
from pilah.service.desk.access import undoable_case, visible_case
from pilah.service.desk.cases import Case
from pilah.service.desk.labels import is_topic, split_value
from pilah.service.desk.queue import Filter
from pilah.service.incidents import Act
from pilah.service.intake import Intake
from pilah.service.problems import FieldError, Problem
from pilah.service.writes import Decision

_REASONS = {
    "merge": "kejadian yang sama",
    "apart": "bukan kejadian yang sama",
    "undo": "dibatalkan",
}


Access = Callable[[Connection, User, str], Case]
"""What gives the case of a report to whoever may have it, and raises for others."""


def act(intake: Intake, user: User, fields: Mapping[str, str]) -> None:
    """Decide as the form of a report's page says.

    Raises:
        Problem: ``report-unknown``, ``case-claimed``, or what deciding raises.
    """
    decision, after = decision_of(user, fields)
    with intake.store.reading() as connection:
        if reads.secret_among(connection, [decision.report_id]):  # the page showed no content
            decision = replace(decision, look="unread")
    decide(intake, decision, after=after, guard=_guard(user, decision.report_id))


def undo(intake: Intake, user: User, fields: Mapping[str, str]) -> None:
    """Take the last decision about a report out of force.

    Raises:
        Problem: as :func:`act`.
    """
    report_id = fields.get("id", "")
    body = {"actor": user.name, "action": "undo"} | _version(fields)
    decision, after = check_decision(report_id, body)
    decide(intake, decision, after=after, guard=_guard(user, report_id, undoable_case))


def act_on_incident(intake: Intake, user: User, fields: Mapping[str, str]) -> None:
    """Merge the incidents of two reports, tell them apart, or undo the last such act.

    Raises:
        Problem: ``report-unknown``, ``case-claimed``, or what acting on an incident raises.
    """
    mine, other, what = fields.get("id", ""), fields.get("other", ""), fields.get("what", "")
    with intake.store.writing() as connection:
        _guard(user, mine)(connection)
        here = _incident_of(connection, user, mine)
        there = None if what == "undo" else _incident_of(connection, user, other)
    seen = fields.get("events", "")
    after = int(seen) if seen.isdecimal() and len(seen) < 9 and what != "merge" else None
    said = Act(user.name, _REASONS.get(what, ""), after)
    if there is None:
        incidents.undo(intake, here, said)
    elif what == "merge" and there != here:
        incidents.merge(intake, there, [here], said)
    elif what == "apart" and there != here:
        incidents.apart(intake, here, [there], said)
    elif what == "apart":
        incidents.split(intake, here, [mine], said)
    else:
        raise Problem("incident-conflict")


def take(connection: Connection, user: User, report_id: str) -> None:
    """Claim a report.

    Raises:
        Problem: ``report-unknown`` or ``case-claimed``.
    """
    claims.claim(connection, visible_case(connection, user, report_id), user.name)
    audit.record(connection, user.name, "case.claimed", subject=report_id)


def take_next(connection: Connection, user: User, shown: Filter, *, passed: str = "") -> str | None:
    """Claim the first free report of the queue; None when there is none."""
    found = queue.next_free(connection, user, shown, passed=passed)
    if found is not None:
        take(connection, user, found)
    return found


def give_back(connection: Connection, user: User, report_id: str) -> None:
    """Release a report.

    Raises:
        Problem: ``report-unknown``.
    """
    visible_case(connection, user, report_id)
    claims.release(connection, report_id, user.name)
    audit.record(connection, user.name, "case.released", subject=report_id)


def decision_of(user: User, fields: Mapping[str, str]) -> tuple[Decision, int | None]:
    """The decision that a form asks for, and how many decisions its page showed.

    Raises:
        Problem: ``decision-invalid``.
    """
    action = fields.get("action", "")
    body: dict[str, Any] = {"actor": user.name, "action": action, "look": "read"}
    body |= _version(fields)
    if fields.get("note"):
        body["note"] = fields["note"]
    if action == "forward":
        body |= _labels(fields)
    if action == "ask":
        body |= {"outcome": "needs_information", "note": fields.get("message", "")}
    if action == "archive":
        body["reason"] = fields.get("reason", "")
    if fields.get("hoax") in ("true", "false"):
        body["hoax"] = fields["hoax"] == "true"
    decision, after = check_decision(fields.get("id", ""), body)
    return replace(decision, role=user.role), after


def _labels(fields: Mapping[str, str]) -> dict[str, Any]:
    main, sub = split_value(fields.get("topic", ""))
    agency, government = split_value(fields.get("agency", ""))
    outcome = fields.get("outcome", "")
    errors = []
    if not is_topic(main, sub):
        errors.append(FieldError("topic", "is not in the taxonomy", "choose one of the list"))
    if not agency:
        errors.append(FieldError("agency", "is missing", "choose one"))
    if outcome not in OUTCOMES:
        errors.append(FieldError("outcome", "is missing or unknown", "choose one"))
    if errors:
        raise Problem("decision-invalid", errors=errors)
    found = {"topic_main": main, "topic_sub": sub, "agency": agency, "outcome": outcome}
    return found | {"government": government}


def _version(fields: Mapping[str, str]) -> dict[str, int]:
    text = fields.get("version", "")
    if not text.isdecimal() or len(text) > 9:
        error = FieldError("version", "is missing", "open the report again")
        raise Problem("decision-invalid", errors=[error])
    return {"after": int(text)}


def _guard(user: User, report_id: str, may: Access = visible_case) -> Callable[[Connection], None]:
    def guard(connection: Connection) -> None:
        claims.claim(connection, may(connection, user, report_id), user.name)

    return guard


def _incident_of(connection: Connection, user: User, report_id: str) -> str:
    visible_case(connection, user, report_id)
    found = reads.record(connection, report_id)
    if found is None:
        raise Problem("report-unknown")
    return found.incident_id
