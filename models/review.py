"""Why a person must look at an answer: stable reason words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilah.datasets.agencies import load_agencies
from pilah.models.outcome import ACTIONABLE

if TYPE_CHECKING:
    from pilah.models.answer import Agency, OutcomeAnswer, Topic
    from pilah.models.bundle import Bundle
    from pilah.models.reading import Read


def review_reasons(
    bundle: Bundle,
    *,
    read: Read,
    topic: Topic,
    agency: Agency,
    outcome: OutcomeAnswer,
    sure: bool,
) -> tuple[str, ...]:
    """The reasons that hold, most important first; none means that no person must look.

    Args:
        bundle: whose heads answered and whose thresholds count.
        read: the report.
        topic: its topic.
        agency: its agency.
        outcome: its outcome.
        sure: whether the main topic reached its threshold.
    """
    local = agency.level in ("provinsi", "kabkota", "desa")
    chosen = read.report.chosen_agency
    checks = (
        ("topic_unknown", topic.main is None and "topic_main" in bundle.heads),
        ("topic_uncertain", topic.main is not None and not sure),
        ("agency_uncertain", agency.probability < bundle.agency_limit(agency)),
        ("region_unknown", local and agency.government is None),
        ("place_conflict", read.place.conflict),
        (outcome.label, outcome.label != ACTIONABLE),
        ("outcome_uncertain", _unsure(bundle, outcome)),
        ("chosen_agency_differs", chosen is not None and not _same_body(chosen, agency)),
    )
    return tuple(name for name, holds in checks if holds)


def _unsure(bundle: Bundle, outcome: OutcomeAnswer) -> bool:
    head = bundle.heads.get("outcome")
    return (
        head is not None
        and outcome.label == ACTIONABLE
        and outcome.probability < head.sure[outcome.label]
    )


def _same_body(chosen: str, agency: Agency) -> bool:
    """Does the reporter's choice name the routed unit or its government?"""
    resolved = load_agencies().resolve(chosen)
    names = {chosen.casefold(), resolved.name.casefold() if resolved else ""}
    ours = " ".join(n.casefold() for n in (agency.name, agency.government) if n)
    return any(n and re.search(rf"(?<!\w){re.escape(n)}(?!\w)", ours) for n in names)
