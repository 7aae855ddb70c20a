"""HTTP of the loop: the operator's routing rows and the proposals for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from pilah.service.api import BODY, WRITES, Key, as_json, authorise, known_form, store
from pilah.service.checks import check_decision
from pilah.service.intake import Claim, Reply
from pilah.service.loop import proposals, routes, samples
from pilah.service.loop.checks import check
from pilah.service.loop.judging import judge_proposal, retire_number, save_opinion
from pilah.service.loop.schemas import (
    OpinionOut,
    OpinionsOut,
    ProposalsOut,
    RetirementIn,
    RoutesOut,
    VerdictIn,
)
from pilah.service.openapi import body_of, responses
from pilah.service.problems import FieldError, Problem
from pilah.service.request_schemas import DecisionIn
from pilah.service.state import Service, service_of

router = APIRouter(prefix="/v1/routes", dependencies=[Depends(authorise)], tags=["routes"])
_READS = ("unauthorized", "store-unavailable")
_WRITES = (*WRITES, *BODY, "verdict-invalid")


@router.get("", summary="Read the local routes", responses=responses(RoutesOut, *_READS))
def read_routes(request: Request) -> Response:
    """The operator's own routing rows in force, their version, and every change of them."""
    with service_of(request).intake.store.reading() as connection:
        found, version = routes.load_routes(connection)
        changes = routes.history(connection)
    rows = [route.to_dict() for route in found]
    return as_json({"version": version, "routes": rows, "changes": changes})


@router.get("/proposals", summary="Read the proposals", responses=responses(ProposalsOut, *_READS))
def read_proposals(request: Request) -> Response:
    """Patterns that an agency refused three times or more, with their cases; the 20 largest."""
    service = service_of(request)
    with service.intake.store.reading() as connection:
        found = service.proposals(proposals.changed(connection))
    return as_json({"proposals": [p.to_dict() for p in found.shown], "more": found.more})


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
    known = known_form(proposal_id, "proposal-unknown")

    def run(service: Service, body: object, claim: Claim | None) -> Reply:
        return judge_proposal(service.intake, known, check(VerdictIn, body), claim)

    return await store(request, key, run)


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

    def run(service: Service, body: object, claim: Claim | None) -> Reply:
        wanted = check(RetirementIn, body)
        why = routes.Why(wanted.actor, wanted.note)
        return retire_number(service.intake, number, why, claim)

    return await store(request, key, run)


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
    return as_json({"items": found})


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
    known = known_form(report_id, "opinion-unasked")

    def run(service: Service, body: object, claim: Claim | None) -> Reply:
        wanted, _ = check_decision(known, body)
        if wanted.action != "label" or not wanted.labels or "incident" in wanted.labels:
            error = FieldError("action", "gives no opinion", "send label fields and no action")
            raise Problem("decision-invalid", errors=[error])
        return save_opinion(service.intake, wanted, claim)

    return await store(request, key, run)
