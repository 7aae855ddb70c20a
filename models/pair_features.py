"""What speaks for and against two reports telling of the same incident."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pilah.models.fingerprint import words_of
from pilah.models.rarity import NOTHING_RARE, RareWords
from pilah.models.word_weights import PLAIN, WordWeights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pilah.models.reading import Fingerprint

    Numbers = dict[str, tuple[str, ...]]

LEVELS = (("village", 13), ("district", 8), ("regency", 5))
"""Lengths of Kemendagri codes such as 34.04.07.2001, 34.04.07 and 34.04."""
NUMBERS = frozenset({"rt", "rw", "km", "no", "blok", "month", "date"})
"""Kinds of numbers that agree or clash by themselves."""
KM_TOLERANCE = 0.5
"""Kilometre posts at most this far apart are taken for the same place."""
NEAR_KM = 0.3
"""Distance at which two points are no longer taken for the same spot, in kilometres."""
EARTH_KM = 6371.0
SAME_MATTER = 0.3
"""From this share of common words of matter on, two topics may be of one matter."""
SPOT_TOLD = 0.8
"""From this weight on, log(1 + weight), the place words that only one side tells are a place."""


class PairFeatures(NamedTuple):
    """What speaks for and against the same incident; 0 where nothing is known.

    Flags are 0 or 1: ``other_...`` means that both sides name one and none is shared. Measures of
    words are log(1 + weight), or shares of weight: ``shared`` is common to both, ``left`` remains
    on the side that has less left. ``swapped_...`` is what was left in texts that are else alike:
    the mark of the same matter told of another place, name or number. ``rare`` is of words as they
    were written, by how few of the remembered reports hold them.
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
    shared_rare: float = 0.0
    rare_overlap: float = 0.0
    same_blok: float = 0.0
    other_blok: float = 0.0
    same_region: float = 0.0
    other_region: float = 0.0
    other_lane: float = 0.0
    other_kin: float = 0.0
    other_sender: float = 0.0
    left_problems: float = 0.0
    topic_likeness: float = 0.0
    swapped_region: float = 0.0
    same_date: float = 0.0
    other_date: float = 0.0
    swapped_date: float = 0.0
    copied_region: float = 0.0
    copied_street: float = 0.0

    def array(self) -> NDArray[np.float64]:
        """All features in the order of :data:`FEATURES`, shape (len(FEATURES),)."""
        return np.array(self)

    @property
    def spot(self) -> bool:
        """Whether both tell of one spot, case or point on the map."""
        told = self.same_street or self.same_landmark or self.same_case or self.near
        return bool(told or (self.same_rt and self.same_rw))

    @property
    def conflict(self) -> bool:
        """Whether they name different places or cases."""
        return any(getattr(self, name) for name in CLASHES)

    @property
    def differs(self) -> bool:
        """Whether each tells a number, a spot, a problem or a matter that the other lacks.

        Such a pair is shown to a person, however alike the texts are: one writer often asks the
        same of several places, in the same words, or for several things at one place.
        """
        matter = self.other_topic and not self.same_problem and self.matter_overlap < SAME_MATTER
        told = self.left_numbers > 0 or self.left_spots > SPOT_TOLD or bool(matter)
        return told or any(getattr(self, name) for name in DIFFERENT)


CLASHES = ("other_regency", "other_street", "other_rt", "other_rw", "other_km", "other_case")
DIFFERENT = (
    "other_street", "other_landmark", "other_no", "other_rt", "other_rw", "other_problem",
    "other_blok", "other_lane", "other_region", "other_kin", "other_sender",
    "left_problems",
)  # fmt: skip
FEATURES = PairFeatures._fields


