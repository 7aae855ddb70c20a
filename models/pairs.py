"""Do two reports tell of the same incident? The probability of a pair, and its reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from operator import mul
from typing import TYPE_CHECKING, Any

import numpy as np

from pilah.datasets.errors import BundleError
from pilah.models.pair_features import FEATURES, PairFeatures, pair_features
from pilah.models.word_weights import PLAIN, WordWeights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pilah.models.rarity import RareWords
    from pilah.models.reading import Fingerprint

FORMAT = 3
"""Version of a saved scorer."""
_COUNTS = ("words", "written")
TELLING = 0.5
"""From this weight on, log(1 + weight), the names that both texts tell are worth saying."""
SWAPPED = 0.2
"""From here on, likeness times what differs, a text is told as a copy with another place."""


@dataclass(frozen=True)
class PairScorer:
    """A standardised logistic regression over :class:`PairFeatures`, as plain numbers.

    Attributes:
        names: the features it reads, each of :data:`FEATURES`; a scorer of an earlier version may
            lack some.
        weights: one per feature, for standardised values.
        bias: added to the weighted sum.
        mean: subtracted from each feature.
        scale: each feature is divided by it; positive.
        words: how telling each content word is, for the overlap features.
        written: in how many texts each written word stands, where nothing is remembered yet.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    words: WordWeights = PLAIN
    written: WordWeights = PLAIN

    def __post_init__(self) -> None:
        """Refuse a scorer of other features.

        Raises:
            BundleError: names, lengths or scales do not fit this version.
        """
        sizes = {len(part) for part in (self.weights, self.mean, self.scale)}
        known = set(FEATURES).issuperset(self.names) and sizes == {len(self.names)}
        if not known or min(self.scale) <= 0:
            raise BundleError("pair scorer: made for other features; train the bundle again")

    @cached_property
    def _line(self) -> tuple[NDArray[np.float64], float]:
        """The same regression over features as they are: slope of each, and offset."""
        slope = np.zeros(len(FEATURES))
        steep = np.array(self.weights) / np.array(self.scale)
        slope[[FEATURES.index(name) for name in self.names]] = steep
        return slope, self.bias - float(steep @ np.array(self.mean))

    def features(
        self, a: Fingerprint, b: Fingerprint, cosine: float, rare: RareWords
    ) -> PairFeatures:
        """The evidence of a pair; ``rare``: what their written words share."""
        return pair_features(a, b, cosine, self.words, rare)

    def probability(self, features: PairFeatures) -> float:
        """Probability that both tell of the same incident, 0 to 1."""
        logit = sum(map(mul, features, self._slopes.values()), self._line[1])
        return 1 / (1 + math.exp(-max(-700.0, min(700.0, logit))))

    @cached_property
    def _slopes(self) -> dict[str, float]:
        return dict(zip(FEATURES, self._line[0].tolist(), strict=True))

    def partly(self, **known: NDArray[Any]) -> NDArray[np.float64]:
        """What some features of n pairs add to the log-odds, shape (n,) each."""
        parts = [self._slopes[name] * values for name, values in known.items()]
        return np.asarray(np.sum(parts, axis=0, dtype=np.float64))

    def evidence(self, features: PairFeatures) -> tuple[str, ...]:
        """What was found, in stable English phrases, the strongest kinds first."""
        return evidence(features)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": FORMAT, "names": list(self.names), "weights": list(self.weights),
            "bias": self.bias, "mean": list(self.mean), "scale": list(self.scale),
            "words": self.words.to_dict(), "written": self.written.to_dict(),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PairScorer:
        """The inverse of :meth:`to_dict`.

        Raises:
            BundleError: a part is missing, or made for other features.
        """
        try:
            parts = {n: tuple(map(float, data[n])) for n in ("weights", "mean", "scale")}
            words, written = (WordWeights.from_dict(data[n]) for n in _COUNTS)
            names, bias = tuple(data["names"]), float(data["bias"])
            return cls(names=names, bias=bias, words=words, written=written, **parts)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"pair scorer: {error!r}; train the bundle again") from error


def plain_scorer() -> PairScorer:
    """A scorer weighed by hand, for a bundle that has learned none. Not calibrated."""
    return PairScorer(
        names=FEATURES,
        weights=tuple(_BY_HAND.get(name, 0.0) for name in FEATURES),
        bias=-5.5,
        mean=(0.0,) * len(FEATURES),
        scale=(1.0,) * len(FEATURES),
    )


