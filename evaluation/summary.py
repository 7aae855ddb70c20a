"""One target summed up: how often it is right, how sure it may be, where it goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from pilah.evaluation.intervals import (
    RESAMPLES,
    Floats,
    Interval,
    f1_parts,
    macro_f1_of,
    resampled_sums,
    wilson,
)
from pilah.evaluation.metrics import (
    LEVELS,
    Coverage,
    calibration_curve,
    calibration_error,
    coverage,
    coverage_at,
    precision_curve,
)
from pilah.evaluation.slices import MIN_ROWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pilah.evaluation.asking import Said
    from pilah.evaluation.slices import Slices

LARGEST = 15
"""Confusions that are listed."""


@dataclass(frozen=True, slots=True)
class Alone:
    """Answers that pass without a person by the bundle's own threshold, chosen at training.

    Attributes:
        rows: how many.
        coverage: their share of all rows.
        precision: how many of them are right; None without any.
    """

    rows: int
    coverage: Interval
    precision: Interval | None


@dataclass(frozen=True, slots=True)
class SliceScore:
    """A part of the rows: how many, how often right, mean confidence and calibration error."""

    rows: int
    accuracy: Interval
    confidence: float
    ece: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows of one label that got another: how many, and their share of that label's rows."""

    truth: str
    answer: str
    rows: int
    share: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures that need no more than answer, confidence and truth.

    Attributes:
        rows: how many were asked.
        accuracy: share right, with its Wilson interval.
        ece: expected calibration error of the confidence, 15 bins.
        coverage_at_95: largest share at 95 % precision, the threshold chosen on these rows.
        alone: what passes without a person, the threshold chosen before.
        calibration: (mean confidence, share right, rows) of ten bins.
        levels: coverage and precision from confidences of 0.6 to 0.99.
        curve: (coverage, precision) points, most confident answers first.
        confusions: the largest ones.
        matrix: truth -> answer -> rows; pairs that do not occur are absent.
        slices: dimension -> value -> score.
    """

    rows: int
    accuracy: Interval
    ece: float
    coverage_at_95: float
    alone: Alone
    calibration: tuple[tuple[float, float, int], ...]
    levels: tuple[Coverage, ...]
    curve: tuple[tuple[float, float], ...]
    confusions: tuple[Confusion, ...]
    matrix: dict[str, dict[str, int]]
    slices: dict[str, dict[str, SliceScore]]


def only(said: Said, kept: NDArray[np.bool_]) -> Said:
    """What was said of some of the rows; ``kept`` has shape (n,)."""
    return type(said)(*(getattr(said, field.name)[kept] for field in fields(said)))


def summarise(said: Said, slices: Slices) -> Summary:
    """Sum up what was said of at least one row.

    Args:
        said: answers and truth.
        slices: row numbers by dimension and value.
    """
    confidence, right = said.confidence, said.right
    matrix = _matrix(said.truth.tolist(), said.answer.tolist())
    return Summary(
        rows=len(right),
        accuracy=wilson(int(right.sum()), len(right)),
        ece=calibration_error(confidence, right),
        coverage_at_95=coverage_at(confidence, right, 0.95),
        alone=_alone(said),
        calibration=calibration_curve(confidence, right),
        levels=tuple(coverage(confidence, right, level) for level in LEVELS),
        curve=precision_curve(confidence, right),
        confusions=_confusions(matrix),
        matrix=matrix,
        slices={
            dimension: {
                value: _slice(only(said, mine))
                for value, rows in values.items()
                if (mine := np.isin(said.rows, rows)).sum() >= MIN_ROWS
            }
            for dimension, values in slices.items()
        },
    )


def macro_f1(
    said: Said, groups: NDArray[np.int64], *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, Floats]:
    """Macro-F1 and its bootstrap samples, shape (resamples,).

    Args:
        said: answers and truth.
        groups: rows with one number are drawn together; of all rows, by row number.
        resamples: how many samples.
        seed: of the draw; two bundles asked the same rows are drawn alike under one seed.
    """
    names = np.concatenate([said.truth, said.answer]).astype(str)
    classes, numbers = np.unique(names, return_inverse=True)
    truth, answer = np.split(numbers, 2)
    parts = f1_parts(truth, answer, len(classes))
    sums = resampled_sums(parts, groups[said.rows], resamples=resamples, seed=seed)
    return float(macro_f1_of(parts.sum(axis=0)[None])[0]), macro_f1_of(sums)


def _alone(said: Said) -> Alone:
    rows, right = int(said.sure.sum()), int((said.sure & said.right).sum())
    return Alone(rows, wilson(rows, len(said.rows)), wilson(right, rows) if rows else None)


def _slice(said: Said) -> SliceScore:
    return SliceScore(
        rows=len(said.rows),
        accuracy=wilson(int(said.right.sum()), len(said.rows)),
        confidence=float(said.confidence.mean()),
        ece=calibration_error(said.confidence, said.right),
    )


def _matrix(truth: Sequence[str], answer: Sequence[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (t, a), n in Counter(zip(truth, answer, strict=True)).most_common():
        found.setdefault(t, {})[a] = n
    return found


def _confusions(matrix: dict[str, dict[str, int]]) -> tuple[Confusion, ...]:
    found = [
        Confusion(truth, answer, n, n / sum(answers.values()))
        for truth, answers in matrix.items()
        for answer, n in answers.items()
        if answer != truth
    ]
    return tuple(sorted(found, key=lambda c: (-c.rows, c.truth, c.answer))[:LARGEST])
