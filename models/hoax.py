"""Signs of a hoax or of abuse of the channel, with their evidence. Never a verdict.

A flag means one thing only: that a person looks. Every detector has one contract: it takes a
:class:`HoaxInput` and gives a :class:`Finding` (kind, score, reason in words) or None.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from pilah.datasets.errors import TableError
from pilah.models.answer import Hoax, HoaxEvidence
from pilah.models.hoax_signs import Finding, HoaxInput, finding
from pilah.models.hoax_style import StyleModel, shipped_style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CAMPAIGN_REPORTERS = 5
"""From so many different senders of near-identical texts on, a burst is named."""
CAMPAIGN_WORDS = 8
"""A shorter text is alike by chance."""
TARGET_REPORTERS = 5
"""From so many senders, each of another incident, on, complaints on one target are named."""
TARGET_WORDS = {"person": "orang yang sama", "landmark": "tempat", "address": "alamat"}
AMONG = " (antara lain "
"""In a detail, what the ids of other reports follow."""
REPEAT_REPORTS, REPEAT_COPIES = 8, 3
"""From so many reports, or copies of one text, by one sender in a day on, it is named."""

REST = 0.1
"""What the smallest burst that is named leaves open: it alone is enough for a person to look."""

Detector = Callable[[HoaxInput], Finding | None]


@dataclass(frozen=True, slots=True)
class HoaxWeights:
    """How findings are combined.

    Attributes:
        weights: kind -> probability that a finding of score 1 alone is hoax-like. Kinds that are
            inputs of the learned part have none: they are named, but not counted twice. Kinds
            with 0 happen to honest people too: they are named, and never counted.
        guard: how much of a guarded finding a full guard takes away, 0 to 1.
        guarded: kinds that the guard lowers: what a doubting or warning person may quote.
        version: named in the answer.
    """

    weights: Mapping[str, float]
    guard: float
    guarded: frozenset[str]
    version: str

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> HoaxWeights:
        """Check and keep the content of hoax_weights.json.

        Raises:
            TableError: a part is missing, or a number is not between 0 and 1.
        """
        try:
            weights = {str(kind): float(w) for kind, w in data["weights"].items()}
            guard = float(data["guard"])
            if not all(0 <= n <= 1 for n in (guard, *weights.values())):
                raise ValueError("a number is not between 0 and 1")
            return cls(weights, guard, frozenset(map(str, data["guarded"])), str(data["version"]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            cure = "restore it from the release"
            raise TableError("hoax_weights.json", 0, repr(error), cure) from error


@cache
def shipped_weights() -> HoaxWeights:
    """The weights in ``datasets/data/hoax_weights.json``, set by hand."""
    path = resources.files("pilah.datasets") / "data" / "hoax_weights.json"
    return HoaxWeights.from_dict(json.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class TextSigns:
    """What one text shows by itself, whatever surrounds it.

    Attributes:
        findings: of the detectors that look at the text alone.
        guard: how much the writer doubts or warns, 0 to 1.
        learned: calibrated probability of the learned part.
        told: what spoke most for it, or None.
        flag: probability from which a person looks.
    """

    findings: tuple[Finding, ...]
    guard: float
    learned: float
    told: Finding | None
    flag: float


def read_signs(seen: HoaxInput, style: StyleModel | None = None) -> TextSigns:
    """Read the text; ``style`` is the learned part, the shipped one when absent."""
    style = style or shipped_style()
    learned, told = style.read(seen)
    findings = tuple(seen.signs.values())
    return TextSigns(findings, seen.cue("guard").score, learned, told, style.flag)


def look_for_hoax(
    seen: HoaxInput, text: TextSigns | None = None, weights: HoaxWeights | None = None
) -> Hoax:
    """Run every detector and combine what they found.

    The learned part gives a calibrated probability for the text; findings that it cannot know
    (copies, senders, claims of the operator) count as independent reasons beside it (noisy-or:
    Pearl 1988): the score is ``1 - prod(1 - weight * score)``.

    Args:
        seen: the report and what surrounds it.
        text: what :func:`read_signs` read before; read now when absent.
        weights: the shipped ones when absent.
    """
    text, weights = text or read_signs(seen), weights or shipped_weights()
    around = (found for detector in CONTEXT_DETECTORS if (found := detector(seen)) is not None)
    kept = [(f, _weighed(f, text.guard, weights)) for f in (*text.findings, *around)]
    score = 1 - (1 - text.learned) * math.prod(1 - share for _, share in kept)
    if text.told is not None:
        kept.append((text.told, text.learned))
    evidence = (HoaxEvidence(f.kind, f.detail) for f, _ in sorted(kept, key=_strongest))
    return Hoax(flag=score >= text.flag, score=round(score, 4), evidence=tuple(evidence))


def _weighed(found: Finding, guard: float, weights: HoaxWeights) -> float:
    share = weights.weights.get(found.kind, 0.0) * found.score
    return share * (1 - weights.guard * guard) if found.kind in weights.guarded else share


def _strongest(kept: tuple[Finding, float]) -> tuple[float, float, str]:
    found, share = kept
    return -share, -found.score, found.kind


def campaign(seen: HoaxInput) -> Finding | None:
    """Near-identical texts from several senders within a short time."""
    burst = seen.burst
    if burst is None or burst.reporters < CAMPAIGN_REPORTERS:
        return None
    if len(seen.clean.normal.split()) < CAMPAIGN_WORDS:
        return None
    score = 1 - REST ** (burst.reporters / CAMPAIGN_REPORTERS)
    detail = (
        f"{burst.reports} teks hampir sama dari {burst.reporters} pelapor "
        f"dalam {burst.hours:.0f} jam{_among(burst.ids, burst.reports - 1)}"
    )
    return finding("campaign", score, detail)


def target_burst(seen: HoaxInput) -> Finding | None:
    """Different complaints of several senders against one target within a short time.

    Real trouble at one place looks the same, so this weighs nothing: it is told, not counted.
    """
    burst = seen.target
    if burst is None or burst.reporters < TARGET_REPORTERS:
        return None
    score = 1 - 0.25 ** (burst.reporters / TARGET_REPORTERS)
    detail = (
        f"{burst.reports} laporan berbeda dari {burst.reporters} pelapor dalam "
        f"{burst.hours:.0f} jam menyebut {TARGET_WORDS[burst.target.kind]} "
        f"{burst.target.name}".rstrip()
        + "; bisa serangan bersama, bisa pula masalah nyata"
        + _among(burst.ids, burst.reports - 1)
    )
    return finding("target_burst", score, detail)


def _among(ids: Sequence[str], count: int) -> str:
    more = " dan lainnya" if count > len(ids) else ""
    return f"{AMONG}{', '.join(ids)}{more})" if ids else ""


def repeat_sender(seen: HoaxInput) -> Finding | None:
    """One sender with very many reports, or many copies of one."""
    sender = seen.sender
    if sender is None or (sender.reports < REPEAT_REPORTS and sender.copies < REPEAT_COPIES):
        return None
    load = max(sender.reports / REPEAT_REPORTS, sender.copies / REPEAT_COPIES)
    detail = (
        f"pelapor yang sama mengirim {sender.reports} laporan dalam {sender.hours:.0f} jam, "
        f"{sender.copies} di antaranya hampir sama"
    )
    return finding("repeat_sender", 1 - REST**load, detail)


CONTEXT_DETECTORS: tuple[Detector, ...] = (campaign, target_burst, repeat_sender)
