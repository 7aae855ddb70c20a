"""Reports told once more by the same person: cut, begun otherwise, something else added.

Written incidents are told by people who do not know each other. In the field most repeats come
from one writer who asks again, in partly the same words; these pairs stand for them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilah.datasets.regions import load_regions
from pilah.models.fingerprint import make_fingerprint
from pilah.models.places import PlaceReader
from pilah.models.text import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilah.datasets.records import LabelledReport
    from pilah.models.encoder import Encoder
    from pilah.models.reading import CleanText, Fingerprint, Vector

RETOLD = 1500
"""At most so many reports are told once more."""
SHORTEST = 6
"""A text of fewer words is not cut."""
BEGUN, ADDED = 0.5, 0.2
"""How often it begins with a reminder, and how often a piece of another report follows."""
REMINDERS = (
    "laporan saya belum ditindaklanjuti,", "mohon tindak lanjut lagi,",
    "sudah pernah lapor tapi belum ada tindakan.", "kedua kalinya lapor,",
    "selamat pagi, ini laporan ulang.", "kok sampai sekarang belum ada respon ya pak,",
    "terima kasih atas tanggapannya, namun sampai hari ini masih",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Retelling:
    """A report told once more: which row it tells again, and its own fingerprint and embedding."""

    row: int
    fingerprint: Fingerprint
    vector: Vector


def retellings(
    rows: Sequence[LabelledReport],
    cleans: Sequence[CleanText],
    prints: Sequence[Fingerprint],
    encoder: Encoder,
    chosen: Sequence[int],
    *,
    seed: int = 0,
) -> list[Retelling]:
    """Tell some reports once more.

    Args:
        rows: labelled reports.
        cleans: their text forms.
        prints: their fingerprints; a retelling keeps the topic.
        encoder: embeds the new texts.
        chosen: the rows to tell again; a sample of :data:`RETOLD` when there are more.
        seed: of all that is drawn.
    """
    source = random.Random(seed)  # noqa: S311
    picked = sorted(source.sample(list(chosen), min(RETOLD, len(chosen))))
    others = [source.choice(cleans).fixed for _ in picked]
    told = [
        read_text(retold(cleans[i].fixed, o, source)) for i, o in zip(picked, others, strict=True)
    ]
    vectors = encoder.encode([clean.normal for clean in told])
    reader = PlaceReader(load_regions())
    return [
        Retelling(i, _print(rows[i], clean, prints[i], reader), vector)
        for i, clean, vector in zip(picked, told, vectors, strict=True)
    ]


def retold(text: str, other: str, source: random.Random) -> str:
    """A piece of a text, perhaps after a reminder, perhaps with a piece of another behind."""
    parts = [source.choice(REMINDERS)] if source.random() < BEGUN else []
    parts.append(_piece(text, source))
    parts += [_piece(other, source)] if source.random() < ADDED else []
    return " ".join(parts)


def _piece(text: str, source: random.Random) -> str:
    words = text.split()
    if len(words) < SHORTEST:
        return text
    length = max(4, int(len(words) * source.uniform(0.45, 0.95)))
    start = source.randrange(len(words) - length + 1)
    return " ".join(words[start : start + length])


def _print(
    row: LabelledReport, clean: CleanText, first: Fingerprint, reader: PlaceReader
) -> Fingerprint:
    place = reader.read(clean.fixed, load_regions().resolve(row.report.region), row.report.location)
    name = f"{first.report_id} retold"
    return make_fingerprint(name, row.report, clean, place, first.topic, first.received_at)
