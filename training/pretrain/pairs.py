"""What belongs together, and what only looks so: pairs and triplets to learn similarity from."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as parquet

from pilah.datasets.errors import InputError
from pilah.datasets.readers import BadRow, read_rows
from pilah.models.text import read_text

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.training.pretrain.config import PairSource

ALIKE = 0.8
"""Share of the highest score from which a scored pair counts as a paraphrase too."""


@dataclass(frozen=True, slots=True)
class PairSet:
    """Rows of one kind: ``anchor, positive``, with ``negative``, or ``a, b`` with a ``score``.

    Attributes:
        name: for the log.
        columns: column -> values, all of one length.
        repeat: times it is seen in an epoch.
    """

    name: str
    columns: dict[str, list[Any]]
    repeat: int = 1

    @property
    def rows(self) -> int:
        """Rows seen in an epoch."""
        return len(next(iter(self.columns.values()))) * self.repeat

    @property
    def scored(self) -> bool:
        """Whether it carries scores."""
        return "score" in self.columns


def held_rows(rows: int, hold: int, seed: int = 0) -> list[int]:
    """Numbers of the rows kept for measuring; the same at every call."""
    return sorted(np.random.default_rng(seed).permutation(rows)[:hold].tolist())


def read_pairs(folder: Path, source: PairSource) -> list[PairSet]:
    """The sets that one Parquet file gives.

    Raises:
        InputError: no such file, or a column is missing.
    """
    rows = _kept(_table(folder / source.file), source)
    name = Path(source.file).stem
    if source.kind == "scored":
        top = max(row["score"] for row in rows)
        alike = [(r["a"], r["b"]) for r in rows if r["score"] >= ALIKE * top]
        scores = {
            "a": [r["a"] for r in rows],
            "b": [r["b"] for r in rows],
            "score": [float(r["score"] / top) for r in rows],
        }
        return [
            PairSet(f"{name}_scores", scores, source.repeat),
            _pairs(name, alike, source.repeat),
        ]
    if source.kind == "entailment":
        return _entailment(name, rows, source.repeat)
    together = [(r["a"], r["b"]) for r in rows if str(r["label"]) == "1"]
    return [_pairs(name, together, source.repeat)]


def report_pairs(files: Sequence[Path]) -> list[PairSet]:
    """Same incident, the same against its hard negatives, and title and text.

    Not reports of one topic: an encoder that saw the labels of the rows that a head is fitted on
    makes the head's cross-validated figures, and so its calibration, too good (docs/encoder.md).
    """
    rows = [r for f in files for row in read_rows(f) if not isinstance(r := row.content, BadRow)]
    texts = [read_text(r.report.full_text).normal for r in rows]
    incidents: dict[str, list[str]] = defaultdict(list)
    traps: dict[str, list[str]] = defaultdict(list)
    for row, text in zip(rows, texts, strict=True):
        if row.labels.incident:
            incidents[row.labels.incident].append(text)
        if row.extra.get("hard_negative_of"):
            traps[str(row.extra["hard_negative_of"])].append(text)
    same = [p for group in incidents.values() for p in itertools.combinations(group, 2)]
    against = [
        (a, b, trap)
        for name, group in incidents.items()
        for a, b in itertools.permutations(group, 2)
        for trap in traps.get(name, ())
    ]
    return [
        _pairs("incidents", same, 2),
        PairSet("incident_traps", _columns(("anchor", "positive", "negative"), against)),
        _pairs("titles", _titles(rows), 4),
    ]


def _titles(rows: Sequence[LabelledReport]) -> list[tuple[str, str]]:
    named = [r.report for r in rows if r.report.title]
    return [(read_text(r.title or "").normal, read_text(r.text).normal) for r in named]


def _entailment(name: str, rows: list[dict[str, Any]], repeat: int) -> list[PairSet]:
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        said[row["a"]].setdefault(str(row["label"]), row["b"])
    both = [(a, d["e"], d["c"]) for a, d in said.items() if {"e", "c"} <= set(d)]
    follows = [(r["a"], r["b"]) for r in rows if str(r["label"]) == "e"]
    return [
        PairSet(f"{name}_traps", _columns(("anchor", "positive", "negative"), both)),
        _pairs(name, follows, repeat),
    ]


def _table(path: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; name the folder of the data with --data") from None
    if rows and not {"a", "b"} <= set(rows[0]):
        raise InputError(f"{path}: needs the columns a and b, has {', '.join(sorted(rows[0]))}")
    return rows


def _kept(rows: list[dict[str, Any]], source: PairSource) -> list[dict[str, Any]]:
    """Normalised rows that may be trained on."""
    for row in rows:
        row["a"], row["b"] = read_text(str(row["a"])).normal, read_text(str(row["b"])).normal
    held = {rows[i][side] for i in held_rows(len(rows), source.hold) for side in ("a", "b")}
    return [
        row
        for row in rows
        if row["a"] and row["b"] and row.get("split") not in source.leave
        and row["a"] not in held and row["b"] not in held
    ]  # fmt: skip


def _pairs(name: str, rows: Sequence[Sequence[str]], repeat: int) -> PairSet:
    return PairSet(name, _columns(("anchor", "positive"), rows), repeat)


def _columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, list[Any]]:
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}
