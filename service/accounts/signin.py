"""Pages: signing in and out, and the own password."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from pilah.service.accounts import attempts, audit, passwords, sessions, users
from pilah.service.accounts.guard import (
    COOKIE,
    MAX_FORM_BYTES,
    Form,
    PageRoute,
    needs,
    page,
    sends,
    session_of,
)
from pilah.service.accounts.menu import home_of
from pilah.service.accounts.passwords import PasswordError
from pilah.service.accounts.roles import User
from pilah.service.accounts.sessions import Session
from pilah.service.forms import read_form, require_same_site
from pilah.service.problems import Problem
from pilah.service.state import service_of

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_OUR_PATH = re.compile(r"/(?![/\\])[!-~]{0,1000}")


@router.get("/masuk")
async def sign_in_page(request: Request, ke: str = "") -> Response:
    """The form."""
    session = await run_sync(session_of, request)
    if session is not None:
        return RedirectResponse(home_of(session.user), 303)
    return _form_page(request, ke=ke)


@router.post("/masuk")
async def sign_in(request: Request) -> Response:
    """Check name and password, count failures, begin a session."""
    require_same_site(request)
    form = await read_form(request, limit=MAX_FORM_BYTES)
    ke = form.get("ke", "")
    try:
        session = await run_sync(_check, request, form.get("name", ""), form.get("password", ""))
    except Problem as problem:
        request.state.problem = problem.slug
        return _form_page(request, problem.kind.status, ke=ke, problem=problem)
    return signed_in(request, session, ke)


@router.post("/keluar")
def sign_out(request: Request, form: Annotated[Form, Depends(sends("own_account"))]) -> Response:
    """End the session."""
    with service_of(request).intake.store.writing() as connection:
        sessions.end(connection, form.session.token)
        audit.record(connection, form.user.name, "session.ended")
    response = RedirectResponse("/masuk", 303)
    response.delete_cookie(COOKIE)
    return response


@router.get("/akun")
def account(
    request: Request,
    session: Annotated[Session, Depends(needs("own_account"))],
    tersimpan: str = "",
) -> Response:
    """Who one is, and the form for another password."""
    return _account(request, session.user, saved=bool(tersimpan))


@router.post("/akun")
def change_password(
    request: Request, form: Annotated[Form, Depends(sends("own_account"))]
) -> Response:
    """Change the own password; every other session of the user ends."""
    store, name = service_of(request).intake.store, form.user.name
    with store.reading() as connection:
        found = users.find_user(connection, name)
    if found is None or not passwords.matches(found[1], form.fields.get("old", "")):
        return _account(request, form.user, problem="password-wrong")
    try:
        with store.writing() as connection:
            users.set_password(connection, name, form.fields.get("new", ""), by=name)
            session = sessions.begin(connection, form.user)
    except PasswordError as error:
        return _account(request, form.user, problem=error.code)
    return signed_in(request, session, "/akun?tersimpan=1")


def signed_in(request: Request, session: Session, ke: str) -> Response:
    """The answer that carries the cookie of a new session."""
    target = ke if _OUR_PATH.fullmatch(ke) else home_of(session.user)
    response = RedirectResponse(target, 303)
    response.set_cookie(
        COOKIE,
        session.token,
        max_age=int(sessions.LONGEST.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def begin_session(connection: Connection, request: Request, user: User, *, how: str) -> Session:
    """A fresh session for a user who proved who it is; one of the same browser ends."""
    sessions.end(connection, request.cookies.get(COOKIE, ""))
    idle = timedelta(minutes=service_of(request).settings.session_minutes)
    sessions.drop_ended(connection, idle=idle)
    audit.record(connection, user.name, "session.begun", detail={"by": how})
    return sessions.begin(connection, user)


def _account(
    request: Request, user: User, *, problem: str | None = None, saved: bool = False
) -> Response:
    status = 422 if problem else 200
    return page(request, "account.html", status, user=user, problem=problem, saved=saved)


def _form_page(
    request: Request, status: int = 200, *, ke: str, problem: Problem | None = None
) -> Response:
    provider = bool(service_of(request).settings.oidc_issuer)
    return page(request, "signin.html", status, ke=ke, problem=problem, provider=provider)


def _check(request: Request, name: str, password: str) -> Session:
    """Begin a session.

    Raises:
        Problem: ``sign-in-failed`` or ``sign-in-locked``.
    """
    store = service_of(request).intake.store
    tried = attempts.subjects(name, request.client.host if request.client else "")
    with store.reading() as connection:
        if attempts.locked(connection, tried):
            raise Problem("sign-in-locked")
        found = users.find_user(connection, name)
    good = passwords.matches(found[1] if found else None, password)
    with store.writing() as connection:
        if attempts.locked(connection, tried):  # by a guess that came at the same time
            raise Problem("sign-in-locked")
        if good and found is not None:
            attempts.passed(connection, tried)
            if found[1] is not None and passwords.outdated(found[1]):
                users.rehash(connection, found[0].name, password)
            return begin_session(connection, request, found[0], how="password")
        _note_failure(connection, found[0] if found else None, attempts.failed(connection, tried))
    raise Problem("sign-in-failed")


def _note_failure(connection: Connection, user: User | None, locks: bool) -> None:
    """Into the log; a name that nobody has is not written, for it may be a password."""
    name = user.name if user else ""
    audit.record(connection, "", "sign_in.locked" if locks else "sign_in.failed", subject=name)
