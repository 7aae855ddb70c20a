"""Page: proposals for routing rows, and the operator's rows in force."""

from __future__ import annotations

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import RedirectResponse, Response

from pilah.service.accounts.guard import Form, PageRoute, needs, page, sends
from pilah.service.accounts.roles import User
from pilah.service.accounts.sessions import Session
from pilah.service.loop.judging import judge_proposal, retire_number
from pilah.service.loop.proposals import Proposals, changed
from pilah.service.loop.routes import Why, history, load_routes
from pilah.service.loop.schemas import RouteIn, VerdictIn
from pilah.service.problems import Problem
from pilah.service.state import Service, service_of

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/usulan-rute")
async def proposals_page(
    request: Request, session: Annotated[Session, Depends(needs("read_learning"))]
) -> Response:
    """What is proposed, with its cases; what is in force."""
    return await _page(request, session.user)


@router.post("/usulan-rute")
async def judge(
    request: Request, form: Annotated[Form, Depends(sends("change_routing"))]
) -> Response:
    """Accept or dismiss one proposal."""
    fields = form.fields
    accepted = fields.get("verdict") == "accepted"
    terms = [t for part in fields.get("terms", "").split(",") if (t := " ".join(part.split()))]
    wanted = VerdictIn(
        actor=form.user.name,
        verdict="accepted" if accepted else "dismissed",
        note=fields.get("note") or None,
        route=RouteIn.model_validate({"terms": [t.lower() for t in terms]}) if accepted else None,
    )
    try:
        await run_sync(_judge, service_of(request), fields.get("id", ""), wanted)
    except Problem as problem:
        if problem.slug not in ("proposal-unknown", "verdict-invalid"):
            raise
        return await _page(request, form.user, problem=problem)
    return RedirectResponse("/usulan-rute", 303)


@router.post("/usulan-rute/{number}/cabut")
async def retire(
    request: Request,
    number: Annotated[int, Path(ge=1, le=2**31)],
    form: Annotated[Form, Depends(sends("change_routing"))],
) -> Response:
    """Take one row out of force."""
    await run_sync(_retire, service_of(request), number, form.user)
    return RedirectResponse("/usulan-rute", 303)


def _judge(service: Service, proposal_id: str, verdict: VerdictIn) -> None:
    judge_proposal(service.intake, proposal_id, verdict)


def _retire(service: Service, number: int, user: User) -> None:
    retire_number(service.intake, number, Why(user.name))


async def _page(request: Request, user: User, problem: Problem | None = None) -> Response:
    proposals, routes = await run_sync(_load, service_of(request))
    message = "" if problem is None else _say(problem)
    return page(
        request,
        "proposals.html",
        problem.kind.status if problem else 200,
        proposals=proposals.shown,
        more=proposals.more,
        routes=routes,
        may_change=user.may("change_routing"),
        message=message,
    )


def _say(problem: Problem) -> str:
    if problem.slug == "proposal-unknown":
        return "Usulan itu sudah diputuskan."
    return "Kata harus huruf kecil, paling banyak 20, tanpa pengulangan."


def _load(service: Service) -> tuple[Proposals, list[object]]:
    with service.intake.store.reading() as connection:
        routes, _ = load_routes(connection)
        changes = {change["number"]: change for change in history(connection)}
        found = service.proposals(changed(connection))
        return found, [(r, changes[r.number]) for r in routes]
