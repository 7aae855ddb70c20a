"""What a report needs before anyone can act: place, time, object, agency."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilah.models.fingerprint import spot_words, words_of
from pilah.models.reading import PlaceReading

_TIME = re.compile(
    r"\b(tanggal|tgl|hari|kemarin|tadi|semalam|pagi|siang|sore|malam|minggu|bulan|tahun|jam|pukul|"
    r"sejak|sudah|senin|selasa|rabu|kamis|jumat|sabtu|januari|februari|maret|april|mei|juni|juli|"
    r"agustus|september|oktober|november|desember|sekarang|hingga|sampai|selalu|setiap|sering)\b"
    r"|\d{1,2}[/.-]\d{1,2}"
)
ACTIONABLE = "actionable"
"""The outcome of a report that an agency can act on as it stands."""
SHORT = 6
"""A text of fewer words hardly names what it is about."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing, and the reasons in words for the moderator."""

    parts: tuple[str, ...]
    evidence: tuple[str, ...]


def missing_parts(
    normal: str, place: PlaceReading, *, routed: bool, needs_place: bool, topic_known: bool
) -> Missing:
    """Name what an official would have to ask for.

    Args:
        normal: the normalised text.
        place: what was read of the place.
        routed: a government was found.
        needs_place: the matter happens at a spot (a road, a lamp), not in a register.
        topic_known: a topic was stated.
    """
    found: list[tuple[str, str]] = []
    if needs_place and not (_spot(place) or _told(normal)):
        found.append(("place", "tidak ada jalan, RT/RW, desa atau patokan"))
    if not _TIME.search(normal):
        found.append(("time", "tidak disebut sejak kapan atau kapan kejadiannya"))
    if not topic_known or len(normal.split()) < SHORT:
        found.append(("object", "tidak jelas apa yang dilaporkan"))
    if not routed:
        found.append(
            ("agency", "wilayah tidak diketahui, pemerintah daerah tidak dapat ditentukan")
        )
    return Missing(tuple(p for p, _ in found), tuple(e for _, e in found))


def _told(normal: str) -> bool:
    """Is a place told that no gazetteer knows ("depan pasar Cebongan")?

    What follows "jalan" is left to the gazetteer's reading: most often it is "rusak" or "gelap".
    """
    words = " ".join(word for word in normal.split() if word != "jalan")
    return any(w not in words_of("generic") and w != "tempat" for w in spot_words(words))


def _spot(place: PlaceReading) -> bool:
    """Is there anything finer than a kabupaten/kota?"""
    deep = place.code is not None and place.code.count(".") >= 3
    numbers = any(place.numbers.get(k) for k in ("rt", "rw", "km"))
    return deep or bool(place.streets or place.landmarks) or numbers
