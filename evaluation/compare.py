"""Is one bundle better than another? Both answer the same rows, and the difference is resampled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import InputError
from pilah.evaluation.asking import Asked, Said, ask
from pilah.evaluation.intervals import RESAMPLES, Floats, percentile, resampled_sums
from pilah.evaluation.slices import MIN_ROWS, slices_of
from pilah.evaluation.summary import macro_f1, only

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.models.triage import Triager

Groups = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Gap:
    """A figure of A and of B, and their difference B - A with its 95 % bootstrap interval."""

    a: float
    b: float
    difference: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A and B on the same rows.

    Attributes:
        rows: how many.
        accuracy: shares of right answers.
        wins: rows that only B has right.
        losses: rows that only A has right.
        p_value: of so uneven wins and losses by chance (McNemar's test, exact).
    """

    rows: int
    accuracy: Gap
    wins: int
    losses: int
    p_value: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Bundle B against bundle A.

    Attributes:
        a: version of A.
        b: version of B.
        rows: rows that both answered.
        targets: head, ``agency_answer`` or ``topic_and_agency`` -> difference in accuracy. A row
            counts when at least one of the bundles knows its label; who does not is wrong there.
        macro_f1: the same targets, without ``topic_and_agency``.
        slices: target -> dimension -> value -> difference in accuracy.
        only_a: targets that B cannot answer.
        only_b: targets that A cannot answer.
    """

    a: str
    b: str
    rows: int
    targets: dict[str, Difference]
    macro_f1: dict[str, Gap]
    slices: dict[str, dict[str, dict[str, Difference]]]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def compare(
    a: Triager,
    b: Triager,
    rows: Sequence[LabelledReport],
    tick: Callable[[int], object] = lambda _: None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Let two bundles answer the same rows and compare them target by target.

    Paired bootstrap (Efron & Tibshirani 1993, ch. 16); rows of one ``incident`` are drawn together.

    Args:
        a: the earlier bundle, usually the live one.
        b: the later one.
        rows: labelled reports that neither was trained on.
        tick: called with the number of rows done, twice ``len(rows)`` in all.
        resamples: bootstrap samples.
        seed: of the draw.

    Raises:
        InputError: there is no row, or no target that both answer and the rows have labels for.
    """
    if not rows:
        raise InputError("no row to compare on")
    asked = ask(a, rows, tick), ask(b, rows, tick)
    pairs = {name: _paired(asked, name) for name in asked[0].said if name in asked[1].said}
    pairs = {name: pair for name, pair in pairs.items() if len(pair[0].rows)}
    if not pairs:
        raise InputError("no target that both bundles answer has labels here; check --map")
    groups = incident_groups(rows)
    draw = {"resamples": resamples, "seed": seed}
    slices = slices_of(rows)
    return Comparison(
        a=a.bundle.version,
        b=b.bundle.version,
        rows=len(rows),
        targets={n: difference(x, y, groups, **draw) for n, (x, y) in pairs.items()},
        macro_f1={
            n: macro_f1_gap(x, y, groups, **draw) for n, (x, y) in pairs.items() if "_and_" not in n
        },
        slices={
            n: {
                dimension: {
                    value: difference(only(x, mine), only(y, mine), groups, **draw)
                    for value, some in values.items()
                    if (mine := np.isin(x.rows, some)).sum() >= MIN_ROWS
                }
                for dimension, values in slices.items()
            }
            for n, (x, y) in pairs.items()
        },
        only_a=_without(asked[0], asked[1]),
        only_b=_without(asked[1], asked[0]),
    )


def incident_groups(rows: Sequence[LabelledReport]) -> Groups:
    """A number for each row; reports of one incident share it, shape (n,)."""
    number: dict[str, int] = {}
    return np.array([
        number.setdefault(r.labels.incident, i) if r.labels.incident else i
        for i, r in enumerate(rows)
    ], dtype=np.int64)  # fmt: skip


def difference(
    a: Said, b: Said, groups: Groups, *, resamples: int = RESAMPLES, seed: int = 0
) -> Difference:
    """Accuracy of B minus that of A.

    Args:
        a: what A said.
        b: what B said of the same rows.
        groups: of all rows that were asked, by row number.
        resamples: bootstrap samples.
        seed: of the draw.
    """
    from scipy.stats import binomtest  # a second that other commands are spared

    parts = np.column_stack([a.right, b.right, np.ones(len(a.rows))]).astype(np.float64)
    sums = resampled_sums(parts, groups[a.rows], resamples=resamples, seed=seed)
    shares = sums[:, :2] / sums[:, 2:]
    wins, losses = int((b.right & ~a.right).sum()), int((a.right & ~b.right).sum())
    return Difference(
        rows=len(a.rows),
        accuracy=_gap(float(a.right.mean()), float(b.right.mean()), shares),
        wins=wins,
        losses=losses,
        p_value=float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0,
    )


def macro_f1_gap(
    a: Said, b: Said, groups: Groups, *, resamples: int = RESAMPLES, seed: int = 0
) -> Gap:
    """Macro-F1 of both and the difference; arguments as for :func:`difference`."""
    (one, samples_one), (two, samples_two) = (
        macro_f1(said, groups, resamples=resamples, seed=seed) for said in (a, b)
    )
    return _gap(one, two, np.column_stack([samples_one, samples_two]))


def _gap(a: float, b: float, samples: Floats) -> Gap:
    around = percentile(b - a, samples[:, 1] - samples[:, 0])
    return Gap(a, b, b - a, around.lower, around.upper)


def _paired(asked: tuple[Asked, Asked], name: str) -> tuple[Said, Said]:
    """What both said of the rows whose label at least one of them knows."""
    a, b = (each.said[name] for each in asked)
    rows = np.intersect1d(a.rows, b.rows)
    known = np.union1d(a.rows[a.known], b.rows[b.known])
    rows = rows[np.isin(rows, known)]
    return only(a, np.isin(a.rows, rows)), only(b, np.isin(b.rows, rows))


def _without(asked: Asked, other: Asked) -> tuple[str, ...]:
    """Targets that one bundle answers and the other has no way to."""
    return tuple(name for name in asked.said if name not in other.said)
