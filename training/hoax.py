"""Fits the learned part of the hoax detector on labelled reports; ``make hoax`` runs it.

Rows of one batch stay in one fold. Calibration and threshold come from held-out folds. Copies of
campaigns are left out: a single copy tells nothing, the burst around it does (see
:func:`pilah.models.hoax.campaign`).
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from pilah.datasets.errors import InputError
from pilah.datasets.readers import BadRow, read_rows
from pilah.datasets.regions import load_regions
from pilah.models.hoax_signs import HoaxInput
from pilah.models.hoax_style import (
    BUCKETS,
    CHAR_FLOOR,
    WORD_FLOOR,
    StyleModel,
    chars_of,
    damped,
    evidence_of,
    grams_of,
    plain_words,
)
from pilah.models.places import PlaceReader
from pilah.models.text import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilah.datasets.records import LabelledReport

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HoaxSettings:
    """How the learned part is fitted; all chosen by cross-validation on the training split.

    Attributes:
        strength: inverse regularisation of the logistic regression.
        hard: weight of a hard legitimate row (an ordinary one has 1).
        hoax: weight of a hoax-like row.
        evidence: scale of the evidence features beside the n-grams of length 1.
        least: word n-grams stand in so many hoax-like or hard legitimate texts.
        alarms: largest share of hard legitimate rows above the threshold, held out.
        ordinary: largest share of ordinary rows above it, held out.
        folds: of the cross-validation.
        seed: of the folds.
    """

    strength: float = 8.0
    hard: float = 8.0
    hoax: float = 4.0
    evidence: float = 0.3
    least: int = 3
    alarms: float = 0.01
    ordinary: float = 0.005
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class HoaxRows:
    """Labelled rows, read: what the model sees and what it should say, each of length n."""

    seen: list[HoaxInput]
    hoax: Bools
    hard: Bools
    groups: Ints


@dataclass(frozen=True, slots=True)
class FittedStyle:
    """The model, and the held-out probability of every training row, shape (n,)."""

    model: StyleModel
    held_out: Floats


def read_hoax_rows(paths: Sequence[Path]) -> HoaxRows:
    """Rows with a ``hoax`` label, without the copies of campaigns.

    Raises:
        InputError: a row is bad, or there are not both kinds.
    """
    rows = [row for path in paths for row in _labelled(path) if not is_copy(row)]
    hoax = np.array([row.labels.hoax for row in rows], dtype=bool)
    if hoax.all() or not hoax.any():
        raise InputError("both hoax-like and other rows are needed")
    hard = np.array([row.extra.get("hoax_kind") == "legit" for row in rows])
    names = [str(row.extra.get("batch") or row.report.id) for row in rows]
    number = {name: i for i, name in enumerate(sorted(set(names)))}
    reader = PlaceReader(load_regions())
    seen = [hoax_input(row, reader) for row in rows]
    return HoaxRows(seen, hoax, hard, np.array([number[name] for name in names], dtype=np.int64))


def hoax_input(row: LabelledReport, reader: PlaceReader) -> HoaxInput:
    """What the detectors see of a report that stands alone."""
    clean = read_text(row.report.full_text)
    region = load_regions().resolve(row.report.region)
    return HoaxInput(clean, reader.read(clean.fixed, region, row.report.location))


def fit_style(rows: HoaxRows, settings: HoaxSettings | None = None) -> FittedStyle:
    """Fit, calibrate and choose the threshold."""
    settings = settings or HoaxSettings()
    views = _Views(rows, settings)
    scores = _held_out(views.matrix, rows, settings)
    scale, shift = _platt(scores, rows.hoax)
    held_out = 1 / (1 + np.exp(-(scale * scores + shift)))
    machine = _machine(views.matrix, rows, np.arange(len(rows.seen)), settings)
    flag = threshold(held_out, rows, settings)
    weights, bias = machine.coef_[0], float(machine.intercept_[0])
    return FittedStyle(views.model(weights, (bias, scale, shift, flag)), held_out)


def threshold(held_out: Floats, rows: HoaxRows, settings: HoaxSettings) -> float:
    """The smallest probability that keeps both shares of false alarms."""
    sides = ((rows.hard, settings.alarms), (~rows.hoax & ~rows.hard, settings.ordinary))
    return max(_top(held_out[of], share) for of, share in sides if of.any())


def _top(values: Floats, share: float) -> float:
    """Above this value lies at most that share of the values."""
    allowed = int(share * len(values))
    return float(np.nextafter(np.sort(values)[::-1][allowed], 1))


class _Views:
    """The columns: word n-grams, character n-grams, evidence."""

    def __init__(self, rows: HoaxRows, settings: HoaxSettings) -> None:
        grams = [grams_of(plain_words(seen.clean.normal)) for seen in rows.seen]
        hard = rows.hoax | rows.hard
        known = Counter(g for of, kept in zip(grams, hard, strict=True) if kept for g in of)
        self.names = sorted(g for g, n in known.items() if n >= settings.least)
        column = {name: i for i, name in enumerate(self.names)}
        words = _counts(
            [{column[g]: n for g, n in of.items() if g in column} for of in grams], len(column)
        )
        pairs = [chars_of(plain_words(seen.clean.normal)) for seen in rows.seen]
        chars = _counts([dict(zip(*pair, strict=True)) for pair in pairs], BUCKETS)
        evidence = csr_matrix([evidence_of(seen) for seen in rows.seen]) * settings.evidence
        self.word_idf, self.char_idf = _idf(words), _idf(chars)
        self.scale = settings.evidence
        self.matrix = hstack(
            [
                _tfidf(words, self.word_idf, WORD_FLOOR),
                _tfidf(chars, self.char_idf, CHAR_FLOOR),
                evidence,
            ],
            "csr",
        )

    def model(self, weights: Floats, numbers: tuple[float, float, float, float]) -> StyleModel:
        """The model of fitted column weights and (bias, scale, shift, flag)."""
        words, chars, evidence = np.split(weights, np.cumsum([len(self.names), BUCKETS]))
        told = zip(self.names, self.word_idf.tolist(), words.tolist(), strict=True)
        table = np.vstack([self.char_idf, chars]).astype(np.float32)
        return StyleModel(
            {g: (idf, w) for g, idf, w in told},
            table,
            tuple((evidence * self.scale).tolist()),
            *numbers,
        )


def _counts(rows: Sequence[Mapping[int, int]], size: int) -> csr_matrix:
    """Sublinear counts, shape (n, size)."""
    flat = [(i, j, 1 + np.log(n)) for i, row in enumerate(rows) for j, n in row.items()]
    i, j, values = zip(*flat, strict=True)
    return csr_matrix((values, (i, j)), shape=(len(rows), size))


def _idf(counts: csr_matrix) -> Floats:
    """Smoothed inverse document frequency, as scikit-learn's."""
    holding = np.asarray((counts > 0).sum(axis=0)).ravel()
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + holding)) + 1, dtype=np.float64)


