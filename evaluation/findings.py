"""What a person should see first in an evaluation, in sentences; only what the rows prove."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pilah.evaluation.asking import named
from pilah.evaluation.intervals import Interval, wilson

if TYPE_CHECKING:
    from pilah.evaluation.metrics import ClassScore
    from pilah.evaluation.summary import Summary

OVERCONFIDENT = 0.03
"""Mean confidence above the share right by more than this, beyond the interval, is told."""
WEAK_ROWS, WEAK_F1 = 20, 0.3
"""A label with at least so many rows and at most this F1 is told."""
MOST = 5
"""Slices, and labels, that are told of one target."""

Kind = Literal["promise_kept", "promise_broken", "promise_open", "overconfident", "slice", "labels"]


CURES: Mapping[Kind, str] = {
    "promise_broken": "A broken promise: train on newer rows too, or with a higher sure_precision, "
    "before it answers without a person.",
    "promise_open": "An open promise: measure on more rows before you rely on it.",
    "overconfident": "Too sure: these rows differ from those it learned from; train on such ones.",
    "slice": "Worse in a part: train on more rows of that part.",
    "labels": "Hardly found labels: label more rows of them, look through pilah data suspects, or "
    "join those that mean one body (rename).",
}
"""What to do about a finding that is no good news."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on one target; ``good`` is None where the rows do not tell."""

    kind: Kind
    target: str
    good: bool | None
    text: str


def promise(target: str, summary: Summary, wanted: float) -> Finding | None:
    """Is what passes without a person right as often as the bundle was trained for?

    Args:
        target: name.
        summary: its figures.
        wanted: precision, 0 to 1, that the threshold was chosen for.
    """
    found = summary.alone.precision
    if found is None:
        return None
    told = f"right when alone {_told(found)}, promised {wanted:.2f}"
    if found.lower >= wanted:
        return Finding("promise_kept", target, True, f"keeps its promise: {told}")
    if found.upper < wanted:
        return Finding("promise_broken", target, False, f"breaks its promise: {told}")
    return Finding("promise_open", target, None, f"neither keeps nor breaks its promise: {told}")


def overconfident(target: str, summary: Summary) -> Finding | None:
    """Does it promise more than it holds, over all rows?"""
    mean = sum(confidence * n for confidence, _, n in summary.calibration) / summary.rows
    if mean - summary.accuracy.value <= OVERCONFIDENT or mean <= summary.accuracy.upper:
        return None
    text = f"is too sure: mean confidence {mean:.3f}, right {_told(summary.accuracy)}"
    return Finding("overconfident", target, False, text)


def weak_slices(target: str, summary: Summary) -> list[Finding]:
    """The slices that are surely worse than the other rows of their dimension, worst first."""
    found = []
    right = round(summary.accuracy.value * summary.rows)
    for dimension, values in summary.slices.items():
        for value, part in values.items():
            mine = round(part.accuracy.value * part.rows)
            rest = wilson(right - mine, summary.rows - part.rows)
            if summary.rows > part.rows and part.accuracy.upper < rest.lower:
                text = (
                    f"is worse where {dimension} is {value}: {_told(part.accuracy)} on "
                    f"{part.rows:,} rows, elsewhere {rest.value:.3f}"
                )
                gap = rest.value - part.accuracy.value
                found.append((gap, Finding("slice", target, False, text)))
    return [finding for _, finding in sorted(found, key=lambda f: -f[0])[:MOST]]


def weak_labels(target: str, classes: tuple[ClassScore, ...]) -> Finding | None:
    """Labels with enough rows that are hardly ever found."""
    weak = [c for c in classes if c.support >= WEAK_ROWS and c.f1 <= WEAK_F1][:MOST]
    if not weak:
        return None
    names = ", ".join(f"{named(c.label)} (F1 {c.f1:.2f}, {c.support:,} rows)" for c in weak)
    return Finding("labels", target, False, f"hardly finds {names}")


def _told(found: Interval) -> str:
    return f"{found.value:.3f} ({found.lower:.3f}-{found.upper:.3f})"
