"""``pilah incidents``: which reports of a history tell of the same incident."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import typer
from rich.table import Table

from pilah.datasets.readers import BadRow, Row, count_rows, read_rows
from pilah.datasets.regions import load_regions
from pilah.models.clustering import Clustered, Summary, cluster_rows, score_all
from pilah.models.triage import Triager
from pilah.service.cli_common import (
    BundleOption,
    FormatOption,
    MapOption,
    RegionOption,
    errors,
    is_sp4n,
    mapping,
    progress,
    spare,
)
from pilah.service.cli_files import InArgument, OutOption, lazy, writer
from pilah.service.workers import JobsOption, Workers, workers

SHOWN = 10
"""Incidents in the summary table."""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("incidents")(cluster)


def cluster(
    source: InArgument,
    output: OutOption = None,
    bundle: BundleOption = None,
    columns: MapOption = None,
    region: RegionOption = None,
    form: FormatOption = None,
    jobs: JobsOption = 1,
) -> None:
    """Group a history of reports into incidents: one JSON line a report, in order, and a summary.

    Rows are taken in the order of the file, as the service would have met them: sort it by time
    first. Bad rows go to OUT.errors.jsonl with their line and reason, and the exit code is 1.

    Example: `pilah incidents riwayat.csv -o insiden.jsonl --map text=isi --jobs 4`
    """
    rows = read_rows(source, mapping(columns), sp4n=is_sp4n(form))
    total = count_rows(source)
    spare(source, output)
    summary, bad = Summary(), 0
    trouble = Path(f"{output or source.name}.errors.jsonl")
    with (
        workers(bundle, jobs) as crew,
        writer(output) as out,
        lazy(trouble) as refuse,
        progress("laporan", total) as tick,
    ):
        for row in clustered(crew, rows, summary, region=region):
            if isinstance(row.content, BadRow):
                refuse(asdict(row.content))
                bad += 1
            else:
                out.write(json.dumps(asdict(row.content), ensure_ascii=False) + "\n")
            tick(1)
    _tell(summary)
    if bad:
        errors.print(f"{bad} bad row(s): see {trouble}", highlight=False)
        raise typer.Exit(1)


def clustered(
    crew: Workers, rows: Iterable[Row], summary: Summary, *, region: str | None
) -> Iterator[Clustered]:
    """The rows with their incidents, the heavy work done by the crew."""
    begin, score = crew.begin(Triager.recognise), crew.begin(score_all)
    return cluster_rows(
        crew.engine, rows, summary, region=region, begin=begin, score=score, window=crew.window
    )


def _tell(summary: Summary) -> None:
    grouped = summary.reports - summary.alone
    errors.print(
        f"{summary.reports:,} reports, {summary.alone + len(summary.incidents):,} incidents: "
        f"{len(summary.incidents):,} of two or more with {grouped:,} reports, "
        f"{summary.possible:,} reports possibly of an earlier one",
        highlight=False,
    )
    if not summary.incidents:
        return
    table = Table(title=f"the {min(SHOWN, len(summary.incidents))} largest", title_justify="left")
    for name in ("incident", "reports", "first", "last", "place", "topic"):
        table.add_column(name, overflow="fold")
    regions = load_regions().by_code
    for incident, known in summary.largest(SHOWN):
        place = regions.get(known.place or "")
        table.add_row(
            incident,
            f"{known.reports:,}",
            known.first.date().isoformat(),
            known.last.date().isoformat(),
            place.name if place else "-",
            known.topic or "-",
        )
    errors.print(table)
