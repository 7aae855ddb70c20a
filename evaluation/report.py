"""The result of an evaluation as JSON and as one self-contained HTML page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from pilah.datasets.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from pilah.evaluation.evaluate import Result

SIZE = 240
"""Edge of a plot in pixels."""


def write_report(result: Result, folder: Path) -> tuple[Path, Path]:
    """Write ``metrics.json`` and ``report.html`` into ``folder``; returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    metrics, page = folder / "metrics.json", folder / "report.html"
    metrics.write_text(
        json.dumps(result.to_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    page.write_text(html(result), encoding="utf-8")
    return metrics, page


def html(result: Result) -> str:
    """The page: figures, calibration curve and precision/coverage table of every target."""
    pages = Environment(
        loader=PackageLoader("pilah.evaluation"), autoescape=True, undefined=StrictUndefined
    )
    topics = load_taxonomy().by_id
    return pages.get_template("report.html").render(
        result=result,
        size=SIZE,
        points=lambda curve: " ".join(f"{x * SIZE:.1f},{(1 - y) * SIZE:.1f}" for x, y, _ in curve),
        named=lambda label: (topics[label].sub or topics[label].main) if label in topics else label,
    )
