"""Page: the indicators, for people; and the same numbers as JSON and CSV."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from pilah.service.accounts.guard import PageRoute, needs, page
from pilah.service.accounts.sessions import Session
from pilah.service.api import authorise
from pilah.service.codecs import dump
from pilah.service.loop import charts
from pilah.service.loop.facts import WIB, week_of
from pilah.service.loop.indicators import DIMENSIONS, PILOTS, Key, Measures, Scope, measures
from pilah.service.loop.schemas import IndicatorsOut
from pilah.service.openapi import responses
from pilah.service.problems import FieldError, Problem
from pilah.service.state import Service, service_of

router = APIRouter(include_in_schema=False, route_class=PageRoute)
api = APIRouter(prefix="/v1", dependencies=[Depends(authorise)], tags=["indicators"])
WEEKS = 12
"""Weeks on the page, this one included."""
FRESH_SECONDS = 600.0
"""How long counted numbers are shown before they are counted again: counting takes seconds."""
KEPT = 200
"""Most countings that are kept; the oldest goes first."""
MOST = 60
"""Governments in the page's table; the rest is counted."""
FAIR = ("area", "island", "visibility", "channel")
"""Groups that must fare alike."""
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
    scope = Scope(first or "", last or "9999", government, topic)
    found = await run_sync(_measures, service_of(request), scope, names)
    rows = [dict(zip(names, key, strict=True)) | m.to_dict() for key, m in sorted_groups(found)]
    if form == "csv":
        return Response(as_csv(rows, names), media_type="text/csv; charset=utf-8")
    body = {"since": first, "until": last, "by": list(names), "groups": rows}
    return Response(dump(body), media_type="application/json")


@router.get("/indikator")
async def indicator_page(
    request: Request,
    session: Annotated[Session, Depends(needs("read_indicators"))],
    pemerintah: str = "",
) -> Response:
    """Totals, the pilots, trends, the map, all governments, and how groups fare."""
    own = session.user.government if session.user.role == "moderator" else pemerintah[:500] or None
    context = await run_sync(_context, service_of(request), own)
    return page(request, "indicators.html", chosen=own, locked=session.user.role == "moderator",
                **context)  # fmt: skip


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


_kept: dict[tuple[int, Scope, tuple[str, ...]], tuple[float, dict[Key, Measures]]] = {}


def _measures(service: Service, scope: Scope, by: tuple[str, ...]) -> dict[Key, Measures]:
    """The measures, counted anew at most once in ``FRESH_SECONDS``."""
    key, now = (id(service), scope, by), time.monotonic()
    at, found = _kept.get(key, (0.0, None))
    if found is None or now - at > FRESH_SECONDS:
        with service.intake.store.reading() as connection:
            found = measures(connection, scope, by)
        _kept.pop(key, None)
        _kept[key] = now, found
        for old in list(_kept)[:-KEPT]:
            _kept.pop(old, None)
    return found


def _context(service: Service, government: str | None) -> dict[str, Any]:
    """Everything that the template shows."""
    monday = date.fromisoformat(week_of(datetime.now(UTC).astimezone(WIB).date().isoformat()))
    weeks = [(monday - timedelta(weeks=n)).isoformat() for n in reversed(range(WEEKS))]
    scope = Scope(weeks[0], weeks[-1], government)
    everywhere = Scope(weeks[0], weeks[-1])
    asked = {
        by: _measures(service, scope, (by,) if by else ())
        for by in ("", "week", "topic", "province", *FAIR)
    }
    bodies = {k[0]: m.to_dict() for k, m in _measures(service, everywhere, ("government",)).items()}
    known = sorted((name for name in bodies if name), key=lambda n: -bodies[n]["reports"])
    if government is not None:
        known = [name for name in known if name == government]
    empty = Measures().to_dict()
    by_week = {k[0]: m.to_dict() for k, m in asked["week"].items()}
    return {
        "weeks": weeks,
        "total": asked[""].get((), Measures()).to_dict(),
        "pilots": [(name, bodies.get(name, empty)) for name in PILOTS],
        "governments": [(name, bodies[name]) for name in known[:MOST]],
        "left_out": max(0, len(known) - MOST),
        "topics": _largest(asked["topic"]),
        "trends": _trends([(week, by_week.get(week, empty)) for week in weeks]),
        "map": charts.tiles({k[0]: m.reports for k, m in asked["province"].items() if k[0]}),
        "fair": {name: _largest(asked[name]) for name in FAIR},
        "charts": charts,
    }


def _largest(found: Mapping[Key, Measures]) -> list[tuple[str | None, dict[str, Any]]]:
    rows = [(key[0], m.to_dict()) for key, m in found.items()]
    return sorted(rows, key=lambda r: -r[1]["reports"])[:20]


def _trends(weeks: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Three plots: reports, the share routed without a person, and its precision."""
    bands = {
        week: (m["precision_lower"], m["precision_upper"])
        for week, m in weeks
        if m["precision"] is not None
    }
    return [
        {"name": "reports", "share": False,
         "points": charts.line([(w, float(m["reports"])) for w, m in weeks])},
        {"name": "alone_share", "share": True,
         "points": charts.line([(w, m["alone_share"]) for w, m in weeks], top=1.0)},
        {"name": "precision", "share": True,
         "points": charts.line([(w, m["precision"]) for w, m in weeks], top=1.0, bands=bands)},
        {"name": "in_time_share", "share": True,
         "points": charts.line([(w, m["in_time_share"]) for w, m in weeks], top=1.0)},
    ]  # fmt: skip
