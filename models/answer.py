"""The answer of the one pipeline: a Triage, part by part, as the contract names them.

Plain frozen dataclasses; ``dataclasses.asdict`` gives exactly the JSON of the contract.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

SHIPPED_ROUTES = "bawaan"
"""Version of the routing table without rows of the operator."""
Verdict = Literal["duplicate", "possible", "none"]


@dataclass(frozen=True, slots=True)
class TopicAlternative:
    """A topic that was not chosen."""

    main: str
    sub: str | None
    probability: float


@dataclass(frozen=True, slots=True)
class Topic:
    """The chosen topic. ``fallback`` says at which level the answer stopped: none, main or null.

    ``main`` and ``sub`` are None where the probability stayed below the bundle's threshold.
    """

    main: str | None
    sub: str | None
    probability: float
    fallback: Literal["none", "main", "null"]
    alternatives: tuple[TopicAlternative, ...] = ()


@dataclass(frozen=True, slots=True)
class AgencyAlternative:
    """An agency that was not chosen."""

    name: str
    government: str | None
    probability: float
    level: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Agency:
    """Who must handle it. ``source`` says which spoke: rules, learned or both."""

    name: str | None
    government: str | None
    level: str | None
    probability: float
    rule: str | None
    ground: str | None = None
    source: Literal["rules", "learned", "both"] = "rules"
    alternatives: tuple[AgencyAlternative, ...] = ()


@dataclass(frozen=True, slots=True)
class OutcomeAnswer:
    """What kind of case it is, and what is missing (place, time, object, agency)."""

    label: str
    probability: float
    missing: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KlasifikasiAnswer:
    """SP4N's klasifikasi."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Match:
    """An earlier report that may tell of the same incident."""

    report_id: str
    probability: float
    similarity: float
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The verdict over all matches, best first. ``incident_id`` is None until it is stored.

    ``recurs_of`` names the closed incident whose problem this report brings back in a new one.
    """

    verdict: Verdict
    incident_id: str | None
    matches: tuple[Match, ...] = ()
    recurs_of: str | None = None


@dataclass(frozen=True, slots=True)
class HoaxEvidence:
    """One reason why something looks like a hoax or abuse of the channel."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Hoax:
    """Hoax-like or not; a flag only ever means that a person looks."""

    flag: bool
    score: float
    evidence: tuple[HoaxEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """Whether a person must look, and why (stable reason words)."""

    needed: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the text and how strongly it spoke for the chosen topic."""

    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class PlaceFound:
    """A place read in the text (``code`` is None for streets, km and landmarks)."""

    text: str
    code: str | None
    name: str
    kind: str
    probability: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why: the terms and the places."""

    terms: tuple[Term, ...] = ()
    places: tuple[PlaceFound, ...] = ()


@dataclass(frozen=True, slots=True)
class Versions:
    """Everything an old answer needs to be replayed."""

    service: str
    bundle: str
    labels: str
    thresholds: str
    index: str
    routes: str = SHIPPED_ROUTES


@dataclass(frozen=True, slots=True)
class Triage:
    """One answer for one report."""

    report_id: str
    topic: Topic
    agency: Agency
    outcome: OutcomeAnswer
    klasifikasi: KlasifikasiAnswer
    duplicates: Duplicates
    hoax: Hoax
    review: Review
    explanation: Explanation
    masked_text: str
    versions: Versions

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the contract (tuples become lists)."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever an answer holds
    """As :func:`dataclasses.asdict`, but values are not copied: an answer never changes."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return value
