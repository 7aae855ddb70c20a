"""Reading reports from JSONL, CSV and Parquet, row by row, with the place of every bad row."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
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

SP4N_KLASIFIKASI = {
    "pengaduan berkadar pengawasan": "pengaduan_pengawasan",
    "pengaduan tidak berkadar pengawasan": "pengaduan",
    "pengaduan": "pengaduan",
    "aspirasi": "aspirasi",
    "permintaan informasi": "permintaan_informasi",
    "whistleblowing": "whistleblowing",
}
"""Klasifikasi as SP4N-LAPOR! prints it, in lower case -> the contract's word."""


_BOM = "\ufeff".encode().decode("latin-1")
"""A byte order mark as it stands in bytes that were read as latin-1."""


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


RawRows = Iterator[tuple[int, dict[str, Any] | BadRow]]
"""(line, row in the contract's field names or what is wrong with it)."""


def read_rows(
    path: Path, mapping: Mapping[str, str] | None = None, *, sp4n: bool = False
) -> Iterator[Row]:
    """Read a file of reports; the format follows the suffix (.jsonl, .csv, .parquet).

    Args:
        path: the file.
        mapping: contract field -> column name of this file; behind that of ``reported_at`` may
            stand the form of its dates, as in ``tanggal:%d/%m/%Y``.
        sp4n: also recognise the column names of SP4N exports (``--format sp4n``).

    Returns:
        One Row a line, in order; a bad row does not stop the others.

    Raises:
        FileFormatError: the file cannot be read at all, or a mapped column is missing. What the
            first row shows is said at the call, before the caller touches anything else.
    """
    names = dict(mapping or {})
    unknown = set(names) - set(FIELDS)
    if unknown:
        raise FileFormatError(f"--map {sorted(unknown)[0]}=: unknown field; use one of {FIELDS}")
    dates = ""
    if "reported_at" in names:
        names["reported_at"], _, form = names["reported_at"].partition(":%")
        dates = form and f"%{form}"
    raw_rows = _reader(path)(path, names, sp4n)
    first = next(raw_rows, None)
    opened = raw_rows if first is None else chain([first], raw_rows)
    return (Row(line, _parse(line, raw, sp4n=sp4n, dates=dates)) for line, raw in opened)


def count_rows(path: Path) -> int:
    """Number of data rows, for progress bars (CSV: physical lines, so an upper bound).

    Raises:
        FileFormatError: the file is missing or of a kind that cannot be read.
    """
    if _reader(path) is _parquet:
        return int(_parquet_file(path).metadata.num_rows)
    with path.open("rb") as handle:
        return sum(1 for _ in handle)


def _parse(
    line: int, raw: Mapping[str, Any] | BadRow, *, sp4n: bool, dates: str
) -> LabelledReport | BadRow:
    if isinstance(raw, BadRow):
        return raw
    if sp4n:
        word = " ".join(str(raw.get("klasifikasi", "")).lower().split())
        raw = {**raw, "klasifikasi": SP4N_KLASIFIKASI.get(word, raw.get("klasifikasi"))}
    try:
        report, labels = parse_report(_dated(raw, dates)), parse_labels(raw)
    except ReportError as error:
        named = ", or name its form: --map reported_at=COLUMN:%d/%m/%Y"
        cure = error.cure + (named if error.field == "reported_at" else "")
        return BadRow(line, error.field, error.problem, cure)
    extra = {
        k: _plain(v) for k, v in raw.items() if k not in FIELDS and v is not None and str(v).strip()
    }
    return LabelledReport(report, labels, extra)


def _dated(raw: Mapping[str, Any], form: str) -> Mapping[str, Any]:
    """The row with its date read by a form of ``strptime``; as it is without one."""
    written = raw.get("reported_at")
    if not form or not isinstance(written, str) or not written.strip():
        return raw
    try:
        moment = datetime.strptime(written.strip(), form)  # noqa: DTZ007 - parse_report gives one
    except ValueError:
        raise ReportError("reported_at", f"is not of the form {form}", "write it so") from None
    return {**raw, "reported_at": moment}


