"""From raw scores to probabilities that hold: the likeliest of three ways, on held-out rows.

- ``temperature``: one scale for all labels (Guo et al. 2017).
- ``shifts``: one scale, and a shift a label (bias-corrected temperature scaling, Alexandari et al.
  2020).
- ``isotonic``: after the temperature a rising step function a label, then divided by their sum
  (Zadrozny & Elkan 2002); labels with few rows keep the temperature's probability.

On top of the winner a :class:`~pilah.models.linear.Confidence` judges the likeliest label, where
that makes held-out rows likelier still.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.isotonic import IsotonicRegression

from pilah.evaluation.thresholds import effective_rows
from pilah.models.linear import Confidence, Curves, FloatArray, calibrated
from pilah.training.confidence import fit_confidence

Truth = NDArray[np.int64]
Weights = NDArray[np.float64]
FOLDS = 5
"""Calibration folds; rows of one group stay together."""
MIN_ROWS = 20
"""Labels with fewer rows get no step function of their own."""
PENALTY = 1e-3
"""Of the squared shifts."""
LEAST = 1e-9
LARGEST_LOG_SCALE = 10.0
"""Bound of the logarithm of the scale, both ways."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How raw scores become probabilities.

    Attributes:
        kind: temperature, shifts or isotonic.
        scale: inverse temperature.
        shift: shape (labels,); zeros unless the kind is shifts.
        curves: step functions of the labels, or None.
        confidence: what judges the likeliest label, or None.
    """

    kind: str
    scale: float
    shift: FloatArray
    curves: Curves | None = None
    confidence: Confidence | None = None

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Probabilities, shape (n, labels)."""
        return calibrated(scores, self.scale, self.shift, self.curves, self.confidence)


def fit_calibration(
    scores: FloatArray,
    truth: Truth,
    groups: NDArray[np.int64],
    seed: int,
    *,
    represents: Weights | None = None,
) -> tuple[Calibration, FloatArray]:
    """The likeliest calibration, fitted on all rows, and probabilities that no fit has seen.

    Args:
        scores: raw scores from folds that did not see the row, shape (n, labels).
        truth: index of the right label, shape (n,).
        groups: rows with one number are calibrated together, shape (n,).
        seed: of the folds.
        represents: how many reports each row stands for, shape (n,); None: itself.

    Returns:
        The calibration, and the probabilities of each row by the same kind of calibration fitted
        on the other folds, shape (n, labels).
    """
    weights = np.ones(len(truth)) if represents is None else represents
    fold = _folds(groups, seed)
    spoken = {kind: _cross_fitted(fit, scores, truth, weights, fold) for kind, fit in KINDS.items()}
    best = min(spoken, key=lambda kind: loss(spoken[kind], truth, weights))
    calibration, held_out = KINDS[best](scores, truth, weights), spoken[best]
    judged = _judged(scores, held_out, truth, weights, fold)
    if loss(judged, truth, weights) >= loss(held_out, truth, weights):
        return calibration, held_out
    judge = fit_confidence(scores, held_out, truth, weights)
    return replace(calibration, kind=f"{best} and confidence", confidence=judge), judged


def loss(probabilities: FloatArray, truth: Truth, weights: Weights | None = None) -> float:
    """Weighted mean negative log-likelihood of the right labels."""
    right = probabilities[np.arange(len(truth)), truth]
    return float(np.average(-np.log(np.maximum(right, LEAST)), weights=weights))


def temperature(scores: FloatArray, truth: Truth, weights: Weights | None = None) -> Calibration:
    """One scale."""
    return Calibration("temperature", *_fit_softmax(scores, truth, weights, shifted=False))


def shifts(scores: FloatArray, truth: Truth, weights: Weights | None = None) -> Calibration:
    """One scale and a shift a label."""
    return Calibration("shifts", *_fit_softmax(scores, truth, weights, shifted=True))


def isotonic(scores: FloatArray, truth: Truth, weights: Weights | None = None) -> Calibration:
    """A step function a label on top of the temperature."""
    weights = np.ones(len(truth)) if weights is None else weights
    base = temperature(scores, truth, weights)
    spoken, count = base(scores), np.bincount(truth, minlength=scores.shape[1])
    knots = [
        _steps(spoken[:, i], truth == i, weights)
        if count[i] >= MIN_ROWS
        else ((0.0, 1.0), (0.0, 1.0))
        for i in range(scores.shape[1])
    ]
    return Calibration("isotonic", base.scale, base.shift, Curves.join(knots))


KINDS: dict[str, Callable[[FloatArray, Truth, Weights], Calibration]] = {
    "temperature": temperature,
    "shifts": shifts,
    "isotonic": isotonic,
}
"""In order of simplicity: of equally likely ones the first is taken."""


def _steps(
    probability: FloatArray, right: NDArray[np.bool_], weights: Weights
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Never quite 0 or 1: one more row of each kind might always come (Laplace).
    least = 1.0 / (effective_rows(weights) + 2)
    curve = IsotonicRegression(y_min=least, y_max=1.0 - least)
    curve.fit(probability, right, sample_weight=weights)
    return curve.X_thresholds_, curve.y_thresholds_


def _folds(groups: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Fold number of each row, shape (n,)."""
    names, number = np.unique(groups, return_inverse=True)
    return np.random.default_rng(seed).permutation(np.arange(len(names)) % FOLDS)[number]


def _judged(
    scores: FloatArray,
    held_out: FloatArray,
    truth: Truth,
    weights: Weights,
    fold: NDArray[np.int64],
) -> FloatArray:
    """Held-out probabilities after a confidence that was fitted on the other folds."""
    judged = held_out.copy()
    for number in np.unique(fold):
        inside = fold == number
        seen = (part[~inside] for part in (scores, held_out, truth, weights))
        judge = fit_confidence(*seen)
        if judge is not None:
            judged[inside] = judge(scores[inside], held_out[inside])
    return judged


def _cross_fitted(
    fit: Callable[[FloatArray, Truth, Weights], Calibration],
    scores: FloatArray,
    truth: Truth,
    weights: Weights,
    fold: NDArray[np.int64],
) -> FloatArray:
    spoken = np.zeros_like(scores)
    for number in np.unique(fold):
        inside, rest = fold == number, fold != number
        spoken[inside] = fit(scores[rest], truth[rest], weights[rest])(scores[inside])
    return spoken


def _fit_softmax(
    scores: FloatArray, truth: Truth, weights: Weights | None, *, shifted: bool
) -> tuple[float, FloatArray]:
    """Scale and shifts of least penalised weighted log loss (L-BFGS)."""
    size = scores.shape[1]
    onehot = np.eye(size)[truth]
    weights = np.ones(len(truth)) if weights is None else weights
    part = (weights / weights.sum())[:, None]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scale, shift = np.exp(parameters[0]), parameters[1:]
        logs = log_softmax(scale * scores + shift, axis=1)
        gap = (np.exp(logs) - onehot) * part
        value = -(logs * onehot * part).sum() + PENALTY * float(shift @ shift)
        slope = np.concatenate([[scale * (gap * scores).sum()], gap.sum(0) + 2 * PENALTY * shift])
        if not shifted:
            slope[1:] = 0.0
        return float(value), slope

    # Labels that separate perfectly would let the scale grow without end.
    bounds = [(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE), *[(None, None)] * size]
    start = np.zeros(size + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(np.exp(found[0])), found[1:].astype(np.float32)
