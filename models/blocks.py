"""The blocks that a report stands in: reports that share one are worth comparing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilah.models.reading import Fingerprint


def blocks_of(fingerprint: Fingerprint) -> tuple[str, ...]:
    """Names of its blocks: same text, place and topic or problem, street, case, sender."""
    district = (fingerprint.place or "")[:8]
    place = len(district) == 8
    return (
        f"text:{fingerprint.text_hash}",
        *([f"topic:{district}:{fingerprint.topic}"] if place and fingerprint.topic else ()),
        *(f"problem:{district}:{p}" for p in fingerprint.problems if place),
        *(f"street:{(fingerprint.place or '')[:5]}:{s}" for s in fingerprint.streets),
        *(f"case:{c}" for c in fingerprint.cases),
        *([f"reporter:{fingerprint.reporter}"] if fingerprint.reporter else ()),
    )
