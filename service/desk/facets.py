"""What the queue's filters offer: each value that the user's reports of a state have, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Connection, func, select

from pilah.datasets.regions import lineage, load_regions
from pilah.service.desk.queue import Filter, scope
from pilah.service.desk.tables import cases
from pilah.service.words import WORDS, word

FRESH_SECONDS = 15.0
"""How old the numbers may be: counting every value costs more than the page's rows."""
MOST = 100
"""Most agencies on offer, those with the most reports first."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter and how many reports of the state have it."""

    value: str
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter: its field, its label for people, its choices."""

    field: str
    label: str
    choices: Sequence[Choice]


Question = tuple[str | None, str]
"""Whose reports (:attr:`User.only`), and in which state."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many reports have each value of each filter."""

    reasons: Mapping[str, int]
    topics: Mapping[str, int]
    agencies: Mapping[str, int]
    regions: Mapping[str, int]


def tally(connection: Connection, question: Question) -> Tally:
    """Count the values."""
    only, status = question

    def counts(column: Column[str | None]) -> dict[str, int]:
        query = select(column, func.count()).where(*scope(only), cases.c.status == status)
        rows = connection.execute(query.group_by(column))
        return {value: number for value, number in rows if value}

    reasons: Counter[str] = Counter()
    for together, number in counts(cases.c.reasons).items():
        reasons.update(dict.fromkeys(together.split(), number))
    return Tally(
        {name: reasons[name] for name in WORDS["reason"] if name in reasons},
        dict(sorted(counts(cases.c.topic).items())),
        dict(sorted(counts(cases.c.agency).items(), key=lambda i: (-i[1], i[0]))[:MOST]),
        counts(cases.c.region),
    )


def facets(tallied: Tally, shown: Filter) -> list[Facet]:
    """The filters with their choices; what is chosen now is there even when nothing has it."""
    return [
        Facet("reason", "Alasan", _choices(tallied.reasons, shown.reason, group="reason")),
        Facet("topic", "Topik", _choices(tallied.topics, shown.topic)),
        Facet("agency", "Instansi", _choices(tallied.agencies, shown.agency)),
        Facet("region", "Wilayah", list(_regions(tallied.regions, shown.region))),
    ]


def _choices(numbers: Mapping[str, int], chosen: str, *, group: str = "") -> list[Choice]:
    numbers = {**numbers, chosen: numbers.get(chosen, 0)} if chosen else numbers
    return [Choice(v, word(group, v) if group else v, n) for v, n in numbers.items()]


def _regions(numbers: Mapping[str, int], chosen: str) -> Iterator[Choice]:
    """Provinces, and what lies below one that is chosen or the only one; so on further down."""
    totals: Counter[str] = Counter(dict.fromkeys(lineage(chosen) if chosen else (), 0))
    for code, number in numbers.items():
        for above in lineage(code):
            totals[above] += number
    below: dict[str, list[str]] = {}
    for code in sorted(totals):
        below.setdefault(code.rpartition(".")[0], []).append(code)
    yield from _branch("", below, totals, chosen)


def _branch(
    parent: str, below: Mapping[str, Sequence[str]], totals: Mapping[str, int], chosen: str
) -> Iterator[Choice]:
    names, codes = load_regions().by_code, below.get(parent, ())
    for code in codes:
        name = names[code].name if code in names else code
        yield Choice(code, "\u2003" * code.count(".") + name, totals[code])
        if f"{chosen}.".startswith(f"{code}.") or len(codes) == 1:
            yield from _branch(code, below, totals, chosen)
