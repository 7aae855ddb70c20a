"""Who must handle it: the routing table, a learned head, or both together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pilah.models.answer import Agency, AgencyAlternative
from pilah.models.routing import MAX_ALTERNATIVES, Route, answer_from

if TYPE_CHECKING:
    from pilah.models.linear import FloatArray, LinearHead

UNKNOWN = Agency(None, None, None, 0.0, None)
"""Neither a rule nor a head could speak."""


@dataclass(frozen=True, slots=True)
class AgencyReader:
    """Combines what the rules and the head say.

    Both are mixed linearly: p = weight * head + (1 - weight) * rules, where a body that only one
    side knows gets nothing from the other. The weight is chosen on held-out rows at training.

    Attributes:
        head: learned on a city's own decisions, or None.
        weight: of the head in the mix, 0 to 1.
    """

    head: LinearHead | None
    weight: float = 1.0

    def answer(self, routes: list[Route], learned: FloatArray | None) -> Agency:
        """One answer from the routes of the table and the head's probabilities, shape (labels,)."""
        if self.head is None or learned is None:
            return answer_from(routes) if routes else UNKNOWN
        if not routes or self.weight >= 1:
            return self._learned(learned, routes)
        return self._both(routes, learned)

    def _learned(self, learned: FloatArray, routes: list[Route]) -> Agency:
        """What the head says; the government of a label is that of a route of the same name."""
        if self.head is None:
            return UNKNOWN
        labels, order = self.head.labels, np.argsort(-learned)
        best = int(order[0])
        of = {r.name.casefold(): (r.government, r.level) for r in reversed(routes) if r.government}
        government, level = of.get(labels[best].casefold(), (None, None))
        others = [(i, *of.get(labels[i].casefold(), (None, None))) for i in order[1:]]
        return Agency(
            name=labels[best],
            government=government,
            level=level,
            probability=float(learned[best]),
            rule=None,
            source="learned",
            alternatives=tuple(
                AgencyAlternative(labels[i], body, float(learned[i]), its_level)
                for i, body, its_level in others[:MAX_ALTERNATIVES]
            ),
        )

    def _both(self, routes: list[Route], learned: FloatArray) -> Agency:
        by_name = {r.name.casefold(): r for r in reversed(routes)}
        spoken = self._learned(learned, [])
        mixed = {
            label: self.weight * float(p)
            for label, p in zip(self.head.labels if self.head else (), learned, strict=True)
        }
        known = {label.casefold(): label for label in mixed}
        for route in routes:
            label = known.get(route.name.casefold(), route.name)
            mixed[label] = mixed.get(label, 0.0) + (1 - self.weight) * route.probability
        best, *others = sorted(mixed, key=lambda n: -mixed[n])[: 1 + MAX_ALTERNATIVES]
        route_of = {n: by_name.get(n.casefold()) for n in (best, *others)}
        hit = route_of[best]
        agreed = hit is not None and best in (self.head.labels if self.head else ())
        base = answer_from([hit]) if hit else replace(spoken, name=best)
        return replace(
            base,
            name=best,
            probability=min(1.0, mixed[best]),
            source="both" if agreed else base.source,
            alternatives=tuple(
                AgencyAlternative(
                    n,
                    r.government if (r := route_of[n]) else None,
                    min(1.0, mixed[n]),
                    r.level if r else None,
                    r.rule.rule if r and r.rule else None,
                )
                for n in others
            ),
        )
