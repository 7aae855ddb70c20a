"""API keys that an admin makes: shown once, stored as hashes, revoked at any moment."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from pilah.service.accounts import audit
from pilah.service.accounts.tables import api_keys
from pilah.service.codecs import now_text

SHORT = 16
"""Characters of the hash that name a key in lists and as a caller."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as lists show it."""

    id: str
    name: str
    created_by: str
    created_at: str
    revoked_at: str | None


class Keyring:
    """Hashes of the keys in force, in memory: asked before every request to the API."""

    def __init__(self, settled: Iterable[str] = ()) -> None:
        """Start with the keys of the settings; :meth:`refresh` adds the stored ones."""
        self._settled = frozenset(map(hash_of, settled))
        self._hashes = self._settled

    def __len__(self) -> int:
        """How many keys are in force."""
        return len(self._hashes)

    def refresh(self, connection: Connection) -> None:
        """Read the keys in force; after every change."""
        query = select(api_keys.c.key_hash).where(api_keys.c.revoked_at.is_(None))
        self._hashes = self._settled | frozenset(connection.execute(query).scalars())

    def owner(self, given: str) -> str | None:
        """Short name of the key, if it is in force. A hash is looked up, so time tells nothing."""
        hashed = hash_of(given)
        return hashed[:SHORT] if hashed in self._hashes else None


def hash_of(key: str) -> str:
    """The stored form of a key: it has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def make_key(connection: Connection, name: str, *, by: str) -> str:
    """Make a key and give it; nobody sees it again."""
    key = f"pilah_{secrets.token_urlsafe(32)}"
    hashed = hash_of(key)
    connection.execute(
        insert(api_keys).values(
            id=hashed[:SHORT],
            name=name[:200],
            key_hash=hashed,
            created_by=by,
            created_at=now_text(),
        )
    )
    audit.record(connection, by, "key.made", subject=hashed[:SHORT], detail={"name": name[:200]})
    return key


def revoke_key(connection: Connection, key_id: str, *, by: str) -> None:
    """Take a key out of force; an unknown or revoked one is passed over."""
    mine = (api_keys.c.id == key_id) & api_keys.c.revoked_at.is_(None)
    done = connection.execute(update(api_keys).where(mine).values(revoked_at=now_text()))
    if done.rowcount:
        audit.record(connection, by, "key.revoked", subject=key_id)


def list_keys(connection: Connection) -> list[Key]:
    """Every key, the newest first."""
    query = select(api_keys).order_by(api_keys.c.created_at.desc())
    return [
        Key(r.id, r.name, r.created_by, r.created_at, r.revoked_at)
        for r in connection.execute(query)
    ]
