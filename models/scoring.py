"""Candidates scored as pairs: the learned probability, and the rules that stand above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pilah.models.packing import unpack
from pilah.models.rarity import NOTHING_RARE, RareWords

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from pilah.models.answer import Verdict
    from pilah.models.pair_features import PairFeatures
    from pilah.models.pairs import PairScorer
    from pilah.models.rarity import Comparison
    from pilah.models.reading import Fingerprint

GENERIC_WORDS = 4
"""A text of fewer content words says too little to be known again by its words alone."""
TELLING_WORDS = 8
"""An exact copy of so many content words that names a street is the same incident anywhere."""
CERTAIN = 0.99
"""Probability of an exact copy with agreeing place or reporter."""
STEP = 0.001
"""How far below a threshold a probability is held that must not reach it."""


class Candidate(NamedTuple):
    """A remembered report that is worth scoring.

    Attributes:
        report_id: its id.
        packed: its fingerprint.
        cosine: of the embeddings; 0 where unknown.
        rare: what it has of rare words, and shares.
        likeness: share of all written words in common (Jaccard).
    """

    report_id: str
    packed: bytes
    cosine: float
    rare: RareWords = NOTHING_RARE
    likeness: float = 0.0

    @property
    def fingerprint(self) -> Fingerprint:
        """What is remembered of it."""
        return unpack(self.report_id, self.packed)


class Scored(NamedTuple):
    """A candidate with its probability and what the pair shows."""

    probability: float
    cosine: float
    report_id: str
    features: PairFeatures


@dataclass(frozen=True, slots=True)
class DuplicateThresholds:
    """Probabilities from which a pair is called duplicate, or possible (a person looks).

    Attributes:
        duplicate: from here on both are taken for the same incident.
        possible: from here on the pair is shown; at most ``duplicate``.
        max_matches: how many matches an answer lists.
        version: named in every answer.
    """

    duplicate: float = 0.85
    possible: float = 0.4
    max_matches: int = 5
    version: str = "default"

    def verdict(self, probability: float) -> Verdict:
        """What a probability means."""
        if probability >= self.duplicate:
            return "duplicate"
        return "possible" if probability >= self.possible else "none"


@dataclass(frozen=True, slots=True)
class PairJudge:
    """Scores pairs. Knows no other report, so copies of it may work in other processes."""

    scorer: PairScorer
    thresholds: DuplicateThresholds

    def liked(self, cosines: NDArray[np.float64], words: Comparison) -> NDArray[np.float64]:
        """First look: what embeddings and rare words add to the log-odds, shape (n,)."""
        return self.scorer.partly(
            cosine=cosines, shared_rare=np.log1p(words.shared), rare_overlap=words.overlap()
        )

    def possible(self, fingerprint: Fingerprint, candidates: Iterable[Candidate]) -> list[Scored]:
        """Candidates that are worth showing, best first."""
        return self.scored(fingerprint, candidates, self.thresholds.possible)

    def scored(
        self, fingerprint: Fingerprint, candidates: Iterable[Candidate], least: float
    ) -> list[Scored]:
        """Candidates of at least this probability, best first; secret ones are left out."""
        found: list[Scored] = []
        for report_id, packed, cosine, rare, _ in candidates:
            other = unpack(report_id, packed)
            if other.visibility == "secret":
                continue
            features = self.scorer.features(fingerprint, other, cosine, rare)
            probability = round(self.probability(features, fingerprint, other), 4)
            if probability >= least:
                found.append(Scored(probability, round(cosine, 4), report_id, features))
        return sorted(found, key=_best_first)

    def probability(
        self, features: PairFeatures, fingerprint: Fingerprint, other: Fingerprint
    ) -> float:
        """Probability that both tell of the same incident.

        An exact copy that place or sender back is certain. A text that says too little stays
        below ``possible``, and one that differs in a place, number or problem below ``duplicate``.
        """
        probability = self.scorer.probability(features)
        if features.exact_copy and _agrees(features, fingerprint, other):
            return max(probability, CERTAIN)
        if len(fingerprint.words) < GENERIC_WORDS and not features.spot:
            return min(probability, self.thresholds.possible - STEP)
        if features.exact_copy or features.differs:
            return min(probability, self.thresholds.duplicate - STEP)
        return probability


def _agrees(features: PairFeatures, fingerprint: Fingerprint, other: Fingerprint) -> bool:
    """Whether an exact copy is backed by more than its words."""
    if features.conflict or _elsewhere(fingerprint.place, other.place):
        return False
    placed = features.same_district and len(fingerprint.words) >= GENERIC_WORDS
    telling = features.spot and len(fingerprint.words) >= TELLING_WORDS
    return bool(features.same_reporter or placed or telling)


def _elsewhere(one: str | None, other: str | None) -> bool:
    """Whether two places lie apart, from village to province; one may lie within the other."""
    shared = min(len(one or ""), len(other or ""))
    return (one or "")[:shared] != (other or "")[:shared]


def _best_first(scored: Scored) -> tuple[float, float, str]:
    return -scored.probability, -scored.cosine, scored.report_id
