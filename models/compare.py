"""Two reports side by side: the plain function behind ``pilah compare``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilah.datasets.records import Report
    from pilah.models.answer import Verdict
    from pilah.models.triage import Triager


@dataclass(frozen=True, slots=True)
class Comparison:
    """Probability that both tell of the same incident, the verdict, and what speaks for it."""

    probability: float
    verdict: Verdict
    evidence: tuple[str, ...]


def compare_pair(triager: Triager, a: Report, b: Report) -> Comparison:
    """Compare two reports; of what the triager remembers only the counts of words are used.

    Raises:
        UnknownRegionError: a region is not in the table.
    """
    first, second = triager.analyse([("a", a), ("b", b)])
    judge = triager.finder.judge
    cosine = float(first.vector @ second.vector)
    rare = triager.finder.rarity.pair(first.fingerprint.written, second.fingerprint.written)
    features = judge.scorer.features(first.fingerprint, second.fingerprint, cosine, rare)
    probability = round(judge.probability(features, first.fingerprint, second.fingerprint), 4)
    verdict = judge.thresholds.verdict(probability)
    return Comparison(probability, verdict, judge.scorer.evidence(features))
