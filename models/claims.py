"""Claims that have circulated, and which of them a text resembles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from pilah.datasets.tables import read_table
from pilah.models.fingerprint import content_words

MIN_RESEMBLANCE = 0.55
"""Share of a claim's weighted words that a text must hold to resemble it."""
WINDOW = 40
"""Content words that are compared at once: in a long text every word occurs somewhere."""
MIN_SHARED = 4
"""Fewer shared words are chance."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One row of claims.csv; ``resemblance`` is 0 to 1 after a search."""

    id: str
    claim: str
    verdict: str
    topic: str
    note: str
    resemblance: float = 0.0


def closest_claim(normal: str) -> Claim | None:
    """The claim that a normalised text resembles most, or None.

    Resemblance is the share of the claim's content words that stand near each other in the text,
    rare words weighing more (inverse document frequency over the claims).
    """
    words = content_words(normal)
    starts = range(0, max(1, len(words) - WINDOW // 2), WINDOW // 2)
    windows = [frozenset(words[i : i + WINDOW]) for i in starts]
    scored = ((_share(window, of), claim) for claim, of in claims() for window in windows)
    share, best = max(scored, key=lambda pair: pair[0])
    if share < MIN_RESEMBLANCE:
        return None
    return Claim(best.id, best.claim, best.verdict, best.topic, best.note, round(share, 4))


@cache
def claims() -> tuple[tuple[Claim, dict[str, float]], ...]:
    """Every shipped claim and the weights of its words."""
    rows = [row for _, row in read_table("claims.csv", ("id", "claim", "verdict", "topic", "note"))]
    parts = [(row["id"], row["claim"], row["verdict"], row["topic"], row["note"]) for row in rows]
    kept = [(Claim(*row), frozenset(content_words(row[1].lower()))) for row in parts]
    counts: dict[str, int] = {}
    for _, words in kept:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    total = len(kept) + 1
    return tuple((c, {w: math.log(total / counts[w]) for w in sorted(ws)}) for c, ws in kept)


def _share(words: frozenset[str], weights: dict[str, float]) -> float:
    shared = words & weights.keys()
    if len(shared) < MIN_SHARED:
        return 0.0
    return math.fsum(weights[w] for w in shared) / math.fsum(weights.values())
