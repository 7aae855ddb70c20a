"""Classification metrics over probabilities; every function says its source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

Probabilities = NDArray[np.float32]
Truth = NDArray[np.int64]
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
    predicted = probabilities.argmax(axis=1)
    top3 = np.argsort(-probabilities, axis=1)[:, :3]
    right = np.where(truth >= 0, probabilities[np.arange(len(truth)), truth], 0.0)
    return Scores(
        rows=len(truth),
        classes=len(np.unique(truth)),
        accuracy=float(np.mean(predicted == truth)),
        macro_f1=macro_f1(truth, predicted),
        top3=float(np.mean((top3 == truth[:, None]).any(axis=1))),
        ece=calibration_error(probabilities, truth),
        log_loss=float(-np.log(np.clip(right, 1e-9, 1)).mean()),
        coverage_at_95=coverage_at(probabilities, truth, 0.95),
        table=tuple(coverage(probabilities, truth, level) for level in LEVELS),
        per_class=_per_class(truth, predicted, labels),
    )


def macro_f1(truth: Truth, predicted: NDArray[np.int64]) -> float:
    """Mean F1 over the classes that occur in truth or prediction (scikit-learn's definition)."""
    return float(f1_score(truth, predicted, average="macro", zero_division=0))


def calibration_error(probabilities: Probabilities, truth: Truth, bins: int = 15) -> float:
    """Expected calibration error with equal-width bins (Guo et al. 2017), 0 to 1."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[place == b].mean() - right[place == b].mean()) * np.mean(place == b)
        for b in np.unique(place)
    ]
    return float(np.sum(gaps))


def coverage(probabilities: Probabilities, truth: Truth, level: float) -> Coverage:
    """Coverage and precision of the answers whose confidence is at least ``level``."""
    kept = probabilities.max(axis=1) >= level
    right = probabilities.argmax(axis=1) == truth
    precision = float(right[kept].mean()) if kept.any() else None
    return Coverage(level, float(kept.mean()), precision)


def coverage_at(probabilities: Probabilities, truth: Truth, precision: float) -> float:
    """Largest share of rows that can be answered at this precision.

    The threshold is chosen on these very rows: an upper bound, not a promise.
    """
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    right = (probabilities.argmax(axis=1) == truth)[order]
    reached = np.cumsum(right) / np.arange(1, len(right) + 1) >= precision
    return float((np.flatnonzero(reached)[-1] + 1) / len(right)) if reached.any() else 0.0


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
