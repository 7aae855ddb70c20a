"""Learns when two reports tell of the same incident.

A logistic regression whose weights are drawn towards those set by hand (a Gaussian prior), each
with a sign that it cannot change: agreement never lowers the probability, conflict never raises
it. So evidence that the training pairs never show, such as a shared case number, keeps its sense.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import average_precision_score, log_loss, precision_recall_curve
from sklearn.model_selection import GroupKFold

from pilah.models.incidents import DuplicateThresholds
from pilah.models.pair_features import FEATURES, PLAIN, WordWeights, pair_features
from pilah.models.pairs import PairScorer, plain_scorer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pilah.datasets.records import LabelledReport
    from pilah.models.reading import Fingerprint

    Floats = NDArray[np.float64]

HARD_NEGATIVE_OF = "hard_negative_of"
"""Column of a row that imitates an incident without belonging to it; names the incident."""
MOVED_DAYS = 14
"""A moved stranger comes fewer days than this after the report to which it is moved."""
PRECISION_TARGET = 0.97
POSSIBLE = 0.5
"""A pair that is more likely than not the same incident is shown to a person."""
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)
"""Strengths of the prior that are tried, in pairs."""
FREE = frozenset({"cosine_no_spot"})
AGAINST = frozenset({"conflict", "own_case", "log_days", "log_km", "swapped"})
FLOOR = 0.25
"""Share of its weight by hand that every piece of evidence keeps.

Hard negatives are written, and near strangers picked, to look alike; taken as they come they would
teach that likeness says nothing."""

Kind = Literal["same", "hard", "near", "random", "moved"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows by their positions, whether they tell of the same incident, and how they came.

    A "moved" pair is a stranger taken to the place and time of ``a``: what else people report there
    in the same days. Written corpora are spread over the whole country and hold no such pairs.
    """

    a: int
    b: int
    same: bool
    kind: Kind
    groups: tuple[str, str]


@dataclass(frozen=True, slots=True)
class PairMetrics:
    """Measured on incidents that the scorer was not fitted on.

    Attributes:
        average_precision: over all pairs.
        precision_at_recall_80: highest precision where recall is at least 0.8.
        hard_average_precision: positives against hard negatives only.
        log_loss: in nats.
    """

    pairs: int
    positives: int
    average_precision: float
    precision_at_recall_80: float
    hard_average_precision: float
    log_loss: float


@dataclass(frozen=True, slots=True)
class PairFit:
    """A fitted scorer, thresholds from the precision target, and what it reached held out."""

    scorer: PairScorer
    thresholds: DuplicateThresholds
    metrics: PairMetrics
    strength: float


def training_pairs(
    rows: Sequence[LabelledReport],
    vectors: NDArray[np.float32] | None = None,
    *,
    seed: int = 0,
    near: int = 3,
    other: int = 3,
) -> list[Pair]:
    """Pairs to learn from: same incident, hard negatives, nearest and random strangers.

    Args:
        rows: labelled reports; only those with an incident, or a hard negative's mark, start pairs.
        vectors: L2-normalised embeddings, shape (len(rows), dim); without them no nearest ones.
        seed: of the random strangers.
        near: nearest strangers of each report of an incident.
        other: random strangers of each report of an incident.

    Returns:
        Each unordered pair once, in a stable order, and each stranger a second time, moved.
    """
    maker = _PairMaker(rows)
    found = {**dict(maker.same()), **dict(maker.hard())}
    strangers = {**maker.random(random.Random(seed), other), **maker.near(vectors, near)}  # noqa: S311
    found = strangers | found
    kinds = [*sorted(found.items()), *((pair, "moved") for pair in sorted(strangers))]
    groups = maker.groups
    return [Pair(a, b, k == "same", k, (groups[a], groups[b])) for (a, b), k in kinds]