def _plain(value: object) -> str:
    """A value as a string that can be written as UTF-8."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _reader(path: Path) -> Callable[[Path, dict[str, str], bool], RawRows]:
    """What reads this file, by its suffix."""
    if not path.is_file():
        raise FileFormatError(f"{path}: no such file")
    readers = {".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        known = "use .jsonl, .csv or .parquet (save a spreadsheet as CSV UTF-8)"
        raise FileFormatError(f"{path}: unknown suffix; {known}")
    return reader


def _jsonl(path: Path, names: dict[str, str], sp4n: bool) -> RawRows:
    with path.open("rb") as handle:
        for number, raw in enumerate(handle, 1):
            if not raw.strip():
                continue
            try:
                row = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError:
                yield number, BadRow(number, "-", "not UTF-8", "save the file as UTF-8")
                continue
            except (ValueError, RecursionError):  # ValueError: also an integer without an end
                yield number, BadRow(number, "-", "not JSON", "write one JSON object a line")
                continue
            if not isinstance(row, dict):
                yield number, BadRow(number, "-", "not an object", "write one JSON object a line")
                continue
            yield number, _renamed(row, _columns(list(row), names, sp4n=sp4n))


def _csv(path: Path, names: dict[str, str], sp4n: bool) -> RawRows:
    # latin-1 decodes any byte; cells are re-decoded as UTF-8 one by one, so that a broken row
    # spoils only itself.
    with path.open(encoding="latin-1", newline="") as handle:
        start = next(handle, "").removeprefix(_BOM)
        records = _records(chain([start], handle), _separator(start))
        _, first = next(records, (1, None))
        header = [_utf8(c) for c in first or []]
        if not header or None in header:
            cure = "the first line names the columns, in UTF-8"
            raise FileFormatError(f"{path}: no readable header; {cure}")
        labels = [str(c).strip() for c in header]
        columns = _columns(labels, names, sp4n=sp4n)
        _require_text(path, labels, names, columns)
        for line, cells in records:
            if cells is None:
                cure = "close every quote, and double those inside a cell"
                yield line, BadRow(line, "-", "a quote is not closed, or a cell is too long", cure)
            else:
                yield line, _csv_row(line, cells, labels, columns)


def _separator(header: str) -> str:
    """Comma, semicolon (spreadsheets where the comma is the decimal mark) or tab: the likeliest."""
    return max(",;\t", key=re.sub('"[^"]*"', "", header).count)


class _Lines:
    """Physical lines of a CSV file; those that were taken last can be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._source = iter(lines)
        self._waiting: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._source)
        self.taken.append(line)
        return line

    def give_back(self) -> None:
        """Offer all taken lines but the first once more."""
        self._waiting.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def _records(handle: Iterator[str], separator: str) -> Iterator[tuple[int, list[str] | None]]:
    """(first line, cells) of each CSV record; None in place of cells that cannot be told apart.

    Then reading goes on with the very next line, so that a stray quote swallows no other row.
    """
    lines, number = _Lines(handle), 1
    while True:
        lines.taken.clear()
        try:
            cells = next(csv.reader(lines, strict=True, delimiter=separator), None)
        except csv.Error:
            lines.give_back()
            yield number, None
        else:
            if cells is None:
                return
            if cells:
                yield number, cells
        number += len(lines.taken)


def _csv_row(
    line: int, cells: list[str], labels: list[str], columns: dict[str, str]
) -> dict[str, Any] | BadRow:
    values = [_utf8(c) for c in cells]
    if None in values:
        return BadRow(line, "-", "not UTF-8", "save the file as UTF-8")
    if len(values) != len(labels):
        problem = f"{len(values)} cells under {len(labels)} columns"
        return BadRow(line, "-", problem, "quote cells that hold separators or line breaks")
    return _renamed(_nested(dict(zip(labels, values, strict=True))), columns)


