"""Thresholds from a stated precision target, chosen on held-out answers.

The target must be met by the lower end of a one-sided 90 % Wilson score interval (Wilson 1927), not
by the share of right answers itself: the lowest threshold of many looks better than it is, and few
answers prove little. Of the bounds tried (none, 80, 90, 95 %) on the newest fifth of the 2022
reports of docs/benchmarks.md, 90 % was the loosest whose precision came within a point of 0.95.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

SUPPORT = 50
"""Fewer held-out answers of a label than this share one pooled threshold."""
NEVER = 1.01
"""Threshold of a label that never reached the target: it is not stated on its own."""
CONFIDENCE = 0.9
"""Of the one-sided lower bound."""
Floats = NDArray[np.float64]


def lower_bound(right: NDArray[np.int64], rows: NDArray[np.int64]) -> Floats:
    """Lower end of the one-sided Wilson interval of ``right / rows``, elementwise.

    Args:
        right: how many are right, shape (n,).
        rows: of how many, at least 1, shape (n,).
    """
    z = norm.ppf(CONFIDENCE)
    share, spread = right / rows, z * z / rows
    half = np.sqrt(spread * share * (1 - share) + spread * spread / 4)
    return np.asarray((share + spread / 2 - half) / (1 + spread), dtype=np.float64)


def threshold(confidence: NDArray[np.float32], right: NDArray[np.bool_], target: float) -> float:
    """Smallest confidence from which held-out answers prove to be right ``target`` often.

    Args:
        confidence: probability of each held-out answer, shape (n,).
        right: whether it was right, shape (n,).
        target: precision, 0 to 1.

    Returns:
        The threshold, or :data:`NEVER` when the :func:`lower_bound` of no part reaches the target.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    precision = lower_bound(np.cumsum(right[order]), np.arange(1, len(order) + 1))
    last = np.append(falling[1:] < falling[:-1], True)[: len(order)]  # of equal confidences
    reached = np.flatnonzero((precision >= target) & last)
    return float(falling[reached[-1]]) if len(reached) else NEVER


def thresholds(
    probabilities: NDArray[np.float32],
    truth: NDArray[np.int64],
    labels: tuple[str, ...],
    target: float,
) -> dict[str, float]:
    """One threshold a label; labels with few held-out answers take the pooled one.

    Args:
        probabilities: held-out, shape (n, labels).
        truth: index of the right label, shape (n,).
        labels: names, in column order.
        target: precision, 0 to 1.
    """
    confidence, answer = probabilities.max(axis=1), probabilities.argmax(axis=1)
    right = answer == truth
    pooled = threshold(confidence, right, target)
    found = {}
    for i, label in enumerate(labels):
        mine = answer == i
        own = threshold(confidence[mine], right[mine], target) if mine.sum() >= SUPPORT else None
        found[label] = pooled if own is None else own
    return found
