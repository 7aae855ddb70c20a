"""Signs of a hoax or of abuse of the channel, with their evidence. Never a verdict.

A flag means one thing only: that a person looks. People who *report* a hoax or a scam, or ask
whether a message is true, are guarded: their wording lowers the score of everything that they
quote.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from pilah.datasets.errors import TableError
from pilah.datasets.tables import read_table
from pilah.models.answer import Hoax, HoaxEvidence
from pilah.models.claims import ClaimBase, shipped_base
from pilah.models.fingerprint import content_words
from pilah.models.phrases import PhraseFinder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilah.models.incidents import Burst, Sender
    from pilah.models.reading import CleanText, PlaceReading

CAMPAIGN_REPORTERS = 5
"""From so many different senders of near-identical texts on, a burst is named."""
CAMPAIGN_WORDS = 8
"""A shorter text is alike by chance."""
REPEAT_REPORTS, REPEAT_COPIES = 8, 3
"""From so many reports, or copies of one text, by one sender in a day on, it is named."""
SHOWN = 3
"""At most this many cues are named in one piece of evidence."""
SHOUT_LETTERS = 80
"""A text of fewer letters may be in capitals without being counted as shouting."""

_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>]+"
    r"|\b[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.[a-z]{2,10}/\S+"
    r"|\b[a-z0-9-]{3,63}(?:\.[a-z0-9-]{1,63}){0,4}\.(?:com|net|org|id|xyz|top|click|site|online|live|icu|"
    r"buzz|cam|cfd|rest|vip|club|shop|app|info|fun|link|web|center|space|store|me|xx|co|cc)\b"
)
_DISGUISE = re.compile(r"[\[(]\s*\.\s*[\])]")
_HOST = re.compile(r"^(?:https?://)?(?:www\.)?([^/?#:\s]+)")
_TRUSTED = re.compile(
    r"(?:^|\.)(?:go\.id|desa\.id|ac\.id|sch\.id|mil\.id|google\.com|youtu\.be|"
    r"youtube\.com|instagram\.com|facebook\.com|tiktok\.com|goo\.gl)$"
)
_CHEAP = re.compile(
    r"\.(?:xyz|top|click|site|online|live|icu|buzz|cam|cfd|rest|vip|club|shop|fun|"
    r"link|center|space|store|info|app|my\.id|biz\.id|web\.app|blogspot\.com|wixsite\.com|weebly\.com)$"
)
_SHORT = re.compile(
    r"^(?:bit\.ly|s\.id|tinyurl\.com|cutt\.ly|t\.ly|linktr\.ee|wa\.me|rb\.gy|"
    r"is\.gd|shorturl\.at|heylink\.me|t\.me)$"
)
HALF = 0.5
_BAIT = ("offer", "job", "link", "act", "secret", "fee", "urgent")
_TIME = re.compile(
    r"\b(?:tadi|kemarin|semalam|tanggal|tgl|jam|pukul|senin|selasa|rabu|kamis|jumat|sabtu|minggu|"
    r"hari ini|bulan|tahun|sejak|\d{1,2}[./:]\d{1,2})\b"
)


@dataclass(frozen=True, slots=True)
class HoaxInput:
    """What the detectors look at.

    Attributes:
        clean: the text in its forms.
        place: what is known of the place.
        burst: near-identical texts around this report, or None if nothing was counted.
        sender: what the same reporter sent around this report, or None.
        claims: the claims that a text is compared with.
    """

    clean: CleanText
    place: PlaceReading
    burst: Burst | None = None
    sender: Sender | None = None
    claims: ClaimBase = field(default_factory=shipped_base)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one detector found: stable kind, score from 0 to 1, reason in Indonesian."""

    kind: str
    score: float
    detail: str


Detector = Callable[[HoaxInput], Finding | None]


