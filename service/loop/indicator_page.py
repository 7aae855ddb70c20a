"""Page: the indicators, for people; and the same numbers as JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from pilah.service.accounts.guard import PageRoute, needs, page
from pilah.service.accounts.sessions import Session
from pilah.service.api import authorise
from pilah.service.codecs import dump
from pilah.service.loop.columns import DIMENSIONS, Span
from pilah.service.loop.facts import week_of
from pilah.service.loop.indicator_view import shown_weeks, view_of
from pilah.service.loop.indicators import Key, Measures
from pilah.service.loop.schemas import IndicatorsOut
from pilah.service.openapi import responses
from pilah.service.problems import FieldError, Problem
from pilah.service.state import service_of

router = APIRouter(include_in_schema=False, route_class=PageRoute)
api = APIRouter(prefix="/v1", dependencies=[Depends(authorise)], tags=["indicators"])
_DATE = Query(pattern=r"^\d{4}-\d{2}-\d{2}$", description="ISO date; its week is counted.")


@api.get(
    "/indicators",
    summary="Read the indicators",
    responses={
        **responses(IndicatorsOut, "unauthorized", "store-unavailable"),
        200: {"model": IndicatorsOut, "content": {"text/csv": {"schema": {"type": "string"}}}},
    },
)
async def indicators(
    request: Request,
    by: Annotated[str, Query(max_length=100, description="Dimensions, joined by commas.")] = (
        "week,government,topic"
    ),
    since: Annotated[str | None, _DATE] = None,
    until: Annotated[str | None, _DATE] = None,
    government: Annotated[str | None, Query(max_length=500)] = None,
    topic: Annotated[str | None, Query(max_length=500)] = None,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    """Reports, incidents, routed without a person, its precision, waiting time and so on."""
    names = _dimensions(by)
    first, last = _week("since", since), _week("until", until)
    span = Span(first or "", last or "9999")
    count = partial(service_of(request).counting.measures, government=government, topic=topic)
    found = await run_sync(count, span, names)
    rows = _as_rows(found, names)
    if form == "csv":
        return _csv_answer(rows, names)
    body = {"since": first, "until": last, "by": list(names), "groups": rows}
    return Response(dump(body), media_type="application/json")


@router.get("/indikator")
async def indicator_page(
    request: Request,
    session: Annotated[Session, Depends(needs("read_indicators"))],
    pemerintah: str = "",
) -> Response:
    """Totals, the pilots, trends, the map, all governments, and how groups fare."""
    own = _government(session, pemerintah)
    context = await run_sync(view_of, service_of(request).counting, own)
    locked = session.user.role == "moderator"
    return page(request, "indicators.html", chosen=own, locked=locked, **context)


@router.get("/indikator.csv")
async def indicator_file(
    request: Request,
    session: Annotated[Session, Depends(needs("read_indicators"))],
    pemerintah: str = "",
) -> Response:
    """The page's weeks by government and topic, for whoever may see the page; no key is needed."""
    weeks, names = shown_weeks(), ("week", "government", "topic")
    own, counting = _government(session, pemerintah), service_of(request).counting
    count = partial(counting.measures, government=own)
    found = await run_sync(count, Span(weeks[0], weeks[-1]), names)
    return _csv_answer(_as_rows(found, names), names)


def _government(session: Session, wanted: str) -> str | None:
    """The body whose numbers are shown: a moderator's own, else the wanted one, or all."""
    return session.user.government if session.user.role == "moderator" else wanted[:500] or None


def _as_rows(found: Mapping[Key, Measures], names: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(zip(names, key, strict=True)) | m.to_dict() for key, m in sorted_groups(found)]


def _csv_answer(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Response:
    return Response(as_csv(rows, names), media_type="text/csv; charset=utf-8")


def as_csv(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """The groups as CSV; a cell that a spreadsheet would run as a formula gets an apostrophe."""
    out = io.StringIO()
    columns = [*names, *Measures().to_dict()]
    writer = csv.DictWriter(out, columns, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(row.get(name)) for name in columns})
    return out.getvalue()


def sorted_groups(found: Mapping[Key, Measures]) -> list[tuple[Key, Measures]]:
    """The groups in a lasting order."""
    return sorted(found.items(), key=lambda g: tuple(x or "" for x in g[0]))


def _cell(value: object) -> object:
    dangerous = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if dangerous else value


def _dimensions(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name for name in text.split(",") if name))
    if any(name not in DIMENSIONS for name in names):
        error = FieldError("by", "names an unknown dimension", f"use {', '.join(DIMENSIONS)}")
        raise Problem("parameter-invalid", errors=[error])
    return names


def _week(name: str, day: str | None) -> str | None:
    try:
        return week_of(day) if day else None
    except ValueError:
        error = FieldError(name, "is no date", "send e.g. 2026-05-01")
        raise Problem("parameter-invalid", errors=[error]) from None
