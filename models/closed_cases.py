"""A report that contradicts a closed incident: it says that what was settled is not.

Most such reports are true: the case was closed too early, or the trouble came back. So the sign
weighs nothing in the score of a hoax; it is named with the closed case, and a person looks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from pilah.models.answer import HoaxEvidence, Review
from pilah.models.hoax_signs import Finding, listed

if TYPE_CHECKING:
    from pilah.models.answer import Triage

KIND = "contradicts_closed"
"""Of the evidence, and the reason why a person looks."""
AGAIN = 0.5
"""Score of a report that says "again": the case may well have been settled meanwhile."""
_STILL = re.compile(
    r"\b(?:masih|belum(?: juga| pernah| ada)?|(?:tidak|tak) (?:pernah|kunjung|ada perbaikan)|"
    r"sampai sekarang|sampai saat ini|hingga kini|(?:katanya|dibilang|dinyatakan|ditulis|statusnya)"
    r" (?:sudah )?(?:selesai|ditutup|beres|diperbaiki|ditangani)|padahal sudah)\b"
)
_AGAIN = re.compile(r"\b(?:lagi|kembali|kambuh|terulang|berulang)\b")


@dataclass(frozen=True, slots=True)
class ClosedCase:
    """An incident that a person closed before the report's time."""

    incident_id: str
    closed_at: datetime


def contradiction(normal: str, case: ClosedCase) -> Finding | None:
    """What the text says against a closed case of the same incident; None if it does not.

    Args:
        normal: the normalised text.
        case: the closed case whose problem the report tells of.
    """
    still = list(dict.fromkeys(_STILL.findall(normal)))
    words = still or list(dict.fromkeys(_AGAIN.findall(normal)))
    if not words:
        return None
    said = "belum selesai" if still else "terjadi lagi"
    detail = (
        f"kasus yang sama ({case.incident_id}) sudah ditutup pada {case.closed_at.date()}, "
        f"tetapi pelapor menyebut {said}: {listed(words)}"
    )
    return Finding(KIND, 1.0 if still else AGAIN, detail)


def told(triage: Triage, normal: str, case: ClosedCase) -> Triage:
    """The answer with the contradiction named, score and flag as they were; a person looks."""
    found = contradiction(normal, case)
    if found is None:
        return triage
    evidence = (*triage.hoax.evidence, HoaxEvidence(found.kind, found.detail))
    return replace(
        triage,
        hoax=replace(triage.hoax, evidence=evidence),
        review=Review(True, (*triage.review.reasons, KIND)),
    )
