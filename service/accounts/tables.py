"""Tables of users, sessions, keys and the audit log, in the metadata of the store."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    event,
)

from pilah.service.accounts.migration import TRIGGERS
from pilah.service.tables import metadata

users = Table(
    "users",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("display", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("government", String(500)),  # whose reports a moderator sees
    Column("password", Text),  # Argon2id; NULL: signs in through the identity provider only
    Column("active", Boolean, nullable=False),
    Column("created_at", String(40), nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_name", String(100), ForeignKey("users.name"), nullable=False, index=True),
    Column("created_at", String(40), nullable=False),
    Column("seen_at", String(40), nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("subject", String(64), primary_key=True),  # hash of a name, or of an address
    Column("failures", Integer, nullable=False),
    Column("last_at", String(40), nullable=False),
    Column("locked_until", String(40)),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),  # beginning of the hash; the caller's short name
    Column("name", String(200), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("created_by", String(100), nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("revoked_at", String(40)),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("actor", String(500), nullable=False),
    Column("action", String(100), nullable=False),
    Column("subject", String(500), nullable=False),
    Column("detail", Text, nullable=False),  # JSON: codes, labels and ids, never a text of a report
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

for _dialect in TRIGGERS:
    for _statement in TRIGGERS[_dialect]:
        _ddl = DDL(_statement)  # type: ignore[no-untyped-call]
        event.listen(audit, "after_create", _ddl.execute_if(dialect=_dialect))
