"""The HTTP interface: handlers load, authorise, call, return."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.responses import Response

from pilah.service import reads, shield
from pilah.service.auth import client_of
from pilah.service.bodies import read_json
from pilah.service.checks import check_batch, check_decision, check_report
from pilah.service.codecs import digest
from pilah.service.deciding import decide, report_body
from pilah.service.intake import Claim, Item, Outcome, Refused, Reply, make_item
from pilah.service.openapi import body_of, responses
from pilah.service.problems import FieldError, Problem, problem_of
from pilah.service.request_schemas import BatchIn, DecisionIn, ReportIn
from pilah.service.schemas import BatchOut, ModelOut, QueueOut, ReportOut, TriageOut
from pilah.service.state import Service, service_of
from pilah.service.version import service_version
from pilah.service.words import WORDS

REASONS = tuple(WORDS["reason"])
"""Every reason for a person to look."""
MAX_PAGE = 200
"""Most reports of the review queue in one answer."""

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="The same key with the same body gives the same answer, for 30 days.",
    ),
]
ReportId = Annotated[str, Path(min_length=1, description="Id of a report.")]


async def authorise(request: Request) -> None:
    """Let only callers with a valid key pass, and keep their short name."""
    request.state.client = client_of(request, service_of(request).keyring)


router = APIRouter(prefix="/v1", dependencies=[Depends(authorise)])
WRITES = (
    "unauthorized",
    "request-timeout",
    "idempotency-key-reused",
    "overloaded",
    "store-unavailable",
)
BODY = ("json-malformed", "body-too-large", "media-type-unsupported")


@router.post(
    "/classify",
    tags=["triage"],
    summary="Triage one report and store it",
    responses=responses(TriageOut, *WRITES, *BODY, "report-invalid", "report-conflict"),
    openapi_extra=body_of(ReportIn),
)
async def classify(request: Request, key: Key = None) -> Response:
    """Topic, agency, outcome, duplicates, hoax signs and review reasons of one report.

    A 2xx answer means that the report is stored on disk. An id that is sent again with the same
    report gives the stored answer, with another report 409.
    """
    return await store(request, key, take_one)


@router.post(
    "/classify/batch",
    tags=["triage"],
    summary="Triage many reports and store them",
    responses=responses(BatchOut, *WRITES, *BODY, "batch-invalid", "batch-too-large"),
    openapi_extra=body_of(BatchIn),
)
async def classify_batch(request: Request, key: Key = None) -> Response:
    """One result per report, in order; a report that is refused does not harm the others."""
    return await store(request, key, take_batch)


@router.post(
    "/reports/{report_id:path}/decision",
    tags=["review"],
    summary="Decide about a report",
    responses=responses(
        ReportOut,
        *WRITES,
        *BODY,
        "report-unknown",
        "decision-invalid",
        "decision-stale",
        "agency-refused",
        "nothing-to-undo",
        status=201,
    ),
    openapi_extra=body_of(DecisionIn),
    status_code=201,
)
async def decision(request: Request, report_id: ReportId, key: Key = None) -> Response:
    """Append a decision; suggestion and earlier decisions stay as they are."""
    known = known_form(report_id, "report-unknown")

    def run(service: Service, body: object, claim: Claim | None) -> Reply:
        wanted, after = check_decision(known, body)
        return decide(service.intake, wanted, after=after, claim=claim)

    return await store(request, key, run)


@router.get(
    "/reports/{report_id:path}",
    tags=["review"],
    summary="Read a report",
    responses=responses(
        ReportOut, "unauthorized", "report-unknown", "parameter-invalid", "store-unavailable"
    ),
)
def report(request: Request, report_id: ReportId) -> Response:
    """The masked report, its suggestion and its decisions; of a secret report no content."""
    service = service_of(request)
    with service.intake.store.reading() as connection:
        return as_json(report_body(connection, known_form(report_id, "report-unknown")))


@router.get(
    "/review",
    tags=["review"],
    summary="Read the review queue",
    responses=responses(QueueOut, "unauthorized", "parameter-invalid", "store-unavailable"),
)
def review(
    request: Request,
    reason: Annotated[
        str | None, Query(json_schema_extra={"enum": [*REASONS]}, description="One reason.")
    ] = None,
    after: Annotated[int, Query(ge=0, le=2**53, description="next of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> Response:
    """Reports that the service is unsure of and that nobody has decided, oldest first."""
    if reason not in (None, *REASONS):
        error = FieldError("reason", "is unknown", f"use one of {', '.join(REASONS)}")
        raise Problem("parameter-invalid", errors=[error])
    with service_of(request).intake.store.reading() as connection:
        count = reads.review_count(connection, reason=reason)
        members = reads.review_queue(connection, reason=reason, after=after, limit=limit + 1)
        page = members[:limit]
        ids = [i for member in page for i in shield.match_ids(member.triage)]
        secret = reads.secret_among(connection, list(dict.fromkeys(ids)))
    items = [shield.queue_view(member, secret) for member in page]
    following = page[-1].seq if len(members) > limit else None
    return as_json({"count": count, "items": items, "next": following})


@router.get(
    "/model",
    tags=["service"],
    summary="Which model answers",
    responses=responses(ModelOut, "unauthorized"),
)
def model(request: Request) -> Response:
    """Versions and facts of the model, and the limits of the service."""
    service = service_of(request)
    limits = ("max_body_bytes", "max_batch", "max_concurrency")
    return as_json(
        {
            "service": service_version(),
            "model": service.intake.engine.describe(),
            "limits": {name: getattr(service.settings, name) for name in limits},
        }
    )


Storing = Callable[[Service, object, Claim | None], Reply]
"""What stores something: from the service, the body of a request and its claim."""


async def store(request: Request, key: str | None, run: Storing) -> Response:
    """Read the body, run in a thread what stores something, count its outcomes, send its reply."""
    service = service_of(request)
    with service.gate.entered():
        body = await read_json(request, limit=service.settings.max_body_bytes)
        reply = await run_sync(run, service, body, _claim_of(request, key, body))
    service.metrics.saw_outcomes(reply.outcomes)
    headers = {"Idempotent-Replayed": "true"} if reply.replayed else None
    return Response(reply.body, reply.status, headers, media_type="application/json")


def _claim_of(request: Request, key: str | None, body: object) -> Claim | None:
    """The idempotency claim of a request, or None without a key."""
    if key is None:
        return None
    request_hash = digest([request.method, request.url.path, body])
    return Claim(request.state.client, key, request_hash)


def take_one(service: Service, body: object, claim: Claim | None) -> Reply:
    """Answer and store one report.

    Raises:
        Problem: the report was refused; nothing is stored then.
    """
    item = make_item(check_report(body), claim=claim)
    return service.intake.take([item], _one, claim=claim)


def take_batch(service: Service, body: object, claim: Claim | None) -> Reply:
    """Answer and store the good reports of a batch; the others carry their problem."""
    rows = check_batch(body, limit=service.settings.max_batch)
    service.metrics.batch.observe(len(rows))
    items = [_item_or_refusal(row, claim, index) for index, row in enumerate(rows)]
    return service.intake.take(items, _results, claim=claim)


def known_form(identifier: str, slug: str) -> str:
    """The identifier, when one of that form can be stored at all."""
    if any(ord(c) < 32 for c in identifier):
        raise Problem(slug)
    return identifier


def _item_or_refusal(row: object, claim: Claim | None, index: int) -> Item | Refused:
    try:
        return make_item(check_report(row), claim=claim, index=index)
    except Problem as problem:
        return Refused(problem)


def _one(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    outcome = outcomes[0]
    if isinstance(outcome, Refused):
        raise outcome.error
    return outcome.triage


def _results(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {"results": [_result(index, outcome) for index, outcome in enumerate(outcomes)]}


def _result(index: int, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Refused):
        problem = problem_of(outcome.error).to_dict()
        return {"index": index, "status": "error", "problem": problem}
    return {"index": index, "status": "ok", "triage": outcome.triage}


def as_json(body: object) -> Response:
    """A good answer."""
    text = json.dumps(body, ensure_ascii=False, default=_plain)
    return Response(text, media_type="application/json")


def _plain(value: object) -> object:
    """JSON form of what an engine tells of itself."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)
