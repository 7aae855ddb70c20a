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
_ASIDE = re.compile(
    r"\b(?:apakah masih|masih (?:kecil|muda|bocah|balita|bayi|sekolah|kuliah|tk|sd|smp|sma|kelas|"
    r"saudara|keluarga|pagi|subuh|ingat|percaya|sayang|sempat)|"
    r"belum (?:menikah|nikah|kawin|lahir|tahu|tau|sempat|berani))\b"
)
"""Where "still" and "not yet" tell of people, the hour or a question, not of the trouble."""
_AGAIN = re.compile(r"\b(?:lagi|kembali|kambuh|terulang|berulang)\b")
_NO_MORE = re.compile(
    r"\b(?:sekali lagi|(?:(?:ber)?tanya|menanyakan) (?:lagi|kembali)|"
    r"(?:sudah|telah)(?: \w+){0,2} kembali|"
    r"(?:tidak (?:ada|akan|perlu|terjadi)|sudah tidak|jangan|semoga|supaya|agar)"
    r"(?: \w+){0,3} (?:lagi|kembali|kambuh|terulang|berulang)|"
    r"tidak (?:kambuh|terulang|berulang))\b"
)
"""Where those words tell of thanks, a question, a wish, or that it is over."""


@dataclass(frozen=True, slots=True)
class ClosedCase:
    """An incident that a person closed before the report's time.

    Attributes:
        incident_id: of the closed incident.
        closed_at: when, in the time zone whose date the reader is told.
    """

    incident_id: str
    closed_at: datetime


def contradiction(normal: str, case: ClosedCase) -> Finding | None:
    """What the text says against a closed case of the same incident; None if it does not.

    Args:
        normal: the normalised text.
        case: the closed case whose problem the report tells of.
    """
    still = list(dict.fromkeys(_STILL.findall(_ASIDE.sub(" ", normal))))
    words = still or list(dict.fromkeys(_AGAIN.findall(_NO_MORE.sub(" ", normal))))
    if not words:
        return None
    said = "pelapor menyebut belum selesai" if still else "mungkin terjadi lagi; kata pelapor"
    detail = (
        f"kasus yang sama ({case.incident_id}) sudah ditutup pada {case.closed_at.date()}, "
        f"tetapi {said}: {listed(words)}"
    )
    return Finding(KIND, 1.0 if still else AGAIN, detail)


def told(triage: Triage, normal: str, case: ClosedCase) -> Triage:
    """The answer with the contradiction named, score and flag as they were; a person looks.

    Praise and questions that say "again" contradict nothing.
    """
    found = contradiction(normal, case)
    friendly = triage.outcome.label == "praise_or_question"
    if found is None or (friendly and found.score == AGAIN):
        return triage
    evidence = (*triage.hoax.evidence, HoaxEvidence(found.kind, found.detail))
    return replace(
        triage,
        hoax=replace(triage.hoax, evidence=evidence),
        review=Review(True, (*triage.review.reasons, KIND)),
    )
