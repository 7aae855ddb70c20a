"""Pages of the admin: users, API keys, and the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from pilah.service.accounts import audit, keys, users
from pilah.service.accounts.guard import Form, PageRoute, needs, page, sends
from pilah.service.accounts.passwords import PasswordError
from pilah.service.accounts.roles import ROLES
from pilah.service.accounts.sessions import Session
from pilah.service.accounts.users import NewUser, UserError, known_bodies
from pilah.service.state import service_of

router = APIRouter(include_in_schema=False, route_class=PageRoute)
SAVED = "/pengguna?tersimpan=1"
"""Where a change of the users leads."""
ENTRIES = 100
"""Rows of the audit log on one page."""

Manager = Annotated[Form, Depends(sends("manage_users"))]
KeyManager = Annotated[Form, Depends(sends("manage_keys"))]


@router.get("/pengguna")
def show_users(
    request: Request,
    session: Annotated[Session, Depends(needs("manage_users"))],
    tersimpan: str = "",
) -> Response:
    """Every user, and the form for a new one."""
    del session
    return _users(request, saved=bool(tersimpan))


@router.post("/pengguna")
def add_user(request: Request, form: Manager) -> Response:
    """Add a user."""
    given = form.fields
    new = NewUser(
        given.get("name", ""),
        given.get("role", ""),
        given.get("display", ""),
        given.get("government"),
        given.get("password") or None,
    )
    try:
        with service_of(request).intake.store.writing() as connection:
            users.add_user(connection, new, by=form.user.name)
    except (UserError, PasswordError) as error:
        return _users(request, error)
    return RedirectResponse(SAVED, 303)


@router.post("/pengguna/ubah")
def change_user(request: Request, form: Manager) -> Response:
    """Shut a user out, let it in again, or give it another password."""
    name, by, what = form.fields.get("name", ""), form.user.name, form.fields.get("what", "")
    try:
        with service_of(request).intake.store.writing() as connection:
            if what == "password":
                users.set_password(connection, name, form.fields.get("password", ""), by=by)
            else:
                users.set_active(connection, name, active=what == "enable", by=by)
    except (UserError, PasswordError) as error:
        return _users(request, error)
    return RedirectResponse(SAVED, 303)


@router.get("/kunci")
def show_keys(
    request: Request, session: Annotated[Session, Depends(needs("manage_keys"))]
) -> Response:
    """Every key, and the form for a new one."""
    del session
    return _keys(request)


@router.post("/kunci")
def make_key(request: Request, form: KeyManager) -> Response:
    """Make a key and show it this once."""
    service, name = service_of(request), form.fields.get("name", "").strip() or "tanpa nama"
    with service.intake.store.writing() as connection:
        made = keys.make_key(connection, name, by=form.user.name)
    with service.intake.store.reading() as connection:
        service.keyring.refresh(connection)
    return _keys(request, made)


@router.post("/kunci/cabut")
def revoke_key(request: Request, form: KeyManager) -> Response:
    """Take a key out of force."""
    service = service_of(request)
    with service.intake.store.writing() as connection:
        keys.revoke_key(connection, form.fields.get("id", ""), by=form.user.name)
    with service.intake.store.reading() as connection:
        service.keyring.refresh(connection)
    return RedirectResponse("/kunci", 303)


@router.get("/catatan")
def show_audit(
    request: Request,
    session: Annotated[Session, Depends(needs("read_audit"))],
    sebelum: str = "",
    tentang: str = "",
) -> Response:
    """The audit log, newest first, of everything or of one report, user or key."""
    del session
    before = int(sebelum) if sebelum.isdecimal() and len(sebelum) < 16 else None
    with service_of(request).intake.store.reading() as connection:
        entries = audit.entries(
            connection, before=before, limit=ENTRIES, subject=tentang[:500] or None
        )
    more = entries[-1].seq if len(entries) == ENTRIES else None
    return page(request, "audit.html", entries=entries, more=more, about=tentang[:500])


def _users(
    request: Request, error: UserError | PasswordError | None = None, *, saved: bool = False
) -> Response:
    with service_of(request).intake.store.reading() as connection:
        accounts = users.list_users(connection)
    status = 422 if error else 200
    problem = error.code if error else None
    shown = {"accounts": accounts, "roles": ROLES, "bodies": known_bodies()}
    return page(request, "users.html", status, **shown, problem=problem, saved=saved)


def _keys(request: Request, made: str = "") -> Response:
    with service_of(request).intake.store.reading() as connection:
        found = keys.list_keys(connection)
    return page(request, "keys.html", keys=found, made=made)
