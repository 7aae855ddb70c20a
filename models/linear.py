"""A linear head: one weight vector a label, and calibrated probabilities over the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix

FloatArray = NDArray[np.float32]
LEAST = 1e-6
"""No label is told to be quite impossible."""
KEPT = 0.01
"""Share of a probability that a curve always leaves."""
FARTHEST = 80.0
"""Log odds beyond this are taken as this: their exponential would not fit into 32 bits."""
ODDS_LIMIT = 1e-4
"""Probabilities nearer to 0 or 1 are taken as this near: their log odds stay small."""


@dataclass(frozen=True, slots=True)
class Curves:
    """A rising curve a label, from probability to probability, linear between its knots.

    Attributes:
        knots: how many knots each label has, at least one, shape (labels,).
        x: where they stand, rising within a label, shape (sum of knots,).
        y: what stands there, shape (sum of knots,).
    """

    knots: NDArray[np.int32]
    x: FloatArray
    y: FloatArray
    _first: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    _last: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    _line: NDArray[np.float64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Lay all labels on one line, so that one search serves them: label i has 2i to 2i + 1."""
        ends = np.cumsum(self.knots, dtype=np.int64)
        object.__setattr__(self, "_first", ends - self.knots)
        object.__setattr__(self, "_last", ends - 1)
        line = np.repeat(2.0 * np.arange(len(ends)), self.knots) + self.x
        object.__setattr__(self, "_line", line)

    @classmethod
    def join(cls, curves: Sequence[tuple[ArrayLike, ArrayLike]]) -> Curves:
        """From the (x, y) of each label."""
        xs, ys = ([np.asarray(c[k], dtype=np.float32) for c in curves] for k in (0, 1))
        return cls(
            np.array([len(x) for x in xs], dtype=np.int32), np.concatenate(xs), np.concatenate(ys)
        )

    def __call__(self, probabilities: FloatArray) -> FloatArray:
        """Each label's curve at its probability, rows divided by their sum, shape (n, labels)."""
        above = np.searchsorted(self._line, 2.0 * np.arange(len(self.knots)) + probabilities)
        low = np.minimum(np.maximum(above - 1, self._first), self._last)
        high = np.minimum(np.maximum(above, self._first), self._last)
        left, width = self.x[low], self.x[high] - self.x[low]
        share = (probabilities - left) / np.where(width > 0, width, 1.0)
        share = np.minimum(np.maximum(share, 0.0), 1.0)
        found = self.y[low] + share * (self.y[high] - self.y[low])
        # Where a curve ends at nothing, labels keep their order.
        found = np.maximum(found, LEAST + KEPT * probabilities)
        return np.asarray(found / found.sum(axis=1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Confidence:
    """How often the likeliest label is right, told from more than its probability.

    log odds = slopes . (log odds of its probability, best score, second score) + bias of the label.
    The raw scores say what the softmax forgets: whether any label spoke for the text at all. A
    second model that judges the first one's answers is a selective classifier (Geifman & El-Yaniv
    2017, "Selective Classification for Deep Neural Networks").

    Attributes:
        slopes: shape (3,).
        bias: shape (labels,).
    """

    slopes: FloatArray
    bias: FloatArray

    def __call__(self, scores: FloatArray, probabilities: FloatArray) -> FloatArray:
        """The same answers: the likeliest label with its new probability, the others in proportion.

        Args:
            scores: raw, shape (n, labels).
            probabilities: calibrated, shape (n, labels).
        """
        rows, best = np.arange(len(scores)), probabilities.argmax(axis=1)
        odds = evidence(scores, probabilities) @ self.slopes + self.bias[best]
        rest = np.maximum(probabilities, LEAST)
        rest[rows, best] = 0.0
        rest /= rest.sum(axis=1, keepdims=True)
        # Never below the second label: the answer stays the answer.
        second = rest.max(axis=1)
        spoken = 1.0 / (1.0 + np.exp(-_held(odds, -FARTHEST, FARTHEST)))
        sure = _held(spoken, second / (1.0 + second) + LEAST, 1.0 - LEAST)
        told = rest * (1.0 - sure)[:, None]
        told[rows, best] = sure
        return np.asarray(told, dtype=np.float32)


def evidence(scores: FloatArray, probabilities: FloatArray) -> NDArray[np.float64]:
    """What :class:`Confidence` reads of each row, shape (n, 3)."""
    best = _held(probabilities.max(axis=1).astype(np.float64), ODDS_LIMIT, 1.0 - ODDS_LIMIT)
    highest = np.partition(scores, -2, axis=1)[:, :-3:-1]
    return np.column_stack([np.log(best / (1.0 - best)), highest])


def _held(values: NDArray[Any], low: ArrayLike, high: float) -> NDArray[Any]:
    """``np.clip``, which takes four times as long for one row."""
    held: NDArray[Any] = np.minimum(np.maximum(values, low), high)
    return held


@dataclass(frozen=True, slots=True)
class LinearHead:
    """Linear scores turned into probabilities by a scaled, shifted softmax.

    p(label | x) = softmax(scale * (W x + b) + shift). With shift = 0 this is temperature scaling,
    with a shift per label it is bias-corrected temperature scaling (Guo et al. 2017, "On
    Calibration of Modern Neural Networks"; Alexandari et al. 2020); with curves it is isotonic
    regression (Zadrozny & Elkan 2002). :mod:`pilah.training.calibration` fits them.

    Attributes:
        labels: label names, in the order of the rows of ``weights``.
        weights: shape (labels, features).
        bias: shape (labels,).
        scale: inverse temperature.
        shift: shape (labels,).
        stated: label -> smallest probability at which the label is stated at all.
        sure: label -> smallest probability at which no person needs to look.
        curves: what the softmax still goes through, or None.
        confidence: what then judges the likeliest label, or None.
    """

    labels: tuple[str, ...]
    weights: FloatArray
    bias: FloatArray
    scale: float
    shift: FloatArray
    stated: dict[str, float]
    sure: dict[str, float]
    curves: Curves | None = None
    confidence: Confidence | None = None

    def scores(self, features: csr_matrix) -> FloatArray:
        """Raw scores, shape (n, labels)."""
        return np.asarray(features @ self.weights.T + self.bias, dtype=np.float32)

    def probabilities(self, features: csr_matrix) -> FloatArray:
        """Calibrated probabilities, shape (n, labels), each row summing to one."""
        scores = self.scores(features)
        return calibrated(scores, self.scale, self.shift, self.curves, self.confidence)


def calibrated(
    scores: FloatArray,
    scale: float,
    shift: FloatArray,
    curves: Curves | None = None,
    confidence: Confidence | None = None,
) -> FloatArray:
    """softmax(scale * scores + shift), then curves and confidence if there are, (n, labels)."""
    raised = scale * scores + shift
    powers = np.exp(raised - raised.max(axis=1, keepdims=True))
    spoken = np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)
    spoken = spoken if curves is None else curves(spoken)
    return spoken if confidence is None else confidence(scores, spoken)


def quantise(weights: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Weights as int8 with one scale a row: weights ~ int8 * scale[:, None]."""
    scale = np.abs(weights).max(axis=1) / 127.0
    scale = np.where(scale == 0, 1.0, scale).astype(np.float32)
    return np.rint(weights / scale[:, None]).astype(np.int8), scale


def dequantise(values: NDArray[np.int8], scale: FloatArray) -> FloatArray:
    """The inverse of :func:`quantise`, up to rounding; in column order.

    In that order the product with sparse features copies nothing.
    """
    columns = np.empty(values.shape[::-1], dtype=np.float32)
    return np.multiply(values.T, scale, out=columns).T
