"""Pairs of a written report and one told anew: fingerprints and embeddings of the new texts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from pilah.datasets.regions import load_regions
from pilah.models.fingerprint import hash_word, make_fingerprint, written_words
from pilah.models.places import PlaceReader
from pilah.models.rarity import Rarity
from pilah.models.regional import in_indonesian
from pilah.models.text import read_text
from pilah.training.retold import beside, moved, reminded, retold

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.models.encoder import Encoder
    from pilah.models.reading import CleanText, Fingerprint, PlaceReading, Vector

Telling = Literal["retold", "reminded", "beside", "neighbour"]
AGAIN: tuple[Telling, ...] = ("retold", "reminded")
"""The same incident once more; the others tell another one."""
OF_EACH = 1500
"""At most so many texts of each kind are made."""
RARE = 0.4
"""From this weight on a word is held to tell a report from others."""
TRIES = 8
"""How often a fitting stranger is looked for."""
HARD_NEGATIVE_OF = "hard_negative_of"
"""Column of a row that imitates an incident without belonging to it; names the incident."""


@dataclass(frozen=True, slots=True)
class Told:
    """A made text.

    Attributes:
        kind: how it was made.
        row: the report that it is compared with.
        other: the report whose matter it tells; ``row`` itself where that is told again.
        fingerprint, vector: of the made text.
    """

    kind: Telling
    row: int
    other: int
    fingerprint: Fingerprint
    vector: Vector


@dataclass(frozen=True, slots=True)
class ReadReports:
    """Labelled reports, read: their text forms, places, fingerprints, and how rare words are."""

    rows: Sequence[LabelledReport]
    cleans: Sequence[CleanText]
    places: Sequence[PlaceReading]
    prints: Sequence[Fingerprint]
    rarity: Rarity


def group_of(row: LabelledReport, i: int) -> str:
    """The incident of a row, or the one that it imitates, or itself."""
    imitated = row.extra.get(HARD_NEGATIVE_OF)
    return row.labels.incident or (str(imitated) if imitated else f"row {i}")


def tellings(reports: ReadReports, encoder: Encoder, *, seed: int = 0) -> list[Told]:
    """Tell some reports anew, :data:`OF_EACH` in every kind.

    Args:
        reports: all that words are taken from.
        encoder: embeds the new texts.
        seed: of all that is drawn.
    """
    teller = _Teller(reports, random.Random(seed))  # noqa: S311
    made = [one for kind in _MAKERS for one in teller.some(kind)]
    cleans = [read_text(text) for *_, text in made]
    vectors = encoder.encode([in_indonesian(clean.normal) for clean in cleans])
    reader = PlaceReader(load_regions())
    return [
        Told(kind, i, j, _print(reports, i, j, clean, reader), vector)
        for (kind, i, j, _), clean, vector in zip(made, cleans, vectors, strict=True)
    ]


class _Teller:
    """Draws who is told anew, and with whose words."""

    def __init__(self, reports: ReadReports, source: random.Random) -> None:
        self.reports, self.source = reports, source
        self.groups = [group_of(row, i) for i, row in enumerate(reports.rows)]
        self.by_topic: dict[str | None, list[int]] = {}
        for i, fingerprint in enumerate(reports.prints):
            self.by_topic.setdefault(fingerprint.topic, []).append(i)

    def some(self, kind: Telling) -> list[tuple[Telling, int, int, str]]:
        """(kind, row, row whose matter it is, text) of a sample."""
        rows = range(len(self.reports.rows))
        found = []
        for i in sorted(self.source.sample(rows, min(OF_EACH, len(rows)))):
            j = self._stranger(i, alike=kind != "beside")
            text = None if j is None else _MAKERS[kind](self, i, j)
            if j is not None and text:
                found.append((kind, i, i if kind in AGAIN else j, text))
        return found

    def _stranger(self, i: int, *, alike: bool) -> int | None:
        """A report of another incident: of the same topic, or of another one."""
        prints, groups = self.reports.prints, self.groups
        pool = self.by_topic[prints[i].topic] if alike else range(len(prints))
        for _ in range(TRIES):
            j = self.source.choice(pool)
            if groups[i] != groups[j] and alike == (prints[i].topic == prints[j].topic):
                return j
        return None

    def text(self, i: int) -> str:
        return self.reports.cleans[i].fixed

    def telling(self, word: str) -> bool:
        """Whether a word is a number or rare."""
        rarity = self.reports.rarity
        written = written_words(word)
        return any(w.isdigit() or rarity.sum([hash_word(w)]) >= RARE for w in written)

    def phrases(self, i: int, *, regions: bool) -> list[str]:
        """The pieces of a text that tell its region, or those that tell the spot."""
        found = self.reports.places[i].found
        return [f.text for f in found if (f.code is not None) == regions and f.text]

    def moved(self, i: int, j: int) -> str:
        """The text of j with the regions that i names."""
        ours, theirs = (self.phrases(k, regions=True) for k in (i, j))
        return moved(self.text(j), theirs, ours, self.source)


def _retold(teller: _Teller, i: int, _: int) -> str:
    other = teller.source.randrange(len(teller.reports.rows))
    return retold(teller.text(i), teller.text(other), teller.source)


def _reminded(teller: _Teller, i: int, j: int) -> str:
    return reminded(teller.text(i), teller.text(j), teller.telling, teller.source)


def _beside(teller: _Teller, i: int, j: int) -> str | None:
    phrases = teller.phrases(i, regions=False)
    return beside(teller.moved(i, j), phrases, teller.source) if phrases else None


_MAKERS: dict[Telling, Callable[[_Teller, int, int], str | None]] = {
    "retold": _retold, "reminded": _reminded, "beside": _beside, "neighbour": _Teller.moved,
}  # fmt: skip


def _print(
    reports: ReadReports, i: int, j: int, clean: CleanText, reader: PlaceReader
) -> Fingerprint:
    """Of a text sent from where row i was, about what row j is about."""
    report, first, told = reports.rows[i].report, reports.prints[i], reports.prints[j]
    place = reader.read(clean.fixed, load_regions().resolve(report.region), report.location)
    name = f"{first.report_id} told anew"
    made = make_fingerprint(name, report, clean, place, (), first.received_at)
    return replace(made, topic=told.topic, topics=told.topics)
