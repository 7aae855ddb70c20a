"""Reading reports from JSONL, CSV and Parquet, row by row, with the place of every bad row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pilah.datasets.errors import FileFormatError, ReportError
from pilah.datasets.records import LabelledReport, parse_labels, parse_report

FIELDS = (
    "id", "title", "text", "region", "location", "reported_at", "channel", "reporter_ref",
    "visibility", "chosen_agency", "topic_main", "topic_sub", "agency", "outcome", "klasifikasi",
    "hoax", "incident",
)  # fmt: skip

SP4N_COLUMNS = {
    "id": ("tracking id", "tracking_id", "nomor laporan", "kode laporan", "id laporan"),
    "title": ("judul", "judul laporan"),
    "text": ("isi", "isi laporan", "isi_laporan", "laporan", "isi aduan"),
    "region": ("lokasi", "lokasi kejadian", "wilayah", "kabupaten/kota"),
    "reported_at": ("tanggal", "tanggal laporan", "tgl_laporan", "tanggal masuk"),
    "channel": ("sumber", "sumber laporan", "kanal", "media"),
    "topic_main": ("topik", "kategori", "kategori utama"),
    "topic_sub": ("sub topik", "sub kategori", "subkategori"),
    "agency": ("instansi", "instansi terdisposisi", "terdisposisi ke", "disposisi"),
    "klasifikasi": ("klasifikasi", "klasifikasi laporan"),
}
"""Column names seen in exports of SP4N-LAPOR! and of city channels, in lower case."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read: 1-based line (CSV counts the header), field, problem, cure."""

    line: int
    field: str
    problem: str
    cure: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: its line and either the report or what is wrong with it."""

    line: int
    content: LabelledReport | BadRow


def read_rows(
    path: Path, mapping: Mapping[str, str] | None = None, *, sp4n: bool = False
) -> Iterator[Row]:
    """Read a file of reports; the format follows the suffix (.jsonl, .csv, .parquet).

    Args:
        path: the file.
        mapping: contract field -> column name of this file.
        sp4n: also recognise the column names of SP4N exports (``--format sp4n``).

    Yields:
        One Row a line, in order; a bad row does not stop the others.

    Raises:
        FileFormatError: the file cannot be read at all, or a mapped column is missing.
    """
    names = dict(mapping or {})
    unknown = set(names) - set(FIELDS)
    if unknown:
        raise FileFormatError(f"--map {sorted(unknown)[0]}=: unknown field; use one of {FIELDS}")
    for line, raw in _raw_rows(path, names, sp4n=sp4n):
        if isinstance(raw, BadRow):
            yield Row(line, raw)
            continue
        yield Row(line, _parse(line, raw))


def count_rows(path: Path) -> int:
    """Number of data rows, for progress bars (CSV: physical lines, so an upper bound)."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return int(pq.ParquetFile(path).metadata.num_rows)
    with path.open("rb") as handle:
        return sum(1 for _ in handle)


def _parse(line: int, raw: Mapping[str, Any]) -> LabelledReport | BadRow:
    try:
        report, labels = parse_report(raw), parse_labels(raw)
    except ReportError as error:
        return BadRow(line, error.field, error.problem, error.cure)
    extra = {
        k: str(v) for k, v in raw.items() if k not in FIELDS and v is not None and str(v).strip()
    }
    return LabelledReport(report, labels, extra)


