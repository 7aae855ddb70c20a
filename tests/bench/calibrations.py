"""Ways to turn scores into probabilities, all fitted on the same held-out answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from pilah.models.linear import LinearHead, calibrated

Probabilities = NDArray[np.float32]
LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Held-out probabilities as the head gives them, shape (n, labels), and the right columns."""

    spoken: Probabilities
    truth: NDArray[np.int64]


Calibration = Callable[[LinearHead, HeldOut, Probabilities], tuple[Probabilities, Probabilities]]
"""(head, held-out answers, raw scores of other rows) -> probabilities of both."""


def shipped(
    head: LinearHead, held_out: HeldOut, raw: Probabilities
) -> tuple[Probabilities, Probabilities]:
    """What the head itself does."""
    return held_out.spoken, calibrated(raw, head.scale, head.shift)


def none(
    head: LinearHead, held_out: HeldOut, raw: Probabilities
) -> tuple[Probabilities, Probabilities]:
    """Softmax of the margins as they are."""
    return _soft(_scores(head, held_out)), _soft(raw)


def temperature(
    head: LinearHead, held_out: HeldOut, raw: Probabilities
) -> tuple[Probabilities, Probabilities]:
    """One scale for all labels (Guo et al. 2017)."""
    inside, rows = _scores(head, held_out), np.arange(len(held_out.truth))

    def loss(power: float) -> float:
        logs = log_softmax(np.exp(power) * inside, axis=1)
        return float(-logs[rows, held_out.truth].mean())

    scale = np.exp(minimize_scalar(loss, bounds=(-3, 5), method="bounded").x)
    return _soft(scale * inside), _soft(scale * raw)


def sigmoid(
    head: LinearHead, held_out: HeldOut, raw: Probabilities
) -> tuple[Probabilities, Probabilities]:
    """A sigmoid a label on its log odds (Platt 1999), then divided by their sum."""
    inside, outside = temperature(head, held_out, raw)

    def one(label: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        hit = held_out.truth == label
        fit = LogisticRegression(C=1e6).fit(_odds(inside[:, [label]]), hit)
        return tuple(fit.predict_proba(_odds(side[:, [label]]))[:, 1] for side in (inside, outside))

    return _each(one, len(head.labels))


def isotonic(
    head: LinearHead, held_out: HeldOut, raw: Probabilities
) -> tuple[Probabilities, Probabilities]:
    """A rising step function a label (Zadrozny & Elkan 2002), then divided by their sum."""
    inside, outside = temperature(head, held_out, raw)

    def one(label: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        fit = IsotonicRegression(out_of_bounds="clip")
        fit.fit(inside[:, label], held_out.truth == label)
        return tuple(np.clip(fit.predict(side[:, label]), LEAST, 1) for side in (inside, outside))

    return _each(one, len(head.labels))


def isotonic_confidence(
    head: LinearHead, held_out: HeldOut, raw: Probabilities
) -> tuple[Probabilities, Probabilities]:
    """One rising step function for the confidence; the answer and the order of the rest stay."""
    inside, outside = temperature(head, held_out, raw)
    fit = IsotonicRegression(out_of_bounds="clip", y_min=LEAST, y_max=1 - LEAST)
    fit.fit(inside.max(axis=1), inside.argmax(axis=1) == held_out.truth)
    return _stretched(inside, fit), _stretched(outside, fit)


CALIBRATIONS: dict[str, Calibration] = {
    "as shipped": shipped,
    "none (softmax of the margins)": none,
    "temperature": temperature,
    "sigmoid a label": sigmoid,
    "isotonic a label": isotonic,
    "isotonic on the confidence": isotonic_confidence,
}


def _scores(head: LinearHead, held_out: HeldOut) -> NDArray[np.float64]:
    """Raw held-out scores up to a constant a row, which no softmax sees."""
    logs = np.log(np.clip(held_out.spoken.astype(np.float64), LEAST, 1))
    return np.asarray((logs - head.shift) / head.scale)


def _soft(scores: NDArray[np.floating]) -> Probabilities:
    return np.asarray(softmax(scores, axis=1), dtype=np.float32)


def _odds(p: Probabilities) -> NDArray[np.float64]:
    kept = np.clip(p.astype(np.float64), LEAST, 1 - LEAST)
    return np.asarray(np.log(kept / (1 - kept)))


def _each(
    one: Callable[[int], tuple[NDArray[np.float64], NDArray[np.float64]]], labels: int
) -> tuple[Probabilities, Probabilities]:
    columns = [one(label) for label in range(labels)]
    sides = [np.column_stack(side) for side in zip(*columns, strict=True)]
    inside, outside = (
        np.asarray(s / s.sum(axis=1, keepdims=True), dtype=np.float32) for s in sides
    )
    return inside, outside


def _stretched(spoken: Probabilities, fit: IsotonicRegression) -> Probabilities:
    """The confidence moved to its step; what is left is shared as before, below the answer."""
    top = spoken.max(axis=1, keepdims=True)
    wanted = fit.predict(top[:, 0])[:, None]
    rest = np.where(np.arange(spoken.shape[1]) == spoken.argmax(axis=1)[:, None], 0, spoken)
    left = np.maximum(rest.sum(axis=1, keepdims=True), LEAST)
    # The answer stays the answer: no other label may get more than it.
    wanted = np.maximum(
        wanted, (peak := rest.max(axis=1, keepdims=True) / left) / (1 + peak) + 1e-6
    )
    shared = rest / left * (1 - wanted)
    return np.asarray(np.where(rest == 0, wanted, shared), dtype=np.float32)
