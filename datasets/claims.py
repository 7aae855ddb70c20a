"""The claim base: claims that have circulated, as fact-checkers or an operator wrote them down.

A starter set ships in ``data/claims.csv``. An operator adds files: CSV or JSONL with a column
``claim`` (and, where known, ``id``, ``verdict``, ``topic``, ``note``, ``link``, ``date``), or the
RSS or Atom file of a fact-checker.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilah.datasets.errors import FileFormatError, TableError
from pilah.datasets.feeds import FeedItem, read_feed
from pilah.datasets.readers import BadRow
from pilah.datasets.tables import data_folder

VERDICTS = ("false", "misleading", "unproven")
"""What a claim base may hold: what turned out to be true is left out."""
MIN_WORDS = 4
"""A claim of fewer words would be found everywhere."""
COLUMNS = ("id", "claim", "verdict", "topic", "note", "link", "date")

_TAG = re.compile(
    r"^\s*(?:cek fakta\s*[:\-,]\s*)?[\[(]?\s*(?:(?P<true>benar|fakta)|"
    r"(?P<misleading>menyesatkan|misleading|konteks (?:salah|keliru)|sebagian (?:benar|salah))|"
    r"(?P<unproven>belum terbukti|belum ada bukti|unproven)|"
    r"(?P<false>salah|hoaks|hoax|keliru|penipuan|disinformasi|misinformasi|false))\s*[\])!:,]+\s*",
    re.IGNORECASE,
)
_PREFIX = re.compile(r"^\s*cek fakta\s*[:\-,]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim that has circulated.

    Attributes:
        id: stable name; what a moderator is shown.
        claim: the claim in one or two sentences.
        verdict: one of :data:`VERDICTS`.
        topic: free word of the one who keeps the base.
        note: why it is false.
        link: where it was checked.
        date: when it was checked, as the source wrote it.
    """

    id: str
    claim: str
    verdict: str = "false"
    topic: str = ""
    note: str = ""
    link: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class ClaimFile:
    """What one file held: good claims, what could not be read, and how many were marked true."""

    claims: tuple[Claim, ...]
    bad: tuple[BadRow, ...] = ()
    true: int = 0


def shipped_claims() -> tuple[Claim, ...]:
    """The starter set.

    Raises:
        TableError: a row of it is broken.
    """
    with (data_folder() / "claims.csv").open(encoding="utf-8") as handle:
        found = _sorted(_csv_rows(handle))
    for row in found.bad:
        raise TableError("claims.csv", row.line, f"{row.field}: {row.problem}", row.cure)
    return found.claims


def read_claims(path: Path) -> ClaimFile:
    """Read one file; the format follows the suffix (.csv, .jsonl, .xml, .rss, .atom).

    Raises:
        FileFormatError: the file cannot be read at all.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise FileFormatError(f"{path}: unknown suffix; claims are read from {', '.join(_READERS)}")
    try:
        return _sorted(reader(path))
    except OSError as error:
        raise FileFormatError(f"{path}: {error.strerror}; check the path and its rights") from None
    except UnicodeDecodeError:
        raise FileFormatError(f"{path}: not UTF-8; save it as UTF-8") from None


def joined(parts: Iterable[Iterable[Claim]]) -> tuple[Claim, ...]:
    """All claims, the later one of two with the same id."""
    return tuple({claim.id: claim for part in parts for claim in part}.values())


Rows = Iterator[tuple[int, dict[str, str] | None]]
"""(1-based line or item, fields or None where the line is not an object)."""


def _sorted(rows: Rows) -> ClaimFile:
    claims: list[Claim] = []
    bad: list[BadRow] = []
    true = 0
    for line, fields in rows:
        if fields is None:
            bad.append(BadRow(line, "row", "is not a JSON object", 'write {"claim": "..."} a line'))
        elif fields.get("verdict") == "true":
            true += 1
        elif problem := _problem(fields):
            bad.append(BadRow(line, *problem))
        else:
            claims.append(_claim(fields))
    return ClaimFile(tuple(claims), tuple(bad), true)


def _problem(fields: dict[str, str]) -> tuple[str, str, str] | None:
    if len(fields.get("claim", "").split()) < MIN_WORDS:
        return "claim", f"fewer than {MIN_WORDS} words", "write the claim as a whole sentence"
    if fields.get("verdict") and fields["verdict"] not in VERDICTS:
        return "verdict", "unknown word", f"use one of {', '.join(VERDICTS)}, true or none"
    return None


def _claim(fields: dict[str, str]) -> Claim:
    known = {name: fields[name] for name in COLUMNS if fields.get(name)}
    digest = hashlib.sha256(fields["claim"].encode()).hexdigest()
    return Claim(**{"id": f"k{digest[:10]}", **known})


def _csv_rows(handle: Iterable[str]) -> Rows:
    reader = csv.DictReader(handle)
    names = reader.fieldnames or ()
    if "claim" not in names:
        shown = ", ".join(names) or "none"
        raise FileFormatError(f"no column claim; it has {shown}; {_cure(names)}")
    for row in reader:
        yield reader.line_num, {k: v.strip() for k, v in row.items() if k and isinstance(v, str)}


def _cure(names: Sequence[str]) -> str:
    """What to do about a header without ``claim``; Excel in Indonesian joins with semicolons."""
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        return "save it with commas between the columns"
    return f"name the columns {', '.join(COLUMNS)}"


def _csv_file(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        try:
            yield from _csv_rows(handle)
        except FileFormatError as error:
            raise FileFormatError(f"{path}: {error}") from None
        except csv.Error as error:
            raise FileFormatError(f"{path}: {error}; save it as CSV again") from None


def _jsonl_file(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig") as handle:
        for line, text in enumerate(handle, 1):
            if text.strip():
                yield line, _object(text)


def _object(text: str) -> dict[str, str] | None:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    return {str(k): v.strip() for k, v in value.items() if isinstance(v, str)}


def _feed_file(path: Path) -> Rows:
    for number, item in enumerate(read_feed(path), 1):
        yield number, _from_item(item)


def _from_item(item: FeedItem) -> dict[str, str]:
    """A headline such as "[SALAH] Bantuan lewat tautan" as fields: the mark is the verdict."""
    mark = _TAG.match(item.title)
    claim = item.title[mark.end() :] if mark else _PREFIX.sub("", item.title)
    verdict = (
        next((v for v, text in mark.groupdict().items() if text), "false") if mark else "false"
    )
    return {"claim": claim, "verdict": verdict, "link": item.link, "date": item.date}


_READERS = {
    ".csv": _csv_file,
    ".jsonl": _jsonl_file,
    ".xml": _feed_file,
    ".rss": _feed_file,
    ".atom": _feed_file,
}
