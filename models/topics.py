"""From the topic heads' probabilities to one answer with fallback: sub-topic, main topic, none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pilah.datasets.errors import BundleError
from pilah.models.answer import Topic, TopicAlternative

if TYPE_CHECKING:
    from pilah.datasets.taxonomy import Taxonomy
    from pilah.models.linear import FloatArray, LinearHead
    from pilah.models.reading import Spoken

MAX_ALTERNATIVES = 4
MASS = 0.98
"""Topics beyond this share of the probability are not sent through the routing table."""
MAX_ROUTED = 12
MAX_KEPT = 3
"""Main topics of a report that are remembered to compare it with others."""


@dataclass(frozen=True, slots=True)
class TopicReader:
    """Reads the topic heads of one bundle.

    With SP4N's taxonomy the labels are topic ids and P(sub) = P(main) * P(sub | main), where
    P(sub | main) is the sub-topic head restricted to that main topic. A city's own labels have no
    taxonomy: they are stated as they are, without sub-topics.

    Attributes:
        main: head over main topics.
        sub: head over sub-topics, or None.
        taxonomy: SP4N's topics, or None for own labels.
    """

    main: LinearHead
    sub: LinearHead | None
    taxonomy: Taxonomy | None
    _subs: dict[str, list[int]] = field(init=False, repr=False, compare=False)
    """Main label -> places of its sub-topics in the sub head."""

    def __post_init__(self) -> None:
        """Sort the sub-topics under their main topics."""
        subs: dict[str, list[int]] = {}
        for i, label in enumerate(self.sub.labels if self.sub else ()):
            subs.setdefault(label.partition(".")[0], []).append(i)
        object.__setattr__(self, "_subs", subs)

    def check(self, version: str) -> None:
        """Refuse labels that the taxonomy no longer has: an answer could not name them.

        Args:
            version: of the bundle, for the error.

        Raises:
            BundleError: a topic is gone.
        """
        labels = (*self.main.labels, *(self.sub.labels if self.sub else ()))
        known = labels if self.taxonomy is None else self.taxonomy.by_id
        gone = [label for label in labels if label not in known]
        if gone:
            raise BundleError(
                f"bundle {version} speaks of topic {gone[0]}, which taxonomy.csv lacks; "
                "retire topics there instead of removing them, or train again"
            )

    def distribution(self, main: FloatArray, sub: FloatArray | None) -> list[tuple[str, float]]:
        """The likeliest topics as (label, probability), sub-topics where the head knows them.

        Args:
            main: probabilities of the main head, shape (mains,).
            sub: probabilities of the sub head, shape (subs,), or None.
        """
        found: list[tuple[str, float]] = []
        mass = 0.0
        for i in np.argsort(-main):
            if mass >= MASS or len(found) >= MAX_ROUTED:
                break
            mass += float(main[i])
            found += self._split(self.main.labels[i], float(main[i]), sub)
        return found

    def _split(
        self, label: str, probability: float, sub: FloatArray | None
    ) -> list[tuple[str, float]]:
        """A main topic's probability over its sub-topics; whole where there is no sub head."""
        shares = self._shares(label, sub)
        if not shares:
            return [(label, probability)]
        top = sorted(shares.items(), key=lambda s: -s[1])[:3]
        rest = probability * (1 - sum(share for _, share in top))
        split = [(name, probability * share) for name, share in top]
        return [*split, (label, rest)] if rest > 0 else split

    def _shares(self, main: str, sub: FloatArray | None) -> dict[str, float]:
        """P(sub | main) for the sub-topics of one main topic that the head knows."""
        mine = self._subs.get(main)
        if self.sub is None or sub is None or not mine:
            return {}
        total = float(sub[mine].sum())
        return {self.sub.labels[i]: float(sub[i]) / total for i in mine} if total > 0 else {}

    def answer(self, main: FloatArray, sub: FloatArray | None) -> Topic:
        """The stated topic and its alternatives; below a threshold it falls back and says so."""
        order = np.argsort(-main)
        label, probability = self.main.labels[order[0]], float(main[order[0]])
        others = tuple(
            TopicAlternative(self.name(self.main.labels[i]), None, float(main[i]))
            for i in order[1 : 1 + MAX_ALTERNATIVES]
        )
        if probability < self.main.stated[label]:
            first = TopicAlternative(self.name(label), None, probability)
            return Topic(None, None, probability, "null", (first, *others))
        best = max(self._shares(label, sub).items(), key=lambda s: s[1], default=None)
        if self.sub is None or self.taxonomy is None:
            return Topic(self.name(label), None, probability, "none", others)
        if best is None or probability * best[1] < self.sub.stated[best[0]]:
            return Topic(self.name(label), None, probability, "main", others)
        sub_name = self.taxonomy.by_id[best[0]].sub
        return Topic(self.name(label), sub_name, probability * best[1], "none", others)

    def sure(self, main: FloatArray) -> bool:
        """Is the likeliest main topic above the threshold from which no person needs to look?"""
        i = int(main.argmax())
        return bool(main[i] >= self.main.sure[self.main.labels[i]])

    def likeliest(self, main: FloatArray) -> Spoken:
        """Main topics and their probabilities, best first, at most :data:`MAX_KEPT`."""
        best = np.argsort(-main)[:MAX_KEPT]
        return tuple((self.name(self.main.labels[i]), round(float(main[i]), 3)) for i in best)

    def name(self, label: str) -> str:
        """Printed name of a main label."""
        return self.taxonomy.by_id[label].main if self.taxonomy else label
