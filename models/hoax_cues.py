"""Cues of hoax_cues.csv in a text: which phrases of which kind stand there, in one pass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from pilah.datasets.tables import read_table
from pilah.models.phrases import PhraseFinder


@dataclass(frozen=True, slots=True)
class Cues:
    """Cues of one kind: noisy-or of their weights (0 to 1), and the phrases, strongest first."""

    score: float = 0.0
    phrases: tuple[str, ...] = ()


NONE = Cues()


def either(a: float, b: float) -> float:
    """Noisy-or of two independent reasons (Pearl 1988): ``1 - (1 - a)(1 - b)``."""
    return 1 - (1 - a) * (1 - b)


def read_cues(normal: str) -> dict[str, Cues]:
    """Cues of every kind that stands in a normalised text; within a kind a word counts once."""
    left: dict[str, str] = {}
    scores: dict[str, float] = {}
    found: dict[str, list[tuple[float, str]]] = {}
    table = _table()
    for i in sorted(_finder().marks(normal)):
        kind, pattern, phrase, weight = table[i]
        rest, times = pattern.subn(" · ", left.get(kind, normal))
        if times:
            left[kind] = rest
            scores[kind] = either(scores.get(kind, 0.0), weight)
            found.setdefault(kind, []).append((weight, phrase))
    ordered = {kind: sorted(of, reverse=True) for kind, of in found.items()}
    return {kind: Cues(scores[kind], tuple(p for _, p in of)) for kind, of in ordered.items()}


@cache
def cue_kinds() -> tuple[str, ...]:
    """Every kind of the table, in alphabetical order."""
    return tuple(sorted({kind for kind, *_ in _table()}))


@cache
def _table() -> tuple[tuple[str, re.Pattern[str], str, float], ...]:
    """All cues as (kind, pattern, phrase, weight), long phrases first."""
    rows = [row for _, row in read_table("hoax_cues.csv", ("kind", "phrase", "weight"))]
    rows.sort(key=lambda row: -len(row["phrase"]))
    return tuple(
        (r["kind"], _pattern(r["phrase"]), r["phrase"].rstrip("*"), float(r["weight"]))
        for r in rows
    )


@cache
def _finder() -> PhraseFinder[int]:
    """Finds the rows of the table whose phrase stands in a text, as part of a word or not."""
    return PhraseFinder((phrase, i) for i, (_, _, phrase, _) in enumerate(_table()))


def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)".replace(r"\*", r"\w*"))
