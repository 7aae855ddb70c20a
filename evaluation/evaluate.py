"""Measures a bundle on labelled reports: the plain function behind ``pilah evaluate``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import InputError
from pilah.datasets.taxonomy import load_taxonomy
from pilah.evaluation.metrics import Scores, score
from pilah.models.bundle import TARGETS

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.models.bundle import Bundle
    from pilah.models.linear import FloatArray
    from pilah.models.triage import Triager

CHUNK = 256
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
    bundle = triager.bundle
    spoken: dict[str, list[FloatArray]] = {name: [] for name in bundle.heads}
    answers: list[tuple[str | None, bool, tuple[str, ...]]] = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        reads = triager.analyse([(str(start + i), r.report) for i, r in enumerate(chunk)])
        features = bundle.features.transform([a.clean.normal for a in reads])
        for name, head in bundle.heads.items():
            spoken[name].append(head.probabilities(features))
        for reading in reads:
            agency = reading.draft.agency
            others = tuple(a.name for a in agency.alternatives)
            answers.append((agency.name, agency.probability >= bundle.agency_sure, others))
        tick(len(chunk))
    targets = {
        name: result
        for name in TARGETS
        if name in bundle.heads
        and (result := _target(bundle, name, np.concatenate(spoken[name]), rows)) is not None
    }
    if not targets and not any(r.labels.agency for r in rows):
        raise InputError("no row has a label that this bundle predicts; check --map")
    return Result(bundle.version, len(rows), targets, _agency(answers, rows))


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


def _target(
    bundle: Bundle, name: str, probabilities: FloatArray, rows: Sequence[LabelledReport]
) -> TargetResult | None:
    labels = bundle.heads[name].labels
    number = {label: i for i, label in enumerate(labels)}
    given = [_label(r, name, own=not bundle.label_set.startswith("sp4n-")) for r in rows]
    known = np.array([i for i, g in enumerate(given) if g in number], dtype=np.int64)
    if not len(known):
        return None
    truth = np.array([number[str(given[i])] for i in known], dtype=np.int64)
    unknown: dict[str, int] = {}
    for label in given:
        if label is not None and label not in number:
            unknown[label] = unknown.get(label, 0) + 1
    kept = probabilities[known]
    return TargetResult(score(kept, truth, labels), unknown, calibration_curve(kept, truth))


def _label(row: LabelledReport, name: str, *, own: bool) -> str | None:
    labels = row.labels
    if name == "route":
        level, unit = row.extra.get("level"), row.extra.get("unit")
        return f"{level}:{unit}" if level and unit else None
    if own or not name.startswith("topic"):
        value: str | None = getattr(labels, name)
        return value
    if labels.topic_main is None or (name == "topic_sub" and labels.topic_sub is None):
        return None
    topic = load_taxonomy().find(
        labels.topic_main, labels.topic_sub if name == "topic_sub" else None
    )
    return topic.id if topic else f"{labels.topic_main} / {labels.topic_sub or '-'}"


def _agency(
    answers: list[tuple[str | None, bool, tuple[str, ...]]], rows: Sequence[LabelledReport]
) -> AgencyResult | None:
    pairs = [(a, r.labels.agency) for a, r in zip(answers, rows, strict=True) if r.labels.agency]
    if not pairs or all(name is None for (name, _, _), _ in pairs):
        return None
    right = [same_body(a[0], label) for a, label in pairs]
    near = [
        hit or any(same_body(o, label) for o in a[2])
        for hit, (a, label) in zip(right, pairs, strict=True)
    ]
    sure = [a[1] for a, _ in pairs]
    return AgencyResult(
        rows=len(pairs),
        right=sum(right),
        in_alternatives=sum(near),
        without_person=sum(sure),
        without_person_right=sum(s and r for s, r in zip(sure, right, strict=True)),
    )


OFFICES = (
    "pemerintah desa", "pemerintah nagari", "pemerintah kalurahan", "pemerintah gampong",
    "pemerintah kampung", "kelurahan", "kecamatan", "kapanewon", "kemantren", "distrik",
)  # fmt: skip
"""Offices that the answer names with their place, where a label may give the office alone."""


def same_body(name: str | None, label: str | None) -> bool:
    """Whether an answer names the labelled body, letter case aside."""
    if name is None or label is None:
        return False
    ours, theirs = name.casefold(), label.casefold()
    return ours == theirs or (theirs in OFFICES and ours.startswith(f"{theirs} "))
