"""An operator's own routing rows, laid over the shipped table, which stays as it is.

A row speaks before every shipped row of its topic. It has a number, under which the answer names
it (``lokal-7``), and carries its own words instead of a cue of ``routing_cues.csv``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from pilah.datasets.agencies import load_agencies, load_units
from pilah.datasets.errors import TableError
from pilah.datasets.regions import load_regions
from pilah.datasets.routing_table import (
    LOCAL_LEVELS,
    NATIONAL_LEVELS,
    Cue,
    RoutingTable,
    Rule,
    load_routing,
)
from pilah.datasets.taxonomy import load_taxonomy

PREFIX = "lokal-"
"""Rules of this name are the operator's."""
MAX_TERMS = 20
PLACE = "local routes"
"""What an error names instead of a file."""


@dataclass(frozen=True, slots=True)
class LocalRoute:
    """One row of the operator.

    Attributes:
        number: of the change that added it.
        topic: id of a main topic, whose sub-topics it covers too, or of a sub-topic.
        terms: words or phrases of which one must stand in the text; none means always.
        region: Kemendagri code of a province or kabupaten/kota, or empty for everywhere.
        level: national, bumn, provinsi, kabkota or desa.
        target: agency id (national, bumn) or unit family id (other levels).
        ground: why; shown in every answer.
    """

    number: int
    topic: str
    terms: tuple[str, ...]
    region: str
    level: str
    target: str
    ground: str

    @property
    def name(self) -> str:
        """Name of the rule in answers."""
        return f"{PREFIX}{self.number}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "terms": list(self.terms)}


def is_local(rule: str | None) -> bool:
    """Whether a rule of that name is the operator's."""
    return rule is not None and rule.startswith(PREFIX)


def parse_local_route(number: int, row: Mapping[str, Any]) -> LocalRoute:
    """Check one row.

    Raises:
        TableError: a field is missing, unknown or names something that no table has.
    """
    names = [f.name for f in fields(LocalRoute) if f.name != "number"]
    if set(row) - {"number"} != set(names):
        raise TableError(PLACE, number, "wrong fields", f"give {', '.join(names)}")
    terms = row["terms"]
    if not isinstance(terms, list | tuple) or not all(isinstance(t, str) for t in terms):
        raise TableError(PLACE, number, "terms is not a list of strings", "give a list")
    values = {name: row[name] for name in names if name != "terms"}
    if not all(isinstance(value, str) for value in values.values()):
        raise TableError(PLACE, number, "a field is not a string", "give strings")
    route = LocalRoute(number, terms=tuple(terms), **values)
    for holds, problem, cure in _checks(route):
        if not holds:
            raise TableError(PLACE, number, problem, cure)
    return route


def with_local_routes(routes: Sequence[LocalRoute]) -> RoutingTable:
    """The shipped table with the operator's rows before it, the newest first."""
    shipped, topics = load_routing(), load_taxonomy().by_id
    if not routes:
        return shipped
    newest = sorted(routes, key=lambda route: -route.number)
    rules = [_rule(route) for route in newest]
    cues = {r.name: Cue(r.name, r.terms, (), r.ground) for r in newest if r.terms}
    return RoutingTable([*rules, *shipped.rules], {**shipped.cues, **cues}, topics)


def _rule(route: LocalRoute) -> Rule:
    return Rule(
        rule=route.name,
        topic=_span(route.topic),
        cue=route.name if route.terms else "",
        region=route.region,
        level=route.level,
        target=route.target,
        ground=route.ground,
        note="",
    )


def _span(topic: str) -> str:
    """A main topic together with its sub-topics, whose own rows would come before it otherwise."""
    if "." in topic:
        return topic
    subs = sorted(t for t in load_taxonomy().by_id if t.startswith(f"{topic}."))
    return "|".join([topic, *subs])


def _checks(route: LocalRoute) -> tuple[tuple[bool, str, str], ...]:
    clean = all(t and t == " ".join(t.lower().split()) for t in route.terms)
    few = len(set(route.terms)) == len(route.terms) <= MAX_TERMS
    region = route.region == "" or (
        re.fullmatch(r"\d\d(\.\d\d)?", route.region) is not None
        and route.region in load_regions().by_code
    )
    return (
        (route.topic in load_taxonomy().by_id, "unknown topic", "give an id of taxonomy.csv"),
        (clean and few, "unclean terms", f"up to {MAX_TERMS}, lower case, once each"),
        (region, "unknown region", "give the code of a province or kabupaten/kota, or nothing"),
        (_has_target(route), "unknown level or target", "see agencies.csv and unit_families.csv"),
        (bool(route.ground.strip()), "no ground", "say why"),
    )


def _has_target(route: LocalRoute) -> bool:
    if route.level in NATIONAL_LEVELS:
        agency = load_agencies().by_id.get(route.target)
        return agency is not None and agency.level == route.level
    return route.level in LOCAL_LEVELS and route.target in load_units().families
