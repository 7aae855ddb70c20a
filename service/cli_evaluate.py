"""``pilah evaluate``: one bundle measured, or two compared, on labelled reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pilah.datasets.errors import InputError, UnknownRegionError
from pilah.datasets.readers import BadRow, read_rows, with_defaults
from pilah.datasets.records import LabelledReport
from pilah.datasets.regions import load_regions
from pilah.evaluation.compare import compare
from pilah.evaluation.drift import data_drift
from pilah.evaluation.evaluate import evaluate
from pilah.evaluation.report import write_comparison, write_report
from pilah.service.cli_common import (
    BundleOption,
    FormatOption,
    MapOption,
    RegionOption,
    errors,
    is_sp4n,
    mapping,
    progress,
    triager,
)
from pilah.service.cli_drift import write_labels

if TYPE_CHECKING:
    from pilah.evaluation.compare import Comparison, Gap
    from pilah.evaluation.evaluate import Result

_out = Console()


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("evaluate")(evaluate_cli)


def evaluate_cli(
    data: Annotated[Path, typer.Option("--data", help="Labelled reports not used in training.")],
    bundle: BundleOption = None,
    against: Annotated[
        tuple[str, str] | None,
        typer.Option("--compare", metavar="A B", help="Two bundles on the same rows: B minus A."),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the JSON and the HTML page.")
    ] = Path("evaluation"),
    columns: MapOption = None,
    region: RegionOption = None,
    form: FormatOption = None,
) -> None:
    """Measure a bundle on labelled reports, or compare two: JSON and a page with plots.

    Example: `pilah evaluate --bundle kota --data 2026.csv --map agency=dinas -o hasil`

    Example: `pilah evaluate --compare bawaan kota --data 2026.csv --map agency=dinas -o hasil`
    """
    if against and bundle:
        raise InputError("give --bundle, or --compare with two bundles, not both")
    first, *second = [triager(name) for name in against or (bundle,)]
    contents = [row.content for row in read_rows(data, mapping(columns), sp4n=is_sp4n(form))]
    rows = [r for content in contents if (r := _usable(content, region)) is not None]
    with progress("laporan", (1 + len(second)) * len(rows)) as tick:
        if second:
            comparison = compare(first, second[0], rows, tick)
            paths: tuple[Path, ...] = write_comparison(comparison, output)
            _print_comparison(comparison)
        else:
            result = evaluate(first, rows, tick)
            drift = data_drift(first.bundle, rows)
            paths = (*write_report(result, output), write_labels(drift, output))
            _print_result(result)
    if bad := len(contents) - len(rows):
        errors.print(f"{bad} bad rows left out: see `pilah data check`", highlight=False)
    for path in paths:
        _out.print(str(path), highlight=False)


def _usable(row: LabelledReport | BadRow, region: str | None) -> LabelledReport | None:
    if isinstance(row, BadRow):
        return None
    kept = with_defaults(row, region=region)
    try:
        load_regions().resolve(kept.report.region)
    except UnknownRegionError:
        return None
    return kept


def _print_result(result: Result) -> None:
    head = ("target", "rows", "accuracy", "macro-F1", "top-3", "ECE", "at 95 %", "alone", "right")
    caption = "alone: without a person, by its own threshold; right: of these"
    table = Table(*head, caption=caption, box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for name, summary in result.summaries.items():
        target = result.targets.get(name)
        scores = (target.macro_f1.value, target.scores.top3) if target else (None, None)
        alone = summary.alone
        precision = alone.precision.value if alone.precision else None
        figures = (summary.accuracy.value, *scores, summary.ece, summary.coverage_at_95,
                   alone.coverage.value, precision)  # fmt: skip
        table.add_row(name, f"{summary.rows:,}", *_rounded(figures))
    _out.print(table)
    if result.agency:
        a = result.agency
        _out.print(
            f"agency answer: {a.right / a.rows:.3f} right, {a.in_alternatives / a.rows:.3f} with "
            f"alternatives; without a person {a.without_person / a.rows:.3f}",
            highlight=False,
        )


def _rounded(figures: Sequence[float | None]) -> list[str]:
    return ["-" if f is None else f"{f:.3f}" for f in figures]


def _print_comparison(result: Comparison) -> None:
    for title, gaps in (
        ("accuracy", {name: d.accuracy for name, d in result.targets.items()}),
        ("macro-F1", result.macro_f1),
    ):
        head = (title, "rows", "A", "B", "B - A", "95 %", "only B", "only A")
        table = Table(*head, box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
        for name, gap in gaps.items():
            d = result.targets[name]
            figures = (f"{gap.a:.3f}", f"{gap.b:.3f}", *_told(gap))
            table.add_row(name, f"{d.rows:,}", *figures, str(d.wins), str(d.losses))
        _out.print(table)
    caption = f"A: {result.a}, B: {result.b}; only B, only A: rows that one alone has right"
    _out.print(caption, highlight=False)
    for side, names in (("A", result.only_a), ("B", result.only_b)):
        if names:
            _out.print(f"only {side} answers: {', '.join(names)}", highlight=False)


def _told(gap: Gap) -> tuple[str, str]:
    colour = "green" if gap.lower > 0 else "red" if gap.upper < 0 else "default"
    return f"[{colour}]{gap.difference:+.3f}[/]", f"{gap.lower:+.3f} to {gap.upper:+.3f}"
