"""``pilah data suspects``: labels that are probably wrong."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from pilah.service.cli_common import MapOption, RegionOption, errors, mapping, spare, steps

if TYPE_CHECKING:
    from pilah.training.suspects import Suspect

_out = Console()
SHOWN = 20
"""Suspects of one target that the table lists; the file has them all."""


def suspects_cli(
    source: Annotated[Path, typer.Argument(metavar="FILE", help=".jsonl, .csv or .parquet")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="JSONL of all suspects, a line each.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Comma list: topic,agency,outcome,klasifikasi")
    ] = None,
    columns: MapOption = None,
    region: RegionOption = None,
    min_count: Annotated[
        int, typer.Option("--min-count", help="Rows a label needs to be looked at.")
    ] = 5,
) -> None:
    """List labels that are probably wrong: given, suggested, probability, row.

    Models that did not see a row say what they think of it (confident learning; needs cleanlab).
    The list is for a person to look through: part of it is right, see docs/benchmarks.md.

    Example: `pilah data suspects riwayat.csv --map text=isi --map agency=dinas -o curiga.jsonl`
    """
    from pilah.training.config import TARGETS, TrainConfig  # serving never imports training
    from pilah.training.suspects import find_suspects
    from pilah.training.targets import FIELDS

    spare(source, output)
    wanted = tuple(t.strip() for t in target.split(",")) if target else TARGETS
    config = TrainConfig(
        data=(source,), target=wanted, map=mapping(columns), region=region or "",
        min_count=min_count,
    )  # fmt: skip
    with steps(2 + sum(len(FIELDS[t]) for t in wanted)) as step:
        found = find_suspects(config, step)
    if output is not None:
        lines = (json.dumps(asdict(s), ensure_ascii=False) + "\n" for s in found)
        output.write_text("".join(lines), encoding="utf-8")
        errors.print(f"{len(found):,} suspects in {output}", highlight=False)
    _print(found)


def _print(found: list[Suspect]) -> None:
    by_target: dict[str, list[Suspect]] = {}
    for suspect in found:
        by_target.setdefault(suspect.target, []).append(suspect)
    for target, suspects in by_target.items():
        table = Table("row", "given", "p", "suggested", "p", title=target, title_justify="left")
        for s in suspects[:SHOWN]:
            shares = f"{s.probability:.2f}", f"{s.suggested_probability:.2f}"
            table.add_row(s.id or f"line {s.line}", s.given, shares[0], s.suggested, shares[1])
        _out.print(table)
        if len(suspects) > SHOWN:
            _out.print(f"{target}: {len(suspects) - SHOWN:,} more; -o writes all", highlight=False)
    if not found:
        _out.print("no suspicious label")