@dataclass(frozen=True, slots=True)
class HoaxWeights:
    """How findings are combined.

    Attributes:
        flag: score from which a person looks.
        weights: kind -> probability that a finding of score 1 alone is hoax-like.
        guard: how much of a guarded finding a full guard takes away, 0 to 1.
        guarded: kinds that the guard lowers.
        version: named in the bundle.
    """

    flag: float
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
            numbers = (float(data["flag"]), float(data["guard"]), *weights.values())
            if not all(0 <= n <= 1 for n in numbers):
                raise ValueError("a number is not between 0 and 1")
            guarded = frozenset(map(str, data["guarded"]))
            return cls(numbers[0], weights, numbers[1], guarded, str(data["version"]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            cure = "restore it from the release"
            raise TableError("hoax_weights.json", 0, repr(error), cure) from error


@cache
def shipped_weights() -> HoaxWeights:
    """The weights in ``datasets/data/hoax_weights.json``, set by hand."""
    path = resources.files("pilah.datasets") / "data" / "hoax_weights.json"
    return HoaxWeights.from_dict(json.loads(path.read_text(encoding="utf-8")))


def look_for_hoax(
    seen: HoaxInput, weights: HoaxWeights | None = None, more: Iterable[Finding] = ()
) -> Hoax:
    """Run every detector and combine what they found.

    Findings count as independent reasons (noisy-or: Pearl 1988): the score is
    ``1 - prod(1 - weight * score)``, guarded kinds first lowered by the guard.

    Args:
        seen: the report and what surrounds it.
        weights: the shipped ones when absent.
        more: findings of others, such as a learned head (kind ``learned_style``).
    """
    weights = weights or shipped_weights()
    findings = [found for detector in DETECTORS if (found := detector(seen)) is not None]
    findings.extend(more)
    guard = guard_score(seen.clean)
    kept = [(f, _weighed(f, guard, weights)) for f in findings]
    score = 1 - math.prod(1 - share for _, share in kept)
    evidence = (HoaxEvidence(f.kind, f.detail) for f, _ in sorted(kept, key=_strongest))
    return Hoax(flag=score >= weights.flag, score=round(score, 4), evidence=tuple(evidence))


def guard_score(clean: CleanText) -> float:
    """How much a text reads like reporting a scam or asking whether something is true, 0 to 1."""
    return _cues("guard", clean.normal)[0]


def _weighed(finding: Finding, guard: float, weights: HoaxWeights) -> float:
    share = weights.weights.get(finding.kind, 0.0) * finding.score
    return share * (1 - weights.guard * guard) if finding.kind in weights.guarded else share


def _strongest(kept: tuple[Finding, float]) -> tuple[float, str]:
    return -kept[1], kept[0].kind


def chain_style(seen: HoaxInput) -> Finding | None:
    """Wording of a forwarded message, and shouting."""
    score, phrases = _cues("chain", seen.clean.normal)
    if score and _shouts(seen.clean.fixed):
        score, phrases = _or(score, 0.4), (*phrases, "huruf besar semua")
    return _finding("chain_style", score, "gaya pesan berantai: " + _listed(phrases))


def link_bait(seen: HoaxInput) -> Finding | None:
    """A promise (aid, gift, job) joined to a link, a fee, secret data or haste; a doubtful link."""
    hosts = [host for host in _hosts(seen.clean.masked) if not _TRUSTED.search(host)]
    doubt = max(map(_doubt, hosts), default=0.0)
    read = {kind: _cues(kind, seen.clean.normal) for kind in _BAIT}
    promise = _or(read["offer"][0], read["job"][0])
    link = max(doubt, read["link"][0])
    ways = (link * (0.5 + 0.5 * read["act"][0]), read["fee"][0], read["secret"][0])
    score = promise * _or(_or(ways[0], ways[1]), _or(ways[2], 0.5 * read["urgent"][0]))
    score = _or(score, 0.3 * doubt * (doubt > HALF))
    phrases = [phrase for kind in _BAIT for phrase in read[kind][1][:1]]
    parts = ([f"tautan ke {hosts[0]}"] if hosts else []) + phrases
    return _finding("link_bait", score, "umpan hadiah, bantuan atau lowongan: " + _listed(parts))


def sensational(seen: HoaxInput) -> Finding | None:
    """An alarming claim that nothing pins down: the fewer of place and time, the stronger."""
    score, phrases = _cues("alarm", seen.clean.normal)
    placed = seen.place.streets or seen.place.landmarks or any(seen.place.numbers.values())
    timed = _TIME.search(seen.clean.normal) is not None
    score *= (0.4 if placed else 1.0) * (0.8 if timed else 1.0)
    missing = [name for name, known in (("tempat", placed), ("waktu", timed)) if not known]
    lacking = f" tanpa {' dan '.join(missing)}" if missing else ""
    return _finding("sensational", score, f"klaim menggemparkan{lacking}: {_listed(phrases)}")


def known_claim(seen: HoaxInput) -> Finding | None:
    """Resemblance to a claim that has circulated."""
    closest = seen.claims.closest(content_words(seen.clean.normal))
    if closest is None:
        return None
    claim = closest.claim
    source = ", ".join(filter(None, (claim.link, claim.date)))
    checked = f" (diperiksa: {source})" if source else ""
    detail = f"mirip klaim {claim.id} yang pernah beredar ({claim.verdict}): {claim.claim}{checked}"
    return _finding("known_claim", closest.resemblance, detail)


def campaign(seen: HoaxInput) -> Finding | None:
    """Near-identical texts from several senders within a short time."""
    burst = seen.burst
    if burst is None or burst.reporters < CAMPAIGN_REPORTERS:
        return None
    if len(seen.clean.normal.split()) < CAMPAIGN_WORDS:
        return None
    score = 1 - 0.5 ** (burst.reporters / CAMPAIGN_REPORTERS)
    detail = (
        f"{burst.reports} teks hampir sama dari {burst.reporters} pelapor "
        f"dalam {burst.hours:.0f} jam"
    )
    return _finding("campaign", score, detail)


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
    return _finding("repeat_sender", 1 - 0.5**load, detail)


def prank(seen: HoaxInput) -> Finding | None:
    """Joking or testing; the longer the text and the surer its place, the weaker."""
    score, phrases = _cues("prank", seen.clean.normal)
    words = len(seen.clean.normal.split())
    if seen.place.streets or any(seen.place.numbers.values()) or words > 25:
        score *= 0.3
    return _finding("prank", score, "nada iseng atau uji coba: " + _listed(phrases))


DETECTORS: tuple[Detector, ...] = (
    chain_style, link_bait, sensational, known_claim, campaign, repeat_sender, prank,
)  # fmt: skip


def _finding(kind: str, score: float, detail: str) -> Finding | None:
    return Finding(kind, min(1.0, score), detail) if score >= 0.05 else None


def _listed(parts: list[str] | tuple[str, ...]) -> str:
    return ", ".join(parts[:SHOWN]) + (" dan lainnya" if len(parts) > SHOWN else "")


def _or(a: float, b: float) -> float:
    return 1 - (1 - a) * (1 - b)


def _shouts(fixed: str) -> bool:
    letters = [c for c in fixed if c.isalpha()]
    return len(letters) >= SHOUT_LETTERS and sum(map(str.isupper, letters)) > 0.5 * len(letters)


def _hosts(masked: str) -> list[str]:
    found = (_HOST.match(url) for url in _URL.findall(_DISGUISE.sub(".", masked.lower())))
    return [host[1] for host in found if host]


def _doubt(host: str) -> float:
    if _SHORT.match(host) or _CHEAP.search(host):
        return 0.8
    return 0.3


@cache
def _cue_table() -> tuple[tuple[str, re.Pattern[str], str, float], ...]:
    """All cues as (kind, pattern, phrase, weight), long phrases first."""
    rows = [row for _, row in read_table("hoax_cues.csv", ("kind", "phrase", "weight"))]
    rows.sort(key=lambda row: -len(row["phrase"]))
    return tuple(
        (r["kind"], _pattern(r["phrase"]), r["phrase"].rstrip("*"), float(r["weight"]))
        for r in rows
    )


@cache
def _cue_finder() -> PhraseFinder[int]:
    """Finds the rows of the cue table whose phrase stands in a text, as part of a word or not."""
    return PhraseFinder((phrase, i) for i, (_, _, phrase, _) in enumerate(_cue_table()))


def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)".replace(r"\*", r"\w*"))


def _cues(kind: str, normal: str) -> tuple[float, tuple[str, ...]]:
    """Noisy-or of the cues of one kind, and the phrases found; words are counted once."""
    score, phrases, left = 0.0, [], normal
    table = _cue_table()
    for i in sorted(_cue_finder().marks(normal)):
        of, pattern, phrase, weight = table[i]
        if of == kind and pattern.search(left):
            score, left = _or(score, weight), pattern.sub(" · ", left)
            phrases.append((weight, phrase))
    return score, tuple(phrase for _, phrase in sorted(phrases, reverse=True))