def fit_pair_scorer(
    pairs: Sequence[Pair],
    fingerprints: Sequence[Fingerprint],
    vectors: NDArray[np.float32],
    *,
    words: WordWeights = PLAIN,
    folds: int = 5,
) -> PairFit:
    """Fit a scorer; measure it on held-out incidents and derive the thresholds there.

    A pair is tested by a scorer that saw no pair of its (first) incident. The scale of the
    log-odds is then corrected on the held-out pairs (Platt 1999) and folded into the weights.

    Args:
        pairs: from :func:`training_pairs`; both classes, at least ``folds`` incidents.
        fingerprints: of all rows.
        vectors: L2-normalised embeddings of all rows, shape (rows, dim).
        words: how telling each word is.
        folds: number of held-out parts.
    """
    matrix = _matrix(pairs, fingerprints, vectors, words)
    same = np.array([pair.same for pair in pairs])
    tried = {s: _held_out(matrix, same, pairs, s, folds) for s in STRENGTHS}
    strength = min(tried, key=lambda s: log_loss(same, expit(tried[s])))
    logits = tried[strength]
    slope, shift = _platt(logits, same)
    scorer = _fit(matrix, same, strength, words, slope, shift)
    calibrated = expit(slope * logits + shift)
    metrics = measure_pairs(pairs, calibrated)
    return PairFit(scorer, _thresholds(same, calibrated), metrics, strength)


def measure_pairs(pairs: Sequence[Pair], probability: Floats) -> PairMetrics:
    """Figures of a scorer on pairs; probabilities have shape (len(pairs),)."""
    same = np.array([pair.same for pair in pairs])
    close = np.array([pair.kind in ("same", "hard") for pair in pairs])
    precision, recall, _ = precision_recall_curve(same, probability)
    return PairMetrics(
        pairs=len(pairs),
        positives=int(same.sum()),
        average_precision=float(average_precision_score(same, probability)),
        precision_at_recall_80=float(precision[recall >= 0.8].max()),
        hard_average_precision=float(average_precision_score(same[close], probability[close])),
        log_loss=float(log_loss(same, probability)),
    )


class _PairMaker:
    """Finds the pairs of one set of rows."""

    def __init__(self, rows: Sequence[LabelledReport]) -> None:
        self.incident = [row.labels.incident for row in rows]
        self.imitates = [row.extra.get(HARD_NEGATIVE_OF) for row in rows]
        named = zip(self.incident, self.imitates, strict=True)
        self.groups = [own or other or f"row {i}" for i, (own, other) in enumerate(named)]
        self.members: dict[str, list[int]] = {}
        for i, incident in enumerate(self.incident):
            if incident:
                self.members.setdefault(incident, []).append(i)

    def same(self) -> Iterator[tuple[tuple[int, int], Kind]]:
        for members in self.members.values():
            yield from ((pair, "same") for pair in combinations(members, 2))

    def hard(self) -> Iterator[tuple[tuple[int, int], Kind]]:
        for i, incident in enumerate(self.imitates):
            for member in self.members.get(incident or "", ()):
                yield (min(i, member), max(i, member)), "hard"

    def random(self, source: random.Random, count: int) -> dict[tuple[int, int], Kind]:
        everyone = range(len(self.groups))
        picked = ((i, source.choice(everyone)) for i in self._starts() for _ in range(count))
        return {(min(i, j), max(i, j)): "random" for i, j in picked if self._strangers(i, j)}

    def near(self, vectors: NDArray[np.float32] | None, count: int) -> dict[tuple[int, int], Kind]:
        found: dict[tuple[int, int], Kind] = {}
        if vectors is None or not count:
            return found
        for i in self._starts():
            order = np.argsort(-(vectors @ vectors[i]), kind="stable").tolist()
            nearest = [j for j in order if self._strangers(i, j)][:count]
            found |= {(min(i, j), max(i, j)): "near" for j in nearest}
        return found

    def _starts(self) -> Iterator[int]:
        return (i for i, incident in enumerate(self.incident) if incident)

    def _strangers(self, i: int, j: int) -> bool:
        return self.groups[i] != self.groups[j]


def _matrix(
    pairs: Sequence[Pair],
    fingerprints: Sequence[Fingerprint],
    vectors: NDArray[np.float32],
    words: WordWeights,
) -> Floats:
    def row(pair: Pair) -> Floats:
        a, b = fingerprints[pair.a], fingerprints[pair.b]
        b = _moved(b, a) if pair.kind == "moved" else b
        return pair_features(a, b, float(vectors[pair.a] @ vectors[pair.b]), words).array()

    return np.stack([row(pair) for pair in pairs])


