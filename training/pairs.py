"""Learns when two reports tell of the same incident.

A logistic regression in which every feature has a sign that it cannot change: agreement never
lowers the probability, conflict never raises it. So the many near-copies among written strangers
cannot teach that likeness speaks against. A strong ridge spreads the weight over evidence that
goes together (in the field no single piece of it is always there), and draws evidence that the
training pairs hardly show, such as a shared case number, to its weight by hand.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import average_precision_score, log_loss, precision_recall_curve
from sklearn.model_selection import GroupKFold

from pilah.models.pair_features import FEATURES, pair_features
from pilah.models.pairs import PairScorer, plain_scorer
from pilah.models.rarity import Rarity
from pilah.models.scoring import DuplicateThresholds
from pilah.models.word_weights import PLAIN, WordWeights
from pilah.training.tellings import AGAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pilah.training.pair_sets import Pair

    Floats = NDArray[np.float64]

PRECISION_TARGET = 0.98
"""Of the held-out pairs called duplicate this share is right, in the proportions of a service. In
the field fewer are than among written reports: with 0.97 of a city's 93 % were."""
SERVED = {
    ("same", "retold", "reminded"): 0.25, ("hard",): 0.1, ("beside",): 1.0, ("neighbour",): 10.0,
    ("moved",): 50.0,
}  # fmt: skip
"""How many pairs of these kinds a report of a service makes: the proportions in which the
probability is calibrated and the duplicate threshold is found. The share of repeats was set after
reading which pairs of July to December 2022 were the same at which probability."""
SHOWN_FROM = 0.5
"""Probability from which a person sees a pair: as likely as not. So about one report in twelve of a
city is shown, by what a scorer made of those of July to December 2022."""
STRENGTH = 0.05
"""Ridge on standardised weights, per unit of sample weight."""
LEAST_SCALE = 0.03
"""Least scale of a feature: rare evidence gets no larger weight than evidence seen often."""
MIX = {
    "same": 0.25, "retold": 0.07, "reminded": 0.1, "hard": 0.11, "beside": 0.1, "neighbour": 0.25,
    "moved": 0.15, "topic": 0.03, "random": 0.03,
}  # fmt: skip
"""Share of the fit that each kind of pair has, chosen for pairs of the field: strangers' reports
of one incident, the same writer again, imitations, the same street with another matter, the same
matter in the same village, and others there."""
UNREAD = frozenset({"overlap", "containment", "matter_overlap"})
"""Features for the evidence alone: of words in common, rare ones tell more than many."""
FITTED = tuple(name for name in FEATURES if name not in UNREAD)
WRITTEN = ("same", "hard", "random", "topic")
"""Kinds that the figures are measured on: both texts are somebody's own."""
AGAINST = ("other_", "left_", "swapped_", "copied_", "own_case", "log_")
"""Beginnings of the names of features that speak against."""
BY_HAND = frozenset(
    {"same_case", "same_reporter", "near", "log_km", "exact_copy", "same_no", "other_no",
     "same_rt", "other_rt", "same_rw", "other_rw", "same_blok", "other_blok", "other_lane",
     "other_kin", "other_sender"}
)  # fmt: skip
"""Features that the training pairs hardly show: fewer than one in five hundred."""


@dataclass(frozen=True, slots=True)
class PairMetrics:
    """Measured on incidents that the scorer was not fitted on.

    Attributes:
        pairs: written ones; ``positives`` of them of one incident.
        average_precision: over them.
        precision_at_recall_80: highest precision where recall is at least 0.8.
        hard_average_precision: positives against imitations only.
        retold_recall: share of the retellings called duplicate.
        log_loss: in nats, in the proportions of a service.
    """

    pairs: int
    positives: int
    average_precision: float
    precision_at_recall_80: float
    hard_average_precision: float
    retold_recall: float
    log_loss: float


@dataclass(frozen=True, slots=True)
class PairFit:
    """A fitted scorer, thresholds from the precision target, and what it reached held out."""

    scorer: PairScorer
    thresholds: DuplicateThresholds
    metrics: PairMetrics


