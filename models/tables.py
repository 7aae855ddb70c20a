"""Reads the small tables that ship with Pilah, strictly."""

from __future__ import annotations

import csv
import io
from importlib import resources

from pilah.datasets.errors import TableError


def read_table(name: str, columns: tuple[str, ...]) -> dict[int, dict[str, str]]:
    """Rows of ``datasets/data/<name>`` by line number; every cell must be filled.

    Args:
        name: file name.
        columns: the header that the table must have.

    Raises:
        TableError: the header or a row is wrong; it names the line and the cure.
    """
    text = (resources.files("pilah.datasets") / "data" / name).read_text(encoding="utf-8")
    lines = csv.reader(io.StringIO(text))
    header = tuple(next(lines, ()))
    if header != columns:
        raise TableError(name, 1, "wrong header", f"write {','.join(columns)}")
    numbered = ((lines.line_num, row) for row in lines)
    return {line: _row(name, line, columns, row) for line, row in numbered}


def _row(name: str, line: int, columns: tuple[str, ...], row: list[str]) -> dict[str, str]:
    if len(row) != len(columns) or not all(cell.strip() for cell in row):
        raise TableError(name, line, "a cell is empty or missing", f"fill {','.join(columns)}")
    return dict(zip(columns, row, strict=True))
