"""How a report stands after a history of decisions: pure, nothing is stored or read here.

A history only grows. An undo is an entry of its own that takes the last entry in force out of
force; undoing again takes the one before it. So every decision stays readable, and the standing
after a decision and its undo is the standing before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Action = Literal["label", "forward", "ask", "refuse", "archive", "undo"]
ACTIONS: tuple[Action, ...] = get_args(Action)
Status = Literal["waiting", "decided", "asked", "archived", "sure"]
"""waiting: a person must look; sure: the machine routed it alone; the others: a person acted."""

ARCHIVE_REASONS: Mapping[str, Mapping[str, object]] = {
    "too_general": {"outcome": "needs_information"},
    "wrong_format": {},
    "not_government": {"outcome": "not_government"},
    "out_of_scope": {"outcome": "out_of_scope"},
    "sara": {},
    "no_evidence": {"outcome": "needs_information"},
    "unclear": {"outcome": "needs_information"},
    "prank": {"outcome": "prank"},
    "campaign": {},
    "hoax": {"hoax": True},
}
"""Why a report is archived, kept apart as SP4N-LAPOR! keeps them, and the labels that implies."""
_AFTER: Mapping[str, Status] = {
    "label": "decided",
    "forward": "decided",
    "ask": "asked",
    "archive": "archived",
    "refuse": "waiting",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision, as far as the standing depends on it; ``undoes`` is the number it undoes."""

    number: int
    action: str
    labels: Mapping[str, object]
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a report stands.

    Attributes:
        status: what is due next.
        labels: the labels in force, later ones over earlier ones.
        undoable: number of the decision that an undo would take out of force; None: none is left.
    """

    status: Status
    labels: Mapping[str, object]
    undoable: int | None


def standing_of(entries: Sequence[Entry], *, unsure: bool) -> Standing:
    """Fold a history, oldest first.

    Args:
        entries: the decisions of one report.
        unsure: whether the machine wanted a person to look.
    """
    valid = in_force(entries)
    labels: dict[str, object] = {}
    for entry in valid:
        if entry.action == "refuse":  # whoever was named before it is not competent
            labels = {k: v for k, v in labels.items() if k not in ("agency", "government")}
        labels |= entry.labels
    if not valid:
        return Standing("waiting" if unsure else "sure", {}, None)
    return Standing(_AFTER[valid[-1].action], labels, valid[-1].number)


def in_force(entries: Sequence[Entry]) -> list[Entry]:
    """The decisions that no undo took out of force, oldest first."""
    undone = {entry.undoes for entry in entries if entry.undoes is not None}
    return [e for e in entries if e.number not in undone and e.action != "undo"]
