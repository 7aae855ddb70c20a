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


def effective_rows(weights: Floats) -> float:
    """How many equally weighted rows tell as much: (sum w)^2 / sum w^2 (Kish 1965).

    Args:
        weights: how many reports each row stands for, shape (n,); 0 without rows.
    """
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def lower_bound(right: Floats, rows: Floats) -> Floats:
    """Lower end of the one-sided Wilson interval of ``right / rows``, elementwise.

    Args:
        right: how many are right, shape (n,).
        rows: of how many, above 0, shape (n,).
    """
    z = norm.ppf(CONFIDENCE)
    share, spread = right / rows, z * z / rows
    half = np.sqrt(spread * share * (1 - share) + spread * spread / 4)
    return np.asarray((share + spread / 2 - half) / (1 + spread), dtype=np.float64)


def threshold(
    confidence: NDArray[np.float32],
    right: NDArray[np.bool_],
    target: float,
    represents: Floats | None = None,
) -> float:
    """Smallest confidence from which held-out answers prove to be right ``target`` often.

    Args:
        confidence: probability of each held-out answer, shape (n,).
        right: whether it was right, shape (n,).
        target: precision, 0 to 1.
        represents: how many reports each answer stands for, shape (n,); None: itself. The interval
            is that of the effective number of rows.

    Returns:
        The threshold, or :data:`NEVER` when the :func:`lower_bound` of no part reaches the target.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    weights = np.ones(len(order)) if represents is None else represents[order]
    total = np.cumsum(weights)
    rows = total**2 / np.cumsum(weights**2)
    precision = lower_bound(np.cumsum(weights * right[order]) / total * rows, rows)
    last = np.append(falling[1:] < falling[:-1], True)[: len(order)]  # of equal confidences
    reached = np.flatnonzero((precision >= target) & last)
    return float(falling[reached[-1]]) if len(reached) else NEVER


def thresholds(
    probabilities: NDArray[np.float32],
    truth: NDArray[np.int64],
    labels: tuple[str, ...],
    target: float,
    represents: Floats | None = None,
) -> dict[str, float]:
    """One threshold a label; labels with few held-out answers take the pooled one.

    Args:
        probabilities: held-out, shape (n, labels).
        truth: index of the right label, shape (n,).
        labels: names, in column order.
        target: precision, 0 to 1.
        represents: how many reports each row stands for, shape (n,); None: itself.
    """
    weights = np.ones(len(truth)) if represents is None else represents
    confidence, answer = probabilities.max(axis=1), probabilities.argmax(axis=1)
    right = answer == truth
    pooled = threshold(confidence, right, target, weights)
    found = {}
    for i, label in enumerate(labels):
        mine = answer == i
        many = effective_rows(weights[mine]) >= SUPPORT
        parts = confidence[mine], right[mine], target, weights[mine]
        found[label] = threshold(*parts) if many else pooled
    return found
