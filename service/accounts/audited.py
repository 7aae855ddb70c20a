"""Whether the decisions are those that the audit log tells of.

Each decision's row in the log holds the SHA-256 of the decision as it was stored, so a decision
that was changed, taken out or slipped in behind the application shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pilah.service.accounts.tables import audit
from pilah.service.codecs import digest
from pilah.service.tables import decisions, schema_version

LOGGED_SINCE = 5
"""Number of the schema from which on every decision has its row."""
_BATCH = 1_000
Decided = tuple[str, int]
"""Id of the report, and the decision's number."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What the comparison found.

    Attributes:
        decisions: how many stand in the store.
        older: of those, without a row because they are older than such rows; none in a store
            that began with a Pilah that wrote them.
        changed: decisions that are not what was logged, by report and number.
        missing: logged decisions that the store no longer has.
        unlogged: decisions without a row although rows were written by then.
    """

    decisions: int
    older: int
    changed: tuple[Decided, ...]
    missing: tuple[Decided, ...]
    unlogged: tuple[Decided, ...]

    @property
    def holds(self) -> bool:
        """Whether every decision is as it was logged."""
        return not (self.changed or self.missing or self.unlogged)


def compare(connection: Connection) -> Compared:
    """Read every decision and its row of the log.

    Args:
        connection: a read connection; it sees one state of both.
    """
    logged = dict(_logged(connection))
    began = _logged_from(connection)
    number, older = 0, 0
    changed, unlogged = list[Decided](), list[Decided]()
    query = select(decisions).order_by(decisions.c.report_id, decisions.c.number)
    for row in connection.execution_options(yield_per=_BATCH).execute(query).mappings():
        number += 1
        name = (row["report_id"], row["number"])
        known = logged.pop(name, None)
        if known is None and row["decided_at"] < began:
            older += 1
        elif known is None:
            unlogged.append(name)
        elif known != digest(dict(row)):
            changed.append(name)
    return Compared(number, older, tuple(changed), tuple(sorted(logged)), tuple(unlogged))


def _logged(connection: Connection) -> Iterator[tuple[Decided, str]]:
    query = select(audit.c.subject, audit.c.detail).where(audit.c.action.like("decision.%"))
    for subject, text in connection.execution_options(yield_per=_BATCH).execute(query):
        detail = json.loads(text)
        if "digest" in detail:
            yield (subject, detail["number"]), detail["digest"]


def _logged_from(connection: Connection) -> str:
    """From when on every decision has its row: the upgrade, or "" where that was always so."""
    numbers = schema_version.c.number
    if connection.execute(select(func.min(numbers))).scalar_one() >= LOGGED_SINCE:
        return ""
    query = select(schema_version.c.applied_at).where(numbers == LOGGED_SINCE)
    moment: str = connection.execute(query).scalar_one()
    return moment
