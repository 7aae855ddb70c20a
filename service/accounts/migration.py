"""The step of the migrations that adds users, sessions, keys and the audit log; frozen."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

_REFUSE = "RAISE(ABORT, 'the audit log is append-only')"
TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_no_{name} BEFORE {what} BEGIN SELECT {_REFUSE}; END"
        for name, what in (
            ("update", "UPDATE ON audit"),
            ("delete", "DELETE ON audit"),
            # INSERT OR REPLACE would delete a row without a word
            ("replace", "INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)"),
        )
    ),
    "postgresql": (
        "CREATE FUNCTION audit_refuse() RETURNS trigger AS $$ "
        "BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    ),
}
"""Per database: what makes it refuse every change of the audit log but a new row."""
_TABLES = (
    "CREATE TABLE users (name VARCHAR(100) NOT NULL, display VARCHAR(200) NOT NULL, "
    "role VARCHAR(20) NOT NULL, government VARCHAR(500), password TEXT, "
    "active BOOLEAN NOT NULL, created_at VARCHAR(40) NOT NULL, PRIMARY KEY (name))",
    "CREATE TABLE sessions (token_hash VARCHAR(64) NOT NULL, user_name VARCHAR(100) NOT NULL, "
    "created_at VARCHAR(40) NOT NULL, seen_at VARCHAR(40) NOT NULL, PRIMARY KEY (token_hash), "
    "FOREIGN KEY(user_name) REFERENCES users (name))",
    "CREATE INDEX ix_sessions_user_name ON sessions (user_name)",
    "CREATE TABLE attempts (subject VARCHAR(64) NOT NULL, failures INTEGER NOT NULL, "
    "last_at VARCHAR(40) NOT NULL, locked_until VARCHAR(40), PRIMARY KEY (subject))",
    "CREATE TABLE api_keys (id VARCHAR(16) NOT NULL, name VARCHAR(200) NOT NULL, "
    "key_hash VARCHAR(64) NOT NULL, created_by VARCHAR(100) NOT NULL, "
    "created_at VARCHAR(40) NOT NULL, revoked_at VARCHAR(40), PRIMARY KEY (id), "
    "UNIQUE (key_hash))",
    "CREATE TABLE audit (seq INTEGER NOT NULL, at VARCHAR(40) NOT NULL, "
    "actor VARCHAR(500) NOT NULL, action VARCHAR(100) NOT NULL, subject VARCHAR(500) NOT NULL, "
    "detail TEXT NOT NULL, previous VARCHAR(64) NOT NULL, hash VARCHAR(64) NOT NULL, "
    "PRIMARY KEY (seq))",
)


def to_3(connection: Connection) -> None:
    """Users, sessions, failed sign-ins, keys, and the audit log with its triggers."""
    for statement in (*_TABLES, *TRIGGERS.get(connection.dialect.name, ())):
        connection.execute(text(statement))
