"""Classification metrics over probabilities; every function says its source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float32]
Truth = NDArray[np.int64]
Confidence = NDArray[np.float32]
Right = NDArray[np.bool_]
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


def score(probabilities: Probabilities, truth: Truth, labels: tuple[str, ...]) -> Scores:
    """All figures at once.

    Args:
        probabilities: shape (n, labels).
        truth: index of the right label, or -1 for a label the model does not know, shape (n,).
        labels: label names, in column order.

    Raises:
        ValueError: there are no rows.
    """
    if len(truth) == 0:
        raise ValueError("no rows to score")
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    hit = predicted == truth
    top3 = np.argsort(-probabilities, axis=1)[:, :3]
    right = np.where(truth >= 0, probabilities[np.arange(len(truth)), truth], 0.0)
    return Scores(
        rows=len(truth),
        classes=len(np.unique(truth)),
        accuracy=float(hit.mean()),
        macro_f1=macro_f1(truth, predicted),
        top3=float(np.mean((top3 == truth[:, None]).any(axis=1))),
        ece=calibration_error(confidence, hit),
        log_loss=float(-np.log(np.clip(right, 1e-9, 1)).mean()),
        coverage_at_95=coverage_at(confidence, hit, 0.95),
        table=tuple(coverage(confidence, hit, level) for level in LEVELS),
        per_class=_per_class(truth, predicted, labels),
    )


def macro_f1(truth: Truth, predicted: NDArray[np.int64]) -> float:
    """Mean F1 over the classes that occur in truth or prediction (scikit-learn's definition)."""
    from sklearn.metrics import f1_score  # a second that commands without figures are spared

    return float(f1_score(truth, predicted, average="macro", zero_division=0))


def calibration_error(confidence: Confidence, right: Right, bins: int = 15) -> float:
    """Expected calibration error with equal-width bins (Guo et al. 2017), 0 to 1.

    Args:
        confidence: probability of each answer, shape (n,).
        right: whether it was right, shape (n,).
        bins: how many.
    """
    points = calibration_curve(confidence, right, bins)
    return sum(abs(mean - share) * rows for mean, share, rows in points) / max(len(right), 1)


def calibration_curve(
    confidence: Confidence, right: Right, bins: int = 10
) -> tuple[tuple[float, float, int], ...]:
    """(mean confidence, share right, rows) for each equal-width bin that has rows."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return tuple(
        (float(confidence[place == b].mean()), float(right[place == b].mean()), int(n))
        for b, n in zip(*np.unique(place, return_counts=True), strict=True)
    )


def coverage(confidence: Confidence, right: Right, level: float) -> Coverage:
    """Coverage and precision of the answers whose confidence is at least ``level``."""
    kept = confidence >= level
    precision = float(right[kept].mean()) if kept.any() else None
    return Coverage(level, float(kept.mean()), precision)


def coverage_at(confidence: Confidence, right: Right, precision: float) -> float:
    """Largest share of rows that can be answered at this precision.

    The threshold is chosen on these very rows: an upper bound, not a promise.
    """
    found = _precisions(confidence, right) >= precision
    return float((np.flatnonzero(found)[-1] + 1) / len(right)) if found.any() else 0.0


def precision_curve(
    confidence: Confidence, right: Right, points: int = 100
) -> tuple[tuple[float, float], ...]:
    """(coverage, precision) when ever less confident answers are let through.

    Args:
        confidence: probability of each answer, shape (n,), at least one.
        right: whether it was right, shape (n,).
        points: largest number of points; the last one is full coverage.
    """
    found = _precisions(confidence, right)
    first = min(len(found), 20)  # the precision of a handful of answers is noise
    ends = np.unique(np.linspace(first, len(found), points).round().astype(int))
    return tuple((float(n / len(found)), float(found[n - 1])) for n in ends)


def _precisions(confidence: Confidence, right: Right) -> NDArray[np.float64]:
    """Precision of the 1, 2, ... n most confident answers."""
    order = np.argsort(-confidence, kind="stable")
    return np.asarray(np.cumsum(right[order]) / np.arange(1, len(right) + 1))


def _per_class(
    truth: Truth, predicted: NDArray[np.int64], labels: tuple[str, ...]
) -> tuple[ClassScore, ...]:
    rows = []
    for i, label in enumerate(labels):
        hits = int(np.sum((truth == i) & (predicted == i)))
        support, guessed = int(np.sum(truth == i)), int(np.sum(predicted == i))
        if support == 0 and guessed == 0:
            continue
        precision = hits / guessed if guessed else 0.0
        recall = hits / support if support else 0.0
        f1 = 2 * hits / (support + guessed)
        rows.append(ClassScore(label, support, guessed, precision, recall, f1))
    return tuple(sorted(rows, key=lambda r: (-r.support, r.label)))
