"""Parquet files of reports: what Python cannot hold is one bad row, damage is said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from readers_kit import GOOD, rows, said, texts

from pilah.datasets.errors import FileFormatError
from pilah.datasets.readers import count_rows
from pilah.datasets.records import LabelledReport, Location

if TYPE_CHECKING:
    from pathlib import Path


def parquet(folder: Path, columns: dict[str, Any]) -> Path:
    path = folder / "in.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet(tmp_path: Path) -> None:
    moment = datetime(2026, 5, 1, 8, tzinfo=UTC)
    path = parquet(
        tmp_path,
        {
            "text": ["jalan rusak", "air mati", None, "lampu padam"],
            "reported_at": [moment, None, moment, moment],
            "lat": [-7.7, None, 1.0, float("nan")],
            "lon": [110.3, None, 1.0, float("nan")],
            "hoax": [True, None, False, False],
            "region": [{"regency": "Sleman", "village": None}, None, None, None],
        },
    )
    found = rows(path)
    said(found, line=3, field="text", problem="missing", cure="1 to 20,000")
    assert isinstance(found[0].content, LabelledReport)
    report = found[0].content.report
    assert (report.reported_at, report.location) == (moment, Location(-7.7, 110.3))
    assert (report.region, found[0].content.labels.hoax) == ({"regency": "Sleman"}, True)
    assert count_rows(path) == 4


def test_a_parquet_value_that_python_cannot_hold_is_one_bad_row(tmp_path: Path) -> None:
    data = [b"jalan rusak", b"caf\xe9", b"air mati", b"lampu padam"]
    offsets = [0]
    for item in data:
        offsets.append(offsets[-1] + len(item))
    buffers = [None, pa.array(offsets, pa.int32()).buffers()[1], pa.py_buffer(b"".join(data))]
    broken = pa.Array.from_buffers(pa.string(), len(data), buffers)
    said(
        rows(parquet(tmp_path, {"text": broken})),
        line=2, field="-", problem="cannot be read", cure="UTF-8",
    )  # fmt: skip


def test_a_parquet_time_finer_than_microseconds_is_one_bad_row(tmp_path: Path) -> None:
    times = pa.array([0, 1, 2000, 3000], pa.timestamp("ns"))
    texts_ = [GOOD[0], "terlalu halus", *GOOD[1:]]
    found = rows(parquet(tmp_path, {"text": texts_, "reported_at": times}))
    said(found, line=2, field="-", problem="cannot be read", cure="microseconds")


def test_a_parquet_file_damaged_inside_says_so(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"text": [f"laporan {i} {'x' * (i % 91)}" for i in range(5000)]})
    data = bytearray(path.read_bytes())
    data[100:4000] = b"\xff" * 3900
    path.write_bytes(bytes(data))
    with pytest.raises(FileFormatError, match=r"damaged|not a Parquet file"):
        rows(path)


def test_parquet_needs_the_text_column(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"isi": ["a"]})
    with pytest.raises(FileFormatError, match="no column 'text'; it has isi"):
        rows(path)
    assert texts(rows(path, {"text": "isi"})) == ["a"]
