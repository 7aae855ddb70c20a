"""May a bundle go live? Not when it loses to the live one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilah.evaluation.compare import Comparison
    from pilah.models.bundle import Bundle

TOLERANCE = 0.01
"""Accuracy that a target may lose."""


def losses(comparison: Comparison, tolerance: float = TOLERANCE) -> tuple[str, ...]:
    """Why bundle B must not take the place of A, a line each; empty when it may.

    A target counts as lost when B's accuracy is lower by more than the tolerance, or when B has no
    answer to it. The difference itself decides, not its interval: on a small set a real loss could
    hide in the noise, and a person may still force the change.

    Args:
        comparison: B against A, on rows that neither was trained on.
        tolerance: accuracy, 0 to 1.
    """
    lost = [
        f"{name}: {gap.b:.3f} instead of {gap.a:.3f} ({gap.difference:+.3f}; 95 % interval "
        f"{gap.lower:+.3f} to {gap.upper:+.3f}, {d.rows:,} rows)"
        for name, d in comparison.targets.items()
        if (gap := d.accuracy).difference < -tolerance
    ]
    return (*lost, *(_no_answer(name) for name in comparison.only_a))


def unanswered(live: Bundle, fresh: Bundle) -> tuple[str, ...]:
    """What the live bundle answers and the fresh one does not, a line each; needs no rows.

    Heads for the agency and for the route answer the same question, and a city's own topics may
    have no sub-topics.
    """
    gone = set(live.heads) - set(fresh.heads) - {"topic_sub"}
    bodies = {"agency", "route"}
    gone -= bodies if bodies & set(fresh.heads) else set()
    return tuple(_no_answer(name) for name in sorted(gone))


def _no_answer(name: str) -> str:
    return f"{name}: it has no answer"
