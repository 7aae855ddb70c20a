"""Pairs of reports to learn from: the same incident, imitations, strangers, reports told anew."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from pilah.training.tellings import AGAIN, HARD_NEGATIVE_OF, group_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pilah.datasets.records import LabelledReport
    from pilah.models.reading import Fingerprint
    from pilah.training.tellings import Told

RANDOM, TOPIC = 2, 10
"""Strangers of each report of an incident: any, and of the same topic. None is picked for its
likeness: such strangers would teach that likeness says nothing."""
GIVEN = 0.5
"""Share of the pairs whose village the form gave. Of the others, those of one incident and its
imitations stay as they were written, the rest tell one regency."""
BEYOND = {
    "same": 0.05, "retold": 0.05, "reminded": 0.05, "hard": 0.3, "moved": 0.4, "beside": 0.1,
    "neighbour": 0.3,
}  # fmt: skip
"""How often the second report of such a pair is given another village of the district."""
SOON, SOON_DAYS, HISTORY_DAYS = 0.5, 12.0, 365.0
"""A stranger comes soon after (exponential, mean in days), else at any time of the history."""

Kind = Literal[
    "same", "retold", "reminded", "hard", "random", "topic", "moved", "beside", "neighbour"
]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two reports, the cosine of their embeddings, whether they tell of the same incident.

    A "moved" pair is a stranger taken to the village of the other report: what else people report
    there. Written corpora are spread over the whole country and hold no such pairs. The kinds
    "retold", "reminded", "beside" and "neighbour" are made, see :mod:`pilah.training.retold`.
    """

    a: Fingerprint
    b: Fingerprint
    cosine: float
    same: bool
    kind: Kind
    groups: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Material:
    """Labelled reports, read. ``vectors``: L2-normalised embeddings, shape (len(rows), dim)."""

    rows: Sequence[LabelledReport]
    fingerprints: Sequence[Fingerprint]
    vectors: NDArray[np.float32]
    told: Sequence[Told] = ()


def training_pairs(material: Material, *, seed: int = 0) -> list[Pair]:
    """Every pair of one incident, every imitation with it, strangers, and what is told anew.

    Each stranger comes twice: from where it was written, and moved.
    Times and given villages are drawn as a service sees them: of strangers it remembers a year,
    of one incident some weeks.

    Args:
        material: the reports; only those with an incident, or an imitation's mark, start pairs.
        seed: of all that is drawn.
    """
    source = random.Random(seed)  # noqa: S311
    found = _Finder(material).all(source)
    made = (_pair(material, i, j, kind) for (i, j), kind in sorted(found.items()))
    pairs = [staged for pair in made for staged in _staged(pair, source)]
    return [*pairs, *(_told(material, told, source) for told in material.told)]


class _Finder:
    """Finds which rows make pairs, and of which kind."""

    def __init__(self, material: Material) -> None:
        self.topics = [fingerprint.topic for fingerprint in material.fingerprints]
        self.groups = [group_of(row, i) for i, row in enumerate(material.rows)]
        self.incident = [row.labels.incident for row in material.rows]
        self.imitates = [row.extra.get(HARD_NEGATIVE_OF) for row in material.rows]
        self.members: dict[str, list[int]] = {}
        for i, incident in enumerate(self.incident):
            if incident:
                self.members.setdefault(incident, []).append(i)
        self.starts = [i for members in self.members.values() for i in members]

    def all(self, source: random.Random) -> dict[tuple[int, int], Kind]:
        """(smaller, larger) row -> kind; what is labelled wins over what is drawn."""
        return dict(self.drawn(source)) | dict(self.hard()) | dict(self.same())

    def same(self) -> Iterator[tuple[tuple[int, int], Kind]]:
        for members in self.members.values():
            yield from ((pair, "same") for pair in combinations(members, 2))

    def hard(self) -> Iterator[tuple[tuple[int, int], Kind]]:
        for i, incident in enumerate(self.imitates):
            for member in self.members.get(str(incident), ()) if incident else ():
                yield (min(i, member), max(i, member)), "hard"

    def drawn(self, source: random.Random) -> Iterator[tuple[tuple[int, int], Kind]]:
        by_topic: dict[str | None, list[int]] = {}
        for i, topic in enumerate(self.topics):
            by_topic.setdefault(topic, []).append(i)
        for i in self.starts:
            anyone = source.choices(range(len(self.topics)), k=RANDOM)
            alike = source.choices(by_topic[self.topics[i]], k=TOPIC)
            for j in anyone + alike:
                if self._strangers(i, j):
                    kind: Kind = "topic" if self.topics[i] == self.topics[j] else "random"
                    yield (min(i, j), max(i, j)), kind

    def _strangers(self, i: int, j: int) -> bool:
        return self.groups[i] != self.groups[j]


def _pair(material: Material, i: int, j: int, kind: Kind) -> Pair:
    prints, vectors = material.fingerprints, material.vectors
    cosine = float(vectors[i] @ vectors[j])
    groups = group_of(material.rows[i], i), group_of(material.rows[j], j)
    return Pair(prints[i], prints[j], cosine, kind == "same", kind, groups)


def _told(material: Material, told: Told, source: random.Random) -> Pair:
    first, again = material.fingerprints[told.row], told.kind in AGAIN
    between = _until_retold(source) if again else _until_stranger(source)
    later = replace(told.fingerprint, received_at=first.received_at + between)
    cosine = float(material.vectors[told.row] @ told.vector)
    rows, one, other = material.rows, told.row, told.other
    groups = group_of(rows[one], one), group_of(rows[other], other)
    return _given(Pair(first, later, cosine, again, told.kind, groups), source)


def _staged(pair: Pair, source: random.Random) -> Iterator[Pair]:
    """The pair as a service would meet it; a stranger twice."""
    if pair.kind in ("same", "hard"):
        yield _given(pair, source)
        return
    later = replace(pair.b, received_at=pair.a.received_at + _until_stranger(source))
    yield replace(pair, b=later)
    moved = replace(later, lat=pair.a.lat, lon=pair.a.lon)
    yield _given(replace(pair, b=moved, kind="moved"), source)


def _given(pair: Pair, source: random.Random) -> Pair:
    """Both reports from one regency, half of them with a village that the form gave."""
    regency = (pair.a.place or "")[:5]
    if len(regency) != 5 or (pair.kind in ("same", "hard") and source.random() >= GIVEN):
        return pair
    if pair.kind not in ("same", "hard") and source.random() >= GIVEN:
        return replace(pair, a=replace(pair.a, place=regency), b=replace(pair.b, place=regency))
    district = f"{regency}.{source.randrange(1, 31):02d}"
    village, beyond = source.randrange(1001, 1013), source.random() < BEYOND[pair.kind]
    first = replace(pair.a, place=f"{district}.{village}")
    second = replace(pair.b, place=f"{district}.{village + 100 * beyond}")
    return replace(pair, a=first, b=second)


def _until_stranger(source: random.Random) -> timedelta:
    soon = source.random() < SOON
    days = source.expovariate(1 / SOON_DAYS) if soon else source.uniform(0, HISTORY_DAYS)
    return timedelta(days=days)


def _until_retold(source: random.Random) -> timedelta:
    """A third within three days, most of the others within a month, the rest within four."""
    lot = source.random()
    low, high = (0, 3) if lot < 0.35 else (3, 30) if lot < 0.75 else (30, 120)
    return timedelta(days=source.uniform(low, high))
