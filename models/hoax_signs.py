"""Signs that one text shows by itself: chain style, bait, alarm without a place, pranks, claims."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pilah.models.claims import ClaimBase, shipped_base
from pilah.models.fingerprint import content_words
from pilah.models.hoax_cues import NONE, Cues, either, read_cues
from pilah.models.hoax_links import doubt_of, doubtful_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pilah.models.bursts import Burst, Sender, TargetBurst
    from pilah.models.reading import CleanText, PlaceReading

SHOWN = 3
"""At most this many cues are named in one piece of evidence."""
LEAST = 0.05
"""A weaker finding is not named."""
BAIT = ("offer", "job", "link", "act", "secret", "fee", "urgent")
_TIME = re.compile(
    r"\b(?:tadi|kemarin|semalam|tanggal|tgl|jam|pukul|senin|selasa|rabu|kamis|jumat|sabtu|minggu|"
    r"hari ini|bulan|tahun|sejak|\d{1,2}[./:]\d{1,2})\b"
)


@dataclass(frozen=True)
class HoaxInput:
    """What the detectors look at.

    Attributes:
        clean: the text in its forms.
        place: what is known of the place.
        burst: near-identical texts around this report, or None if nothing was counted.
        sender: what the same reporter sent around this report, or None.
        target: other complaints against the same target around this report, or None.
        claims: the claims that a text is compared with.
    """

    clean: CleanText
    place: PlaceReading
    burst: Burst | None = None
    sender: Sender | None = None
    target: TargetBurst | None = None
    claims: ClaimBase = field(default_factory=shipped_base)

    @cached_property
    def cues(self) -> Mapping[str, Cues]:
        """Kind -> cues of the text."""
        return read_cues(self.clean.normal)

    @cached_property
    def hosts(self) -> list[str]:
        """Hosts of links that are neither official nor a large platform."""
        return doubtful_hosts(self.clean.masked)

    @cached_property
    def doubt(self) -> float:
        """How doubtful the most doubtful host is, 0 to 1."""
        return max(map(doubt_of, self.hosts), default=0.0)

    @cached_property
    def signs(self) -> dict[str, Finding]:
        """Kind -> what the detectors of this module found."""
        found = (detector(self) for detector in TEXT_DETECTORS)
        return {sign.kind: sign for sign in found if sign is not None}

    def cue(self, kind: str) -> Cues:
        """The cues of one kind, perhaps none."""
        return self.cues.get(kind, NONE)

    @cached_property
    def placed(self) -> bool:
        """Does a street, a landmark or a house, RT or km number stand in the text?"""
        numbers = any(self.place.numbers.values())
        return bool(self.place.streets or self.place.landmarks or numbers)

    @cached_property
    def timed(self) -> bool:
        """Is a time told?"""
        return _TIME.search(self.clean.normal) is not None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one detector found: stable kind, score from 0 to 1, reason in Indonesian."""

    kind: str
    score: float
    detail: str


def finding(kind: str, score: float, detail: str) -> Finding | None:
    """A finding, unless it is too weak to be named."""
    return Finding(kind, min(1.0, score), detail) if score >= LEAST else None


def chain_style(seen: HoaxInput) -> Finding | None:
    """Wording of a forwarded message. Capitals do not count: people in need write in them too."""
    chain = seen.cue("chain")
    return finding("chain_style", chain.score, "gaya pesan berantai: " + listed(chain.phrases))


def link_bait(seen: HoaxInput) -> Finding | None:
    """A promise (aid, gift, job) joined to a link, a fee, secret data or haste; a doubtful link."""
    doubt = seen.doubt
    score = {kind: seen.cue(kind).score for kind in BAIT}
    promise = either(score["offer"], score["job"])
    link = max(doubt, score["link"]) * (0.5 + 0.5 * score["act"])
    asked = either(score["fee"], score["secret"])
    bait = promise * either(either(link, asked), 0.5 * score["urgent"])
    phrases = [phrase for kind in BAIT for phrase in seen.cue(kind).phrases[:1]]
    parts = ([f"tautan ke {seen.hosts[0]}"] if seen.hosts else []) + phrases
    detail = "umpan hadiah, bantuan atau lowongan: " + listed(parts)
    return finding("link_bait", either(bait, 0.3 * doubt * (doubt > 0.5)), detail)


def sensational(seen: HoaxInput) -> Finding | None:
    """An alarming claim that nothing pins down: the fewer of place and time, the stronger."""
    alarm = seen.cue("alarm")
    placed, timed = seen.placed, seen.timed
    score = alarm.score * (0.4 if placed else 1.0) * (0.8 if timed else 1.0)
    missing = [name for name, known in (("tempat", placed), ("waktu", timed)) if not known]
    lacking = f" tanpa {' dan '.join(missing)}" if missing else ""
    return finding("sensational", score, f"klaim menggemparkan{lacking}: {listed(alarm.phrases)}")


def known_claim(seen: HoaxInput) -> Finding | None:
    """Resemblance to a claim that has circulated, with where and when it was checked."""
    closest = seen.claims.closest(content_words(seen.clean.normal))
    if closest is None:
        return None
    claim = closest.claim
    source = ", ".join(filter(None, (claim.link, claim.date)))
    checked = f" (diperiksa: {source})" if source else ""
    detail = f"mirip klaim {claim.id} yang pernah beredar ({claim.verdict}): {claim.claim}{checked}"
    return finding("known_claim", closest.resemblance, detail)


def prank(seen: HoaxInput) -> Finding | None:
    """Joking or testing; the longer the text and the surer its place, the weaker."""
    cues = seen.cue("prank")
    words = len(seen.clean.normal.split())
    weak = seen.place.streets or any(seen.place.numbers.values()) or words > 25
    detail = "nada iseng atau uji coba: " + listed(cues.phrases)
    return finding("prank", cues.score * (0.3 if weak else 1.0), detail)


TEXT_DETECTORS: tuple[Callable[[HoaxInput], Finding | None], ...] = (
    chain_style, link_bait, sensational, known_claim, prank,
)  # fmt: skip


def listed(parts: Sequence[str]) -> str:
    """The first parts, and that there are more."""
    return ", ".join(parts[:SHOWN]) + (" dan lainnya" if len(parts) > SHOWN else "")