def _moved(stranger: Fingerprint, to: Fingerprint) -> Fingerprint:
    days = len(stranger.words) % MOVED_DAYS
    moment = to.received_at + timedelta(days=days)
    return replace(stranger, place=to.place, lat=to.lat, lon=to.lon, received_at=moment)


def _held_out(
    matrix: Floats, same: NDArray[np.bool_], pairs: Sequence[Pair], strength: float, folds: int
) -> Floats:
    """Log-odds of every pair from a scorer fitted without any pair of its first incident."""
    first = np.array([pair.groups[0] for pair in pairs])
    second = np.array([pair.groups[1] for pair in pairs])
    logits = np.zeros(len(pairs))
    for _, test in GroupKFold(folds).split(matrix, groups=first):
        train = ~(np.isin(first, first[test]) | np.isin(second, first[test]))
        scorer = _fit(matrix[train], same[train], strength)
        logits[test] = _logits(scorer, matrix[test])
    return logits


def _logits(scorer: PairScorer, matrix: Floats) -> Floats:
    standard = (matrix - np.array(scorer.mean)) / np.array(scorer.scale)
    return np.asarray(standard @ np.array(scorer.weights) + scorer.bias)


def _fit(
    matrix: Floats,
    same: NDArray[np.bool_],
    strength: float,
    words: WordWeights = PLAIN,
    slope: float = 1.0,
    shift: float = 0.0,
) -> PairScorer:
    mean, scale = matrix.mean(axis=0), matrix.std(axis=0)
    scale = np.where(scale < 1e-6, 1.0, scale)
    prior = np.array(plain_scorer().weights) * scale
    solved = _solve((matrix - mean) / scale, same, prior, strength)
    return PairScorer(
        names=FEATURES,
        weights=tuple(map(float, slope * solved[:-1])),
        bias=float(slope * solved[-1] + shift),
        mean=tuple(map(float, mean)),
        scale=tuple(map(float, scale)),
        words=words,
    )


def _solve(standard: Floats, same: NDArray[np.bool_], prior: Floats, strength: float) -> Floats:
    """Weights and, last, the bias: penalised log-likelihood under the sign bounds."""
    sign = np.where(same, 1.0, -1.0)
    inputs = np.hstack([standard, np.ones((len(standard), 1))])
    centre = np.append(prior, 0.0)
    pull = np.append(np.full(len(prior), strength), 0.0)

    def objective(w: Floats) -> tuple[float, Floats]:
        margin = sign * (inputs @ w)
        loss = np.logaddexp(0, -margin).sum() + 0.5 * (pull * (w - centre) ** 2).sum()
        slope = -(inputs.T @ (sign * expit(-margin))) + pull * (w - centre)
        return float(loss), slope

    named = zip(FEATURES, FLOOR * prior, strict=True)
    bounds = [*(_bound(name, floor) for name, floor in named), (None, None)]
    return np.asarray(minimize(objective, centre, jac=True, bounds=bounds, method="L-BFGS-B").x)


def _bound(name: str, floor: float) -> tuple[float | None, float | None]:
    if name in FREE:
        return None, None
    return (None, floor) if name.startswith("other_") or name in AGAINST else (floor, None)


def _platt(logits: Floats, same: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and shift of the log-odds that make held-out probabilities fit (Platt 1999)."""
    sign = np.where(same, 1.0, -1.0)

    def objective(w: Floats) -> float:
        return float(np.logaddexp(0, -sign * (w[0] * logits + w[1])).sum())

    slope, shift = minimize(objective, np.array([1.0, 0.0]), bounds=[(0.05, 5), (-10, 10)]).x
    return float(slope), float(shift)


def _thresholds(same: NDArray[np.bool_], probability: Floats) -> DuplicateThresholds:
    """The lowest threshold that keeps the precision target; a person sees what lies below it."""
    precision, _, cut = precision_recall_curve(same, probability)
    sure = [c for p, c in zip(precision, cut, strict=False) if p >= PRECISION_TARGET]
    duplicate = float(min(sure, default=1.0))
    return DuplicateThresholds(
        duplicate, min(POSSIBLE, duplicate), version=f"p{PRECISION_TARGET:.2f}"
    )
