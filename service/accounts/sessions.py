"""Server-side sessions: the browser holds a random token, the store only its hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from pilah.service.accounts import users as people
from pilah.service.accounts.roles import User
from pilah.service.accounts.tables import sessions, users
from pilah.service.codecs import now_text

LONGEST = timedelta(hours=12)
"""After so long a person signs in again, however busy."""
_SEEN_EVERY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that holds; ``csrf`` is what its forms must carry."""

    user: User
    token: str

    @property
    def csrf(self) -> str:
        """A value that only pages of this session know."""
        return hmac.digest(self.token.encode(), b"pilah-csrf", "sha256").hex()

    def accepts(self, csrf: str) -> bool:
        """Whether a form was made by a page of this session."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode("utf-8", "replace"))


def begin(connection: Connection, user: User) -> Session:
    """Sign a user in under a fresh token; sessions that ended are dropped."""
    connection.execute(delete(sessions).where(sessions.c.created_at < _before(LONGEST)))
    token, moment = secrets.token_urlsafe(32), now_text()
    connection.execute(
        insert(sessions).values(
            token_hash=_hash(token), user_name=user.name, created_at=moment, seen_at=moment
        )
    )
    return Session(user, token)


def find(connection: Connection, token: str, *, idle: timedelta) -> Session | None:
    """The session of a token, unless it ended; ``idle`` is how long it may rest."""
    query = (
        select(users)
        .join_from(sessions, users)
        .where(
            sessions.c.token_hash == _hash(token),
            sessions.c.created_at > _before(LONGEST),
            sessions.c.seen_at > _before(idle),
            users.c.active,
        )
    )
    row = connection.execute(query).first()
    return None if row is None else Session(people.user_of(row), token)


def is_stale(connection: Connection, session: Session) -> bool:
    """Whether it is time to note that the session was used."""
    seen = select(sessions.c.seen_at).where(sessions.c.token_hash == _hash(session.token))
    return (connection.execute(seen).scalar_one_or_none() or "") < _before(_SEEN_EVERY)


def touch(connection: Connection, session: Session) -> None:
    """Note that the session was used now."""
    mine = sessions.c.token_hash == _hash(session.token)
    connection.execute(update(sessions).where(mine).values(seen_at=now_text()))


def end(connection: Connection, token: str) -> None:
    """Sign out."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == _hash(token)))


def drop_ended(connection: Connection, *, idle: timedelta) -> int:
    """Delete the sessions that ended; gives their number."""
    ended = or_(sessions.c.created_at < _before(LONGEST), sessions.c.seen_at < _before(idle))
    return connection.execute(delete(sessions).where(ended)).rowcount


def _before(span: timedelta) -> str:
    return (datetime.now(UTC) - span).isoformat(timespec="microseconds")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
