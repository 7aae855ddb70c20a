"""From topic and place to the body that must answer, by the routing table.

Each likely topic is sent through the table; bodies reached by several topics add up. The rule that
fired for the chosen body is named in the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from pilah.datasets.agencies import Agencies, Units
from pilah.datasets.local_routes import is_local
from pilah.datasets.regions import Regions, lineage
from pilah.datasets.routing_table import NATIONAL_LEVELS, RoutingTable, Rule
from pilah.models.answer import Agency, AgencyAlternative
from pilah.models.phrases import PhraseFinder
from pilah.models.text import normalise

if TYPE_CHECKING:
    from pilah.models.linear import FloatArray

JAKARTA = "31"
"""Its kota and kabupaten are administrative: what is theirs elsewhere is the province's here."""
MAX_ALTERNATIVES = 4
MAX_BODIES = 1 << 13
"""Bodies that are kept after they were looked up; a city asks for the same few again and again."""
MAX_LEARNED = 8
"""Labels of the learned head that are turned into bodies."""
VILLAGES = ("kelurahan", "desa")
"""Unit families of the lowest level: an office of the kota, and a government of its own."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to route for: a Kemendagri code, or None, and how sure it is."""

    code: str | None
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Route:
    """One body, how it was reached and how probable it is.

    Attributes:
        rule: the rule of the table that led there, or None when only the learned head did.
        learned: whether the learned head spoke for it.
    """

    name: str
    government: str | None
    level: str
    rule: Rule | None
    probability: float
    learned: bool = False

    @property
    def is_local(self) -> bool:
        """Whether a row of the operator led there."""
        return self.rule is not None and is_local(self.rule.rule)


class Router:
    """Applies the routing table; immutable, safe for threads."""

    def __init__(
        self, table: RoutingTable, agencies: Agencies, units: Units, regions: Regions
    ) -> None:
        """Keep the tables."""
        self._table, self._agencies, self._units, self._regions = table, agencies, units, regions
        self._terms = _terms(table)
        self._bodies = lru_cache(MAX_BODIES)(self._body)

    def cues(self, normal: str) -> frozenset[str]:
        """Ids of the cues whose terms stand in a normalised text."""
        padded = f" {normal.replace(' ', '  ')} "  # doubled, so that neighbours share no blank
        hit = self._terms.marks(padded)
        vetoed = {name for name, speaks in hit if not speaks}
        return frozenset(name for name, speaks in hit if speaks and name not in vetoed)

    def rule(self, topic_id: str, cues: frozenset[str], code: str | None) -> Rule:
        """The first row of the table that fits a topic, the cues found and a region code."""
        for rule in self._table.candidates(topic_id):
            if (not rule.cue or rule.cue in cues) and _inside(code, rule.region):
                return rule
        raise LookupError(f"no route for topic {topic_id}")  # the table's test proves there is one

    def routes(
        self, topics: Iterable[tuple[str, float]], cues: frozenset[str], place: Place
    ) -> list[Route]:
        """Every body that the likely topics lead to, most probable first.

        Args:
            topics: (topic id, probability) pairs.
            cues: from :meth:`cues`.
            place: where it happened.
        """
        found: dict[tuple[str, str | None], Route] = {}
        for topic_id, probability in sorted(topics, key=lambda t: -t[1]):
            rule = self.rule(topic_id, cues, place.code)
            name, government, level = self.body(rule.level, rule.target, place.code)
            if government is not None and level in ("provinsi", "kabkota", "desa"):
                probability *= place.probability
            before = found.get((name, government))
            total = probability + (before.probability if before else 0.0)
            found[name, government] = Route(
                name, government, level, before.rule if before else rule, total
            )
        return sorted(found.values(), key=lambda r: -r.probability)

    def learned(
        self, labels: Sequence[str], probabilities: FloatArray, place: Place
    ) -> list[Route]:
        """What the learned route head says, most probable first.

        Args:
            labels: ``level:target`` such as ``kabkota:dishub`` or ``bumn:pln``.
            probabilities: shape (labels,).
            place: where it happened.
        """
        found: dict[tuple[str, str | None], Route] = {}
        for i in np.argsort(-probabilities)[:MAX_LEARNED]:
            level, _, target = labels[i].partition(":")
            known = self._agencies.by_id if level in NATIONAL_LEVELS else self._units.families
            if target not in known:  # the tables have changed since the training
                continue
            name, government, at = self.body(level, target, place.code)
            before = found[name, government].probability if (name, government) in found else 0.0
            local = government is not None and at not in NATIONAL_LEVELS
            share = float(probabilities[i]) * (place.probability if local else 1.0)
            total = before + share
            found[name, government] = Route(name, government, at, None, total, learned=True)
        return sorted(found.values(), key=lambda r: -r.probability)

    def body(self, level: str, target: str, code: str | None) -> tuple[str, str | None, str]:
        """Name, government and level of a body at a place.

        Args:
            level: national, bumn, provinsi, kabkota or desa.
            target: agency id, or unit family id for the local levels.
            code: Kemendagri code, or None when the place is unknown.
        """
        return self._bodies(level, target, code)

    def _body(self, level: str, target: str, code: str | None) -> tuple[str, str | None, str]:
        if level in NATIONAL_LEVELS:
            agency = self._agencies.by_id[target]
            parent = self._agencies.by_id.get(agency.parent) if agency.parent else None
            return agency.name, (parent or agency).name, level
        level = "provinsi" if level != "provinsi" and _inside(code, JAKARTA) else level
        seat = self._seat(level, code)
        if seat is None:
            kind = self._units.families[target]
            names = (
                (kind.provinsi, kind.kabkota)
                if level == "provinsi"
                else (kind.kabkota, kind.provinsi)
            )
            return names[0] or names[1], None, level
        name = self._unit(target, code, seat)
        if target in VILLAGES and level != "provinsi":
            level = "desa" if name.startswith("Pemerintah ") else "kabkota"
        return name, self._regions.government(seat), level

    def needs_place(self, rule: Rule | None) -> bool:
        """Does the unit that a rule names work at spots (a road, a lamp), not on registers?"""
        family = self._units.families.get(rule.target) if rule else None
        return family is not None and family.spot

    def _seat(self, level: str, code: str | None) -> str | None:
        """Code of the province or kabupaten/kota that governs at ``level``."""
        if code is None:
            return None
        if level == "provinsi":
            return self._regions.province_of(code).code
        regency = self._regions.regency_of(code)
        return regency.code if regency else None

    def _unit(self, family: str, code: str | None, seat: str) -> str:
        """Unit name; an office of a named village or sub-district carries that name."""
        parts = [self._regions.by_code[c] for c in lineage(code)] if code else []
        named = {r.level: r for r in parts}
        if family in VILLAGES:
            family = next((level for level in VILLAGES if level in named), family)
        usual = self._units.name(family, seat)
        return f"{usual} {named[family].name}" if family in named else usual


