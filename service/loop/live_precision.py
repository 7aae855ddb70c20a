"""How often the answers that no person looks at are right, measured on an audited sample.

Only those that the draw put into the queue (reason ``audit``) are counted: of the sure answers that
somebody opened because something was wrong, most are wrong, and they would say nothing of the rest.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from pilah.evaluation.asking import same_body
from pilah.evaluation.intervals import Interval, wilson
from pilah.service.loop.samples import AUDIT
from pilah.service.loop.tables import facts, looks, review_requests
from pilah.service.tables import decisions

MIN_AUDITED = 10
"""An agency is judged by itself from so many audited answers."""


@dataclass(frozen=True, slots=True)
class Audited:
    """One audited answer; ``right`` says whether the person left the agency as it was."""

    report_id: str
    agency: str | None
    government: str | None
    right: bool


def audited(connection: Connection, *, since: str = "", until: str = "9999") -> list[Audited]:
    """Every audited answer of reports received on the days from ``since`` to ``until``.

    Those that were accepted without opening the report are left out, and those undone.
    """
    asked = review_requests
    first = (decisions.c.report_id == asked.c.report_id) & (decisions.c.number == asked.c.decision)
    seen = (looks.c.report_id == decisions.c.report_id) & (looks.c.number == decisions.c.number)
    undone = decisions.alias("undone")
    back = (undone.c.report_id == decisions.c.report_id) & (undone.c.undoes == decisions.c.number)
    query = (
        select(facts, decisions.c.labels, decisions.c.action, looks.c.look)
        .join_from(asked, decisions, first)
        .join(facts, facts.c.report_id == asked.c.report_id)
        .outerjoin(looks, seen)
        .outerjoin(undone, back)
        .where(asked.c.reason == AUDIT, facts.c.day >= since, facts.c.day <= until)
        .where(undone.c.number.is_(None), decisions.c.action != "undo")
    )
    return [_audited(row) for row in connection.execute(query) if row.look != "unread"]


def _audited(row: Any) -> Audited:  # noqa: ANN401 - a row of audited
    agency = json.loads(row.labels).get("agency")
    kept = agency is None or same_body(row.agency, agency)
    right = row.action in ("label", "forward") and kept
    return Audited(row.report_id, row.agency, row.government, right)


def precision(found: Iterable[Audited]) -> tuple[int, Interval | None]:
    """How many were audited, and the share that was right with its Wilson interval."""
    right = [a.right for a in found]
    return len(right), wilson(sum(right), len(right)) if right else None


def by_agency(found: Iterable[Audited], promise: float) -> list[dict[str, Any]]:
    """Each agency with its precision against the promise, the worst first.

    ``kept``: False when even the upper bound lies below the promise; None with too few answers.
    """
    grouped: dict[tuple[str | None, str | None], list[Audited]] = defaultdict(list)
    for answer in found:
        grouped[answer.agency, answer.government].append(answer)
    rows = []
    for (agency, government), answers in grouped.items():
        number, share = precision(answers)
        if share is None:
            continue
        kept = None if number < MIN_AUDITED else share.upper >= promise
        row = {"agency": agency, "government": government, "audited": number, "kept": kept}
        rows.append(row | {"precision": share.value, "lower": share.lower, "upper": share.upper})
    return sorted(rows, key=lambda r: (r["upper"], r["precision"]))
