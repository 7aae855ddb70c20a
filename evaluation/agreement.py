"""How far people who label the same reports agree, beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement on one label field.

    Attributes:
        reports: reports that two or more people labelled.
        raters: people among them.
        observed: share of pairs of labels on one report that are equal.
        expected: that share if everybody labelled by chance, in the proportions seen.
        kappa: (observed - expected) / (1 - expected); None when chance alone explains everything
            (all labels are equal, or nobody labelled twice).
    """

    reports: int
    raters: int
    observed: float | None
    expected: float | None
    kappa: float | None


def cohen(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Cohen's kappa of two people (Cohen 1960); each has an own chance distribution.

    Args:
        pairs: label of the first and of the second person for each report.
    """
    left, right = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    rows = len(pairs)
    observed = sum(a == b for a, b in pairs) / rows if rows else None
    expected = sum(left[x] * right[x] for x in left) / rows**2 if rows else None
    return Agreement(rows, 2, observed, expected, _kappa(observed, expected))


def fleiss(labels: Sequence[Sequence[str]], raters: int) -> Agreement:
    """Fleiss' kappa (1971), each report weighing the same whatever the number of its labels.

    Args:
        labels: the labels of each report, two or more; those with fewer are left out.
        raters: how many people gave them.
    """
    kept = [given for given in labels if len(given) >= 2]
    if not kept:
        return Agreement(0, raters, None, None, None)
    observed = sum(_equal_pairs(given) for given in kept) / len(kept)
    shares: Counter[str] = Counter()
    for given in kept:
        for label, number in Counter(given).items():
            shares[label] += number / len(given) / len(kept)  # type: ignore[assignment]
    expected = sum(share**2 for share in shares.values())
    return Agreement(len(kept), raters, observed, expected, _kappa(observed, expected))


def _equal_pairs(labels: Sequence[str]) -> float:
    pairs = list(combinations(labels, 2))
    return sum(a == b for a, b in pairs) / len(pairs)


def _kappa(observed: float | None, expected: float | None) -> float | None:
    if observed is None or expected is None or expected >= 1:
        return None
    return (observed - expected) / (1 - expected)
