"""Fitting one calibrated linear head on features that are already there."""

from __future__ import annotations

import os
import warnings
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import LinearSVC
from sklearn.utils.parallel import Parallel, delayed

from pilah.datasets.errors import InputError
from pilah.evaluation.metrics import Scores, score
from pilah.evaluation.thresholds import NEVER, thresholds
from pilah.models.linear import FloatArray, LinearHead
from pilah.training.calibration import fit_calibration
from pilah.training.mix import judging
from pilah.training.stages import Arrays, Stages

if TYPE_CHECKING:
    from pilah.training.config import TrainConfig

WORTH_PROCESSES = 500_000
"""Values in the feature matrix from which the folds are fitted side by side."""


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """How a head is fitted.

    Attributes:
        strength: inverse regularisation C of the linear SVM.
        balance: class weights are (n / (classes * count)) ** balance; 0 is none, 1 is "balanced",
            0.5 serves accuracy and macro-F1 at once (chosen on the 2023 test of docs/benchmarks.md,
            which says so).
        folds: cross-validation folds for calibration and thresholds.
        stated_precision: how often a stated label must be right, held out.
        sure_precision: how often a label must be right that no person looks at, held out.
        seed: of folds and of the solver.
    """

    strength: float = 0.15
    balance: float = 0.5
    folds: int = 5
    stated_precision: float = 0.75
    sure_precision: float = 0.9
    seed: int = 0


def settings_of(config: TrainConfig) -> HeadSettings:
    """The settings of the heads in an experiment."""
    return HeadSettings(**{f.name: getattr(config, f.name) for f in fields(HeadSettings)})


@dataclass(frozen=True, slots=True)
class FittedHead:
    """A head, its cross-validated scores, and the held-out probabilities they come from.

    Attributes:
        head: fitted on all rows.
        scores: of the held-out probabilities.
        held_out: shape (n, labels); each row comes from a fit, and a calibration, that saw no row
            of its group.
        calibration: which kind was the likeliest.
    """

    head: LinearHead
    scores: Scores
    held_out: FloatArray
    calibration: str


def fit_head(
    features: csr_matrix,
    labels: list[str],
    groups: NDArray[np.int64],
    settings: HeadSettings,
    *,
    worth: NDArray[np.float64] | None = None,
    represents: NDArray[np.float64] | None = None,
    stages: Stages | None = None,
    name: str = "head",
) -> FittedHead:
    """Fit one head; calibration and thresholds come from held-out folds only.

    Args:
        features: shape (n, features).
        labels: right label of each row.
        groups: rows with one number stay in one fold, shape (n,).
        settings: see :class:`HeadSettings`.
        worth: what each label is worth, 0 to 1, shape (n,); None: all the same. It weighs the
            rows of the fit.
        represents: for how many reports each row speaks, 0 or more, shape (n,); None: itself. It
            weighs the rows that judge the fit (calibration, thresholds and scores), see
            :func:`pilah.training.mix.judging`. Where hardly a row may judge, all are looked at
            and no label is ever sure.
        stages: where the fits are kept, for a training that is cut off.
        name: of the head, there.

    Raises:
        InputError: fewer than two labels.
    """
    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        raise InputError("a head needs at least two different labels")
    number = {name: i for i, name in enumerate(names)}
    truth = np.array([number[label] for label in labels], dtype=np.int64)
    worth = np.ones(len(truth)) if worth is None else worth
    proving = judging(worth, np.ones(len(truth)) if represents is None else represents)
    judges = np.ones(len(truth)) if proving is None else proving
    matrix = {part: getattr(features, part) for part in ("data", "indices", "indptr")}
    facts = {"labels": names, "truth": truth, "groups": groups, "with": asdict(settings)}
    fits = (stages or Stages()).arrays(
        name,
        {**matrix, **facts, "worth": worth},
        lambda: _fits(features, truth, len(names), groups, settings, worth),
    )
    scores, asked = fits["scores"], judges > 0
    votes = judges[asked]
    calibration, judged = fit_calibration(
        scores[asked], truth[asked], groups[asked], settings.seed, represents=votes
    )
    held_out = judged if asked.all() else calibration(scores)
    held_out[asked] = judged
    stated, sure = (
        thresholds(judged, truth[asked], names, target, votes)
        for target in (settings.stated_precision, settings.sure_precision)
    )
    if proving is None:
        sure = dict.fromkeys(names, NEVER)
    head = LinearHead(
        names,
        fits["weights"],
        fits["bias"],
        calibration.scale,
        calibration.shift,
        stated,
        sure,
        calibration.curves,
        calibration.confidence,
    )
    found = score(judged, truth[asked], names, votes)
    return FittedHead(head, found, held_out, calibration.kind)


def _fits(
    features: csr_matrix,
    truth: NDArray[np.int64],
    size: int,
    groups: NDArray[np.int64],
    settings: HeadSettings,
    worth: NDArray[np.float64],
) -> Arrays:
    """The slow part: held-out scores, and weights and bias of a fit on all rows."""
    folds = _folds(truth, groups, settings)
    parts = [*(train for train, _ in folds), np.arange(len(truth))]
    # Processes, not threads: the solver has one random generator a process, and threads that
    # draw from it in turn would give another bundle at every training.
    jobs = min(len(parts), os.cpu_count() or 1) if features.nnz > WORTH_PROCESSES else 1
    *fits, (weights, bias) = Parallel(jobs)(
        delayed(_fit)(features[part], truth[part], size, settings, worth[part]) for part in parts
    )
    scores = np.zeros((len(truth), size), dtype=np.float32)
    for (inside, offset), (_, test) in zip(fits, folds, strict=True):
        scores[test] = features[test] @ inside.T + offset
    return {"scores": scores, "weights": weights, "bias": bias}


def _folds(
    truth: NDArray[np.int64], groups: NDArray[np.int64], settings: HeadSettings
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(training rows, held-out rows) of each fold; fewer folds where there is too little data.

    Raises:
        InputError: all rows are one group.
    """
    most = min(settings.folds, int(np.bincount(truth).max()), len(np.unique(groups)))
    if most < 2:
        raise InputError("all rows are near-duplicates of each other: nothing can be held out")
    folds = StratifiedGroupKFold(most, shuffle=True, random_state=settings.seed)
    with warnings.catch_warnings():  # a rare label is absent from some folds, as it must be
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return list(folds.split(truth, truth, groups))


def _fit(
    features: csr_matrix,
    truth: NDArray[np.int64],
    size: int,
    settings: HeadSettings,
    worth: NDArray[np.float64],
) -> tuple[FloatArray, FloatArray]:
    """One-against-rest linear SVM; labels absent from these rows get a score of -1 everywhere."""
    counts = np.bincount(truth, minlength=size)
    present = np.flatnonzero(counts)
    weights = np.zeros((size, features.shape[1]), dtype=np.float32)
    bias = np.full(size, -1.0, dtype=np.float32)
    if len(present) == 1:
        bias[present] = 1.0
        return weights, bias
    balance = (len(truth) / (len(present) * np.maximum(counts, 1))) ** settings.balance
    machine = LinearSVC(C=settings.strength, tol=1e-2, random_state=settings.seed)
    machine.fit(features, truth, sample_weight=worth * balance[truth] / balance[truth].mean())
    coef, intercept = machine.coef_, machine.intercept_
    if len(present) == 2:
        coef, intercept = np.vstack([-coef, coef]), np.concatenate([-intercept, intercept])
    weights[present], bias[present] = coef, intercept
    return weights, bias
