"""Before every page: who asks, whether the role allows it, whether the form is one of ours.

A page says what it needs in its signature: ``Annotated[Session, Depends(needs("decide"))]`` for
reading, ``Annotated[Form, Depends(sends("decide"))]`` for changing. Its router is made with
``route_class=PageRoute``, so that a refusal is a page and not a JSON object.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from anyio.to_thread import run_sync
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from pilah.service.accounts import audit, sessions
from pilah.service.accounts.menu import entries_of
from pilah.service.accounts.roles import Action, User
from pilah.service.accounts.sessions import Session
from pilah.service.forms import read_form, require_same_site
from pilah.service.problems import Problem, problem_of
from pilah.service.rendering import html
from pilah.service.state import service_of

COOKIE = "pilah_sesi"
MAX_FORM_BYTES = 100_000
"""Largest form of a page for signed-in people."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form that a page of the session sent; ``fields`` are its values by name."""

    session: Session
    fields: Mapping[str, str]

    @property
    def user(self) -> User:
        """Who sent it."""
        return self.session.user


def needs(action: Action) -> Callable[[Request], Awaitable[Session]]:
    """A dependency: the session of somebody who may do the action.

    Raises (when it runs):
        Problem: ``signed-out`` or ``forbidden``.
    """

    async def dependency(request: Request) -> Session:
        session = await run_sync(session_of, request)
        if session is None:
            raise Problem("signed-out")
        if not session.user.may(action):
            await run_sync(_note_refusal, request, session.user, action)
            raise Problem("forbidden")
        return session

    dependency.action = action  # type: ignore[attr-defined] # the test of role x route reads it
    return dependency


def sends(action: Action) -> Callable[[Request], Awaitable[Form]]:
    """A dependency: the form that somebody who may do the action sent from one of our pages.

    Raises (when it runs):
        Problem: ``signed-out``, ``forbidden``, ``cross-site``, or what reading a form raises.
    """
    allowed = needs(action)

    async def dependency(request: Request) -> Form:
        require_same_site(request)
        session = await allowed(request)
        fields = await read_form(request, limit=MAX_FORM_BYTES)
        if not session.accepts(fields.get("csrf", "")):
            raise Problem("cross-site")
        return Form(session, fields)

    dependency.action = action  # type: ignore[attr-defined]
    return dependency


def session_of(request: Request) -> Session | None:
    """The session behind the cookie, kept for the page's menu; None when nobody is signed in."""
    token = request.cookies.get(COOKIE, "")
    if not token:
        return None
    service = service_of(request)
    idle = timedelta(minutes=service.settings.session_minutes)
    with service.intake.store.reading() as connection:
        session = sessions.find(connection, token, idle=idle)
        stale = session is not None and sessions.is_stale(connection, session)
    if session is not None and stale:
        with service.intake.store.writing() as connection:
            sessions.touch(connection, session)
    request.state.session = session
    return session


def page(request: Request, template: str, status: int = 200, /, **context: Any) -> Response:  # noqa: ANN401
    """A page with the menu of whoever is signed in; it gets ``viewer``, ``csrf`` and ``menu``."""
    session: Session | None = getattr(request.state, "session", None)
    user = session.user if session else None
    return html(
        template,
        status,
        viewer=user,
        csrf=session.csrf if session else "",
        menu=entries_of(user) if user else (),
        path=request.url.path,
        **context,
    )


class PageRoute(APIRoute):
    """A route whose refusals are pages; who is signed out is led to the sign-in page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its problems turned into pages."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except (Problem, HTTPException, RequestValidationError, SQLAlchemyError) as error:
                return _refuse(request, problem_of(error))

        return handler


def _refuse(request: Request, problem: Problem) -> Response:
    request.state.problem = problem.slug
    if problem.slug == "signed-out" and request.method == "GET" and not _is_fragment(request):
        return RedirectResponse(f"/masuk?{urlencode({'ke': _here(request)})}", 303)
    response = page(request, "refused.html", problem.kind.status, problem=problem)
    response.headers.update(problem.headers)
    return response


def _is_fragment(request: Request) -> bool:
    return request.headers.get("x-pilah-fragment") == "1"


def _here(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _note_refusal(request: Request, user: User, action: Action) -> None:
    with service_of(request).intake.store.writing() as connection:
        audit.record(connection, user.name, "access.refused", detail={"needs": action})
