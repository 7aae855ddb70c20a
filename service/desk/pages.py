"""The pages of the desk: the queue, one report, and what is done from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from pilah.service import shield
from pilah.service.accounts.guard import Form, PageRoute, needs, page, sends
from pilah.service.accounts.sessions import Session
from pilah.service.desk import acting, claims, queue, viewing
from pilah.service.desk.access import undoable_case
from pilah.service.desk.facets import Facet, facets
from pilah.service.desk.past import MIN_SIMILARITY
from pilah.service.desk.queue import PAGE, Filter
from pilah.service.desk.standing import ARCHIVE_REASONS
from pilah.service.problems import Problem
from pilah.service.rendering import html
from pilah.service.state import service_of
from pilah.service.writes import count_decisions

router = APIRouter(prefix="/meja", include_in_schema=False, route_class=PageRoute)

Reader = Annotated[Session, Depends(needs("read_reports"))]
Decider = Annotated[Form, Depends(sends("decide"))]
STATUSES = ("waiting", "asked", "decided", "archived", "sure")


@router.get("")
def show_queue(request: Request, session: Reader, mulai: str = "") -> Response:
    """What waits, first what is most urgent."""
    service, user, shown = service_of(request), session.user, Filter.of(request.query_params)
    start = int(mulai) if mulai.isdecimal() and len(mulai) < 7 else 0
    with service.intake.store.reading() as connection:
        rows = queue.rows(connection, user, shown, start=start)
        counts = queue.counts(connection, user, shown)
    offered = facets(service.tallies((user.only, shown.status)), shown)
    following = {**shown.to_query(), "mulai": str(start + PAGE)} if len(rows) > PAGE else None
    return page(
        request,
        "queue.html",
        rows=rows[:PAGE],
        shown=shown,
        counts=counts,
        holder=claims.holder,
        facets=offered,
        statuses=STATUSES,
        active=_active(shown, offered),
        following=urlencode(following) if following else "",
        query=urlencode(shown.to_query()),
        done=_done(request, session),
        filter_fields=shown.to_query(),
        may_decide=user.may("decide"),
        none_free=request.query_params.get("bebas") == "0",
    )


@router.get("/laporan")
def show_report(request: Request, session: Reader, id: str = "", cari: str = "") -> Response:
    """One report and everything that helps to decide."""
    return _report(request, session, id, search=cari)


@router.get("/label")
def search_labels(request: Request, session: Reader, id: str = "", cari: str = "") -> Response:
    """The choices of a report's form with those that a search finds, for the page's script."""
    service = service_of(request)
    with service.intake.store.reading() as connection:
        view = viewing.page_of(connection, service.intake.engine, session.user, id, search=cari)
    return html("choices.html", view=view)


@router.post("/berikut")
def take_next(request: Request, form: Decider) -> Response:
    """Take the first free report of the queue."""
    return _next(request, form)


@router.post("/ambil")
def take(request: Request, form: Decider) -> Response:
    """Take this report."""
    report_id = form.fields.get("id", "")
    with service_of(request).intake.store.writing() as connection:
        acting.take(connection, form.user, report_id)
    return _to_report(report_id, form.fields)


@router.post("/lepas")
def give_back(request: Request, form: Decider) -> Response:
    """Give this report back."""
    with service_of(request).intake.store.writing() as connection:
        acting.give_back(connection, form.user, form.fields.get("id", ""))
    return _to_queue(Filter.of(_filter_fields(form.fields)))


@router.post("/lewati")
def skip(request: Request, form: Decider) -> Response:
    """Give this report back and take the next one."""
    report_id = form.fields.get("id", "")
    with service_of(request).intake.store.writing() as connection:
        acting.give_back(connection, form.user, report_id)
    return _next(request, form, passed=report_id)


@router.post("/putusan")
def decide(request: Request, form: Decider) -> Response:
    """Decide, then go on with the next report; what cannot be stored comes back with its reason."""
    try:
        acting.act(service_of(request).intake, form.user, form.fields)
    except Problem as problem:
        return _again(request, form, problem)
    return _next(request, form, done=form.fields.get("id", ""))


@router.post("/batal")
def undo(request: Request, form: Decider) -> Response:
    """Take the last decision about a report out of force, and open the report again."""
    try:
        acting.undo(service_of(request).intake, form.user, form.fields)
    except Problem as problem:
        return _again(request, form, problem)
    return _to_report(form.fields.get("id", ""), form.fields)


@router.post("/kejadian")
def act_on_incident(request: Request, form: Decider) -> Response:
    """Merge with, or tell apart from, the incident of another report; or undo that."""
    try:
        acting.act_on_incident(service_of(request).intake, form.user, form.fields)
    except Problem as problem:
        return _again(request, form, problem)
    return _to_report(form.fields.get("id", ""), form.fields)


def _report(
    request: Request,
    session: Session,
    report_id: str,
    *,
    search: str = "",
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    service, user = service_of(request), session.user
    picked = None if problem is None or problem.slug == "decision-stale" else typed
    with service.intake.store.reading() as connection:
        view = viewing.page_of(
            connection, service.intake.engine, user, report_id, search=search, picked=picked
        )
    _note_problem(request, problem)
    return page(
        request,
        "report.html",
        problem.kind.status if problem else 200,
        view=view,
        problem=problem,
        typed=typed or {},
        search=search,
        mine=view.holder in (None, user.name),
        may_decide=user.may("decide"),
        archive_reasons=tuple(ARCHIVE_REASONS),
        filter_fields=Filter.of(_filter_fields(request.query_params)).to_query(),
        links_of=viewing.links_of,
        min_similarity=MIN_SIMILARITY,
        told_only=shield.TOLD_ONLY,
        done=_done(request, session),
    )


def _again(request: Request, form: Form, problem: Problem) -> Response:
    """The same page with what is wrong; the text that was typed is still there."""
    if problem.slug in ("report-unknown", "cross-site"):
        raise problem
    return _report(
        request, form.session, form.fields.get("id", ""), problem=problem, typed=form.fields
    )


def _note_problem(request: Request, problem: Problem | None) -> None:
    if problem is not None:
        request.state.problem = problem.slug


def _done(request: Request, session: Session) -> dict[str, Any] | None:
    """What the page says of the report that was decided just before, so that it can be undone."""
    report_id = request.query_params.get("sudah", "")
    if not report_id or not session.user.may("decide"):
        return None
    with service_of(request).intake.store.reading() as connection:
        try:
            case = undoable_case(connection, session.user, report_id)
        except Problem:  # it went to another government, and somebody decided there
            return {"id": report_id, "version": None, "visible": False}
        version = count_decisions(connection, report_id)
        return {"id": report_id, "version": version, "visible": session.user.sees(case.government)}


def _next(request: Request, form: Form, *, done: str = "", passed: str = "") -> Response:
    shown = Filter.of(_filter_fields(form.fields))
    with service_of(request).intake.store.writing() as connection:
        if done:
            claims.release(connection, done, form.user.name)
        found = acting.take_next(connection, form.user, shown, passed=done or passed)
    if found is None:
        return _to_queue(shown, done=done, none_free=True)
    return _to_report(found, form.fields, done=done)


def _to_queue(shown: Filter, *, done: str = "", none_free: bool = False) -> Response:
    fields = {**shown.to_query(), **({"sudah": done} if done else {})}
    fields |= {"bebas": "0"} if none_free else {}
    return RedirectResponse(f"/meja?{urlencode(fields)}" if fields else "/meja", 303)


def _to_report(report_id: str, fields: Mapping[str, str], *, done: str = "") -> Response:
    kept = {f"f_{k}": v for k, v in Filter.of(_filter_fields(fields)).to_query().items()}
    query = {"id": report_id, **kept, **({"sudah": done} if done else {})}
    return RedirectResponse(f"/meja/laporan?{urlencode(query)}", 303)


def _filter_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """The queue's filter as a report's page and its forms carry it along."""
    return {name[2:]: value for name, value in fields.items() if name.startswith("f_")}


def _active(shown: Filter, offered: Sequence[Facet]) -> list[tuple[str, str, str]]:
    """The filters in force: label, value for people, and the query of the queue without it."""
    found = []
    for facet in offered:
        chosen = getattr(shown, facet.field)
        if chosen:
            name = next((c.name.strip() for c in facet.choices if c.value == chosen), chosen)
            without = replace(shown, **{facet.field: ""})
            found.append((facet.label, name, urlencode(without.to_query())))
    return found
