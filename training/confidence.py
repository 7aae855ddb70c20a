"""How often the likeliest label is right, learned from held-out answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from pilah.models.linear import Confidence, FloatArray, evidence

PRIOR = 20
"""Answers of average precision that every label is given beside its own, for its precision."""


def fit_confidence(
    scores: FloatArray,
    held_out: FloatArray,
    truth: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Confidence | None:
    """Logistic regression of "the likeliest label is right" on held-out answers.

    It reads :func:`~pilah.models.linear.evidence` and how precise the label is as an answer.

    Args:
        scores: raw scores from folds that did not see the row, shape (n, labels).
        held_out: their probabilities, by a calibration that did not see the row either.
        truth: index of the right label, shape (n,).
        weights: how many rows each one stands for, shape (n,).

    Returns:
        None where all answers are right, or all wrong: nothing can be learned from them.
    """
    best = held_out.argmax(axis=1)
    right = best == truth
    if right.all() or not right.any():
        return None
    precise = _precision_odds(best, right, weights, held_out.shape[1])
    seen = np.column_stack([evidence(scores, held_out), precise[best]])
    scaler = StandardScaler().fit(seen, sample_weight=weights)
    fit = LogisticRegression(max_iter=1000).fit(scaler.transform(seen), right, weights)
    slopes = fit.coef_[0] / scaler.scale_
    bias = fit.intercept_[0] - slopes @ scaler.mean_ + slopes[-1] * precise
    return Confidence(slopes[:-1].astype(np.float32), bias.astype(np.float32))


def _precision_odds(
    best: NDArray[np.int64], right: NDArray[np.bool_], weights: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """Log odds that an answer with each label is right, drawn to the average, shape (labels,)."""
    asked = np.bincount(best, weights=weights, minlength=size)
    hits = np.bincount(best, weights=weights * right, minlength=size)
    share = (hits + PRIOR * np.average(right, weights=weights)) / (asked + PRIOR)
    return np.asarray(np.log(share / (1.0 - share)), dtype=np.float64)
