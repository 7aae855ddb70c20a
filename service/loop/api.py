"""HTTP of the loop: the operator's routing rows and the proposals for them."""

from __future__ import annotations

from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from pilah.datasets.errors import TableError
from pilah.service.api import Key, authorise, claim_of, known_form
from pilah.service.bodies import read_json
from pilah.service.checks import check_decision
from pilah.service.codecs import dump
from pilah.service.intake import Claim, Intake, Reply, Transaction, seal
from pilah.service.loop import proposals, routes, samples
from pilah.service.loop.checks import check
from pilah.service.loop.schemas import (
    OpinionOut,
    OpinionsOut,
    ProposalsOut,
    RetirementIn,
    RoutesOut,
    VerdictIn,
)
from pilah.service.migrations import StoreError
from pilah.service.openapi import body_of, responses
from pilah.service.problems import FieldError, Problem
from pilah.service.request_schemas import DecisionIn
from pilah.service.state import service_of
from pilah.service.writes import Decision

router = APIRouter(prefix="/v1/routes", dependencies=[Depends(authorise)], tags=["routes"])
_READS = ("unauthorized", "store-unavailable")
_WRITES = (
    *_READS, "request-timeout", "idempotency-key-reused", "overloaded", "json-malformed",
    "body-too-large", "media-type-unsupported", "verdict-invalid",
)  # fmt: skip


@router.get("", summary="Read the local routes", responses=responses(RoutesOut, *_READS))
def read_routes(request: Request) -> Response:
    """The operator's own routing rows in force, their version, and every change of them."""
    with service_of(request).intake.store.reading() as connection:
        found, version = routes.load_routes(connection)
        changes = routes.history(connection)
    rows = [route.to_dict() for route in found]
    return _json({"version": version, "routes": rows, "changes": changes})


@router.get("/proposals", summary="Read the proposals", responses=responses(ProposalsOut, *_READS))
def read_proposals(request: Request) -> Response:
    """Patterns that an agency refused three times or more, with their cases."""
    with service_of(request).intake.store.reading() as connection:
        found = proposals.find_proposals(connection)
    return _json({"proposals": [proposal.to_dict() for proposal in found]})


@router.post(
    "/proposals/{proposal_id}",
    summary="Accept or dismiss a proposal",
    responses=responses(RoutesOut, *_WRITES, "proposal-unknown", status=201),
    openapi_extra=body_of(VerdictIn),
    status_code=201,
)
async def judge(
    request: Request,
    proposal_id: Annotated[str, Path(min_length=1, description="Its id.")],
    key: Key = None,
) -> Response:
    """An accepted row routes every report from now on; the answer names it ``lokal-<number>``."""
    service = service_of(request)
    with service.gate.entered():
        body = await read_json(request, limit=service.settings.max_body_bytes)
        claim = claim_of(request, key, body)
        verdict = check(VerdictIn, body)
        known = known_form(proposal_id, "proposal-unknown")
        return _sent(await run_sync(judge_proposal, service.intake, known, verdict, claim))


@router.post(
    "/{number}/retire",
    summary="Take a local route out of force",
    responses=responses(RoutesOut, *_WRITES, "route-unknown", status=201),
    openapi_extra=body_of(RetirementIn),
    status_code=201,
)
async def retire(
    request: Request,
    number: Annotated[int, Path(ge=1, le=2**31, description="Number of the row.")],
    key: Key = None,
) -> Response:
    """The row no longer routes; it stays in the list of changes."""
    service = service_of(request)
    with service.gate.entered():
        body = await read_json(request, limit=service.settings.max_body_bytes)
        claim = claim_of(request, key, body)
        wanted = check(RetirementIn, body)
        why = routes.Why(wanted.actor, wanted.note)
        return _sent(await run_sync(retire_number, service.intake, number, why, claim))


opinions = APIRouter(prefix="/v1/opinions", dependencies=[Depends(authorise)], tags=["review"])


@opinions.get(
    "",
    summary="Read which reports wait for a second opinion",
    responses=responses(OpinionsOut, *_READS),
)
def read_opinions(
    request: Request,
    actor: Annotated[str, Query(min_length=1, max_length=500, pattern=r"^[!-~]+$")],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Drawn reports that another person labelled, without suggestion and without those labels."""
    with service_of(request).intake.store.reading() as connection:
        found = samples.waiting_for_opinion(connection, actor, limit=limit)
    return _json({"items": found})


@opinions.post(
    "/{report_id:path}",
    summary="Give a second opinion",
    responses=responses(OpinionOut, *_WRITES, "opinion-unasked", "decision-invalid", status=201),
    openapi_extra=body_of(DecisionIn),
    status_code=201,
)
async def give_opinion(
    request: Request,
    report_id: Annotated[str, Path(min_length=1, description="Id of a report.")],
    key: Key = None,
) -> Response:
    """Independent labels, to measure how far people agree; they change nothing about the report."""
    service = service_of(request)
    with service.gate.entered():
        body = await read_json(request, limit=service.settings.max_body_bytes)
        claim = claim_of(request, key, body)
        wanted, _ = check_decision(known_form(report_id, "opinion-unasked"), body)
        if wanted.action != "label" or not wanted.labels or "incident" in wanted.labels:
            error = FieldError("action", "gives no opinion", "send label fields and no action")
            raise Problem("decision-invalid", errors=[error])
        return _sent(await run_sync(save_opinion, service.intake, wanted, claim))


def save_opinion(intake: Intake, opinion: Decision, claim: Claim | None = None) -> Reply:
    """Keep a second opinion.

    Raises:
        Problem: ``opinion-unasked``.
    """
    if (earlier := intake.replay(claim)) is not None:
        return earlier
    with intake.transaction() as transaction:
        labels = dict(opinion.labels)
        samples.save_opinion(transaction.connection, opinion.report_id, opinion.actor, labels)
        body = {"report_id": opinion.report_id, "actor": opinion.actor, "labels": labels}
        return seal(transaction.connection, Reply(dump(body), status=201), claim)


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


def _sent(reply: Reply) -> Response:
    headers = {"Idempotent-Replayed": "true"} if reply.replayed else None
    return Response(reply.body, reply.status, headers, media_type="application/json")


def _json(body: dict[str, Any]) -> Response:
    return Response(dump(body), media_type="application/json")
