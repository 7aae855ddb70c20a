"""How telling the words of a report are, and what they are there for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pilah.models.reading import Fingerprint

MAX_PARTS = 1 << 14
"""Most reports whose divided words are kept."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The words of one report by their use, and their weights.

    Attributes:
        every: all of them.
        told: those that tell a place or are names.
        rest: the others, which tell the matter.
        weight, spots, things, matter: weights of all content words, of place words, of names and
            of ``rest``.
    """

    every: frozenset[int]
    told: frozenset[int]
    rest: frozenset[int]
    weight: float
    spots: float
    things: float
    matter: float


@dataclass(frozen=True)
class WordWeights:
    """How telling a word is: its inverse document frequency (Sparck Jones 1972), 1 at most.

    Attributes:
        total: number of texts counted; 0 makes every word equally telling.
        counts: hashed word -> number of texts that hold it.
    """

    total: int
    counts: Mapping[int, int]

    @classmethod
    def count(cls, documents: Iterable[frozenset[int]]) -> WordWeights:
        """Count the hashed words of many texts."""
        counts: dict[int, int] = {}
        total = 0
        for total, words in enumerate(documents, 1):  # noqa: B007
            for word in words:
                counts[word] = counts.get(word, 0) + 1
        return cls(total, counts)

    @cached_property
    def _known(self) -> dict[int, float]:
        most = math.log1p(self.total)
        return {
            word: min(1.0, (most - math.log(max(1, often))) / most)
            for word, often in self.counts.items()
        }

    def weight(self, word: int) -> float:
        """From nearly 0 (in every text) to 1 (in one or none)."""
        return self._known.get(word, 1.0)

    @cached_property
    def _parts(self) -> dict[tuple[frozenset[int], ...], Parts]:
        return {}

    def parts(self, fingerprint: Fingerprint) -> Parts:
        """The words of a report by their use; the latest are kept, for one report meets many."""
        known, words = self._parts, (fingerprint.words, fingerprint.spots, fingerprint.things)
        if words not in known:
            if len(known) >= MAX_PARTS:
                known.clear()
            known[words] = _divided(self, *words)
        return known[words]

    def sum(self, words: Collection[int]) -> float:
        """Weight of a set of words."""
        known = self._known
        return math.fsum([known.get(word, 1.0) for word in words])

    def to_dict(self) -> dict[str, Any]:
        """As JSON; words in one text only are left out, for they weigh like unknown ones."""
        return {"total": self.total, "counts": {str(w): n for w, n in self.counts.items() if n > 1}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> WordWeights:
        """The inverse of :meth:`to_dict`."""
        return cls(int(data["total"]), {int(w): int(n) for w, n in data["counts"].items()})


PLAIN = WordWeights(0, {})
"""Every word is equally telling."""


def _divided(
    weights: WordWeights, words: frozenset[int], spots: frozenset[int], things: frozenset[int]
) -> Parts:
    told = spots | things
    rest = words - told
    sums = (weights.sum(part) for part in (words, spots, things, rest))
    return Parts(words | told, told, rest, *sums)
