"""How rare a written word is in what a service remembers: a city's own names, not the language's.

"Kebraon" is rare in Indonesian and stands in every second report of its neighbourhood; a house
number with a letter, or one person's way to misspell a word, is rare anywhere. Two reports that
share words of the second kind tell of one thing far more often than two that share the first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pilah.models.word_weights import PLAIN, WordWeights

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

BUCKETS = 1 << 20
"""Words are counted by hash in so many buckets (4 MB); those that share one look less rare."""
OFTEN = 1 << 16
"""What stands in so many texts weighs nothing, up to the square of it texts in all."""
_LOGS = np.log(np.maximum(np.arange(OFTEN + 1), 1))


@dataclass(frozen=True, slots=True)
class Texts:
    """Hashed words of many texts, one after the other; text i is ``words[ends[i]:ends[i + 1]]``."""

    words: NDArray[np.uint32]
    ends: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Heard:
    """Texts that were counted: in how many each bucket's words stood, and how many there were."""

    counts: NDArray[np.int32]
    texts: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """One text beside n others: weights of their rare words, and counts of all words.

    Attributes:
        weight: of the one text.
        weights: of each of the others, shape (n,).
        shared: of what each has in common with the one, shape (n,).
        count, counts, common: the same as numbers of words.
    """

    weight: float
    weights: NDArray[np.float64]
    shared: NDArray[np.float64]
    count: int
    counts: NDArray[np.int64]
    common: NDArray[np.float64]

    def pair(self, number: int) -> RareWords:
        """Weights of the pair with one of the texts."""
        return RareWords(float(self.shared[number]), self.weight, float(self.weights[number]))

    def overlap(self) -> NDArray[np.float64]:
        """:attr:`RareWords.overlap` with each of the texts, shape (n,)."""
        return np.asarray(self.shared / (self.weight + self.weights - self.shared + 1.0))

    def likeness(self) -> NDArray[np.float64]:
        """Share of all words in common (Jaccard) with each of the texts, 0 to 1, shape (n,)."""
        return np.asarray(self.common / np.maximum(1, self.count + self.counts - self.common))


class RareWords(NamedTuple):
    """Weights of the rare words of two texts: what they share, and what each has."""

    shared: float = 0.0
    ours: float = 0.0
    theirs: float = 0.0

    @property
    def overlap(self) -> float:
        """Shared weight over all weight and one: little in common is little however short."""
        return self.shared / (self.ours + self.theirs - self.shared + 1.0)


NOTHING_RARE = RareWords()
"""Of two texts whose written words are not known."""


class Rarity:
    """Counts the texts that hold each word: those of a written corpus, and those remembered.

    Rarity is inverse document frequency (Sparck Jones 1972) over the logarithm of all texts, from
    0 (in all) to 1 (in one). What stands in more texts than their square root tells nothing here:
    only the upper half of that scale counts, stretched to 0 to 1.
    """

    def __init__(self, prior: WordWeights = PLAIN) -> None:
        """Start with the counts of a written corpus."""
        self._prior = np.zeros(BUCKETS, dtype=np.int32)
        words = _array(prior.counts)
        often = np.fromiter(prior.counts.values(), dtype=np.int32, count=len(words))
        np.add.at(self._prior, words & (BUCKETS - 1), often)
        self._counts, self._texts = self._prior.copy(), prior.total
        self._written = prior.total

    def add(self, texts: Texts, times: int = 1) -> None:
        """Count texts, each word once a text; with ``times=-1`` take them back."""
        np.add.at(self._counts, texts.words & (BUCKETS - 1), times)
        self._texts += times * int((np.diff(texts.ends) > 0).sum())

    def heard(self) -> Heard:
        """What was counted since the start."""
        return Heard(self._counts - self._prior, self._texts - self._written)

    def hear(self, heard: Heard) -> None:
        """Begin anew with what another one of the same kind has counted.

        Raises:
            ValueError: it counted in other buckets.
        """
        if heard.counts.shape != (BUCKETS,):
            raise ValueError(f"counts of shape {heard.counts.shape}, not ({BUCKETS},)")
        self._counts, self._texts = self._prior + heard.counts, self._written + heard.texts

    def weights(self, words: NDArray[np.uint32]) -> NDArray[np.float64]:
        """How telling each hashed word is, 0 to 1, shape as given."""
        often = np.clip(self._counts[words & (BUCKETS - 1)], 0, OFTEN)
        most = math.log(max(self._texts, 3))
        return np.asarray(np.maximum(0.0, 1.0 - 2.0 * _LOGS[often] / most))

    def sum(self, words: Collection[int]) -> float:
        """Weight of a set of hashed words."""
        return float(self.weights(_array(words)).sum())

    def pair(self, ours: frozenset[int], theirs: frozenset[int]) -> RareWords:
        """The rare words of two texts."""
        return RareWords(self.sum(ours & theirs), self.sum(ours), self.sum(theirs))

    def compare(self, words: Collection[int], texts: Texts) -> Comparison:
        """Compare one text with many at once."""
        ours = np.sort(_array(words))
        theirs, ends = texts.words, texts.ends
        at = np.minimum(np.searchsorted(ours, theirs), max(0, len(ours) - 1))
        both = ours[at] == theirs if len(ours) else np.zeros(len(theirs), dtype=np.bool_)
        weights = self.weights(theirs)
        return Comparison(
            float(self.weights(ours).sum()), _sums(weights, ends), _sums(weights * both, ends),
            len(ours), np.diff(ends), _sums(both, ends),
        )  # fmt: skip


def _sums(values: NDArray[Any], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum of each text's values; empty texts give 0."""
    total = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    return np.asarray(total[ends[1:]] - total[ends[:-1]])


def _array(words: Collection[int]) -> NDArray[np.uint32]:
    return np.fromiter(words, dtype=np.uint32, count=len(words))
