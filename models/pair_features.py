"""What speaks for and against two reports telling of the same incident."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from itertools import product
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from pilah.models.fingerprint import words_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import NDArray

    from pilah.models.reading import Fingerprint

VILLAGE, DISTRICT, REGENCY = 13, 8, 5
"""Lengths of Kemendagri codes such as 34.04.07.2001, 34.04.07 and 34.04."""
KM_TOLERANCE = 0.5
"""Kilometre posts at most this far apart are taken for the same place."""
NEAR_KM = 0.3
"""Distance at which two points are no longer taken for the same spot, in kilometres."""
EARTH_KM = 6371.0
MAX_SUMS = 1 << 16
"""Most sets of words whose weight is kept."""


@dataclass(frozen=True)
class WordWeights:
    """How telling a word is: its inverse document frequency (Sparck Jones 1972), 1 at most.

    Attributes:
        total: number of texts counted; 0 makes every word equally telling.
        counts: hashed word -> number of texts that hold it.
    """

    total: int
    counts: Mapping[int, int]

    @classmethod
    def count(cls, documents: Iterable[frozenset[int]]) -> WordWeights:
        """Count the hashed words of many texts."""
        counts: dict[int, int] = {}
        total = 0
        for total, words in enumerate(documents, 1):  # noqa: B007
            for word in words:
                counts[word] = counts.get(word, 0) + 1
        return cls(total, counts)

    @cached_property
    def _known(self) -> dict[int, float]:
        most = math.log1p(self.total)
        return {
            word: min(1.0, (most - math.log(max(1, often))) / most)
            for word, often in self.counts.items()
        }

    def weight(self, word: int) -> float:
        """From nearly 0 (in every text) to 1 (in one or none)."""
        return self._known.get(word, 1.0)

    @cached_property
    def _sums(self) -> dict[frozenset[int], float]:
        return {}

    def whole(self, words: frozenset[int]) -> float:
        """Weight of all words of a report; the latest are kept, for one report meets many."""
        known = self._sums
        if words not in known:
            if len(known) >= MAX_SUMS:
                known.clear()
            known[words] = self.sum(words)
        return known[words]

    def sum(self, words: Collection[int]) -> float:
        """Weight of a set of words."""
        known = self._known
        return math.fsum([known.get(word, 1.0) for word in words])

    def to_dict(self) -> dict[str, Any]:
        """As JSON; words in one text only are left out, for they weigh like unknown ones."""
        return {"total": self.total, "counts": {str(w): n for w, n in self.counts.items() if n > 1}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> WordWeights:
        """The inverse of :meth:`to_dict`."""
        return cls(int(data["total"]), {int(w): int(n) for w, n in data["counts"].items()})


PLAIN = WordWeights(0, {})
"""Every word is equally telling."""


@dataclass(frozen=True, slots=True)
class PairFeatures:
    """What speaks for and against the same incident; 0 where nothing is known.

    Flags are 0 or 1. ``other_...`` means that both sides name one and none is shared.
    """

    cosine: float = 0.0
    overlap: float = 0.0
    containment: float = 0.0
    rare_shared: float = 0.0
    exact_copy: float = 0.0
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
    same_spot_words: float = 0.0
    other_spot_words: float = 0.0
    swapped: float = 0.0
    same_case: float = 0.0
    other_case: float = 0.0
    same_name: float = 0.0
    other_name: float = 0.0
    same_month: float = 0.0
    other_month: float = 0.0
    shared_figures: float = 0.0
    other_figures: float = 0.0
    same_problem: float = 0.0
    other_problem: float = 0.0
    same_topic: float = 0.0
    other_topic: float = 0.0
    same_reporter: float = 0.0
    own_case: float = 0.0
    log_days: float = 0.0
    near: float = 0.0
    log_km: float = 0.0
    spot: float = 0.0
    conflict: float = 0.0
    spot_and_matter: float = 0.0
    cosine_no_spot: float = 0.0

    def array(self) -> NDArray[np.float64]:
        """All features in the order of :data:`FEATURES`, shape (len(FEATURES),)."""
        return np.array(_in_order(self))


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
    known = _words(a, b, weights) | _place(a, b) | _numbers(a, b) | _matter(a, b) | _time(a, b)
    known |= _distance(a, b) | _spots(a, b, weights)
    spot = max(known[n] for n in ("same_street", "same_landmark", "same_case", "near"))
    if known["same_rt"] and known["same_rw"]:
        spot = 1.0
    clashes = ("other_regency", "other_street", "other_rt", "other_rw", "other_km", "other_case")
    matter = max(known["same_problem"], known["same_topic"], known["exact_copy"])
    return PairFeatures(
        cosine=cosine,
        spot=spot,
        conflict=max(known[name] for name in clashes),
        spot_and_matter=spot * matter,
        cosine_no_spot=cosine * (1 - spot),
        **known,
    )


def _words(a: Fingerprint, b: Fingerprint, weights: WordWeights) -> dict[str, float]:
    both = a.words & b.words
    shared, all_a, all_b = weights.sum(both), weights.whole(a.words), weights.whole(b.words)
    either, smaller = all_a + all_b - shared, min(all_a, all_b)
    return {
        "overlap": shared / either if either else 0.0,
        "containment": shared / smaller if smaller else 0.0,
        "rare_shared": math.log1p(sum(weights.weight(w) > 0.7 for w in both)),
        "exact_copy": float(a.text_hash == b.text_hash),
    }


def _place(a: Fingerprint, b: Fingerprint) -> dict[str, float]:
    levels = {"village": VILLAGE, "district": DISTRICT, "regency": REGENCY}
    known: dict[str, float] = {}
    for level, length in levels.items():
        both = len(a.place or "") >= length <= len(b.place or "")
        same = both and (a.place or "")[:length] == (b.place or "")[:length]
        known |= {f"same_{level}": float(same), f"other_{level}": float(both and not same)}
    known |= _named("street", a.streets, b.streets)
    return known | _named("landmark", a.landmarks, b.landmarks)


def _named(kind: str, ours: frozenset[str], theirs: frozenset[str]) -> dict[str, float]:
    """Names agree when the telling words of one are all in the other ("masjid" is not enough)."""
    pairs = ((_telling(x), _telling(y)) for x, y in product(ours, theirs))
    same = any(x and y and (x <= y or y <= x) for x, y in pairs)
    both = bool(ours) and bool(theirs)
    return {f"same_{kind}": float(same), f"other_{kind}": float(both and not same)}


@lru_cache(maxsize=1 << 16)
def _telling(name: str) -> frozenset[str]:
    return frozenset(name.split()) - words_of("generic")


def _spots(a: Fingerprint, b: Fingerprint, weights: WordWeights) -> dict[str, float]:
    """Agreement of the words that tell places; ``swapped``: like texts that tell other places."""
    shared = weights.sum(a.spots & b.spots)
    smaller = min(weights.whole(a.spots), weights.whole(b.spots))
    agreement = shared / smaller if smaller else 0.0
    alike = 0.0
    if smaller:  # only then is it asked for
        rest_a, rest_b = a.words - a.spots, b.words - b.spots
        both = weights.sum(rest_a & rest_b)
        either = weights.sum(rest_a) + weights.sum(rest_b) - both
        alike = both / either if either else 0.0
    return {
        "same_spot_words": agreement,
        "other_spot_words": 1 - agreement if smaller else 0.0,
        "swapped": alike * (1 - agreement) if smaller else 0.0,
    }


def _numbers(a: Fingerprint, b: Fingerprint) -> dict[str, float]:
    known: dict[str, float] = {}
    for kind in ("rt", "rw", "km", "no", "month"):
        ours, theirs = (frozenset(f.numbers.get(kind, ())) for f in (a, b))
        known |= _shared(kind, ours, theirs)
    if known["other_km"] and _close_km(a.numbers["km"], b.numbers["km"]):
        known |= {"same_km": 1.0, "other_km": 0.0}
    ours, theirs = (frozenset(f.numbers.get("figure", ())) for f in (a, b))
    figures = _shared("figures", ours, theirs)
    known["shared_figures"] = math.log1p(len(ours & theirs))
    return known | {"other_figures": figures["other_figures"]}


def _matter(a: Fingerprint, b: Fingerprint) -> dict[str, float]:
    known = _shared("case", a.cases, b.cases) | _shared("name", a.names, b.names)
    known |= _shared("problem", a.problems, b.problems)
    known |= _shared("topic", *(frozenset([f.topic] if f.topic else ()) for f in (a, b)))
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
