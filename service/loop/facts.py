"""One flat row a report, for counting: what was said of it, where, and how doubtful it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from pilah.service.loop.tables import facts
from pilah.service.tables import reports, suggestions

WIB = timezone(timedelta(hours=7), "WIB")
"""Western Indonesian time, in which days and weeks are counted."""
_BATCH = 1_000


def save_facts(connection: Connection, triage: Mapping[str, Any], received_at: str) -> None:
    """Add the row of a report that was just answered.

    Args:
        connection: inside the transaction that stores the answer.
        triage: as JSON object.
        received_at: UTC, ISO 8601.
    """
    connection.execute(insert(facts).values(_values(triage, received_at)))


def rebuild_facts(connection: Connection) -> None:
    """Make the row of every report anew.

    Args:
        connection: inside a transaction.
    """
    connection.execute(delete(facts))
    said = select(reports.c.seq, suggestions.c.triage, reports.c.received_at)
    query, after = said.join_from(reports, suggestions).order_by(reports.c.seq).limit(_BATCH), 0
    while rows := connection.execute(query.where(reports.c.seq > after)).all():
        after = rows[-1].seq
        made = [_values(json.loads(row.triage), row.received_at) for row in rows]
        connection.execute(insert(facts), made)


def _values(triage: Mapping[str, Any], received_at: str) -> dict[str, Any]:
    day = day_of(received_at)
    return {
        "report_id": triage["report_id"],
        "day": day,
        "week": week_of(day),
        "government": triage["agency"]["government"],
        "agency": triage["agency"]["name"],
        "outcome": triage["outcome"]["label"],
        "sure": not triage["review"]["needed"],
        "merged": triage["duplicates"]["verdict"] == "duplicate",
        "hoax": triage["hoax"]["flag"],
        "doubt": doubt(triage),
    }


def day_of(moment: str) -> str:
    """The WIB date of an ISO 8601 time."""
    return datetime.fromisoformat(moment).astimezone(WIB).date().isoformat()


def week_of(day: str) -> str:
    """The Monday of a day's week."""
    found = date.fromisoformat(day)
    return (found - timedelta(days=found.weekday())).isoformat()


def doubt(triage: Mapping[str, Any]) -> float:
    """One minus the smaller margin of topic and agency: 0 is sure, 1 is a tie.

    Margin sampling (Scheffer et al. 2001): the gap between the two likeliest labels.
    """
    return 1 - min(_margin(triage["topic"], "main"), _margin(triage["agency"], "name"))


def _margin(answer: Mapping[str, Any], name: str) -> float:
    stated = [answer["probability"]] if answer[name] is not None else []
    best = sorted([*stated, *(a["probability"] for a in answer["alternatives"])], reverse=True)
    if not best:
        return 0.0
    gap: float = best[0] - (best[1] if len(best) > 1 else 0.0)
    return min(1.0, max(0.0, gap))