def answer_from(routes: list[Route]) -> Agency:
    """The answer of the rules alone."""
    best = routes[0]
    return Agency(
        name=best.name,
        government=best.government,
        level=best.level,
        probability=min(1.0, best.probability),
        rule=best.rule.rule if best.rule else None,
        ground=best.rule.ground or None if best.rule else None,
        source=_source(best),
        alternatives=tuple(
            AgencyAlternative(
                r.name,
                r.government,
                min(1.0, r.probability),
                r.level,
                r.rule.rule if r.rule else None,
            )
            for r in routes[1 : 1 + MAX_ALTERNATIVES]
        ),
    )


def mixed(rules: list[Route], learned: list[Route], weight: float) -> list[Route]:
    """Both opinions in one list: p = (1 - weight) * rules + weight * learned.

    A body that only one side knows gets nothing from the other.
    """
    found = {
        (r.name, r.government): replace(r, probability=(1 - weight) * r.probability) for r in rules
    }
    for route in learned:
        key = (route.name, route.government)
        base = found.get(key, replace(route, probability=0.0))
        total = base.probability + weight * route.probability
        found[key] = replace(base, probability=total, learned=True)
    return sorted(found.values(), key=lambda r: -r.probability)


def _source(route: Route) -> Literal["rules", "learned", "both"]:
    if route.rule is None:
        return "learned"
    return "both" if route.learned else "rules"


def _inside(code: str | None, prefix: str) -> bool:
    return not prefix or (code is not None and (code == prefix or code.startswith(f"{prefix}.")))


def _terms(table: RoutingTable) -> PhraseFinder[tuple[str, bool]]:
    """All terms of all cues as whole words, marked with their cue and whether they speak for it.

    They are normalised as every text is: where slang is spelt out, "rs" never stands by itself.
    """
    return PhraseFinder(
        (f" {normalise(term).replace(' ', '  ')} ", (name, speaks))
        for name, cue in table.cues.items()
        for terms, speaks in ((cue.terms, True), (cue.not_terms, False))
        for term in terms
    )
