"""Measures a bundle on labelled reports: the plain function behind ``pilah evaluate``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import InputError
from pilah.evaluation.asking import AGENCY, Asked, Said, ask, same_body
from pilah.evaluation.metrics import Scores, score

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.models.linear import FloatArray
    from pilah.models.triage import Triager

BINS = 10


@dataclass(frozen=True, slots=True)
class TargetResult:
    """Figures of one target.

    Attributes:
        scores: on the rows whose label the bundle knows.
        unknown: label -> rows whose label the bundle does not know; they are left out of
            ``scores`` and counted here.
        curve: (mean confidence, share right, rows) of each confidence bin.
    """

    scores: Scores
    unknown: dict[str, int]
    curve: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class AgencyResult:
    """How the final agency answer (rules, learned head or both) compares with the labels."""

    rows: int
    right: int
    in_alternatives: int
    without_person: int
    without_person_right: int


@dataclass(frozen=True, slots=True)
class Result:
    """Everything measured in one run."""

    bundle: str
    rows: int
    targets: dict[str, TargetResult]
    agency: AgencyResult | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def evaluate(
    triager: Triager, rows: Sequence[LabelledReport], tick: Callable[[int], object] = lambda _: None
) -> Result:
    """Measure every head, and the agency answer, on labelled rows.

    Args:
        triager: holds the bundle; nothing is remembered in it.
        rows: labelled reports that the bundle was not trained on.
        tick: called with the number of rows done, for a progress bar.

    Raises:
        InputError: no row has a label that the bundle predicts.
    """
    if not rows:
        raise InputError("no row to measure on")
    asked = ask(triager, rows, tick)
    bundle = asked.bundle
    targets = {
        name: _target(bundle.heads[name].labels, spoken, said)
        for name, spoken in asked.probabilities.items()
        if (said := asked.said.get(name)) is not None and said.known.any()
    }
    if not targets and not any(r.labels.agency for r in rows):
        raise InputError("no row has a label that this bundle predicts; check --map")
    return Result(bundle.version, len(rows), targets, _agency(asked))


def calibration_curve(
    probabilities: FloatArray, truth: NDArray[np.int64]
) -> tuple[tuple[float, float, int], ...]:
    """(mean confidence, share right, rows) for each of ten equal-width bins that has rows."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return tuple(
        (float(confidence[place == b].mean()), float(right[place == b].mean()), int(n))
        for b in range(BINS)
        if (n := np.sum(place == b))
    )


def _target(labels: tuple[str, ...], spoken: FloatArray, said: Said) -> TargetResult:
    number = {label: i for i, label in enumerate(labels)}
    kept = spoken[said.rows[said.known]]
    truth = np.array([number[label] for label in said.truth[said.known]], dtype=np.int64)
    unknown = Counter(str(label) for label in said.truth[~said.known])
    return TargetResult(score(kept, truth, labels), dict(unknown), calibration_curve(kept, truth))


def _agency(asked: Asked) -> AgencyResult | None:
    said = asked.said.get(AGENCY)
    if said is None:
        return None
    near = [
        right or any(same_body(o.name, truth) for o in asked.agencies[row].alternatives)
        for row, right, truth in zip(said.rows, said.right, said.truth, strict=True)
    ]
    return AgencyResult(
        rows=len(said.rows),
        right=int(said.right.sum()),
        in_alternatives=int(sum(near)),
        without_person=int(said.sure.sum()),
        without_person_right=int((said.sure & said.right).sum()),
    )
