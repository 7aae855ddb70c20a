"""Which of the claims that have circulated a text resembles."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pilah.datasets.claims import Claim, shipped_claims
from pilah.models.fingerprint import content_words
from pilah.models.text import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MIN_RESEMBLANCE = 0.55
"""Share of a claim's weighted words that a text must hold to resemble it."""
SPREAD = 3
"""The words of a claim stand within so many times its own length: in a long text every word occurs
somewhere."""
MIN_SHARED = 4
"""Fewer shared words are chance."""


@dataclass(frozen=True, slots=True)
class ClaimMatch:
    """The claim that a text resembles, and how much (0 to 1)."""

    claim: Claim
    resemblance: float


class ClaimBase:
    """Claims behind an inverted index of their content words.

    Resemblance is the share of the claim's content words that stand near each other in the text,
    rare words weighing more (inverse document frequency over the claims). Words are stemmed and
    slang is expanded, so that rewording, typing habits and word order matter little.
    """

    def __init__(self, claims: Iterable[Claim]) -> None:
        """Read and index the claims; one without :data:`MIN_SHARED` content words is never met."""
        self.claims = tuple(claims)
        words = [frozenset(content_words(read_text(c.claim).normal)) for c in self.claims]
        counts = Counter(word for of in words for word in of)
        rare = {word: math.log((len(words) + 1) / n) for word, n in counts.items()}
        self._weights: list[Mapping[str, float]] = [
            {w: rare[w] for w in sorted(of)} for of in words
        ]
        self._totals = [math.fsum(of.values()) for of in self._weights]
        self._holding: defaultdict[str, list[int]] = defaultdict(list)
        for number, of in enumerate(words):
            for word in of:
                self._holding[word].append(number)

    def __len__(self) -> int:
        """How many claims it holds."""
        return len(self.claims)

    def closest(self, words: tuple[str, ...]) -> ClaimMatch | None:
        """The claim that a text resembles most, or None; the first of equals.

        Args:
            words: content words of the text (:func:`pilah.models.fingerprint.content_words`).
        """
        best, found = MIN_RESEMBLANCE, None
        for number in self._candidates(frozenset(words)):
            size = SPREAD * len(self._weights[number])
            share = max(self._share(number, window) for window in _windows(words, size))
            if share > best or (found is None and share == best):
                best, found = share, number
        return None if found is None else ClaimMatch(self.claims[found], round(min(best, 1.0), 4))

    def _candidates(self, words: frozenset[str]) -> list[int]:
        """Claims of which the whole text holds enough, in order."""
        met = Counter(n for word in words for n in self._holding.get(word, ()))
        enough = (n for n, shared in met.items() if shared >= MIN_SHARED)
        return sorted(n for n in enough if self._share(n, words) >= MIN_RESEMBLANCE)

    def _share(self, number: int, words: frozenset[str]) -> float:
        weights = self._weights[number]
        shared = [weight for word, weight in weights.items() if word in words]
        return math.fsum(shared) / self._totals[number] if len(shared) >= MIN_SHARED else 0.0


def _windows(words: tuple[str, ...], size: int) -> Iterator[frozenset[str]]:
    for start in range(0, max(1, len(words) - size // 2), size // 2):
        yield frozenset(words[start : start + size])


@cache
def shipped_base() -> ClaimBase:
    """The starter set."""
    return ClaimBase(shipped_claims())
