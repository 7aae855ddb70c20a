"""The routing table: topic x cue x region -> the body that answers, with the rule's name.

``routing.csv`` is ordered: within a topic the first row that matches wins, and the rows of a
sub-topic come before those of its main topic. ``routing_cues.csv`` holds the words of each cue.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pilah.datasets.agencies import TopicSet, check_topics, load_agencies, load_units
from pilah.datasets.errors import TableError
from pilah.datasets.tables import read_table
from pilah.datasets.taxonomy import load_taxonomy

RULE_FILE = "routing.csv"
CUE_FILE = "routing_cues.csv"
NATIONAL_LEVELS = ("national", "bumn")
LOCAL_LEVELS = ("provinsi", "kabkota", "desa")


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that point to one body among several that share a topic.

    Terms are lower-case words or phrases, matched as whole words; one of ``not_terms`` vetoes.
    """

    id: str
    terms: tuple[str, ...]
    not_terms: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the routing table.

    Attributes:
        rule: name of the competence; the same name always means the same level and target.
        topic: the topic ids it speaks of, such as ``08.006-08.009``.
        cue: id of a cue, or empty for always.
        region: prefix of Kemendagri codes, or empty for everywhere.
        level: national, bumn, provinsi, kabkota or desa.
        target: agency id (national, bumn) or unit family id (other levels).
        ground: the law it rests on.
        note: a short comment.
    """

    rule: str
    topic: str
    cue: str
    region: str
    level: str
    target: str
    ground: str
    note: str

    def is_hidden_by(self, earlier: Rule) -> bool:
        """Whether ``earlier`` matches whenever this rule does, for a topic that both name."""
        same_cue = earlier.cue in ("", self.cue)
        return same_cue and (self.region + ".").startswith(
            earlier.region + "." if earlier.region else ""
        )


class RoutingTable:
    """All rules in order, and the cues they use."""

    def __init__(
        self, rules: Sequence[Rule], cues: Mapping[str, Cue], topic_ids: Iterable[str]
    ) -> None:
        """Index the rules by topic."""
        self.rules = tuple(rules)
        self.cues = dict(cues)
        own: dict[str, list[Rule]] = {topic_id: [] for topic_id in topic_ids}
        for rule in self.rules:
            for topic_id in TopicSet(rule.topic).among(own):
                own[topic_id].append(rule)
        self._own = {topic_id: tuple(found) for topic_id, found in own.items()}

    def candidates(self, topic_id: str) -> tuple[Rule, ...]:
        """Rules of a topic in the order to try them: its own first, then those of its main topic.

        Raises:
            KeyError: no such topic.
        """
        main = topic_id.partition(".")[0]
        return self._own[topic_id] + (self._own[main] if main != topic_id else ())


@lru_cache(maxsize=1)
def load_routing() -> RoutingTable:
    """Read the routing table and its cues.

    Raises:
        TableError: a row that names something unknown, that can never be reached or that breaks
            the meaning of its rule's name; an unused cue; a topic without a default.
    """
    cues, rules = _read_cues(), _read_rules()
    _check_rules(rules, cues)
    table = RoutingTable([r for _, r in rules], cues, load_taxonomy().by_id)
    _check_reach(table, {id(rule): line for line, rule in rules})
    return table


def _read_cues() -> dict[str, Cue]:
    cues: dict[str, Cue] = {}
    for line, row in read_table(CUE_FILE, ("cue", "terms", "not_terms", "about")):
        cue = Cue(row["cue"], _terms(row["terms"]), _terms(row["not_terms"]), row["about"])
        words = cue.terms + cue.not_terms
        if cue.id in cues or not cue.terms:
            raise TableError(CUE_FILE, line, "repeated cue or no terms", "keep one full row")
        if len(set(words)) < len(words) or any(w != " ".join(w.lower().split()) for w in words):
            raise TableError(CUE_FILE, line, "repeated or unclean terms", "lower-case, once each")
        cues[cue.id] = cue
    return cues


def _terms(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("|")) if cell else ()


def _read_rules() -> list[tuple[int, Rule]]:
    columns = ("rule", "topic", "cue", "region", "level", "target", "ground", "note")
    rules = []
    for line, row in read_table(RULE_FILE, columns):
        check_topics(RULE_FILE, line, row["topic"])
        rules.append((line, Rule(**row)))
    return rules


def _check_rules(rules: Sequence[tuple[int, Rule]], cues: Mapping[str, Cue]) -> None:
    meaning: dict[str, tuple[str, str]] = {}
    for line, rule in rules:
        problem = _problem(rule, cues)
        if problem:
            raise TableError(RULE_FILE, line, problem, "use an entry of its table")
        if meaning.setdefault(rule.rule, (rule.level, rule.target)) != (rule.level, rule.target):
            raise TableError(RULE_FILE, line, f"{rule.rule!r} has another target", "rename it")
    unused = set(cues) - {rule.cue for _, rule in rules}
    if unused:
        raise TableError(CUE_FILE, 0, f"unused cues {sorted(unused)}", "remove them or use them")


def _problem(rule: Rule, cues: Mapping[str, Cue]) -> str:
    if rule.cue and rule.cue not in cues:
        return f"unknown cue {rule.cue!r}"
    if rule.region and not re.fullmatch(r"\d\d(\.\d\d)?", rule.region):
        return f"bad region {rule.region!r}"
    if not rule.ground or not rule.rule:
        return "no rule name or no ground"
    if rule.level in NATIONAL_LEVELS:
        agency = load_agencies().by_id.get(rule.target)
        return "" if agency and agency.level == rule.level else f"no such agency {rule.target!r}"
    known = rule.level in LOCAL_LEVELS and rule.target in load_units().families
    return "" if known else f"no such unit family {rule.target!r} or level"


def _check_reach(table: RoutingTable, lines: Mapping[int, int]) -> None:
    known = load_taxonomy().by_id
    for rule in table.rules:
        ends = re.findall(r"\d\d(?:\.\d{3})?", rule.topic)
        if any(end not in known for end in ends):
            raise TableError(RULE_FILE, lines[id(rule)], "unknown topic", "see taxonomy.csv")
    for topic_id in known:
        own = tuple(r for r in table.candidates(topic_id) if TopicSet(r.topic).covers(topic_id))
        for place, rule in enumerate(own):
            if any(rule.is_hidden_by(earlier) for earlier in own[:place]):
                problem = f"never reached for topic {topic_id}"
                raise TableError(RULE_FILE, lines[id(rule)], problem, "move it up or remove it")
        if not any(not r.cue and not r.region for r in table.candidates(topic_id)):
            raise TableError(RULE_FILE, 0, f"topic {topic_id} has no default", "add a default row")
