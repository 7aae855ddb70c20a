"""What is looked at first: whose time runs out, and where a wrong route would do the most harm.

A report is ranked by the moment it is due, brought forward by the harm that waiting does::

    rank = due - 48 h * risk - min(48 h, 8 h * floor(log2(reports of the incident)))

``risk`` is the probability that the report is sent on, and to a wrong agency. Both bounds are the
service's own choice: doubt, or an incident of 64 reports, weighs as much as two days of waiting.
The rank does not depend on the present, so the order holds while nothing happens and an index
keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

ROUTED = ("actionable", "needs_information")
"""Outcomes that an agency gets."""
RISK_HOURS = 48.0
SIZE_HOURS = 8.0
MAX_SIZE_HOURS = 48.0


def risk_of(outcome: Mapping[str, Any], agency: float) -> float:
    """How likely the report goes on to a wrong agency, 0 to 1.

    Args:
        outcome: as in a suggestion; what is no case for an agency does no harm there.
        agency: probability of the suggested agency.
    """
    sure: float = outcome["probability"]
    return (1.0 - agency) * (sure if outcome["label"] in ROUTED else 1.0 - sure)


def harm_hours(*, risk: float, size: int) -> float:
    """By how many hours risk (0 to 1) and incident size (reports) bring a report forward."""
    return RISK_HOURS * risk + min(MAX_SIZE_HOURS, SIZE_HOURS * doublings(size))


def doublings(size: int) -> int:
    """How often one report has doubled, rounded down: so a growing incident is seldom re-ranked."""
    return max(1, size).bit_length() - 1


def rank_of(due: datetime, harm: float) -> float:
    """Seconds since 1970; the smallest is looked at first."""
    return due.timestamp() - 3600 * harm
