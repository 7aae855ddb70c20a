"""How far a figure may be off: Wilson intervals, and a bootstrap over groups of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95
CHUNK = 200
"""Resamples drawn at once, to bound the memory."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the 95 % interval around it."""

    value: float
    lower: float
    upper: float


def wilson(right: int, rows: int) -> Interval:
    """A share and its Wilson score interval (Wilson 1927); 0 to 1 where there are no rows."""
    if rows == 0:
        return Interval(0.0, 0.0, 1.0)
    z, share = NormalDist().inv_cdf((1 + CONFIDENCE) / 2), right / rows
    middle = share + z * z / (2 * rows)
    reach = z * math.sqrt(share * (1 - share) / rows + (z / (2 * rows)) ** 2)
    low, high = ((middle + way * reach) / (1 + z * z / rows) for way in (-1, 1))
    return Interval(share, max(0.0, low), min(1.0, high))


def resampled_sums(
    parts: Floats, groups: NDArray[np.int64], *, resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """Column sums of ``parts`` over bootstrap samples (Efron 1979).

    Whole groups are drawn: the reports of one incident are right or wrong together. Every figure
    that is a function of sums (a share, a macro-F1) follows from the answer.

    Args:
        parts: what is summed, shape (n, m).
        groups: rows with one number are drawn together, shape (n,).
        resamples: how many samples.
        seed: of the draw; two calls with one seed draw the same groups.

    Returns:
        Shape (resamples, m).
    """
    _, place = np.unique(groups, return_inverse=True)
    size = int(place.max()) + 1
    sums = np.zeros((size, parts.shape[1]))
    np.add.at(sums, place, parts)
    draw = np.random.default_rng(seed)
    found = []
    for start in range(0, resamples, CHUNK):
        count = min(CHUNK, resamples - start)
        times = draw.multinomial(size, np.full(size, 1 / size), count)
        found.append(times @ sums)
    return np.concatenate(found)


def percentile(value: float, samples: Floats) -> Interval:
    """A figure with the percentile interval of its bootstrap samples, shape (resamples,)."""
    tail = (1 - CONFIDENCE) / 2
    lower, upper = np.nanquantile(samples, (tail, 1 - tail))
    return Interval(value, float(lower), float(upper))


def macro_f1_of(sums: Floats) -> Floats:
    """Macro-F1 from sums of hits, rows of truth and rows predicted.

    Args:
        sums: shape (samples, 3 * classes): hits, then truth, then predicted.

    Returns:
        Shape (samples,); the mean over the classes that occur in a sample's truth or answers.
    """
    hits, truth, predicted = np.split(sums, 3, axis=1)
    occurs = truth + predicted
    f1 = np.divide(2 * hits, occurs, out=np.zeros_like(hits), where=occurs > 0)
    classes = np.maximum((occurs > 0).sum(axis=1), 1)
    return np.asarray(f1.sum(axis=1) / classes, dtype=np.float64)


def f1_parts(truth: NDArray[np.int64], answer: NDArray[np.int64], classes: int) -> Floats:
    """What :func:`macro_f1_of` needs of every row, shape (n, 3 * classes)."""
    eye = np.eye(classes)
    return np.hstack([eye[truth] * (truth == answer)[:, None], eye[truth], eye[answer]])