def evidence(features: PairFeatures) -> tuple[str, ...]:
    """What a pair shows, in stable English phrases: agreement first, then conflict, then time."""
    found = {name for name in _PHRASES if getattr(features, name) > 0}
    implied = {less for more, less in _IMPLIED if more in found}
    flags = (phrase for name, phrase in _PHRASES.items() if name in found - implied)
    measured = (
        "most words shared" if features.containment >= 0.5 and not features.exact_copy else "",
        "same names told" if features.shared_things >= TELLING else "",
        "alike but for the place" if features.swapped_spots >= SWAPPED else "",
        "alike but for a name" if features.swapped_things >= SWAPPED else "",
        "alike but for a number" if features.swapped_numbers >= SWAPPED else "",
        _apart(features.log_days),
        f"{math.expm1(features.log_km):.1f} km apart" if features.log_km > 0 else "",
    )
    return (*flags, *filter(None, measured))


_PHRASES = {
    "exact_copy": "same text",
    "same_case": "same case number",
    "same_reporter": "same reporter",
    "same_street": "same street",
    "same_landmark": "same landmark",
    "near": "same spot on the map",
    "same_no": "same house number",
    "same_km": "same km",
    "same_rt": "same RT",
    "same_rw": "same RW",
    "same_village": "same village",
    "same_district": "same district",
    "same_regency": "same regency",
    "same_problem": "same problem",
    "same_topic": "same topic",
    "same_name": "same name",
    "same_month": "same month named",
    "same_date": "same date named",
    "same_blok": "same block",
    "same_region": "same village or district named",
    "other_case": "different case number",
    "other_street": "different street",
    "other_no": "different house number",
    "other_km": "different km",
    "other_rt": "different RT",
    "other_rw": "different RW",
    "other_village": "different village",
    "other_district": "different district",
    "other_regency": "different regency",
    "other_problem": "different problem",
    "other_name": "different name",
    "other_month": "different month named",
    "other_date": "different date named",
    "other_blok": "different block",
    "other_lane": "different lane",
    "other_region": "another village or district named",
    "other_kin": "different relative",
    "other_sender": "told by different people",
    "left_problems": "each tells another problem too",
    "own_case": "each tells of an own case",
}
_IMPLIED = (
    ("same_village", "same_district"), ("same_village", "same_regency"),
    ("same_district", "same_regency"), ("other_regency", "other_district"),
    ("other_regency", "other_village"), ("other_district", "other_village"),
    ("other_problem", "left_problems"),
)  # fmt: skip
"""(found, what it makes needless to say)."""
_BY_HAND = {
    "cosine": 1.0, "overlap": 1.0, "containment": 1.0, "matter_overlap": 1.0, "exact_copy": 2.0,
    "shared_words": 1.0, "shared_things": 0.5, "shared_spots": 0.5, "shared_numbers": 0.5,
    "shared_told": 0.7, "place_and_matter": 1.0, "spot_containment": 0.5, "left_things": -0.3,
    "left_spots": -0.3, "left_numbers": -0.3, "swapped_words": -1.0, "swapped_things": -1.5,
    "swapped_spots": -2.0, "swapped_numbers": -1.5, "swapped_landmark": -2.0,
    "swapped_month": -1.0, "same_village": 1.0, "other_village": -1.5, "other_district": -2.0,
    "other_regency": -5.0, "same_street": 1.0, "other_street": -2.0, "same_rt": 0.7,
    "other_rt": -1.5, "same_rw": 0.7, "other_rw": -1.5, "same_km": 0.7, "other_km": -2.0,
    "same_no": 1.0, "other_no": -1.5, "same_landmark": 1.0, "other_landmark": -1.0,
    "same_case": 3.0, "other_case": -0.5, "same_name": 0.7, "other_name": -0.7,
    "same_month": 0.3, "other_month": -0.7, "same_problem": 0.5, "other_problem": -1.0,
    "same_topic": 0.5, "other_topic": -0.5, "same_reporter": 1.0, "own_case": -0.7,
    "log_days": -0.5, "near": 1.5, "log_km": -1.0, "shared_rare": 0.3, "rare_overlap": 1.0,
    "topic_likeness": 0.5, "same_blok": 0.7, "other_blok": -1.5, "same_region": 0.5,
    "other_region": -1.0, "other_lane": -1.5, "other_kin": -1.5, "other_sender": -0.7,
    "left_problems": -0.5, "swapped_region": -1.5, "swapped_date": -1.0, "copied_region": -0.5,
    "copied_street": -0.5,
}  # fmt: skip


def _apart(log_days: float) -> str:
    days = round(math.expm1(log_days))
    return "same day" if days == 0 else f"{days} day{'s' if days > 1 else ''} apart"