def pair_features(
    a: Fingerprint,
    b: Fingerprint,
    cosine: float,
    weights: WordWeights = PLAIN,
    rare: RareWords = NOTHING_RARE,
) -> PairFeatures:
    """The evidence of a pair; symmetric in ``a`` and ``b``.

    Args:
        a: one report.
        b: the other.
        cosine: similarity of their embeddings, -1 to 1.
        weights: how telling each content word is in the language.
        rare: what both have of words that are rare in what is remembered.
    """
    known = {"cosine": cosine}
    _place(known, a.place or "", b.place or "")
    _named(known, "street", a.streets, b.streets)
    _named(known, "landmark", a.landmarks, b.landmarks)
    _lanes(known, a.streets, b.streets)
    _regions(known, a.regions, b.regions)
    _numbers(known, a.numbers, b.numbers)
    _matter(known, a, b)
    _words(known, a, b, weights)
    known["shared_rare"], known["rare_overlap"] = math.log1p(rare.shared), rare.overlap
    seconds = abs((a.received_at - b.received_at).total_seconds())
    known["log_days"] = math.log1p(seconds / 86_400)
    _distance(known, a, b)
    return PairFeatures(**known)


Likely = tuple[tuple[int, float], ...]
Known = dict[str, float]
"""Features found so far; those that are missing are 0."""


def _words(known: Known, a: Fingerprint, b: Fingerprint, weights: WordWeights) -> None:
    ours, theirs = weights.parts(a), weights.parts(b)
    shared = weights.sum(a.words & b.words)
    spots, things = weights.sum(a.spots & b.spots), weights.sum(a.things & b.things)
    matter = weights.sum(ours.rest & theirs.rest)
    told = weights.sum((ours.told | theirs.told) & ours.every & theirs.every)
    least, fewest_spots = min(ours.weight, theirs.weight), min(ours.spots, theirs.spots)
    known["overlap"] = _share(shared, ours.weight + theirs.weight - shared)
    known["containment"] = _share(shared, least)
    known["matter_overlap"] = _share(matter, ours.matter + theirs.matter - matter)
    known["exact_copy"] = float(a.text_hash == b.text_hash)
    known["shared_words"] = math.log1p(shared)
    known["shared_things"] = math.log1p(things)
    known["shared_spots"] = math.log1p(spots)
    known["shared_told"] = math.log1p(told)
    known["place_and_matter"] = math.log1p(min(told, matter))
    known["spot_containment"] = _share(spots, fewest_spots)
    known["left_things"] = _left(min(ours.things, theirs.things), things)
    known["left_spots"] = _left(fewest_spots, spots)
    _swapped(known, _left(least, shared))
    copied = _share(matter, min(ours.matter, theirs.matter))
    known["copied_region"] = copied * known.get("other_region", 0.0)
    known["copied_street"] = copied * known.get("other_street", 0.0)


def _lanes(known: Known, ours: frozenset[str], theirs: frozenset[str]) -> None:
    """Whether both name lanes ("gang 3") and none is shared, whatever streets are."""
    if ours and theirs and (lanes := {s for s in ours if s.startswith("gang ")}):
        others = {s for s in theirs if s.startswith("gang ")}
        known["other_lane"] = float(bool(others) and lanes.isdisjoint(others))


def _regions(known: Known, ours: frozenset[str], theirs: frozenset[str]) -> None:
    """Districts and villages that the texts name: agreed on, and named by each side alone."""
    if ours and theirs:
        nested = [(x, y) for x, y in product(ours, theirs) if x.startswith(y) or y.startswith(x)]
        alone = ours.difference(x for x, _ in nested), theirs.difference(y for _, y in nested)
        known["same_region"], known["other_region"] = float(bool(nested)), float(all(alone))


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _left(whole: float, shared: float) -> float:
    return math.log1p(max(0.0, whole - shared))


def _swapped(known: Known, left_words: float) -> None:
    alike = known["matter_overlap"]
    known["swapped_words"] = alike * left_words
    known["swapped_things"] = alike * known["left_things"]
    known["swapped_spots"] = alike * known["left_spots"]
    known["swapped_numbers"] = alike * known.get("left_numbers", 0.0)
    known["swapped_landmark"] = alike * known.get("other_landmark", 0.0)
    known["swapped_month"] = alike * known.get("other_month", 0.0)
    known["swapped_date"] = alike * known.get("other_date", 0.0)
    known["swapped_region"] = alike * known.get("other_region", 0.0)


