"""What arrived around a report: copies of its text, its sender's other reports, its target's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilah.models.fingerprint import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pilah.models.reading import Fingerprint

ALIKE = 0.7
"""Overlap of content words of an agreed text that each sender changes a little."""
SHOWN_IDS = 5
"""Most report ids that a burst names."""


@dataclass(frozen=True, slots=True)
class Burst:
    """Near-identical texts that arrived shortly before a report, itself included.

    Attributes:
        reports: how many texts.
        reporters: how many different known reporters sent them.
        hours: length of the window in hours.
        ids: some of the others, latest first.
    """

    reports: int
    reporters: int
    hours: float
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sender:
    """What the reporter sent shortly before, the report itself included.

    Attributes:
        reports: how many reports.
        copies: how many of them are near-identical to this one.
        hours: length of the window in hours.
    """

    reports: int
    copies: int
    hours: float


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody or something that a report names within a regency.

    Attributes:
        key: what it is kept under.
        kind: ``person``, ``landmark`` or ``address``.
        name: what may be shown of it; persons are known by a hash alone.
    """

    key: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class TargetBurst:
    """Different complaints of several senders against one target, the report itself included.

    Attributes:
        target: whom or what they name.
        reports: how many, without copies of one text, one of each incident.
        reporters: how many different known reporters sent these.
        hours: length of the window in hours.
        ids: some of the others, latest first.
    """

    target: Target
    reports: int
    reporters: int
    hours: float
    ids: tuple[str, ...]


def burst_of(known: Iterable[Fingerprint], now: Fingerprint, hours: float) -> Burst:
    """Count the near-identical texts among ``known``."""
    near = [f for f in known if within(f, now, hours) and alike(f, now)]
    reporters = {f.reporter for f in (*near, now) if f.reporter}
    ids = tuple(f.report_id for f in near[:SHOWN_IDS])
    return Burst(len(near) + 1, len(reporters), hours, ids)


def sender_of(known: Iterable[Fingerprint], now: Fingerprint, hours: float) -> Sender:
    """Count the reports of one sender among ``known``, all of them his.

    Only reports of the same visibility are counted: what is sent in the open tells nothing of what
    the same person sent without a name.
    """
    sent = [f for f in known if f.report_id != now.report_id and within(f, now, hours)]
    sent = [f for f in sent if f.visibility == now.visibility]
    return Sender(len(sent) + 1, 1 + sum(alike(f, now) for f in sent), hours)


def targets_of(fingerprint: Fingerprint) -> Iterator[Target]:
    """Whom and what a report names: persons, named places and addresses of a known regency."""
    regency = (fingerprint.place or "")[:5]
    if len(regency) < 5:
        return
    for name in sorted(fingerprint.names):
        yield Target(f"target:{regency}:person:{name}", "person", "")
    for place in sorted(fingerprint.landmarks):
        if set(place.split()) - words_of("generic"):
            yield Target(f"target:{regency}:landmark:{place}", "landmark", place)
    for street in sorted(fingerprint.streets):
        for number in fingerprint.numbers.get("no", ()):
            said = f"{street} no {number}"
            yield Target(f"target:{regency}:address:{said}", "address", said)


def target_burst_of(
    target: Target,
    known: Iterable[Fingerprint],
    now: Fingerprint,
    *,
    hours: float,
    incident: str,
    incident_of: Callable[[str], str | None],
) -> TargetBurst:
    """Count the different complaints against one target among ``known``, all of which name it.

    Copies of one text are a campaign, and several witnesses of one incident are none: of both the
    first in ``known`` counts, and none that is the report's own copy or witness.
    """
    counted, homes = [now], {incident, None}
    for f in known:
        if f.report_id == now.report_id or not within(f, now, hours):
            continue
        home = incident_of(f.report_id)
        if home not in homes and not any(alike(f, one) for one in counted):
            counted.append(f)
            homes.add(home)
    reporters = {f.reporter for f in counted if f.reporter}
    ids = tuple(f.report_id for f in counted[1 : SHOWN_IDS + 1])
    return TargetBurst(target, len(counted), len(reporters), hours, ids)


def alike(a: Fingerprint, b: Fingerprint) -> bool:
    """Near-identical texts: Jaccard overlap of content words of at least :data:`ALIKE`."""
    if a.text_hash == b.text_hash:
        return True
    fewer, more = sorted((len(a.words), len(b.words)))
    if fewer == 0 or fewer < ALIKE * more:
        return False
    shared = len(a.words & b.words)
    return shared >= ALIKE * (fewer + more - shared)


def within(earlier: Fingerprint, now: Fingerprint, hours: float) -> bool:
    """Whether two reports are at most so many hours apart."""
    return abs((now.received_at - earlier.received_at).total_seconds()) <= hours * 3600
