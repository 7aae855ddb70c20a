"""What people decide: appended to a report's history, and told to the engine's memory."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable

from sqlalchemy import Connection

from pilah.models.answer import Triage
from pilah.models.refused import Body
from pilah.service import incident_reads, incident_writes, reads, shield, writes
from pilah.service.checks import NEW_INCIDENT
from pilah.service.codecs import dump
from pilah.service.desk import history
from pilah.service.desk.cases import case_of, save_case
from pilah.service.desk.standing import standing_of
from pilah.service.incidents import Act, move_report, tell_memory
from pilah.service.intake import Claim, Intake, Reply, Transaction, seal
from pilah.service.loop import refusing
from pilah.service.problems import FieldError, Problem
from pilah.service.writes import Decision

REASON = "decision about the report"
"""Reason in an incident's history when a decision that moves a report has no note."""


def decide(
    intake: Intake,
    decision: Decision,
    *,
    after: int | None = None,
    claim: Claim | None = None,
    guard: Callable[[Connection], None] | None = None,
) -> Reply:
    """Append a decision and answer the report as it stands now.

    Args:
        intake: its lock keeps decisions and answers in one order.
        decision: who decided what; without labels it confirms the suggestion.
        after: how many decisions the person had seen; another number is refused.
        claim: the idempotency key.
        guard: asked inside the transaction; it refuses by raising.

    Raises:
        Problem: ``report-unknown``, ``decision-stale``, ``decision-invalid``,
            ``agency-refused`` or ``nothing-to-undo``.
    """
    if (earlier := intake.replay(claim)) is not None:
        return earlier
    fresh = _look_again(intake, decision)
    with intake.transaction() as transaction:
        connection = transaction.connection
        before = _expect(connection, decision.report_id, after)
        if guard is not None:
            guard(connection)
        decision = _resolve_undo(connection, decision)
        decision = _name_refuser(connection, decision)
        _never_again(connection, decision)
        decision, incident = _resolve_incident(connection, decision)
        number = writes.save_decision(connection, decision)
        if fresh is not None and (decision.refused_by or decision.taken_back_by):
            _pass_on(connection, decision, number, before=before, fresh=fresh)
        if incident not in (None, before.incident_id):
            _move(intake, transaction, decision, source=before.incident_id, target=incident)
        intake.sampler.after_decision(connection, decision, before.triage)
        save_case(connection, decision.report_id)
        body = dump(report_body(connection, decision.report_id))
        return seal(connection, Reply(body, status=201), claim)


def report_body(connection: Connection, report_id: str) -> dict[str, object]:
    """One report as it may be shown.

    Raises:
        Problem: ``report-unknown``.
    """
    record = reads.record(connection, report_id)
    if record is None:
        raise Problem("report-unknown")
    secret = reads.secret_among(connection, shield.match_ids(record.triage))
    return shield.report_view(record, secret)


def _look_again(intake: Intake, decision: Decision) -> Triage | None:
    """What the engine says of the report today, where another body must be offered."""
    refuses = decision.refused_by is not None or decision.action in ("refuse", "undo")
    if not refuses and decision.taken_back_by is None:
        return None
    with intake.store.reading() as connection:
        report = reads.stored_report(connection, decision.report_id)
    if report is None:
        raise Problem("report-unknown")
    return intake.engine.analyse([(decision.report_id, report)])[0].draft


def _never_again(connection: Connection, decision: Decision) -> None:
    wanted = decision.labels.get("agency")
    refused = refusing.refused_bodies(connection, decision.report_id)
    refused += [Body(decision.refused_by)] if decision.refused_by else []
    if decision.taken_back_by:
        refused = [b for b in refused if not b.is_same(decision.taken_back_by, None)]
    if wanted is not None and any(body.is_same(str(wanted), None) for body in refused):
        raise Problem("agency-refused")


def _pass_on(
    connection: Connection, decision: Decision, number: int, *, before: reads.Record, fresh: Triage
) -> None:
    """Write the refusal (or that it is taken back), and offer the next best body at once."""
    answers = [*(o["agency"] for o in before.offers), before.triage["agency"], fresh.agency]
    name = str(decision.refused_by or decision.taken_back_by)
    body = refusing.body_named(name, answers)
    withdrawn = decision.refused_by is None
    refusing.save_refusal(connection, decision.report_id, number, body=body, withdrawn=withdrawn)
    if "agency" in decision.labels:
        return
    refusing.save_offer(connection, decision.report_id, number, fresh)
    if not withdrawn:
        refusing.ask(connection, decision.report_id, refusing.REFUSED)


def _expect(connection: Connection, report_id: str, after: int | None) -> reads.Record:
    record = reads.record(connection, report_id)
    if record is None:
        raise Problem("report-unknown")
    if after is not None and after != len(record.decisions):
        raise Problem("decision-stale")
    return record


def _resolve_undo(connection: Connection, decision: Decision) -> Decision:
    """An undo names the last decision in force, and takes the report back to its incident."""
    if decision.action != "undo":
        return decision
    number = standing_of(history.entries(connection, decision.report_id), unsure=True).undoable
    if number is None:
        raise Problem("nothing-to-undo")
    row = reads.decision(connection, decision.report_id, number)
    moved = "incident" in row["labels"] and row["before"] is not None
    labels = {"incident": row["before"]["incident"]} if moved else {}
    taken_back = refusing.refuser(connection, decision.report_id, number)
    return dataclasses.replace(decision, undoes=number, labels=labels, taken_back_by=taken_back)


def _name_refuser(connection: Connection, decision: Decision) -> Decision:
    """A refusal that names nobody is of the agency that the report waits for."""
    if decision.action != "refuse" or decision.refused_by is not None:
        return decision
    case = case_of(connection, decision.report_id)
    if case is None or case.agency is None:
        error = FieldError("refused_by", "is missing", "name the agency that refuses the report")
        raise Problem("decision-invalid", errors=[error])
    return dataclasses.replace(decision, refused_by=case.agency)


def _resolve_incident(connection: Connection, decision: Decision) -> tuple[Decision, str | None]:
    wanted = decision.labels.get("incident")
    if wanted is None:
        return decision, None
    if wanted == NEW_INCIDENT:
        incident = f"incident-{uuid.uuid4()}"
    elif (found := incident_reads.survivor(connection, str(wanted))) is not None:
        incident = found.incident_id
    else:
        cure = f'use the id of a known incident, or "{NEW_INCIDENT}"'
        error = FieldError("incident", "is unknown", cure)
        raise Problem("decision-invalid", errors=[error])
    labels = dict(decision.labels) | {"incident": incident}
    return dataclasses.replace(decision, labels=labels), incident


def _move(
    intake: Intake, transaction: Transaction, decision: Decision, *, source: str, target: str
) -> None:
    incident_writes.begin(transaction.connection, target, created_from=decision.report_id)
    act = Act(decision.actor, decision.note or REASON)
    event = move_report(transaction, decision.report_id, source=source, target=target, act=act)
    tell_memory(intake, transaction, event)
