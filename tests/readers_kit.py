"""What the tests of the readers share: writing a file, and what became of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilah.datasets.readers import BadRow, Row, read_rows
from pilah.datasets.records import LabelledReport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GOOD = ("jalan rusak", "air mati", "lampu padam")


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(path: Path, mapping: Mapping[str, str] | None = None, *, sp4n: bool = False) -> list[Row]:
    return list(read_rows(path, mapping, sp4n=sp4n))


def texts(found: list[Row]) -> list[str]:
    return [r.content.report.text for r in found if isinstance(r.content, LabelledReport)]


def bad(found: list[Row]) -> list[BadRow]:
    return [r.content for r in found if isinstance(r.content, BadRow)]


def only(found: list[Row]) -> LabelledReport:
    (row,) = found
    assert isinstance(row.content, LabelledReport), row.content
    return row.content


def said(found: list[Row], *, line: int, field: str, problem: str, cure: str) -> None:
    """Exactly one row is bad, it says so with its place, and the good ones are all there."""
    (trouble,) = bad(found)
    assert (trouble.line, trouble.field) == (line, field)
    assert problem in trouble.problem
    assert cure in trouble.cure
    assert texts(found) == list(GOOD)
    assert [r.line for r in found] == sorted(r.line for r in found)
