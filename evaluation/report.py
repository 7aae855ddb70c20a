"""The result of an evaluation as JSON and as one self-contained HTML page."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pilah.evaluation.asking import named
from pilah.evaluation.findings import CURES

if TYPE_CHECKING:
    from pilah.evaluation.compare import Comparison
    from pilah.evaluation.evaluate import Result
    from pilah.evaluation.summary import Summary

HEAT = 14
"""Labels of a confusion map; all of them stand in the JSON."""
REACHES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Ends of the axis of differences, the smallest that holds them all is taken."""


@dataclass(frozen=True, slots=True)
class Heat:
    """A confusion map: labels, and (rows, share of the label's rows) by given label and answer."""

    labels: tuple[str, ...]
    cells: tuple[tuple[tuple[int, float], ...], ...]


def write_report(result: Result, folder: Path) -> tuple[Path, Path]:
    """Write ``metrics.json`` and ``report.html`` into ``folder``; returns both paths."""
    return _write(folder, ("metrics.json", result.to_dict()), ("report.html", html(result)))


def write_comparison(result: Comparison, folder: Path) -> tuple[Path, Path]:
    """Write ``comparison.json`` and ``comparison.html`` into ``folder``; returns both paths."""
    page = comparison_html(result)
    return _write(folder, ("comparison.json", result.to_dict()), ("comparison.html", page))


def html(result: Result) -> str:
    """The page of one bundle: figures and plots of every target."""
    kinds = dict.fromkeys(finding.kind for finding in result.findings)
    todo = [CURES[kind] for kind in kinds if kind in CURES]
    return _render("report.html", result=result, heat=heat, todo=todo)


def comparison_html(result: Comparison) -> str:
    """The page of two bundles: differences with their intervals, by target and slice."""
    ends = [
        abs(end)
        for gap in (*(d.accuracy for d in result.targets.values()), *result.macro_f1.values())
        for end in (gap.lower, gap.upper)
    ]
    reach = next(r for r in REACHES if r >= min(max(ends), 1.0))
    return _render("compare.html", result=result, reach=reach)


def heat(summary: Summary) -> Heat:
    """The confusions among the labels with most rows and answers."""
    counts = Counter({t: sum(a.values()) for t, a in summary.matrix.items()})
    labels = tuple(label for label, _ in counts.most_common(HEAT))
    return Heat(
        labels,
        tuple(
            tuple((n := summary.matrix[t].get(a, 0), n / counts[t]) for a in labels)
            for t in labels
        ),
    )  # fmt: skip


def _render(template: str, **values: object) -> str:
    pages = Environment(
        loader=PackageLoader("pilah.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.globals |= {"named": named, "heat": heat}
    return pages.get_template(template).render(**values)


def _write(
    folder: Path, data: tuple[str, dict[str, Any]], page: tuple[str, str]
) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    metrics, sheet = folder / data[0], folder / page[0]
    text = json.dumps(data[1], ensure_ascii=False, indent=1)
    metrics.write_text(text + "\n", encoding="utf-8")
    sheet.write_text(page[1], encoding="utf-8")
    return metrics, sheet