def fit_pair_scorer(
    pairs: Sequence[Pair],
    *,
    words: WordWeights = PLAIN,
    written: WordWeights = PLAIN,
    folds: int = 5,
) -> PairFit:
    """Fit a scorer; measure it on held-out incidents and derive the thresholds there.

    A pair is tested by a scorer that saw no pair of its (first) incident. The scale of the
    log-odds is then corrected on the held-out pairs (Platt 1999), strangers in the numbers that a
    service meets, and folded into the weights.

    Args:
        pairs: of both classes, with at least ``folds`` incidents.
        words: how telling each content word is.
        written: in how many texts each written word stands.
        folds: number of held-out parts.
    """
    matrix = features_of(pairs, words, Rarity(written))
    same = np.array([pair.same for pair in pairs])
    weight = mixed_weights(pairs)
    logits = _held_out(matrix, same, weight, pairs, folds)
    slope, shift = _platt(logits, same, served_weights(pairs))
    scorer = replace(_fit(matrix, same, weight, slope, shift), words=words, written=written)
    calibrated = expit(slope * logits + shift)
    thresholds = find_thresholds(pairs, calibrated)
    return PairFit(scorer, thresholds, measure_pairs(pairs, calibrated, thresholds))


def features_of(pairs: Sequence[Pair], words: WordWeights, rarity: Rarity) -> Floats:
    """What a scorer reads of pairs, shape (len(pairs), len(FITTED))."""
    columns = [FEATURES.index(name) for name in FITTED]
    rare = (rarity.pair(p.a.written, p.b.written) for p in pairs)
    rows = (pair_features(p.a, p.b, p.cosine, words, r) for p, r in zip(pairs, rare, strict=True))
    return np.stack([row.array()[columns] for row in rows])


def mixed_weights(pairs: Sequence[Pair]) -> Floats:
    """Weights, shape (len(pairs),), by :data:`MIX`, whatever the numbers of pairs; 1 on average."""
    count = Counter(pair.kind for pair in pairs)
    weight = np.array([MIX[pair.kind] / count[pair.kind] for pair in pairs])
    return np.asarray(weight * len(pairs) / weight.sum())


def measure_pairs(
    pairs: Sequence[Pair], probability: Floats, thresholds: DuplicateThresholds
) -> PairMetrics:
    """Figures of a scorer on pairs; probabilities have shape (len(pairs),)."""
    same = np.array([pair.same for pair in pairs])
    kinds = np.array([pair.kind for pair in pairs])
    weight = served_weights(pairs)
    written, close = np.isin(kinds, WRITTEN), np.isin(kinds, ("same", "hard"))
    retold = probability[np.isin(kinds, AGAIN)] >= thresholds.duplicate
    precision, recall, _ = precision_recall_curve(same[written], probability[written])
    return PairMetrics(
        pairs=int(written.sum()),
        positives=int(same[written].sum()),
        average_precision=float(average_precision_score(same[written], probability[written])),
        precision_at_recall_80=float(precision[recall >= 0.8].max()),
        hard_average_precision=float(average_precision_score(same[close], probability[close])),
        retold_recall=float(retold.mean()) if len(retold) else 0.0,
        log_loss=float(log_loss(same, probability, sample_weight=weight)),
    )


def find_thresholds(pairs: Sequence[Pair], probability: Floats) -> DuplicateThresholds:
    """From where a pair is a duplicate, and from where a person sees it.

    Duplicate: the lowest threshold that keeps the precision target. Possible: :data:`SHOWN_FROM`.
    """
    same = np.array([pair.same for pair in pairs])
    weight = served_weights(pairs)
    precision, _, cut = precision_recall_curve(same, probability, sample_weight=weight)
    sure = [c for p, c in zip(precision, cut, strict=False) if p >= PRECISION_TARGET]
    duplicate = float(min(sure, default=1.0))
    return DuplicateThresholds(
        duplicate, min(SHOWN_FROM, duplicate), version=f"p{PRECISION_TARGET:.2f}"
    )


