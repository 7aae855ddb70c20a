"""What the parts of the pipeline hand to each other: a read report, its fingerprint, its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilah.datasets.records import Report
    from pilah.models.answer import PlaceFound, Triage
    from pilah.models.hoax import TextSigns

Vector = NDArray[np.float32]
"""A float32 array: one L2-normalised embedding, shape (dim,)."""

Spoken = tuple[tuple[str, float], ...]
"""The likeliest topics of a report and their probabilities, best first."""


@dataclass(frozen=True, slots=True)
class CleanText:
    """One text in the forms that models read.

    Attributes:
        fixed: Unicode and mojibake repaired, otherwise as written.
        masked: ``fixed`` with personal data replaced by labels such as ``[NIK]``.
        normal: ``masked`` in lower case, slang and abbreviations expanded, elongations cut.
    """

    fixed: str
    masked: str
    normal: str


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """Where it happened, as far as text, given region and coordinates tell.

    Attributes:
        code: deepest Kemendagri code that is sure enough (``"34.04.07"``), or None.
        probability: how sure the code is, 0 to 1.
        found: every place mention, in order of the text.
        streets: normalised street names without "jalan" (``"kaliurang"``).
        numbers: kind -> values, such as ``{"rt": ("3",), "rw": ("1",), "km": ("5",), "no": ()}``.
        landmarks: normalised landmark names (``"indomaret palagan"``).
        conflict: the text names another kabupaten/kota than the given region.
    """

    code: str | None
    probability: float
    found: tuple[PlaceFound, ...] = ()
    streets: frozenset[str] = frozenset()
    numbers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    landmarks: frozenset[str] = frozenset()
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """One report's text and place, before the models look at it."""

    report_id: str
    report: Report
    clean: CleanText
    place: PlaceReading


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of a report to recognise its incident again: no free text, no personal data.

    Attributes:
        text_hash: hex digest of the normalised text; equal means an exact copy.
        words: hashed content words (stable 32-bit integers).
        cases: keyed hashes of registration or meter numbers found in the text.
        problems: slugs of the things complained about (``"street_light"``), from problems.csv.
        names: hashed words that follow "pak", "bu", "atas nama" and the like.
        spots: hashed words that stand where a place is told ("di", "depan", "dusun" before them).
        things: hashed words that are none of the language: names of places, firms and people.
        own_case: it tells of the writer's own papers, aid or wages, not of a shared place.
        written: hashed words as they were written, numbers and misspellings too, personal data out.
        regions: codes of the districts and villages that the text names.
        kin: of the writer, whom the text tells of ("ibu saya").
        senders: hashed names by which writers introduce themselves.
        topics: the likeliest ones, hashed, and their probabilities.
    """

    report_id: str
    text_hash: str
    words: frozenset[int]
    place: str | None
    streets: frozenset[str]
    numbers: dict[str, tuple[str, ...]]
    landmarks: frozenset[str]
    cases: frozenset[str]
    topic: str | None
    reporter: str | None
    visibility: str
    received_at: datetime
    lat: float | None = None
    lon: float | None = None
    problems: frozenset[str] = frozenset()
    names: frozenset[int] = frozenset()
    spots: frozenset[int] = frozenset()
    things: frozenset[int] = frozenset()
    own_case: bool = False
    written: frozenset[int] = frozenset()
    regions: frozenset[str] = frozenset()
    kin: frozenset[str] = frozenset()
    senders: frozenset[int] = frozenset()
    topics: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that one report tells by itself, before it is compared with others."""

    report_id: str
    report: Report
    clean: CleanText
    place: PlaceReading
    vector: Vector
    fingerprint: Fingerprint
    signs: TextSigns
    draft: Triage


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer and what must be remembered of the report."""

    triage: Triage
    fingerprint: Fingerprint
    vector: Vector
    incident_id: str


Stored = tuple[Fingerprint, Vector, str]
"""What a store keeps of a report: fingerprint, vector, and the incident that it belongs to."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a store holds beyond a saved memory.

    Attributes:
        fresh: reports that came since, oldest first.
        moved: report id -> the incident that it belongs to now.
    """

    fresh: Iterable[Stored]
    moved: Mapping[str, str]