def _place(known: Known, ours: str, theirs: str) -> None:
    for level, length in LEVELS:
        if len(ours) >= length <= len(theirs):
            known[_said(level, same=ours[:length] == theirs[:length])] = 1.0


def _said(kind: str, *, same: bool) -> str:
    return f"same_{kind}" if same else f"other_{kind}"


def _named(known: Known, kind: str, ours: frozenset[str], theirs: frozenset[str]) -> None:
    """Names agree when the telling words of one are all in the other ("masjid" is not enough)."""
    if ours and theirs:
        pairs = ((_telling(x), _telling(y)) for x, y in product(ours, theirs))
        same = any(x and y and (x <= y or y <= x) for x, y in pairs)
        known[_said(kind, same=same)] = 1.0


@lru_cache(maxsize=1 << 16)
def _telling(name: str) -> frozenset[str]:
    return frozenset(name.split()) - words_of("generic")


def _numbers(known: Known, ours: Numbers, theirs: Numbers) -> None:
    if not ours or not theirs:
        return
    for kind in ours.keys() & theirs.keys():
        if kind in NUMBERS:
            close = kind == "km" and _close_km(ours[kind], theirs[kind])
            same = close or not set(ours[kind]).isdisjoint(theirs[kind])
            known[_said(kind, same=same)] = 1.0
    if (one := _figures(ours)) and (other := _figures(theirs)):
        both = len(one & other)
        known["shared_numbers"] = math.log1p(both)
        known["left_numbers"] = math.log1p(min(len(one), len(other)) - both)


def _figures(numbers: Numbers) -> set[str]:
    """All numbers of a text, whatever they count."""
    found: set[str] = set()
    for kind, values in numbers.items():
        if kind != "month":
            found.update(values)
    return found


def _matter(known: Known, a: Fingerprint, b: Fingerprint) -> None:
    pairs = (("case", a.cases, b.cases), ("name", a.names, b.names),
             ("problem", a.problems, b.problems))  # fmt: skip
    for kind, ours, theirs in pairs:
        if ours and theirs:
            known[_said(kind, same=not ours.isdisjoint(theirs))] = 1.0
    if a.problems and b.problems:
        both = len(a.problems & b.problems)
        known["left_problems"] = math.log1p(min(len(a.problems), len(b.problems)) - both)
    if a.senders and b.senders:
        known["other_sender"] = float(a.senders.isdisjoint(b.senders))
    if a.kin and b.kin:
        kin = any(x.startswith(y) or y.startswith(x) for x, y in product(a.kin, b.kin))
        known["other_kin"] = float(not kin)
    known["topic_likeness"] = _likeness(a.topics, b.topics)
    if a.topic is not None and b.topic is not None:
        known[_said("topic", same=a.topic == b.topic)] = 1.0
    shown = a.visibility == b.visibility == "public"
    same = shown and a.reporter is not None and a.reporter == b.reporter
    known["same_reporter"] = float(same)
    known["own_case"] = float(a.own_case and b.own_case and not same)


def _likeness(ours: Likely, theirs: Likely) -> float:
    """How far two lists of likely topics agree, 0 to 1 (Bhattacharyya 1943)."""
    return sum([math.sqrt(p * q) for t, p in ours for u, q in theirs if t == u])


def _distance(known: Known, a: Fingerprint, b: Fingerprint) -> None:
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return
    km = kilometres((a.lat, a.lon), (b.lat, b.lon))
    known["near"], known["log_km"] = float(km <= NEAR_KM), math.log1p(km)


def kilometres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance of two (lat, lon) in degrees, in km (haversine, Sinnott 1984)."""
    (lat1, lon1), (lat2, lon2) = ((math.radians(x), math.radians(y)) for x, y in (a, b))
    chord = math.sin((lat2 - lat1) / 2) ** 2
    chord += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, chord)))


def _close_km(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    pairs = product(map(_number, ours), map(_number, theirs))
    return any(abs(x - y) <= KM_TOLERANCE for x, y in pairs if x is not None and y is not None)


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