def _raw_rows(
    path: Path, names: dict[str, str], *, sp4n: bool
) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    if not path.is_file():
        raise FileFormatError(f"{path}: no such file")
    readers = {".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise FileFormatError(f"{path}: unknown suffix; use .jsonl, .csv or .parquet")
    yield from reader(path, names, sp4n)


def _jsonl(
    path: Path, names: dict[str, str], sp4n: bool
) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    with path.open("rb") as handle:
        for number, raw in enumerate(handle, 1):
            if not raw.strip():
                continue
            try:
                row = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError:
                yield number, BadRow(number, "-", "not UTF-8", "save the file as UTF-8")
                continue
            except (json.JSONDecodeError, RecursionError):
                yield number, BadRow(number, "-", "not JSON", "write one JSON object a line")
                continue
            if not isinstance(row, dict):
                yield number, BadRow(number, "-", "not an object", "write one JSON object a line")
                continue
            yield number, _renamed(row, _columns(list(row), names, sp4n=sp4n))


def _csv(
    path: Path, names: dict[str, str], sp4n: bool
) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    # latin-1 decodes any byte; cells are re-decoded as UTF-8 one by one, so that a broken row
    # spoils only itself.
    with path.open(encoding="latin-1", newline="") as handle:
        reader = csv.reader(handle)
        header = [_utf8(c) for c in next(reader, [])]
        if not header or None in header:
            raise FileFormatError(f"{path}: no readable header; the first line names the columns")
        labels = [str(c).removeprefix("\ufeff").strip() for c in header]
        columns = _columns(labels, names, sp4n=sp4n)
        _require_text(path, labels, names, columns)
        while True:
            start = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield start, BadRow(start, "-", "not CSV", "check quotes and line ends")
                continue
            if cells:
                yield start, _csv_row(start, cells, labels, columns)


def _csv_row(
    line: int, cells: list[str], labels: list[str], columns: dict[str, str]
) -> dict[str, Any] | BadRow:
    values = [_utf8(c) for c in cells]
    if None in values:
        return BadRow(line, "-", "not UTF-8", "save the file as UTF-8")
    if len(values) != len(labels):
        problem = f"{len(values)} cells under {len(labels)} columns"
        return BadRow(line, "-", problem, "quote cells that hold commas or line breaks")
    return _renamed(_nested(dict(zip(labels, values, strict=True))), columns)


def _parquet(
    path: Path, names: dict[str, str], sp4n: bool
) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileFormatError(f"{path}: not a Parquet file ({type(error).__name__})") from error
    labels = list(source.schema_arrow.names)
    columns = _columns(labels, names, sp4n=sp4n)
    _require_text(path, labels, names, columns)
    line = 0
    for batch in source.iter_batches(batch_size=1024):
        for row in batch.to_pylist():
            line += 1
            yield line, _renamed(_nested(row), columns)


def _columns(labels: list[str], names: dict[str, str], *, sp4n: bool) -> dict[str, str]:
    """Column of the file -> contract field."""
    columns = {label: label for label in labels if label in FIELDS}
    if sp4n:
        lowered = {label.strip().lower(): label for label in labels}
        for target, known in SP4N_COLUMNS.items():
            hit = next((lowered[k] for k in known if k in lowered), None)
            if hit is not None:
                columns[hit] = target
    for target, label in names.items():
        columns = {k: v for k, v in columns.items() if v != target}
        columns[label] = target
    return columns


def _require_text(
    path: Path, labels: list[str], names: dict[str, str], columns: dict[str, str]
) -> None:
    missing = [label for label in names.values() if label not in labels]
    if missing:
        raise FileFormatError(f"{path}: no column {missing[0]!r}; it has {', '.join(labels)}")
    if "text" not in columns.values():
        raise FileFormatError(
            f"{path}: no column 'text'; it has {', '.join(labels)}; "
            "name yours with --map text=COLUMN"
        )


def _renamed(row: dict[str, Any], columns: dict[str, str]) -> dict[str, Any]:
    return {columns.get(k, k): v for k, v in row.items() if columns.get(k, k) == k or k in columns}


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """Join flat ``lat`` and ``lon`` columns into ``location``."""
    if "location" in row or not {"lat", "lon"} <= set(row):
        return row
    point = {k: _number(row[k]) for k in ("lat", "lon")}
    return {**row, "location": None if point["lat"] in (None, "") else point}


def _number(value: object) -> object:
    try:
        return float(str(value))
    except ValueError:
        return value


def _utf8(cell: str) -> str | None:
    try:
        return cell.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return None


def with_defaults(row: LabelledReport, *, region: str | None) -> LabelledReport:
    """The same row with ``region`` where it has none."""
    if region is None or row.report.region is not None:
        return row
    return replace(row, report=replace(row.report, region=region))