def served_weights(pairs: Sequence[Pair]) -> Floats:
    """Weights, shape (len(pairs),), in the proportions of :data:`SERVED`; in sum 1."""
    kinds = np.array([pair.kind for pair in pairs])
    weight = np.zeros(len(pairs))
    for group, count in SERVED.items():
        inside = np.isin(kinds, group)
        weight[inside] = count / max(1, int(inside.sum()))
    return np.asarray(weight / weight.sum())


def _held_out(
    matrix: Floats, same: NDArray[np.bool_], weight: Floats, pairs: Sequence[Pair], folds: int
) -> Floats:
    """Log-odds of every pair from a scorer fitted without any pair of its first incident."""
    first = np.array([pair.groups[0] for pair in pairs])
    second = np.array([pair.groups[1] for pair in pairs])
    logits = np.zeros(len(pairs))
    for _, test in GroupKFold(folds).split(matrix, groups=first):
        train = ~(np.isin(first, first[test]) | np.isin(second, first[test]))
        scorer = _fit(matrix[train], same[train], weight[train])
        logits[test] = _logits(scorer, matrix[test])
    return logits


def _logits(scorer: PairScorer, matrix: Floats) -> Floats:
    standard = (matrix - np.array(scorer.mean)) / np.array(scorer.scale)
    return np.asarray(standard @ np.array(scorer.weights) + scorer.bias)


def _fit(
    matrix: Floats,
    same: NDArray[np.bool_],
    weight: Floats,
    slope: float = 1.0,
    shift: float = 0.0,
) -> PairScorer:
    mean = np.average(matrix, axis=0, weights=weight)
    spread = np.sqrt(np.average((matrix - mean) ** 2, axis=0, weights=weight))
    scale = np.maximum(spread, LEAST_SCALE)
    by_hand = dict(zip(FEATURES, plain_scorer().weights, strict=True))
    centre = np.array([by_hand[name] if name in BY_HAND else 0.0 for name in FITTED]) * scale
    solved = _solve((matrix - mean) / scale, same, weight, centre)
    return PairScorer(
        names=FITTED,
        weights=tuple(map(float, slope * solved[:-1])),
        bias=float(slope * solved[-1] + shift),
        mean=tuple(map(float, mean)),
        scale=tuple(map(float, scale)),
    )


def _solve(standard: Floats, same: NDArray[np.bool_], weight: Floats, centre: Floats) -> Floats:
    """Weights and, last, the bias: penalised log-likelihood under the sign bounds."""
    sign = np.where(same, 1.0, -1.0)
    inputs = np.hstack([standard, np.ones((len(standard), 1))])
    middle = np.append(centre, 0.0)
    pull = np.append(np.full(len(centre), STRENGTH * weight.sum()), 0.0)

    def objective(w: Floats) -> tuple[float, Floats]:
        margin = sign * (inputs @ w)
        loss = (weight * np.logaddexp(0, -margin)).sum() + 0.5 * (pull * (w - middle) ** 2).sum()
        slope = -(inputs.T @ (weight * sign * expit(-margin))) + pull * (w - middle)
        return float(loss), slope

    bounds = [*((None, 0) if is_against(n) else (0, None) for n in FITTED), (None, None)]
    return np.asarray(minimize(objective, middle, jac=True, bounds=bounds, method="L-BFGS-B").x)


def is_against(feature: str) -> bool:
    """Whether a feature can only speak against the same incident."""
    return feature.startswith(AGAINST)


def _platt(logits: Floats, same: NDArray[np.bool_], weight: Floats) -> tuple[float, float]:
    """Slope and shift of the log-odds that make held-out probabilities fit (Platt 1999)."""
    sign = np.where(same, 1.0, -1.0)

    def objective(w: Floats) -> float:
        return float((weight * np.logaddexp(0, -sign * (w[0] * logits + w[1]))).sum())

    slope, shift = minimize(objective, np.array([1.0, 0.0]), bounds=[(0.05, 20), (-20, 20)]).x
    return float(slope), float(shift)
