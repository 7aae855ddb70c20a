"""What the queue's filters offer: each value that the user's reports of a state have, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Connection, func, select

from pilah.datasets.regions import lineage, load_regions
from pilah.service.accounts.roles import User
from pilah.service.desk.queue import Filter, scope
from pilah.service.desk.tables import cases
from pilah.service.words import WORDS, word

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


def facets(connection: Connection, user: User, shown: Filter) -> list[Facet]:
    """The filters with their choices; what is chosen now is there even when nothing has it."""
    reasons: Counter[str] = Counter()
    for together, number in _counts(connection, user, shown, cases.c.reasons).items():
        reasons.update(dict.fromkeys(together.split(), number))
    topics = _counts(connection, user, shown, cases.c.topic)
    agencies = _counts(connection, user, shown, cases.c.agency)
    regions = _counts(connection, user, shown, cases.c.region)
    by_use = sorted(agencies.items(), key=lambda item: (-item[1], item[0]))[:MOST]
    known = {name: reasons[name] for name in WORDS["reason"] if name in reasons}
    return [
        Facet("reason", "Alasan", _choices(known, shown.reason, group="reason")),
        Facet("topic", "Topik", _choices(dict(sorted(topics.items())), shown.topic)),
        Facet("agency", "Instansi", _choices(dict(by_use), shown.agency)),
        Facet("region", "Wilayah", list(_regions(regions, shown.region))),
    ]


def _counts(
    connection: Connection, user: User, shown: Filter, column: Column[str | None]
) -> dict[str, int]:
    query = select(column, func.count()).where(*scope(user), cases.c.status == shown.status)
    rows = connection.execute(query.group_by(column))
    return {value: number for value, number in rows if value}


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
