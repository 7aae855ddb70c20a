"""Strict reading of the CSV tables that ship with Pilah: errors say file, line and cure."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from pilah.datasets.errors import TableError


def data_folder() -> Traversable:
    """The folder of domain tables and of the written corpus inside the installed package."""
    return files("pilah.datasets") / "data"


def read_table(name: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of one CSV table; lines starting with ``#`` are comments.

    Args:
        name: file name inside the data folder.
        columns: the exact header that is expected.

    Raises:
        TableError: the header or the number of cells of a row is wrong.
    """
    with (data_folder() / name).open(encoding="utf-8") as handle:
        kept: list[int] = []
        reader = csv.reader(_without_comments(handle, kept))
        header = tuple(next(reader, ()))
        if header != columns:
            raise TableError(
                name, kept[0] if kept else 0, "unexpected header", f"use {','.join(columns)}"
            )
        for cells in reader:
            line = kept[reader.line_num - 1]
            if len(cells) != len(columns):
                raise TableError(
                    name, line, f"{len(cells)} cells instead of {len(columns)}", "quote commas"
                )
            yield line, {c: cell.strip() for c, cell in zip(columns, cells, strict=True)}


def _without_comments(lines: Iterator[str], kept: list[int]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            kept.append(number)
            yield line