def _parquet(path: Path, names: dict[str, str], sp4n: bool) -> RawRows:
    source = _parquet_file(path)
    labels = list(source.schema_arrow.names)
    columns = _columns(labels, names, sp4n=sp4n)
    _require_text(path, labels, names, columns)
    line = 0
    for batch in _batches(path, source):
        for i in range(batch.num_rows):
            line += 1
            try:
                row = _in_microseconds(batch.slice(i, 1)).to_pylist()[0]
            except ValueError:  # a string that is no UTF-8, a time finer than microseconds
                cure = "write text as UTF-8 and times in microseconds"
                yield line, BadRow(line, "-", "holds a value that cannot be read", cure)
                continue
            yield line, _renamed(_nested(row), columns)


def _in_microseconds(batch: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Times as Python has them: with pandas installed, finer ones would come as its own type.

    Raises:
        ValueError: a time is finer than that.
    """
    import pyarrow as pa

    for i, kind in enumerate(batch.schema.types):
        if pa.types.is_timestamp(kind) and kind.unit == "ns":
            times = batch.column(i).cast(pa.timestamp("us", kind.tz))
            batch = batch.set_column(i, batch.schema.names[i], times)
    return batch


def _parquet_file(path: Path) -> Any:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileFormatError(f"{path}: not a Parquet file ({type(error).__name__})") from error


def _batches(path: Path, source: Any) -> Iterator[Any]:  # noqa: ANN401 - pyarrow has no types
    try:
        yield from source.iter_batches(batch_size=1024)
    except (ValueError, OSError) as error:
        raise FileFormatError(f"{path}: damaged ({type(error).__name__}); copy it again") from error


def _columns(labels: list[str], names: dict[str, str], *, sp4n: bool) -> dict[str, str]:
    """Column of the file -> contract field."""
    columns = {label: label for label in labels if label in FIELDS}
    if sp4n:
        lowered = {label.strip().lower(): label for label in labels}
        for target, known in SP4N_COLUMNS.items():
            hit = next((lowered[k] for k in known if k in lowered), None)
            if hit is not None and target not in columns.values():
                columns[hit] = target
    for target, label in names.items():
        columns = {k: v for k, v in columns.items() if v != target}
        columns[label] = target
    return columns


def _require_text(
    path: Path, labels: list[str], names: dict[str, str], columns: dict[str, str]
) -> None:
    wanted = [*names.values(), *(["text"] if "text" not in columns.values() else [])]
    missing = [label for label in wanted if label not in labels]
    if missing:
        joined = len(labels) == 1 and "|" in labels[0]
        cure = "separate columns with commas" if joined else "name yours with --map text=COLUMN"
        shown = ", ".join(labels)
        raise FileFormatError(f"{path}: no column {missing[0]!r}; it has {shown}; {cure}")
    twice = [label for label in columns if labels.count(label) > 1]
    if twice:
        raise FileFormatError(f"{path}: column {twice[0]!r} stands twice; rename one of them")


def _renamed(row: dict[str, Any], columns: dict[str, str]) -> dict[str, Any]:
    """Contract fields, and the other columns under their own names unless those are taken."""
    taken = set(columns.values())
    return {columns.get(k, k): v for k, v in row.items() if k in columns or k not in taken}


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """Join flat ``lat`` and ``lon`` columns into ``location``."""
    if "location" in row or not {"lat", "lon"} <= set(row):
        return row
    point = {k: _number(row[k]) for k in ("lat", "lon")}
    return {**row, "location": None if set(point.values()) == {None} else point}


def _number(value: object) -> object:
    """A cell as a number where it is one; None for an empty one and for NaN."""
    if value is None or not str(value).strip():
        return None
    try:
        return None if math.isnan(number := float(str(value))) else number
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
