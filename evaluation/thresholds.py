"""Thresholds from a stated precision target, chosen on held-out answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_ANSWERS = 30
"""Fewer held-out answers of a label than this share one pooled threshold."""
NEVER = 1.01
"""Threshold of a label that never reached the target: it is not stated on its own."""


def threshold(confidence: NDArray[np.float32], right: NDArray[np.bool_], target: float) -> float:
    """Smallest confidence from which the held-out answers are right at least ``target`` often.

    Args:
        confidence: probability of each held-out answer, shape (n,).
        right: whether it was right, shape (n,).
        target: precision, 0 to 1.

    Returns:
        The threshold, or :data:`NEVER` when no part of the answers reaches the target.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
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
        own = (
            threshold(confidence[mine], right[mine], target) if mine.sum() >= MIN_ANSWERS else None
        )
        found[label] = pooled if own is None else own
    return found
