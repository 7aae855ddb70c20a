"""Thresholds from a stated precision target, chosen on held-out answers.

The target must be met by the lower end of a one-sided 90 % Wilson score interval (Wilson 1927), not
by the share of right answers itself: the lowest threshold of many looks better than it is, and few
answers prove little. Of the bounds tried (none, 80, 90, 95 %) on the newest fifth of the 2022
reports of docs/benchmarks.md, 90 % was the loosest whose precision came within a point of 0.95.

A label's threshold borrows strength from all labels (partial pooling, Efron and Morris 1975): its
answers are judged as if ``BORROWED`` more of them were right as often as those of all labels from
the same confidence on. A label with few answers so follows the others, one with many speaks for
itself, and nothing jumps in between. ``tests/bench/threshold_pooling.py`` compares the strengths.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

BORROWED = 100
"""Answers that a label borrows from all labels, at most as many as these have."""
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
    weights = np.ones(len(right)) if represents is None else represents
    order, last = _falling(confidence)
    share, rows = _prefixes(right[order], weights[order])
    return _lowest(confidence[order], last & (lower_bound(share * rows, rows) >= target))


def thresholds(
    probabilities: NDArray[np.float32],
    truth: NDArray[np.int64],
    labels: tuple[str, ...],
    target: float,
    represents: Floats | None = None,
) -> dict[str, float]:
    """One threshold a label, with the strength that it borrows from all labels.

    Args:
        probabilities: held-out, shape (n, labels).
        truth: index of the right label, shape (n,).
        labels: names, in column order.
        target: precision, 0 to 1.
        represents: how many reports each row stands for, shape (n,); None: itself.
    """
    weights = np.ones(len(truth)) if represents is None else represents
    confidence, answer = probabilities.max(axis=1), probabilities.argmax(axis=1)
    order, last = _falling(confidence)
    right, weights, answer = (answer == truth)[order], weights[order], answer[order]
    common, rows = _prefixes(right, weights)
    borrowed = np.minimum(BORROWED, rows)
    found = {}
    for i, label in enumerate(labels):
        share, own = _prefixes(right, np.where(answer == i, weights, 0.0))
        bound = lower_bound(share * own + common * borrowed, own + borrowed)
        found[label] = _lowest(confidence[order], last & (bound >= target))
    return found


def _falling(confidence: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Row numbers by falling confidence, and which are the last of equal ones, shape (n,)."""
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    return order, np.append(falling[1:] < falling[:-1], True)[: len(order)]


def _prefixes(right: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Share of right answers among the first 1, 2, ... n, and their effective rows."""
    total, squares = np.cumsum(weights), np.cumsum(weights**2)
    some = squares > 0
    share = np.divide(np.cumsum(weights * right), total, out=np.zeros_like(total), where=some)
    return share, np.divide(total**2, squares, out=np.zeros_like(total), where=some)


def _lowest(falling: NDArray[np.float32], reached: NDArray[np.bool_]) -> float:
    places = np.flatnonzero(reached)
    return float(falling[places[-1]]) if len(places) else NEVER
