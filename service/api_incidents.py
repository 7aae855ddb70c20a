"""The HTTP interface of incidents: read one, act on one, and ask what is known already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from pilah.service import incidents, openapi
from pilah.service.api import BODY, WRITES, Key, answered, as_json, authorise, claim_of, known_form
from pilah.service.bodies import read_json
from pilah.service.checks import check_act, check_report
from pilah.service.incident_schemas import ActIn, IncidentOut, MergeIn, SimilarOut, SplitIn
from pilah.service.incident_views import incident_body
from pilah.service.incidents import Act
from pilah.service.intake import Intake, Reply
from pilah.service.openapi import body_of, responses
from pilah.service.request_schemas import ReportIn
from pilah.service.similar import similar
from pilah.service.state import service_of

router = APIRouter(prefix="/v1", dependencies=[Depends(authorise)])
IncidentId = Annotated[str, Path(min_length=1, description="Id of an incident.")]
Run = Callable[[Intake, str, tuple[str, ...], Act], Reply]
_UNKNOWN = "incident-unknown"
_ACTS: openapi.Responses = responses(
    IncidentOut,
    *WRITES,
    *BODY,
    _UNKNOWN,
    "incident-invalid",
    "incident-stale",
    "incident-conflict",
)


@router.post(
    "/similar",
    tags=["triage"],
    summary="What is known of a draft, before it is sent",
    responses=responses(
        SimilarOut,
        *BODY,
        "unauthorized",
        "request-timeout",
        "overloaded",
        "store-unavailable",
        "report-invalid",
    ),
    openapi_extra=body_of(ReportIn),
)
async def similar_incidents(request: Request) -> Response:
    """Known incidents that it may tell of, from public reports alone. Nothing is stored."""
    service = service_of(request)
    with service.gate.entered():
        draft = check_report(await read_json(request, limit=service.settings.max_body_bytes))
        return as_json(await run_sync(lambda: similar(service.intake, draft)))


@router.get(
    "/incidents/{incident_id:path}",
    tags=["incidents"],
    summary="Read an incident",
    responses=responses(
        IncidentOut, "unauthorized", _UNKNOWN, "parameter-invalid", "store-unavailable"
    ),
)
def incident(request: Request, incident_id: IncidentId) -> Response:
    """How it stands, how many tell of it, the first 200 reports, and what people did to it."""
    with service_of(request).intake.store.reading() as connection:
        return as_json(incident_body(connection, known_form(incident_id, _UNKNOWN)))


@router.post(
    "/incidents/{incident_id:path}/merge",
    tags=["incidents"],
    summary="Take other incidents for the same",
    responses=_ACTS,
    openapi_extra=body_of(MergeIn),
)
async def merge(request: Request, incident_id: IncidentId, key: Key = None) -> Response:
    """Their reports move here; later reports like theirs come here too."""
    return await _act(request, incident_id, key, incidents.merge, ids="incidents")


@router.post(
    "/incidents/{incident_id:path}/split",
    tags=["incidents"],
    summary="Take reports out into a new incident",
    responses=_ACTS,
    openapi_extra=body_of(SplitIn),
)
async def split(request: Request, incident_id: IncidentId, key: Key = None) -> Response:
    """They start a new incident, told apart from this one; its id is in the history."""
    return await _act(request, incident_id, key, incidents.split, ids="reports")


@router.post(
    "/incidents/{incident_id:path}/close",
    tags=["incidents"],
    summary="Say that it is settled",
    responses=_ACTS,
    openapi_extra=body_of(ActIn),
)
async def close(request: Request, incident_id: IncidentId, key: Key = None) -> Response:
    """The same problem later starts a new incident that is linked to this one."""
    return await _act(request, incident_id, key, lambda i, n, _, act: incidents.close(i, n, act))


@router.post(
    "/incidents/{incident_id:path}/reopen",
    tags=["incidents"],
    summary="Take a closed one up again",
    responses=_ACTS,
    openapi_extra=body_of(ActIn),
)
async def reopen(request: Request, incident_id: IncidentId, key: Key = None) -> Response:
    """Later reports of it join it again."""
    return await _act(request, incident_id, key, lambda i, n, _, act: incidents.reopen(i, n, act))


@router.post(
    "/incidents/{incident_id:path}/undo",
    tags=["incidents"],
    summary="Undo the latest act on it",
    responses=_ACTS,
    openapi_extra=body_of(ActIn),
)
async def undo(request: Request, incident_id: IncidentId, key: Key = None) -> Response:
    """Reports that came since stay where they are; an undone merge leaves both told apart."""
    return await _act(request, incident_id, key, lambda i, n, _, act: incidents.undo(i, n, act))


async def _act(
    request: Request, incident_id: str, key: str | None, run: Run, *, ids: str | None = None
) -> Response:
    service = service_of(request)
    with service.gate.entered():
        body = await read_json(request, limit=service.settings.max_body_bytes)
        asked, named = check_act(body, ids=ids)
        act = Act(asked.actor, asked.reason, asked.after, claim_of(request, key, body))
        known = known_form(incident_id, _UNKNOWN)
        return await answered(service, lambda: run(service.intake, known, named, act))
