"""Addresses for machines that watch the service: alive, ready, metrics."""

from __future__ import annotations

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from pilah.service import reads
from pilah.service.loop.drift import last_report
from pilah.service.openapi import problems, responses
from pilah.service.problems import Problem
from pilah.service.schemas import HealthOut
from pilah.service.state import service_of

router = APIRouter(tags=["service"])


@router.get("/livez", summary="The process answers", responses={200: {"model": HealthOut}})
async def livez() -> Response:
    """Constant: it only says that the process takes requests."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/readyz",
    summary="The service can do its work",
    responses=responses(HealthOut, "not-ready"),
)
async def readyz(request: Request) -> Response:
    """Runs a real inference and a real write, at most every two seconds."""
    reason = await run_sync(service_of(request).readiness.reason_not_ready)
    if reason is not None:
        raise Problem("not-ready", detail=reason, headers={"Retry-After": "5"})
    return JSONResponse({"status": "ok"})


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems("store-unavailable"),
    },
)
def metrics(request: Request) -> Response:
    """Counts and times; no personal data."""
    service = service_of(request)
    with service.intake.store.reading() as connection:
        waiting = reads.review_count(connection)
    if (drift := last_report(service.settings.data_dir)) is not None:
        service.metrics.saw_drift(drift)
    return Response(service.metrics.render(waiting), media_type=CONTENT_TYPE_LATEST)
