"""What the page of the indicators shows: the same columns, grouped for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pilah.datasets.regions import load_regions
from pilah.service.loop import charts
from pilah.service.loop.columns import Span
from pilah.service.loop.counting import Counting
from pilah.service.loop.facts import WIB, week_of
from pilah.service.loop.indicators import PILOTS, Key, Measures
from pilah.service.loop.kept import FRESH_SECONDS

WEEKS = 12
"""Weeks on the page, this one included."""
RENEW_SECONDS = FRESH_SECONDS / 2
"""How often the page's numbers are read anew: before they are too old to be given."""
MOST = 20
"""Rows of a table; the rest is in the CSV."""
FAIR = ("area", "island", "visibility", "channel")
"""Groups that must fare alike."""

Row = tuple[str | None, dict[str, Any]]


def shown_weeks() -> list[str]:
    """The weeks on the page, the oldest first."""
    monday = date.fromisoformat(week_of(datetime.now(UTC).astimezone(WIB).date().isoformat()))
    return [(monday - timedelta(weeks=n)).isoformat() for n in reversed(range(WEEKS))]


def renew(counting: Counting) -> None:
    """Read and count what the page shows of all."""
    weeks = shown_weeks()
    counting.renew(Span(weeks[0], weeks[-1]))
    view_of(counting, None)


def view_of(counting: Counting, government: str | None) -> dict[str, Any]:
    """Everything that the template shows of one body, or of all (None)."""
    weeks = shown_weeks()
    span = Span(weeks[0], weeks[-1])

    def by(*names: str) -> Mapping[Key, Measures]:
        return counting.measures(span, names, government=government)

    bodies = {key[0]: m.to_dict() for key, m in counting.measures(span, ("government",)).items()}
    empty = Measures().to_dict()
    by_week = {key[0]: m.to_dict() for key, m in by("week").items()}
    governments = _largest(by("government"))
    return {
        "weeks": weeks,
        "read_at": counting.columns(span).read_at,
        "total": by()[()].to_dict(),
        "pilots": [(name, bodies.get(name, empty)) for name in PILOTS],
        "governments": governments,
        "left_out": max(0, len(by("government")) - len(governments)),
        "areas": _areas(by, government),
        "topics": _largest(by("topic")),
        "trends": _trends([(week, by_week.get(week, empty)) for week in weeks]),
        "map": charts.tiles({k[0]: m.reports for k, m in by("province").items() if k[0]}),
        "fair": {name: rows for name in FAIR if len(rows := _largest(by(name))) > 1},
        "charts": charts,
    }


def _areas(by: Callable[..., Mapping[Key, Measures]], government: str | None) -> list[Row]:
    """Where the reports of one body come from, one level below what it governs."""
    if government is None:
        return []
    level = "province"
    if government.startswith("Pemerintah "):
        level = "regency" if government.startswith("Pemerintah Provinsi ") else "district"
    names = load_regions().by_code
    rows = _largest(by(level))
    return [(names[code].name if code and code in names else code, m) for code, m in rows]


def _largest(found: Mapping[Key, Measures]) -> list[Row]:
    rows = [(key[0], m.to_dict()) for key, m in found.items()]
    return sorted(rows, key=lambda r: -r[1]["reports"])[:MOST]


def _trends(weeks: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Plots: reports, the share routed without a person, its precision, what was in time."""
    most = max((m["reports"] for _, m in weeks), default=0)
    bands = {
        week: (m["precision_lower"], m["precision_upper"])
        for week, m in weeks
        if m["precision"] is not None
    }
    return [
        {"name": "reports", "share": False, "top": most,
         "points": charts.line([(w, float(m["reports"])) for w, m in weeks])},
        {"name": "alone_share", "share": True, "top": 1.0,
         "points": charts.line([(w, m["alone_share"]) for w, m in weeks], top=1.0)},
        {"name": "precision", "share": True, "top": 1.0,
         "points": charts.line([(w, m["precision"]) for w, m in weeks], top=1.0, bands=bands)},
        {"name": "in_time_share", "share": True, "top": 1.0,
         "points": charts.line([(w, m["in_time_share"]) for w, m in weeks], top=1.0)},
    ]  # fmt: skip
