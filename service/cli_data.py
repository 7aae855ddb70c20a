"""``pilah data``: look at, convert and split labelled reports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pilah.datasets.checks import CheckReport, check
from pilah.datasets.errors import InputError
from pilah.datasets.readers import BadRow, count_rows, read_rows, with_defaults
from pilah.datasets.records import LabelledReport
from pilah.datasets.splits import group_split, time_split
from pilah.models.masking import find_personal_data, mask
from pilah.service.cli_common import (
    FormatOption,
    MapOption,
    RegionOption,
    errors,
    is_sp4n,
    mapping,
    progress,
    spare,
)
from pilah.service.cli_suspects import suspects_cli

app = typer.Typer(no_args_is_help=True, help="Look at, convert and split labelled reports.")
_out = Console()
SHOWN = 20
"""Findings of one kind that are listed; the rest is counted."""

Source = Annotated[Path, typer.Argument(metavar="FILE", help=".jsonl, .csv or .parquet")]


@app.command("check")
def check_cli(
    source: Source,
    columns: MapOption = None,
    form: FormatOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all findings as JSON.")] = False,
) -> None:
    """Check schema, labels, regions, near-duplicates, leakage, personal data and thin classes.

    Exit code 1 when there are errors; warnings alone give 0.

    Example: `pilah data check riwayat.csv --map text=isi --map agency=dinas`
    """
    rows = read_rows(source, mapping(columns), sp4n=is_sp4n(form))
    with progress("laporan", count_rows(source)) as tick:
        report = check(rows, find_personal_data, tick=tick)
    if as_json:
        _out.print_json(json.dumps(asdict(report), ensure_ascii=False))
    else:
        _print(report)
    if report.errors:
        raise typer.Exit(1)


app.command("suspects")(suspects_cli)


@app.command("import")
def import_cli(
    source: Source,
    output: Annotated[Path, typer.Option("-o", "--output", help="JSONL in Pilah's own fields.")],
    columns: MapOption = None,
    region: RegionOption = None,
    form: FormatOption = None,
) -> None:
    """Convert a history to JSONL with the contract's fields; personal data in texts is masked.

    Example: `pilah data import ekspor.csv --format sp4n -o riwayat.jsonl`
    """
    rows = read_rows(source, mapping(columns), sp4n=is_sp4n(form))
    spare(source, output)
    bad, done = [], 0
    with output.open("w", encoding="utf-8") as out, progress("baris", count_rows(source)) as tick:
        for row in rows:
            tick(1)
            if isinstance(row.content, BadRow):
                bad.append(row.content)
                continue
            kept = with_defaults(row.content, region=region)
            out.write(json.dumps(as_row(kept), ensure_ascii=False) + "\n")
            done += 1
    _out.print(f"{done:,} reports in {output}", highlight=False)
    _refuse(bad, output)


@app.command("split")
def split_cli(
    source: Source,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for train and test.")],
    share: Annotated[float, typer.Option(help="Share of the test side.", min=0.01, max=0.9)] = 0.2,
    by: Annotated[
        str, typer.Option(help="time: the newest are the test; group: at random.")
    ] = "time",
    seed: Annotated[int, typer.Option(help="Of a random split.")] = 0,
    columns: MapOption = None,
    form: FormatOption = None,
) -> None:
    """Split into train.jsonl and test.jsonl; no near-duplicate or incident stands on both sides.

    Example: `pilah data split riwayat.jsonl -o bagian --share 0.2`
    """
    if by not in ("time", "group"):
        raise InputError(f"--by {by}: use time or group")
    rows: list[LabelledReport] = []
    bad: list[BadRow] = []
    found = read_rows(source, mapping(columns), sp4n=is_sp4n(form))
    with progress("laporan", count_rows(source)) as tick:
        for row in found:
            tick(1)
            if isinstance(row.content, BadRow):
                bad.append(row.content)
            else:
                rows.append(row.content)
    texts = [r.report.full_text for r in rows]
    keys = ([r.labels.incident for r in rows],)
    with errors.status("near-duplicates"):
        if by == "time":
            cut = time_split(texts, [r.report.reported_at for r in rows], keys, share=share)
        else:
            cut = group_split(texts, keys, share=share, seed=seed)
    output.mkdir(parents=True, exist_ok=True)
    for name, side in (("train", cut.train), ("test", cut.test)):
        lines = (json.dumps(as_row(rows[i]), ensure_ascii=False) + "\n" for i in side)
        (output / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    _out.print(
        f"train {len(cut.train):,}, test {len(cut.test):,}, left out because nearly in the test "
        f"{len(cut.dropped):,}: {output}",
        highlight=False,
    )
    _refuse(bad, output / "split")


def as_row(row: LabelledReport) -> dict[str, object]:
    """One JSON row in the contract's fields, empty fields left out.

    Text, title and columns that are none of the contract are masked; a ``reporter_ref`` that is a
    phone number or the like is left out.
    """
    report = asdict(row.report)
    report["text"] = mask(row.report.text)
    report["title"] = mask(row.report.title) if row.report.title else None
    moment = row.report.reported_at
    report["reported_at"] = moment.isoformat() if moment else None
    if report["reporter_ref"] and find_personal_data(report["reporter_ref"]):
        report["reporter_ref"] = None
    extra = {name: mask(value) for name, value in row.extra.items()}
    fields = report | asdict(row.labels) | extra
    return {k: v for k, v in fields.items() if v is not None}


def _refuse(bad: Sequence[BadRow], output: Path) -> None:
    path = output.with_name(f"{output.name}.errors.jsonl")
    if not bad:
        path.unlink(missing_ok=True)  # of an earlier run
        return
    lines = (json.dumps(asdict(b), ensure_ascii=False) + "\n" for b in bad)
    path.write_text("".join(lines), encoding="utf-8")
    errors.print(f"{len(bad)} bad row(s): see {path}", highlight=False)
    raise typer.Exit(1)


def _print(report: CheckReport) -> None:
    labels = Table("target", "labels", "rows")
    for target, counts in report.labels.items():
        labels.add_row(target, str(len(counts)), f"{sum(counts.values()):,}")
    _out.print(f"{report.rows:,} readable reports", labels)
    kinds: dict[str, int] = {}
    for finding in report.findings:
        kinds[finding.kind] = kinds.get(finding.kind, 0) + 1
        if kinds[finding.kind] <= SHOWN:
            place = f"line {finding.line}: " if finding.line else ""
            text = f"{finding.severity} {finding.kind}: {place}{finding.problem}; {finding.cure}"
            _out.print(text, highlight=False, markup=False, soft_wrap=True)
    for kind, count in kinds.items():
        if count > SHOWN:
            _out.print(f"{kind}: {count - SHOWN} more; --json lists all", highlight=False)
    _out.print(f"{report.errors} error(s), {len(report.findings) - report.errors} warning(s)")
