"""Classification metrics over probabilities; every function says its source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float32]
Truth = NDArray[np.int64]
Confidence = NDArray[np.float32]
Right = NDArray[np.bool_]
Weights = NDArray[np.float64]
"""How many reports each row stands for; None, where it may be left out: itself."""
LEVELS = (0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Confidence levels of the precision/coverage table, as bugbug reports them."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the answers at or above ``level``: their share of all, and how many of them are right."""

    level: float
    coverage: float
    precision: float | None


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class: rows of truth, rows predicted, precision, recall, F1."""

    label: str
    support: int
    predicted: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Scores:
    """All figures of one target on one set of rows."""

    rows: int
    classes: int
    accuracy: float
    macro_f1: float
    top3: float
    ece: float
    log_loss: float
    coverage_at_95: float
    table: tuple[Coverage, ...]
    per_class: tuple[ClassScore, ...]


def score(
    probabilities: Probabilities,
    truth: Truth,
    labels: tuple[str, ...],
    weights: Weights | None = None,
) -> Scores:
    """All figures at once.

    Args:
        probabilities: shape (n, labels).
        truth: index of the right label, or -1 for a label the model does not know, shape (n,).
        labels: label names, in column order.
        weights: how many reports each row stands for, shape (n,); None: itself. They weigh every
            share; rows are counted as they are.

    Raises:
        ValueError: there are no rows.
    """
    if len(truth) == 0:
        raise ValueError("no rows to score")
    weights = np.ones(len(truth)) if weights is None else weights
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    hit = predicted == truth
    top3 = np.argsort(-probabilities, axis=1)[:, :3]
    right = np.where(truth >= 0, probabilities[np.arange(len(truth)), truth], 0.0)
    return Scores(
        rows=len(truth),
        classes=len(np.unique(truth)),
        accuracy=float(np.average(hit, weights=weights)),
        macro_f1=macro_f1(truth, predicted, weights),
        top3=float(np.average((top3 == truth[:, None]).any(axis=1), weights=weights)),
        ece=calibration_error(confidence, hit, weights=weights),
        log_loss=float(np.average(-np.log(np.clip(right, 1e-9, 1)), weights=weights)),
        coverage_at_95=coverage_at(confidence, hit, 0.95, weights),
        table=tuple(coverage(confidence, hit, level, weights) for level in LEVELS),
        per_class=_per_class(truth, predicted, labels, weights),
    )


def macro_f1(truth: Truth, predicted: NDArray[np.int64], weights: Weights | None = None) -> float:
    """Mean F1 over the classes that occur in truth or prediction (scikit-learn's definition)."""
    from sklearn.metrics import f1_score  # a second that commands without figures are spared

    found = f1_score(truth, predicted, average="macro", sample_weight=weights, zero_division=0)
    return float(found)


def calibration_error(
    confidence: Confidence, right: Right, bins: int = 15, weights: Weights | None = None
) -> float:
    """Expected calibration error with equal-width bins (Guo et al. 2017), 0 to 1.

    Args:
        confidence: probability of each answer, shape (n,).
        right: whether it was right, shape (n,).
        bins: how many.
        weights: shape (n,).
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    weights = np.ones(len(right)) if weights is None else weights
    gaps = np.bincount(place, weights * (confidence.astype(np.float64) - right), minlength=bins)
    return float(np.abs(gaps).sum() / max(weights.sum(), 1e-9))


def calibration_curve(
    confidence: Confidence, right: Right, bins: int = 10
) -> tuple[tuple[float, float, int], ...]:
    """(mean confidence, share right, rows) for each equal-width bin that has rows."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return tuple(
        (float(confidence[place == b].mean()), float(right[place == b].mean()), int(n))
        for b, n in zip(*np.unique(place, return_counts=True), strict=True)
    )


def coverage(
    confidence: Confidence, right: Right, level: float, weights: Weights | None = None
) -> Coverage:
    """Coverage and precision of the answers whose confidence is at least ``level``."""
    weights = np.ones(len(right)) if weights is None else weights
    kept = confidence >= level
    precision = float(np.average(right[kept], weights=weights[kept])) if kept.any() else None
    return Coverage(level, float(np.average(kept, weights=weights)), precision)


def coverage_at(
    confidence: Confidence, right: Right, precision: float, weights: Weights | None = None
) -> float:
    """Largest share of rows that can be answered at this precision.

    The threshold is chosen on these very rows: an upper bound, not a promise.
    """
    found, parts = _precisions(confidence, right, weights)
    reached = np.flatnonzero(found >= precision)
    return float(parts[reached[-1]]) if len(reached) else 0.0


def precision_curve(
    confidence: Confidence, right: Right, points: int = 100
) -> tuple[tuple[float, float], ...]:
    """(coverage, precision) when ever less confident answers are let through.

    Args:
        confidence: probability of each answer, shape (n,), at least one.
        right: whether it was right, shape (n,).
        points: largest number of points; the last one is full coverage.
    """
    found, _ = _precisions(confidence, right)
    first = min(len(found), 20)  # the precision of a handful of answers is noise
    ends = np.unique(np.linspace(first, len(found), points).round().astype(int))
    return tuple((float(n / len(found)), float(found[n - 1])) for n in ends)


def _precisions(
    confidence: Confidence, right: Right, weights: Weights | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision of the 1, 2, ... n most confident answers, and their share of all."""
    order = np.argsort(-confidence, kind="stable")
    parts = np.ones(len(right)) if weights is None else weights[order]
    total = np.cumsum(parts)
    return np.cumsum(parts * right[order]) / total, total / total[-1:]


def _per_class(
    truth: Truth, predicted: NDArray[np.int64], labels: tuple[str, ...], weights: Weights
) -> tuple[ClassScore, ...]:
    rows = []
    for i, label in enumerate(labels):
        mine, said = truth == i, predicted == i
        support, guessed = float(weights[mine].sum()), float(weights[said].sum())
        if not mine.any() and not said.any():
            continue
        hits = float(weights[mine & said].sum())
        precision = hits / guessed if guessed else 0.0
        recall = hits / support if support else 0.0
        f1 = 2 * hits / (support + guessed)
        rows.append(ClassScore(label, int(mine.sum()), int(said.sum()), precision, recall, f1))
    return tuple(sorted(rows, key=lambda r: (-r.support, r.label)))