def _tfidf(counts: csr_matrix, idf: Floats, floor: float) -> csr_matrix:
    weighed = counts @ diags(idf)
    squares = np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel()
    return diags([1 / damped(square, floor) for square in squares]) @ weighed


def _held_out(matrix: csr_matrix, rows: HoaxRows, settings: HoaxSettings) -> Floats:
    scores = np.zeros(len(rows.seen))
    folds = GroupKFold(settings.folds, shuffle=True, random_state=settings.seed)
    for fit, test in folds.split(scores, groups=rows.groups):
        scores[test] = _machine(matrix, rows, fit, settings).decision_function(matrix[test])
    return scores


def _machine(
    matrix: csr_matrix, rows: HoaxRows, fit: Ints, settings: HoaxSettings
) -> LogisticRegression:
    weight = np.where(rows.hoax, settings.hoax, np.where(rows.hard, settings.hard, 1.0))
    machine = LogisticRegression(
        C=settings.strength, solver="liblinear", max_iter=400, random_state=0
    )
    return machine.fit(matrix[fit], rows.hoax[fit], sample_weight=weight[fit])


def _platt(scores: Floats, hoax: Bools) -> tuple[float, float]:
    """Scale and shift of Platt's calibration (1999)."""
    machine = LogisticRegression(C=1e6).fit(scores[:, None], hoax)
    return float(machine.coef_[0, 0]), float(machine.intercept_[0])


def _labelled(path: Path) -> list[LabelledReport]:
    found = []
    for row in read_rows(path):
        if isinstance(row.content, BadRow):
            raise InputError(f"{path}:{row.line}: {row.content.problem}; {row.content.cure}")
        if row.content.labels.hoax is not None:
            found.append(row.content)
    return found


def is_copy(row: LabelledReport) -> bool:
    """Whether a row is one copy of a campaign."""
    return bool(row.labels.hoax) and row.extra.get("hoax_kind") == "campaign"


def main(arguments: Sequence[str]) -> None:
    """Fit on the files that are named first; the last name is the file to write."""
    *sources, target = map(Path, arguments)
    fitted = fit_style(read_hoax_rows(sources))
    fitted.model.save(target)


if __name__ == "__main__":
    main(sys.argv[1:])
