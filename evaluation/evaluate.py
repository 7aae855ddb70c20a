"""Measures a bundle on labelled reports: the plain function behind ``pilah evaluate``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pilah.datasets.errors import InputError
from pilah.evaluation.asking import AGENCY, BOTH, Asked, Said, ask, same_body
from pilah.evaluation.compare import incident_groups
from pilah.evaluation.intervals import Interval, percentile, wilson
from pilah.evaluation.metrics import Scores, score
from pilah.evaluation.slices import Slices, slices_of
from pilah.evaluation.summary import Summary, macro_f1, only, summarise

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.models.triage import Triager


@dataclass(frozen=True, slots=True)
class TargetResult:
    """Figures of one head, on the rows whose label the bundle knows.

    Attributes:
        scores: accuracy, macro-F1, top 3, calibration and every class.
        macro_f1: with its bootstrap interval.
        summary: intervals, curves, confusions, slices.
        unknown: label -> rows whose label the bundle does not know; they are left out of
            ``scores`` and counted here.
    """

    scores: Scores
    macro_f1: Interval
    summary: Summary
    unknown: dict[str, int]


@dataclass(frozen=True, slots=True)
class AgencyResult:
    """How the final agency answer (rules, learned head or both) compares with the labels.

    Attributes:
        rows: with a labelled agency, those of agencies that the bundle cannot name too.
        right: answers that name it.
        in_alternatives: answers that name it first or among the alternatives.
        without_person: answers from the bundle's own threshold on.
        without_person_right: how many of these name it.
        with_alternatives: ``in_alternatives`` as a share, with its interval.
        summary: intervals, curves, confusions, slices.
    """

    rows: int
    right: int
    in_alternatives: int
    without_person: int
    without_person_right: int
    with_alternatives: Interval
    summary: Summary


@dataclass(frozen=True, slots=True)
class Result:
    """Everything measured in one run.

    Attributes:
        bundle: its version.
        rows: how many were asked.
        targets: head -> figures.
        agency: the agency answer end to end, or None without labelled agencies.
        both: likeliest main topic and final agency right together, or None.
    """

    bundle: str
    rows: int
    targets: dict[str, TargetResult]
    agency: AgencyResult | None
    both: Summary | None

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
    known = {name: asked.said[name] for name in asked.probabilities if name in asked.said}
    known = {name: said for name, said in known.items() if said.known.any()}
    if not known and AGENCY not in asked.said:
        raise InputError("no row has a label that this bundle predicts; check --map")
    slices, groups = slices_of(rows), incident_groups(rows)
    targets = {}
    for name, said in known.items():
        kept = only(said, said.known)
        targets[name] = TargetResult(
            scores=_scores(asked, name, kept),
            macro_f1=percentile(*macro_f1(kept, groups)),
            summary=summarise(kept, slices),
            unknown=dict(Counter(str(label) for label in said.truth[~said.known])),
        )
    both = asked.said.get(BOTH)
    return Result(
        bundle=asked.bundle.version,
        rows=len(rows),
        targets=targets,
        agency=_agency(asked, asked.said[AGENCY], slices) if AGENCY in asked.said else None,
        both=None if both is None else summarise(both, slices),
    )


def _scores(asked: Asked, name: str, said: Said) -> Scores:
    labels = asked.bundle.heads[name].labels
    number = {label: i for i, label in enumerate(labels)}
    truth = np.array([number[label] for label in said.truth], dtype=np.int64)
    return score(asked.probabilities[name][said.rows], truth, labels)


def _agency(asked: Asked, said: Said, slices: Slices) -> AgencyResult:
    near = sum(
        bool(right) or any(same_body(o.name, truth) for o in asked.agencies[row].alternatives)
        for row, right, truth in zip(said.rows, said.right, said.truth, strict=True)
    )
    return AgencyResult(
        rows=len(said.rows),
        right=int(said.right.sum()),
        in_alternatives=near,
        without_person=int(said.sure.sum()),
        without_person_right=int((said.sure & said.right).sum()),
        with_alternatives=wilson(near, len(said.rows)),
        summary=summarise(said, slices),
    )
