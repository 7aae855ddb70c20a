"""Users in the store. Every change writes the audit log in the same transaction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from pilah.datasets.agencies import load_agencies
from pilah.datasets.errors import PilahError
from pilah.datasets.regions import load_regions
from pilah.service.accounts import audit, passwords
from pilah.service.accounts.roles import ROLES, Role, User
from pilah.service.accounts.tables import sessions, users
from pilah.service.codecs import now_text
from pilah.service.desk.tables import cases

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,99}")


class UserError(PilahError):
    """A user cannot be added or changed; the message says why and what to do.

    Attributes:
        code: the same, for pages.
    """

    def __init__(self, code: str, message: str) -> None:
        """Keep both."""
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Account:
    """A row of the list of users."""

    user: User
    active: bool
    has_password: bool
    created_at: str


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a new user is made of; without a password only the identity provider lets it in."""

    name: str
    role: str
    display: str = ""
    government: str | None = None
    password: str | None = None


def add_user(connection: Connection, new: NewUser, *, by: str) -> User:
    """Store a new user.

    Raises:
        UserError: the name is taken or not valid, the role unknown, or a moderator has no body.
        PasswordError: the password is too weak.
    """
    user = _checked(new)
    _check_body(connection, user)
    if connection.execute(select(users.c.name).where(users.c.name == user.name)).first():
        raise UserError("name-taken", f"user {user.name}: exists already; choose another name")
    stored = passwords.make_hash(new.password) if new.password is not None else None
    connection.execute(
        insert(users).values(
            name=user.name,
            display=user.display,
            role=user.role,
            government=user.government,
            password=stored,
            active=True,
            created_at=now_text(),
        )
    )
    detail = {"role": user.role, "government": user.government}
    audit.record(connection, by, "user.added", subject=user.name, detail=detail)
    return user


def find_user(connection: Connection, name: str) -> tuple[User, str | None] | None:
    """An active user and the hash of its password."""
    mine = (users.c.name == name.strip().lower()) & users.c.active
    row = connection.execute(select(users).where(mine)).first()
    return None if row is None else (user_of(row), row.password)


def list_users(connection: Connection) -> list[Account]:
    """Every user, by name."""
    return [
        Account(user_of(row), row.active, row.password is not None, row.created_at)
        for row in connection.execute(select(users).order_by(users.c.name))
    ]


def set_active(connection: Connection, name: str, *, active: bool, by: str) -> None:
    """Let a user in again, or shut it out; its sessions end then.

    Raises:
        UserError: nobody has this name, or the last admin would be shut out.
    """
    row = _row(connection, name)
    if not active and row.role == "admin" and _other_admins(connection, name) == 0:
        raise UserError("last-admin", f"user {name}: is the last admin; add another one first")
    connection.execute(update(users).where(users.c.name == name).values(active=active))
    if not active:
        end_sessions(connection, name)
    action = "user.activated" if active else "user.deactivated"
    audit.record(connection, by, action, subject=name)


def set_password(connection: Connection, name: str, password: str, *, by: str) -> None:
    """Give a user another password; all its sessions end.

    Raises:
        UserError: nobody has this name.
        PasswordError: the password is too weak.
    """
    _row(connection, name)
    stored = passwords.make_hash(password)
    connection.execute(update(users).where(users.c.name == name).values(password=stored))
    end_sessions(connection, name)
    audit.record(connection, by, "user.password_changed", subject=name)


def rehash(connection: Connection, name: str, password: str) -> None:
    """Store the same password with today's parameters."""
    stored = passwords.make_hash(password)
    connection.execute(update(users).where(users.c.name == name).values(password=stored))


def end_sessions(connection: Connection, name: str) -> None:
    """Sign a user out everywhere."""
    connection.execute(delete(sessions).where(sessions.c.user_name == name))


def user_of(row: Row[tuple[object, ...]]) -> User:
    """The user of a row of ``users``."""
    return User(row.name, row.display, row.role, row.government)


def _check_body(connection: Connection, user: User) -> None:
    """A body is one of the tables, or one that a stored report stands with."""
    body = user.government
    if body is None or body in known_bodies():
        return
    if connection.execute(select(cases.c.report_id).where(cases.c.government == body)).first():
        return
    raise UserError(
        "government-unknown",
        f"user {user.name}: the body {body} is unknown; name it as the routes do, "
        'e.g. "Pemerintah Kabupaten Sleman"',
    )


@lru_cache(maxsize=1)
def known_bodies() -> tuple[str, ...]:
    """Every body that a report can stand with: local governments, then national bodies."""
    regions = load_regions()
    provinces = [region.code for region in regions.children("")]
    codes = [*provinces, *(r.code for code in provinces for r in regions.children(code))]
    national = sorted(body.name for body in load_agencies().by_id.values())
    return tuple(dict.fromkeys([*map(regions.government, codes), *national]))


def _row(connection: Connection, name: str) -> Row[tuple[object, ...]]:
    row = connection.execute(select(users).where(users.c.name == name)).first()
    if row is None:
        raise UserError("name-unknown", f"user {name}: is unknown; see `pilah users list`")
    return row


def _other_admins(connection: Connection, name: str) -> int:
    others = (users.c.role == "admin") & users.c.active & (users.c.name != name)
    count: int = connection.execute(select(func.count()).where(others)).scalar_one()
    return count


def _checked(new: NewUser) -> User:
    name = new.name.strip().lower()
    if not _NAME.fullmatch(name):
        raise UserError(
            "name-invalid",
            "user: the name is not valid; use 2 to 100 of a-z, 0-9, . _ @ + - "
            "and begin with a letter or a digit",
        )
    role = _role(new.role)
    government = (new.government or "").strip() or None
    if role == "moderator" and government is None:
        raise UserError(
            "government-missing",
            f"user {name}: a moderator belongs to a body; name it as the routes do, "
            'e.g. "Pemerintah Kabupaten Sleman"',
        )
    if role != "moderator" and government is not None:
        message = f"user {name}: only a moderator belongs to a body; leave it out"
        raise UserError("government-unneeded", message)
    return User(name, (new.display.strip() or name)[:200], role, government)


def _role(text: str) -> Role:
    for role in ROLES:
        if role == text:
            return role
    raise UserError("role-unknown", f"user: the role is unknown; use one of {', '.join(ROLES)}")
