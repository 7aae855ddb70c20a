"""Ways to turn raw scores into probabilities beside those that training chooses among."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from pilah.models.linear import Curves, FloatArray
from pilah.training import calibration
from pilah.training.calibration import KINDS, Calibration, fit_calibration, temperature

KNOTS = np.linspace(0.0, 1.0, 201)
LEAST = 1e-6

Weights = NDArray[np.float64]
Fit = Callable[[FloatArray, NDArray[np.int64], Weights], Calibration]
"""(raw scores, right columns, reports that each row stands for) -> calibration."""


def none(scores: FloatArray, _: NDArray[np.int64], __: Weights) -> Calibration:
    """Softmax of the margins as they are."""
    return Calibration("none", 1.0, np.zeros(scores.shape[1], dtype=np.float32))


def sigmoid(scores: FloatArray, truth: NDArray[np.int64], weights: Weights) -> Calibration:
    """After the temperature a sigmoid a label on its log odds (Platt 1999), then the sum divided.

    The sigmoid is kept as a curve of 201 knots.
    """
    base = temperature(scores, truth, weights)
    spoken = base(scores)
    curves = [(KNOTS, _sigmoid(spoken[:, i], truth == i, weights)) for i in range(scores.shape[1])]
    return Calibration("sigmoid", base.scale, base.shift, Curves.join(curves))


def _sigmoid(
    probability: FloatArray, right: NDArray[np.bool_], weights: Weights
) -> NDArray[np.float64]:
    if not right.any():
        return KNOTS
    fit = LogisticRegression(C=1.0).fit(_odds(probability), right, weights)
    return np.asarray(fit.predict_proba(_odds(KNOTS))[:, 1])


def _odds(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    kept = np.clip(np.asarray(probability, dtype=np.float64), LEAST, 1 - LEAST)
    return np.asarray(np.log(kept / (1 - kept)))[:, None]


FORMS: dict[str, Fit] = {"none": none, **KINDS, "sigmoid": sigmoid}
"""Name -> how it is fitted; the likeliest of ``KINDS`` on held-out answers, with a confidence on
top where that is likelier still, is what ships."""


def cross_fitted(
    name: str, scores: FloatArray, truth: NDArray[np.int64], groups: NDArray[np.int64], seed: int
) -> tuple[Calibration, FloatArray]:
    """One calibration without confidence, and the probabilities of rows it was not fitted on."""
    alone = patch.dict(calibration.KINDS, {name: FORMS[name]}, clear=True)
    with alone, patch.object(calibration, "fit_confidence", lambda *_: None):
        return fit_calibration(scores, truth, groups, seed)
