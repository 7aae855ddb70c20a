"""Pages for people: the start page, the reference of the API, and what each problem means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from pilah.datasets.regions import load_regions
from pilah.service import shield
from pilah.service.api import take_one
from pilah.service.auth import client_of_key
from pilah.service.forms import read_form, require_same_site
from pilah.service.highlight import segments
from pilah.service.problems import KINDS, Problem, problem_of
from pilah.service.rendering import html
from pilah.service.samples import SAMPLES
from pilah.service.state import Service, service_of

router = APIRouter(include_in_schema=False)

_HERE = Path(__file__).parent
_FIELDS = ("title", "text", "region", "date", "visibility")
_STATIC = {
    "pilah.css": "text/css",
    "pilah.js": "text/javascript",
    "meja.js": "text/javascript",
    "pilah.svg": "image/svg+xml",
}


def install(app: FastAPI) -> None:
    """Add the pages and their files to the app."""
    app.include_router(router)


@router.get("/")
async def start(request: Request, contoh: str = "") -> Response:
    """The form, filled with a sample when one is asked for."""
    number = int(contoh) if contoh.isdecimal() and len(contoh) < 4 else -1
    sample = SAMPLES[number] if 0 <= number < len(SAMPLES) else None
    form = {name: getattr(sample, name, "") for name in _FIELDS}
    return await _page(request, form=form)


@router.post("/")
async def submit(request: Request) -> Response:
    """Triage what was typed in; answers the whole page, or only the result to the page's script."""
    form: dict[str, str] = {}
    try:
        require_same_site(request)
        form = await read_form(request, limit=service_of(request).settings.max_body_bytes)
        triage = await _triage(request, form)
    except Exception as error:
        problem = problem_of(error)
        if problem.slug == "internal":
            raise
        request.state.problem = problem.slug
        return await _page(request, form=form, problem=problem)
    return await _page(request, form=form, triage=triage)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The reference of the API, made from the OpenAPI document."""
    return html("docs.html", api=request.app.openapi(), kinds=KINDS)


@router.get("/problems/{slug}")
async def problem(slug: str) -> Response:
    """What one type of problem means and how to mend it."""
    if slug not in KINDS:
        raise Problem("not-found")
    return html("problem.html", slug=slug, kind=KINDS[slug])


@router.get("/static/{name}")
def static(name: str) -> Response:
    """One of the few files that the pages need."""
    if name not in _STATIC:
        raise Problem("not-found")
    return Response(_file(name), media_type=_STATIC[name], headers={"Cache-Control": "max-age=300"})


@cache
def _file(name: str) -> bytes:
    return (_HERE / "static" / name).read_bytes()


async def _triage(request: Request, form: Mapping[str, str]) -> dict[str, Any]:
    service = service_of(request)
    client_of_key(form.get("api_key", ""), service.keyring)
    with service.gate.entered():
        return await run_sync(_take, service, _report_of(form))


def _take(service: Service, body: Mapping[str, str]) -> dict[str, Any]:
    reply = take_one(service, body, None)
    service.metrics.saw_outcomes(reply.outcomes)
    return shield.for_public(json.loads(reply.body))


def _report_of(form: Mapping[str, str]) -> dict[str, str]:
    body = {name: form[name] for name in ("title", "text", "region", "visibility") if name in form}
    if form.get("date"):
        body["reported_at"] = f"{form['date']}T00:00:00+07:00"  # a date on this page is in WIB
    return body | {"channel": "web"}


async def _page(
    request: Request,
    *,
    form: Mapping[str, str],
    triage: Mapping[str, Any] | None = None,
    problem: Problem | None = None,
) -> Response:
    context: dict[str, Any] = {"triage": triage, "problem": problem, "marked": _marked(triage)}
    status = problem.kind.status if problem else 200
    if request.headers.get("x-pilah-fragment") == "1":
        return html("result.html", status, **context)
    return html(
        "start.html",
        status,
        form={name: form.get(name, "") for name in _FIELDS},
        samples=SAMPLES,
        regions=await run_sync(_region_names),
        needs_key=len(service_of(request).keyring) > 0,
        **context,
    )


def _marked(triage: Mapping[str, Any] | None) -> list[Any]:
    if triage is None:
        return []
    why = triage["explanation"]
    terms = [term["term"] for term in why["terms"]]
    places = [place["text"] for place in why["places"]]
    return list(segments(triage["masked_text"], terms=terms, places=places))


@lru_cache(maxsize=1)
def _region_names() -> tuple[str, ...]:
    """Provinces and kabupaten/kota for the search box of the form."""
    regions = load_regions()
    provinces = regions.children("")
    return tuple(
        name
        for province in provinces
        for name in (
            province.name,
            *(f"{below.name}, {province.name}" for below in regions.children(province.code)),
        )
    )
