"""What speaks for and against two reports telling of the same incident."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import product
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from pilah.models.fingerprint import words_of
from pilah.models.word_weights import PLAIN, WordWeights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pilah.models.reading import Fingerprint

VILLAGE, DISTRICT, REGENCY = 13, 8, 5
"""Lengths of Kemendagri codes such as 34.04.07.2001, 34.04.07 and 34.04."""
KM_TOLERANCE = 0.5
"""Kilometre posts at most this far apart are taken for the same place."""
NEAR_KM = 0.3
"""Distance at which two points are no longer taken for the same spot, in kilometres."""
EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class PairFeatures:
    """What speaks for and against the same incident; 0 where nothing is known.

    Flags are 0 or 1: ``other_...`` means that both sides name one and none is shared. Measures of
    words are log(1 + weight), or shares of weight: ``shared`` is common to both, ``left`` remains
    on the side that has less left. ``swapped_...`` is what was left in texts that are else alike:
    the mark of the same matter told of another place, name or number.
    """

    cosine: float = 0.0
    overlap: float = 0.0
    containment: float = 0.0
    matter_overlap: float = 0.0
    exact_copy: float = 0.0
    shared_words: float = 0.0
    shared_things: float = 0.0
    shared_spots: float = 0.0
    shared_numbers: float = 0.0
    shared_told: float = 0.0
    place_and_matter: float = 0.0
    spot_containment: float = 0.0
    left_things: float = 0.0
    left_spots: float = 0.0
    left_numbers: float = 0.0
    swapped_words: float = 0.0
    swapped_things: float = 0.0
    swapped_spots: float = 0.0
    swapped_numbers: float = 0.0
    swapped_landmark: float = 0.0
    swapped_month: float = 0.0
    same_village: float = 0.0
    other_village: float = 0.0
    same_district: float = 0.0
    other_district: float = 0.0
    same_regency: float = 0.0
    other_regency: float = 0.0
    same_street: float = 0.0
    other_street: float = 0.0
    same_rt: float = 0.0
    other_rt: float = 0.0
    same_rw: float = 0.0
    other_rw: float = 0.0
    same_km: float = 0.0
    other_km: float = 0.0
    same_no: float = 0.0
    other_no: float = 0.0
    same_landmark: float = 0.0
    other_landmark: float = 0.0
    same_case: float = 0.0
    other_case: float = 0.0
    same_name: float = 0.0
    other_name: float = 0.0
    same_month: float = 0.0
    other_month: float = 0.0
    same_problem: float = 0.0
    other_problem: float = 0.0
    same_topic: float = 0.0
    other_topic: float = 0.0
    same_reporter: float = 0.0
    own_case: float = 0.0
    log_days: float = 0.0
    near: float = 0.0
    log_km: float = 0.0

    def array(self) -> NDArray[np.float64]:
        """All features in the order of :data:`FEATURES`, shape (len(FEATURES),)."""
        return np.array(_in_order(self))

    @property
    def spot(self) -> bool:
        """Whether both tell of one spot, case or point on the map."""
        told = self.same_street or self.same_landmark or self.same_case or self.near
        return bool(told or (self.same_rt and self.same_rw))

    @property
    def conflict(self) -> bool:
        """Whether they name different places or cases."""
        return any(getattr(self, name) for name in CLASHES)


CLASHES = ("other_regency", "other_street", "other_rt", "other_rw", "other_km", "other_case")
FEATURES = tuple(field.name for field in fields(PairFeatures))
_in_order = attrgetter(*FEATURES)


def pair_features(
    a: Fingerprint, b: Fingerprint, cosine: float, weights: WordWeights = PLAIN
) -> PairFeatures:
    """The evidence of a pair; symmetric in ``a`` and ``b``.

    Args:
        a: one report.
        b: the other.
        cosine: similarity of their embeddings, -1 to 1.
        weights: how telling each word is.
    """
    known = _place(a, b) | _numbers(a, b) | _matter(a, b) | _words(a, b, weights)
    known |= _swapped(known)
    return PairFeatures(cosine=cosine, **known, **_time(a, b), **_distance(a, b))


def _words(a: Fingerprint, b: Fingerprint, weights: WordWeights) -> dict[str, float]:
    ours, theirs = weights.parts(a), weights.parts(b)
    shared = weights.sum(a.words & b.words)
    either, least = ours.weight + theirs.weight - shared, min(ours.weight, theirs.weight)
    spots, things = weights.sum(a.spots & b.spots), weights.sum(a.things & b.things)
    matter = weights.sum(ours.rest & theirs.rest)
    told = weights.sum((ours.told | theirs.told) & ours.every & theirs.every)
    fewest_spots = min(ours.spots, theirs.spots)
    return {
        "overlap": shared / either if either else 0.0,
        "containment": shared / least if least else 0.0,
        "matter_overlap": _share(matter, ours.matter + theirs.matter - matter),
        "exact_copy": float(a.text_hash == b.text_hash),
        "shared_words": math.log1p(shared),
        "shared_things": math.log1p(things),
        "shared_spots": math.log1p(spots),
        "shared_told": math.log1p(told),
        "place_and_matter": math.log1p(min(told, matter)),
        "spot_containment": _share(spots, fewest_spots),
        "left_words": _left(least, shared),
        "left_things": _left(min(ours.things, theirs.things), things),
        "left_spots": _left(fewest_spots, spots),
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _left(whole: float, shared: float) -> float:
    return math.log1p(max(0.0, whole - shared))


def _swapped(known: dict[str, float]) -> dict[str, float]:
    alike = known["matter_overlap"]
    return {
        "swapped_words": alike * known.pop("left_words"),
        "swapped_things": alike * known["left_things"],
        "swapped_spots": alike * known["left_spots"],
        "swapped_numbers": alike * known["left_numbers"],
        "swapped_landmark": alike * known["other_landmark"],
        "swapped_month": alike * known["other_month"],
    }


def _place(a: Fingerprint, b: Fingerprint) -> dict[str, float]:
    levels = {"village": VILLAGE, "district": DISTRICT, "regency": REGENCY}
    ours, theirs = a.place or "", b.place or ""
    known: dict[str, float] = {}
    for level, length in levels.items():
        both = len(ours) >= length <= len(theirs)
        same = both and ours[:length] == theirs[:length]
        known[f"same_{level}"], known[f"other_{level}"] = float(same), float(both and not same)
    known |= _named("street", a.streets, b.streets)
    return known | _named("landmark", a.landmarks, b.landmarks)


def _named(kind: str, ours: frozenset[str], theirs: frozenset[str]) -> dict[str, float]:
    """Names agree when the telling words of one are all in the other ("masjid" is not enough)."""
    if not ours or not theirs:
        return {f"same_{kind}": 0.0, f"other_{kind}": 0.0}
    pairs = ((_telling(x), _telling(y)) for x, y in product(ours, theirs))
    same = any(x and y and (x <= y or y <= x) for x, y in pairs)
    return {f"same_{kind}": float(same), f"other_{kind}": float(not same)}


@lru_cache(maxsize=1 << 16)
def _telling(name: str) -> frozenset[str]:
    return frozenset(name.split()) - words_of("generic")


def _numbers(a: Fingerprint, b: Fingerprint) -> dict[str, float]:
    known: dict[str, float] = {}
    for kind in ("rt", "rw", "km", "no", "month"):
        ours, theirs = (frozenset(f.numbers.get(kind, ())) for f in (a, b))
        known |= _shared(kind, ours, theirs)
    if known["other_km"] and _close_km(a.numbers["km"], b.numbers["km"]):
        known |= {"same_km": 1.0, "other_km": 0.0}
    ours, theirs = _figures(a), _figures(b)
    both = len(ours & theirs)
    known["shared_numbers"] = math.log1p(both)
    known["left_numbers"] = math.log1p(min(len(ours), len(theirs)) - both)
    return known


def _figures(fingerprint: Fingerprint) -> frozenset[str]:
    """All numbers of a text, whatever they count."""
    kinds = fingerprint.numbers.items()
    return frozenset(value for kind, values in kinds if kind != "month" for value in values)


def _matter(a: Fingerprint, b: Fingerprint) -> dict[str, float]:
    known = _shared("case", a.cases, b.cases) | _shared("name", a.names, b.names)
    known |= _shared("problem", a.problems, b.problems)
    known["same_topic"] = float(a.topic is not None and a.topic == b.topic)
    known["other_topic"] = float(None not in (a.topic, b.topic) and a.topic != b.topic)
    shown = a.visibility == b.visibility == "public"
    same = shown and a.reporter is not None and a.reporter == b.reporter
    known["same_reporter"] = float(same)
    known["own_case"] = float(a.own_case and b.own_case and not same)
    return known


def _time(a: Fingerprint, b: Fingerprint) -> dict[str, float]:
    seconds = abs((a.received_at - b.received_at).total_seconds())
    return {"log_days": math.log1p(seconds / 86_400)}


def _distance(a: Fingerprint, b: Fingerprint) -> dict[str, float]:
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return {"near": 0.0, "log_km": 0.0}
    km = kilometres((a.lat, a.lon), (b.lat, b.lon))
    return {"near": float(km <= NEAR_KM), "log_km": math.log1p(km)}


def kilometres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance of two (lat, lon) in degrees, in km (haversine, Sinnott 1984)."""
    (lat1, lon1), (lat2, lon2) = ((math.radians(x), math.radians(y)) for x, y in (a, b))
    chord = math.sin((lat2 - lat1) / 2) ** 2
    chord += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, chord)))


def _shared(kind: str, ours: frozenset[Any], theirs: frozenset[Any]) -> dict[str, float]:
    same, both = bool(ours & theirs), bool(ours) and bool(theirs)
    return {f"same_{kind}": float(same), f"other_{kind}": float(both and not same)}


def _close_km(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    pairs = product(map(_number, ours), map(_number, theirs))
    return any(abs(x - y) <= KM_TOLERANCE for x, y in pairs if x is not None and y is not None)


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
