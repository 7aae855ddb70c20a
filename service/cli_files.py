"""``pilah classify`` and ``pilah compare``: files in, files out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.table import Table

from pilah.datasets.errors import FileFormatError, ReportError
from pilah.datasets.readers import BadRow, count_rows, read_rows
from pilah.datasets.records import Report, parse_report
from pilah.models.answer import Triage
from pilah.models.batch import triage_rows
from pilah.models.compare import Comparison, compare_pair
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
    triager,
)
from pilah.service.match_words import match_words
from pilah.service.words import word
from pilah.service.workers import JobsOption, workers

OutOption = Annotated[Path | None, typer.Option("-o", "--output", help="Output file.")]
InArgument = Annotated[Path, typer.Argument(metavar="IN", help=".jsonl, .csv or .parquet")]


NOT_JSON = object()
"""Stands for a line that is not JSON."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(classify)
    app.command()(compare)


def classify(
    source: InArgument,
    output: OutOption = None,
    bundle: BundleOption = None,
    columns: MapOption = None,
    region: RegionOption = None,
    form: FormatOption = None,
    table: Annotated[bool, typer.Option("--table", help="Print a readable table instead.")] = False,
    jobs: JobsOption = 1,
) -> None:
    """Classify, route and compare every report of a file: one Triage JSON a line, in order.

    Bad rows go to OUT.errors.jsonl with their line and reason; the rest is answered, and the exit
    code is 1.

    Answers do not depend on --jobs; it pays from some thousand reports on.

    Example: `pilah classify laporan.csv -o hasil.jsonl --map text=isi --region "Kab. Sleman"`
    """
    rows = read_rows(source, mapping(columns), sp4n=is_sp4n(form))
    total = count_rows(source)
    spare(source, output)
    trouble = Path(f"{output or source.name}.errors.jsonl")
    bad = 0
    answers: list[Triage] = []
    with (
        workers(bundle, jobs) as crew,
        writer(None if table else output) as out,
        lazy(trouble) as refuse,
        progress("laporan", total) as tick,
    ):
        begin = crew.begin(Triager.analyse)
        found = triage_rows(crew.engine, rows, region=region, begin=begin, window=crew.window)
        for outcome in found:
            if isinstance(outcome.content, BadRow):
                refuse(asdict(outcome.content))
                bad += 1
            elif table:
                answers.append(outcome.content)
            else:
                out.write(json.dumps(outcome.content.to_dict(), ensure_ascii=False) + "\n")
            tick(1)
    if table:
        _print_table(answers)
    if bad:
        errors.print(f"{bad} bad row(s): see {trouble}", highlight=False)
        raise typer.Exit(1)


def compare(
    source: Annotated[Path, typer.Argument(metavar="PAIRS", help='JSONL of {"a": .., "b": ..}')],
    output: OutOption = None,
    bundle: BundleOption = None,
    table: Annotated[
        bool,
        typer.Option("--table", help="Print a table with reasons in Indonesian instead."),
    ] = False,
) -> None:
    """Do two reports tell of the same incident? One answer a line, in order.

    Each side of a pair is a report object with `text` and, where known, `region`, `reported_at`,
    `location` and `reporter_ref`: what is missing cannot agree. Bad pairs go to OUT.errors.jsonl
    with their line and reason, and the exit code is 1.

    Example: `pilah compare pasangan.jsonl -o jawaban.jsonl`
    """
    if source.suffix.lower() not in (".jsonl", ".ndjson"):
        raise FileFormatError(f"{source}: unknown suffix; pairs are read from .jsonl")
    total = count_rows(source)
    spare(source, output)
    engine = triager(bundle)
    trouble = Path(f"{output or source.name}.errors.jsonl")
    bad = 0
    answers: list[tuple[int, Comparison]] = []
    with (
        writer(None if table else output) as out,
        lazy(trouble) as refuse,
        progress("pasangan", total) as tick,
    ):
        for line, row in _pairs(source):
            try:
                answer = compare_pair(engine, *(_side(engine, row, s) for s in "ab"))
                if table:
                    answers.append((line, answer))
                else:
                    out.write(json.dumps(asdict(answer), ensure_ascii=False) + "\n")
            except ReportError as error:
                refuse(asdict(BadRow(line, error.field, error.problem, error.cure)))
                bad += 1
            tick(1)
    if table:
        _print_comparisons(answers)
    if bad:
        errors.print(f"{bad} bad pair(s): see {trouble}", highlight=False)
        raise typer.Exit(1)


def _pairs(source: Path) -> Iterator[tuple[int, Any]]:
    with source.open("rb") as handle:
        for line, raw in enumerate(handle, 1):
            if not raw.strip():
                continue
            try:
                yield line, json.loads(raw)
            except (ValueError, RecursionError):
                yield line, NOT_JSON


def _side(engine: Triager, row: Any, side: str) -> Report:  # noqa: ANN401 - any JSON value
    """One report of a pair, checked; errors name the side."""
    if row is NOT_JSON:
        raise ReportError("", "is not JSON", 'write {"a": {...}, "b": {...}} a line')
    fields = row.get(side) if isinstance(row, dict) else None
    if not isinstance(fields, dict):
        raise ReportError(side, "is not a report object", 'write {"a": {...}, "b": {...}} a line')
    try:
        report = parse_report(fields)
        engine.region(report)
    except ReportError as error:
        raise ReportError(f"{side}.{error.field}", error.problem, error.cure) from None
    return report


@contextmanager
def writer(path: Path | None) -> Iterator[TextIO]:
    """The file to write to, or stdout."""
    with nullcontext(sys.stdout) if path is None else path.open("w", encoding="utf-8") as handle:
        yield handle


@contextmanager
def lazy(path: Path) -> Iterator[Any]:
    """A function that writes one JSON line; without a line there is no file (an old one goes)."""
    path.unlink(missing_ok=True)
    handle: TextIO | None = None

    def write(row: dict[str, object]) -> None:
        nonlocal handle
        handle = handle or path.open("w", encoding="utf-8")
        handle.write(json.dumps(row, ensure_ascii=False) + "\n")

    try:
        yield write
    finally:
        if handle is not None:
            handle.close()


def _print_comparisons(answers: list[tuple[int, Comparison]]) -> None:
    table = Table(show_lines=True)
    for name in ("baris", "peluang kejadian sama", "kejadian sama?", "karena"):
        table.add_column(name, overflow="fold")
    for line, a in answers:
        why = "; ".join(map(match_words, a.evidence))
        table.add_row(str(line), f"{a.probability:.1%}", word("compared", a.verdict), why)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _print_table(answers: list[Triage]) -> None:
    table = Table(show_lines=True)
    for name in ("laporan", "topik", "instansi", "kasus", "insiden sama?", "perlu orang?"):
        table.add_column(name, overflow="fold")
    for a in answers:
        body = " - ".join(p for p in (a.agency.name, a.agency.government) if p) or "?"
        topic = " > ".join(p for p in (a.topic.main, a.topic.sub) if p) or "(tidak yakin)"
        found = a.duplicates.matches[:1]
        same = [f"{a.duplicates.verdict}: {m.report_id} ({m.probability:.0%})" for m in found]
        table.add_row(
            a.masked_text,
            f"{topic} ({a.topic.probability:.0%})",
            f"{body} ({a.agency.probability:.0%}; aturan {a.agency.rule})",
            a.outcome.label,
            "\n".join([*same, *(", ".join(m.evidence) for m in found)]) or "-",
            ", ".join(a.review.reasons) or "tidak",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
