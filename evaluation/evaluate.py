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
from pilah.evaluation.findings import Finding, overconfident, promise, weak_labels, weak_slices
from pilah.evaluation.intervals import Interval, percentile
from pilah.evaluation.metrics import Scores, score
from pilah.evaluation.slices import slices_of
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
        unknown: label -> rows whose label the bundle does not know; they are left out of
            ``scores`` and counted here.
    """

    scores: Scores
    macro_f1: Interval
    unknown: dict[str, int]


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
    """Everything measured in one run.

    Attributes:
        bundle: its version.
        rows: how many were asked.
        targets: head -> figures.
        agency: the agency answer end to end, or None without labelled agencies.
        summaries: head, ``agency_answer`` or ``topic_and_agency`` -> intervals, curves, confusions
            and slices.
        findings: what to see first, in sentences.
    """

    bundle: str
    rows: int
    targets: dict[str, TargetResult]
    agency: AgencyResult | None
    summaries: dict[str, Summary]
    findings: tuple[Finding, ...]

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
    kept = {name: only(said, said.known) for name, said in known.items()}
    whole = {name: asked.said[name] for name in (AGENCY, BOTH) if name in asked.said}
    targets = {
        name: TargetResult(
            scores=_scores(asked, name, said),
            macro_f1=percentile(*macro_f1(said, groups)),
            unknown=_unknown(known[name]),
        )
        for name, said in kept.items()
    }
    summaries = {name: summarise(said, slices) for name, said in (kept | whole).items()}
    wanted = asked.bundle.facts.get("config", {}).get("sure_precision")
    return Result(
        bundle=asked.bundle.version,
        rows=len(rows),
        targets=targets,
        agency=_agency(asked, whole[AGENCY]) if AGENCY in whole else None,
        summaries=summaries,
        findings=_findings(summaries, targets, wanted),
    )


def _findings(
    summaries: dict[str, Summary], targets: dict[str, TargetResult], wanted: float | None
) -> tuple[Finding, ...]:
    found: list[Finding | None] = []
    for name, summary in summaries.items():
        # Two answers that are each right nine times in ten are not both right as often.
        found += [promise(name, summary, wanted)] if wanted and name != BOTH else []
        found += [overconfident(name, summary)] if name != BOTH else []
        found += [weak_labels(name, targets[name].scores.per_class)] if name in targets else []
        found += weak_slices(name, summary)
    return tuple(f for f in found if f is not None)


def _unknown(said: Said) -> dict[str, int]:
    return dict(Counter(str(label) for label in said.truth[~said.known]))


def _scores(asked: Asked, name: str, said: Said) -> Scores:
    labels = asked.bundle.heads[name].labels
    number = {label: i for i, label in enumerate(labels)}
    truth = np.array([number[label] for label in said.truth], dtype=np.int64)
    return score(asked.probabilities[name][said.rows], truth, labels)


def _agency(asked: Asked, said: Said) -> AgencyResult:
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
    )
