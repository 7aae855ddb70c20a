"""Page: a second opinion about a drawn report, given without seeing suggestion or first labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from pilah.datasets.records import OUTCOMES
from pilah.service.accounts.guard import Form, PageRoute, needs, page, sends
from pilah.service.accounts.roles import User
from pilah.service.accounts.sessions import Session
from pilah.service.checks import check_decision
from pilah.service.desk.access import visible_case
from pilah.service.desk.labels import (
    agency_value,
    search_agencies,
    search_topics,
    split_value,
    topic_value,
)
from pilah.service.desk.viewing import Option
from pilah.service.loop.judging import save_opinion
from pilah.service.loop.samples import waiting_for_opinion
from pilah.service.problems import FieldError, Problem
from pilah.service.rendering import html
from pilah.service.state import service_of

router = APIRouter(prefix="/pendapat", include_in_schema=False, route_class=PageRoute)
AHEAD = 50
"""Waiting reports that are looked for; of more the page says that there may be."""
Reader = Annotated[Session, Depends(needs("decide"))]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a search finds among all labels, and every outcome; nothing is suggested."""

    topics: Sequence[Option]
    agencies: Sequence[Option]
    outcomes: Sequence[Option]


@router.get("")
def show_next(
    request: Request, session: Reader, id: str = "", cari: str = "", tersimpan: str = ""
) -> Response:
    """A report that waits for another person: the wanted one, else the one drawn longest ago."""
    return _page(request, session.user, wanted=id, search=cari, saved=bool(tersimpan))


@router.get("/label")
def search_labels(request: Request, session: Reader, id: str = "", cari: str = "") -> Response:
    """The choices that a search finds, for the page's script."""
    return html("choices.html", view=_choices(request, session.user, id, cari), blind=True)


@router.post("")
def give(request: Request, form: Annotated[Form, Depends(sends("decide"))]) -> Response:
    """Keep the opinion and go on with the next report; it changes nothing about this one."""
    report_id, service = form.fields.get("id", ""), service_of(request)
    with service.intake.store.reading() as connection:
        visible_case(connection, form.user, report_id)
    try:
        labels = _labels(form.fields)
        decision, _ = check_decision(report_id, {"actor": form.user.name, **labels})
        save_opinion(service.intake, decision)
    except Problem as problem:
        return _page(request, form.user, wanted=report_id, problem=problem)
    return RedirectResponse("/pendapat?tersimpan=1", 303)


def _page(
    request: Request,
    user: User,
    *,
    wanted: str = "",
    search: str = "",
    saved: bool = False,
    problem: Problem | None = None,
) -> Response:
    service = service_of(request)
    with service.intake.store.reading() as connection:
        waiting = waiting_for_opinion(connection, user.name, limit=AHEAD, only=user.only)
    places = {item["report_id"]: place for place, item in enumerate(waiting)}
    place = places.get(wanted, 0)
    item: Mapping[str, Any] | None = waiting[place] if waiting else None
    choices = _choices(request, user, item["report_id"], search) if item else None
    if problem is not None:
        request.state.problem = problem.slug
    return page(
        request,
        "opinion.html",
        problem.kind.status if problem else 200,
        item=item,
        left=len(waiting),
        more=len(waiting) == AHEAD,
        following=waiting[(place + 1) % len(waiting)]["report_id"] if waiting else "",
        view=choices,
        blind=True,
        search=search,
        saved=saved,
        problem=problem,
    )


def _choices(request: Request, user: User, report_id: str, search: str) -> Choices:
    with service_of(request).intake.store.reading() as connection:
        region = visible_case(connection, user, report_id).region
    topics = [topic_value(*pair) for pair in search_topics(search)]
    agencies = [agency_value(*pair) for pair in search_agencies(search, region)]
    return Choices(*([Option(v, None) for v in found] for found in (topics, agencies, OUTCOMES)))


def _labels(fields: Mapping[str, str]) -> dict[str, str]:
    """The label fields of a form; what was left open is left out.

    Raises:
        Problem: ``decision-invalid`` when everything was left open.
    """
    topic, agency = split_value(fields.get("topic", "")), split_value(fields.get("agency", ""))
    named = {
        "topic_main": topic[0],
        "topic_sub": topic[1],
        "agency": agency[0],
        "government": agency[1],
        "outcome": fields.get("outcome"),
    }
    labels = {name: value for name, value in named.items() if value}
    if not labels:
        error = FieldError("outcome", "nothing was chosen", "choose at least one label")
        raise Problem("decision-invalid", errors=[error])
    return labels
