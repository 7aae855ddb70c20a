"""What people make of proposals, of rows in force, and of reports drawn for a second opinion.

Each act is one transaction: the change, its row in the audit log, and the reply to its key.
"""

from __future__ import annotations

from pilah.datasets.errors import TableError
from pilah.datasets.local_routes import PREFIX
from pilah.service.accounts import audit
from pilah.service.codecs import dump
from pilah.service.intake import Claim, Intake, Reply, Transaction, seal
from pilah.service.loop import proposals, routes, samples
from pilah.service.loop.schemas import VerdictIn
from pilah.service.migrations import StoreError
from pilah.service.problems import FieldError, Problem
from pilah.service.writes import Decision


def save_opinion(intake: Intake, opinion: Decision, claim: Claim | None = None) -> Reply:
    """Keep a second opinion.

    Raises:
        Problem: ``opinion-unasked``.
    """
    if (earlier := intake.replay(claim)) is not None:
        return earlier
    with intake.transaction() as transaction:
        labels = dict(opinion.labels)
        connection, report_id = transaction.connection, opinion.report_id
        samples.save_opinion(connection, report_id, opinion.actor, labels)
        detail = {"labels": labels}
        audit.record(connection, opinion.actor, "opinion.given", subject=report_id, detail=detail)
        body = {"report_id": report_id, "actor": opinion.actor, "labels": labels}
        return seal(connection, Reply(dump(body), status=201), claim)


def judge_proposal(
    intake: Intake, proposal_id: str, verdict: VerdictIn, claim: Claim | None = None
) -> Reply:
    """Accept or dismiss a proposal; an accepted row routes at once.

    Raises:
        Problem: ``proposal-unknown``, or ``verdict-invalid`` for a row that no table knows.
    """
    if (earlier := intake.replay(claim)) is not None:
        return earlier
    with intake.transaction() as transaction:
        connection, note = transaction.connection, verdict.note or ""
        proposal = proposals.proposal_of(connection, proposal_id)
        action = f"route_proposal.{verdict.verdict}"
        audit.record(connection, verdict.actor, action, subject=proposal_id)
        if verdict.verdict == "dismissed":
            proposals.dismiss(connection, proposal, actor=verdict.actor, note=note)
            return seal(connection, Reply(_state(transaction, intake), status=201), claim)
        given = verdict.route.model_dump(exclude_none=True) if verdict.route else {}
        try:
            row = {**(proposal.route or {}), **given}
            proposals.accept(connection, proposal, row, actor=verdict.actor, note=note)
        except TableError as error:
            raise Problem("verdict-invalid", errors=[_wrong_route(error)]) from None
        return seal(connection, Reply(_state(transaction, intake), status=201), claim)


def retire_number(
    intake: Intake, number: int, why: routes.Why, claim: Claim | None = None
) -> Reply:
    """Take a row out of force at once.

    Raises:
        Problem: ``route-unknown``.
    """
    if (earlier := intake.replay(claim)) is not None:
        return earlier
    with intake.transaction() as transaction:
        try:
            routes.retire_route(transaction.connection, number, why)
        except StoreError:
            raise Problem("route-unknown") from None
        subject = f"{PREFIX}{number}"
        audit.record(transaction.connection, why.actor, "route.retired", subject=subject)
        return seal(transaction.connection, Reply(_state(transaction, intake), status=201), claim)


def _state(transaction: Transaction, intake: Intake) -> str:
    """The rows as they stand; the engine takes them once they are on the disk."""
    found, version = routes.load_routes(transaction.connection)
    transaction.after_commit.append(lambda: intake.engine.use_routes(found, version))
    changes = routes.history(transaction.connection)
    return dump({"version": version, "routes": [r.to_dict() for r in found], "changes": changes})


def _wrong_route(error: TableError) -> FieldError:
    _, _, problem = str(error).partition(": ")
    problem, _, cure = problem.partition("; ")
    return FieldError("route", problem, cure or "see docs/loop.md")
