"""Drift of what comes in, live precision against the promise, whether to retrain: one report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from pilah.evaluation.shift import Shift, Words, binned, shift, words
from pilah.service.loop.live_precision import audited, by_agency, precision
from pilah.service.loop.tables import facts, refusals
from pilah.service.loop.telling import words_of
from pilah.service.tables import reports, suggestions

MOST = 20_000
"""Reports of a window that are read, the newest; the report says how many there were."""
FILE = "drift.json"
"""Name of the last report in the data folder; the service shows it at ``/metrics``."""


@dataclass(frozen=True, slots=True)
class Window:
    """Days, both included, and what was read of them."""

    first: str
    last: str
    reports: int
    read: int


@dataclass(frozen=True, slots=True)
class Drift:
    """The report.

    Attributes:
        reference: the earlier window.
        latest: the later one.
        shifts: what is compared -> how its mix changed.
        words: unknown words.
        promise: precision that the live bundle promises of answers nobody looks at.
        precision: audited answers of the latest window and the share that was right, in all.
        agencies: the same of each agency.
        refused: standing and withdrawn refusals of reports of the latest window.
        reasons: why a retrain is proposed; none: it is not.
    """

    reference: Window
    latest: Window
    shifts: dict[str, Shift]
    words: Words
    promise: float
    precision: dict[str, Any]
    agencies: list[dict[str, Any]]
    refused: int
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"retrain": bool(self.reasons)}


_KEYS = {*(field.name for field in fields(Drift)), "retrain"}


def look_for_drift(
    connection: Connection, today: date, *, days: int, reference_days: int, promise: float
) -> Drift:
    """Compare the last days with those before.

    Args:
        connection: of a read.
        today: the last day of the latest window.
        days: length of the latest window.
        reference_days: length of the window before it.
        promise: precision that the live bundle promises of sure answers.
    """
    border = today - timedelta(days=days)
    begin = border - timedelta(days=reference_days)
    reference, old = _window(connection, begin + timedelta(days=1), border)
    latest, new = _window(connection, border + timedelta(days=1), today)
    shifts = {name: shift(before, _counts(new)[name]) for name, before in _counts(old).items()}
    unknown = words(*([words_of(t["masked_text"]) for _, t in rows] for rows in (old, new)))
    found = audited(connection, since=latest.first, until=latest.last)
    number, share = precision(found)
    agencies = by_agency(found, promise)
    summary = {"audited": number, **(asdict(share) if share else {})}
    return Drift(
        reference=reference,
        latest=latest,
        shifts=shifts,
        words=unknown,
        promise=promise,
        precision=summary,
        agencies=agencies,
        refused=_refused(connection, latest),
        reasons=tuple(_reasons(shifts, unknown, summary, agencies, promise)),
    )


def save_report(drift: Drift, folder: Path) -> Path:
    """Write the report whole into the data folder, in place of the one before."""
    draft, file = folder / f".{FILE}.tmp", folder / FILE
    draft.write_text(json.dumps(drift.to_dict(), ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(file)
    return file


def last_report(folder: Path) -> dict[str, Any] | None:
    """The last report in the data folder; None: there is none, or another version wrote it."""
    try:
        found = json.loads((folder / FILE).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) and found.keys() == _KEYS else None


Row = tuple[str | None, dict[str, Any]]


def _window(connection: Connection, first: date, last: date) -> tuple[Window, list[Row]]:
    """What a window holds, and (place, triage) of its newest reports, oldest first."""
    inside = (facts.c.day >= first.isoformat()) & (facts.c.day <= last.isoformat())
    number = connection.execute(select(func.count()).where(inside)).scalar_one()
    query = (
        select(reports.c.place, reports.c.visibility, suggestions.c.triage)
        .join_from(facts, reports)
        .join(suggestions)
        .where(inside)
        .order_by(reports.c.seq.desc())
        .limit(MOST)
    )
    rows = [(row.place, _readable(row)) for row in connection.execute(query)]
    return Window(first.isoformat(), last.isoformat(), number, len(rows)), rows[::-1]


def _readable(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of _window
    """The triage; of a secret report without its words."""
    triage: dict[str, Any] = json.loads(row.triage)
    return triage | ({"masked_text": ""} if row.visibility == "secret" else {})


def _counts(rows: Sequence[Row]) -> dict[str, Counter[str]]:
    triages = [triage for _, triage in rows]
    return {
        "topic": Counter(t["topic"]["main"] or "-" for t in triages),
        "agency": Counter(t["agency"]["name"] or "-" for t in triages),
        "outcome": Counter(t["outcome"]["label"] for t in triages),
        "region": Counter((place or "-")[:2] for place, _ in rows),
        "topic_confidence": binned(t["topic"]["probability"] for t in triages),
        "agency_confidence": binned(t["agency"]["probability"] for t in triages),
    }


def _refused(connection: Connection, window: Window) -> int:
    inside = (facts.c.day >= window.first) & (facts.c.day <= window.last)
    query = select(func.count()).select_from(refusals)
    query = query.join(facts, facts.c.report_id == refusals.c.report_id)
    number: int = connection.execute(query.where(inside)).scalar_one()
    return number


def _reasons(
    shifts: Mapping[str, Shift],
    unknown: Words,
    summary: Mapping[str, Any],
    agencies: Sequence[Mapping[str, Any]],
    promise: float,
) -> list[str]:
    """Why a retrain is proposed, in words for people."""
    found = [
        f"{name}: PSI {s.psi:.2f} (p {s.p_value:.3f})" for name, s in shifts.items() if s.drifted
    ]
    if unknown.drifted:
        found.append(f"words: {unknown.now:.1%} unknown, usual {unknown.before:.1%}")
    if summary.get("upper", 1.0) < promise:
        share = f"{summary['value']:.1%}, at most {summary['upper']:.1%}"
        found.append(f"precision: {share}, promised {promise:.0%}")
    found += [
        f"precision of {a['agency']} ({a['government']}): at most {a['upper']:.1%}"
        for a in agencies
        if a["kept"] is False
    ]
    return found
