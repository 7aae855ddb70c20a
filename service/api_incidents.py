"""The HTTP interface of incidents: read one, act on one, and ask what is known already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel
from starlette.responses import Response

from pilah.service import incidents
from pilah.service.api import BODY, WRITES, Key, as_json, authorise, known_form, store
from pilah.service.bodies import read_json
from pilah.service.checks import check_act, check_report
from pilah.service.incident_schemas import ActIn, IncidentOut, MergeIn, SimilarOut, SplitIn
from pilah.service.incident_views import incident_body
from pilah.service.incidents import Act
from pilah.service.intake import Claim, Intake, Reply
from pilah.service.openapi import body_of, responses
from pilah.service.request_schemas import ReportIn
from pilah.service.similar import similar
from pilah.service.state import Service, service_of

router = APIRouter(prefix="/v1", dependencies=[Depends(authorise)])
IncidentId = Annotated[str, Path(min_length=1, description="Id of an incident.")]
Run = Callable[[Intake, str, tuple[str, ...], Act], Reply]
_UNKNOWN = "incident-unknown"


def _act(body: type[BaseModel]) -> dict[str, Any]:
    """What the acts on an incident have in common, as arguments of a route."""
    problems = (_UNKNOWN, "incident-invalid", "incident-stale", "incident-conflict")
    return {
        "tags": ["incidents"],
        "responses": responses(IncidentOut, *WRITES, *BODY, *problems),
        "openapi_extra": body_of(body),
    }


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
    summary="Take other incidents for the same",
    **_act(MergeIn),
)
async def merge(request: Request, incident_id: IncidentId, key: Key = None) -> Response:
    """Their reports move here; later reports like theirs come here too."""
    return await _run(request, incident_id, key, incidents.merge, ids="incidents")


@router.post(
    "/incidents/{incident_id:path}/split",
    summary="Take reports out into a new incident",
    **_act(SplitIn),
)
async def split(request: Request, incident_id: IncidentId, key: Key = None) -> Response:
    """They start a new incident, told apart from this one; its id is in the history."""
    return await _run(request, incident_id, key, incidents.split, ids="reports")


@router.post(
    "/incidents/{incident_id:path}/close",
    summary="Say that it is settled",
    **_act(ActIn),
)
async def close(request: Request, incident_id: IncidentId, key: Key = None) -> Response:
    """The same problem later starts a new incident that is linked to this one."""
    return await _run(request, incident_id, key, lambda i, n, _, act: incidents.close(i, n, act))


@router.post(
    "/incidents/{incident_id:path}/reopen",
    summary="Take a closed one up again",
    **_act(ActIn),
)
async def reopen(request: Request, incident_id: IncidentId, key: Key = None) -> Response:
    """Later reports of it join it again."""
    return await _run(request, incident_id, key, lambda i, n, _, act: incidents.reopen(i, n, act))


@router.post(
    "/incidents/{incident_id:path}/undo",
    summary="Undo the latest act on it",
    **_act(ActIn),
)
async def undo(request: Request, incident_id: IncidentId, key: Key = None) -> Response:
    """Reports that came since stay where they are; an undone merge leaves both told apart."""
    return await _run(request, incident_id, key, lambda i, n, _, act: incidents.undo(i, n, act))


async def _run(
    request: Request, incident_id: str, key: str | None, run: Run, *, ids: str | None = None
) -> Response:
    known = known_form(incident_id, _UNKNOWN)

    def act(service: Service, body: object, claim: Claim | None) -> Reply:
        asked, named = check_act(body, ids=ids)
        said = Act(asked.actor, asked.reason, asked.after, claim)
        return run(service.intake, known, named, said)

    return await store(request, key, act)
