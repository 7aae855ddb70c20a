"""A linear head: one weight vector a label, and calibrated probabilities over the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import softmax

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LinearHead:
    """Linear scores turned into probabilities by a scaled, shifted softmax.

    p(label | x) = softmax(scale * (W x + b) + shift). With shift = 0 this is temperature scaling,
    with a shift per label it is bias-corrected temperature scaling (Guo et al. 2017, "On
    Calibration of Modern Neural Networks"; Alexandari et al. 2020). Both are fitted on held-out
    scores by :mod:`pilah.training.heads`.

    Attributes:
        labels: label names, in the order of the rows of ``weights``.
        weights: shape (labels, features).
        bias: shape (labels,).
        scale: inverse temperature.
        shift: shape (labels,).
        stated: label -> smallest probability at which the label is stated at all.
        sure: label -> smallest probability at which no person needs to look.
    """

    labels: tuple[str, ...]
    weights: FloatArray
    bias: FloatArray
    scale: float
    shift: FloatArray
    stated: dict[str, float]
    sure: dict[str, float]

    def scores(self, features: csr_matrix) -> FloatArray:
        """Raw scores, shape (n, labels)."""
        return np.asarray(features @ self.weights.T + self.bias, dtype=np.float32)

    def probabilities(self, features: csr_matrix) -> FloatArray:
        """Calibrated probabilities, shape (n, labels), each row summing to one."""
        return calibrated(self.scores(features), self.scale, self.shift)


def calibrated(scores: FloatArray, scale: float, shift: FloatArray) -> FloatArray:
    """softmax(scale * scores + shift), shape (n, labels)."""
    return np.asarray(softmax(scale * scores + shift, axis=1), dtype=np.float32)


def quantise(weights: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Weights as int8 with one scale a row: weights ~ int8 * scale[:, None]."""
    scale = np.abs(weights).max(axis=1) / 127.0
    scale = np.where(scale == 0, 1.0, scale).astype(np.float32)
    return np.rint(weights / scale[:, None]).astype(np.int8), scale


def dequantise(values: NDArray[np.int8], scale: FloatArray) -> FloatArray:
    """The inverse of :func:`quantise`, up to rounding."""
    return (values.astype(np.float32) * scale[:, None]).astype(np.float32)
