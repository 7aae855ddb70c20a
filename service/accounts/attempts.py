"""Lock-out on guessing: failures are counted by name and by address, known or not.

Only hashes are stored, for people type passwords into the field of the name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from pilah.service.accounts.tables import attempts
from pilah.service.codecs import now_text

MAX_FAILURES = {"name": 5, "address": 50}
"""Failures within ``WINDOW`` after which a name, or an address, is locked."""
WINDOW = timedelta(minutes=15)
"""How long a lock lasts, and how long a failure is remembered."""


def subjects(name: str, address: str) -> dict[str, str]:
    """What failures are counted by: hash -> kind."""
    found = {"name": name.strip().lower(), "address": address}
    return {hashlib.sha256(f"{k}:{v}".encode()).hexdigest(): k for k, v in found.items()}


def locked(connection: Connection, named: Iterable[str]) -> bool:
    """Whether one of the subjects is locked now."""
    mine = attempts.c.subject.in_(list(named)) & (attempts.c.locked_until > now_text())
    return connection.execute(select(attempts.c.subject).where(mine)).first() is not None


def failed(connection: Connection, named: dict[str, str]) -> bool:
    """Count a failure; gives whether it locked one of the subjects."""
    connection.execute(delete(attempts).where(attempts.c.last_at < _ago()))
    locks = [_count(connection, subject, kind) for subject, kind in named.items()]
    return any(locks)


def passed(connection: Connection, named: dict[str, str]) -> None:
    """Forget the failures of the name; those of an address stay, or one good guess resets it."""
    for subject, kind in named.items():
        if kind == "name":
            connection.execute(delete(attempts).where(attempts.c.subject == subject))


def _count(connection: Connection, subject: str, kind: str) -> bool:
    mine = attempts.c.subject == subject
    before = connection.execute(select(attempts.c.failures).where(mine)).scalar_one_or_none()
    failures = (before or 0) + 1
    full = failures >= MAX_FAILURES[kind]
    values = {
        "failures": failures,
        "last_at": now_text(),
        "locked_until": (datetime.now(UTC) + WINDOW).isoformat(timespec="microseconds")
        if full
        else None,
    }
    if before is None:
        connection.execute(insert(attempts).values(subject=subject, **values))
    else:
        connection.execute(update(attempts).where(mine).values(**values))
    return full


def _ago() -> str:
    return (datetime.now(UTC) - WINDOW).isoformat(timespec="microseconds")
