"""The audit log: rows are only ever appended, each carries the hash of the one before.

The database refuses UPDATE and DELETE through triggers; the chain shows a change made behind them.
Rows cut off at the end leave a chain that holds: compare with a head that was noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from pilah.service.accounts.tables import audit
from pilah.service.codecs import dump, now_text

GENESIS = "0" * 64
"""What the first row carries as the hash of the one before."""
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: who did what to whom. ``detail`` holds codes, labels and ids only."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Verified:
    """What the check found.

    Attributes:
        rows: how many rows were read.
        head: hash of the last row; note it elsewhere to detect rows cut off later.
        broken_at: number of the first row that does not fit; None when the chain holds.
        has_head: whether the asked head is a row of the chain; None when none was asked for.
    """

    rows: int
    head: str
    broken_at: int | None
    has_head: bool | None


def record(
    connection: Connection,
    actor: str,
    action: str,
    *,
    subject: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Append a row; inside the transaction of what it tells of."""
    last = connection.execute(
        select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    ).first()
    row: dict[str, object] = {
        "seq": last.seq + 1 if last else 1,
        "at": now_text(),
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": dump(dict(detail or {})),
        "previous": last.hash if last else GENESIS,
    }
    connection.execute(insert(audit).values(**row, hash=_hash(row)))


def verify(connection: Connection, head: str | None = None) -> Verified:
    """Read the whole chain.

    Args:
        connection: a read connection.
        head: hash noted earlier, which must still be in the chain.
    """
    rows, previous, broken, seen = 0, GENESIS, None, False
    query = select(audit).order_by(audit.c.seq)
    for row in connection.execution_options(yield_per=_BATCH).execute(query).mappings():
        rows += 1
        plain = {name: value for name, value in row.items() if name != "hash"}
        holds = row["seq"] == rows and row["previous"] == previous and row["hash"] == _hash(plain)
        if not holds and broken is None:
            broken = rows
        previous = row["hash"]
        seen = seen or previous == head
    return Verified(rows, previous, broken, None if head is None else seen)


def entries(
    connection: Connection, *, before: int | None = None, limit: int, subject: str | None = None
) -> list[Entry]:
    """The newest rows below the number ``before``, newest first."""
    query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.seq < before)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    return [
        Entry(r.seq, r.at, r.actor, r.action, r.subject, json.loads(r.detail))
        for r in connection.execute(query)
    ]


def _hash(row: Mapping[str, object]) -> str:
    text = json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
