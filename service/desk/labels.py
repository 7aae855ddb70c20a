"""Search over every topic and every body, for labels that the machine did not suggest."""

from __future__ import annotations

import re
from functools import lru_cache

from pilah.datasets.agencies import load_agencies, load_units
from pilah.datasets.regions import load_regions
from pilah.datasets.taxonomy import load_taxonomy

MAX_FOUND = 12
"""Most labels in one answer; a longer search text finds fewer."""
MAX_REGIONS = 5
"""Most regions whose units are looked through because the search names them."""
JOINT = " \u203a "
"""Between the parts of a label: main and sub topic, unit and government."""


def search_topics(text: str) -> list[tuple[str, str | None]]:
    """Topics (main, sub) whose names hold every word of the text, those that begin so first."""
    words = _words(text)
    if not words:
        return []
    hits = [(names, folded) for names, folded in _topics() if _holds(folded, words)]
    hits.sort(key=lambda hit: _inside(hit[1], words))
    return [names for names, _ in hits[:MAX_FOUND]]


def search_agencies(text: str, region: str | None) -> list[tuple[str, str]]:
    """Bodies (name, government) that hold every word: local ones of the region, then national.

    Args:
        text: names or short names; a region named in it adds the units of that region.
        region: Kemendagri code of the report, or None.
    """
    words = _words(text)
    if not words:
        return []
    codes = [*_seats_of(region), *_named_seats(words)]
    local = [unit for code in dict.fromkeys(codes) for unit in _units_of(code)]
    hits = [(pair, folded) for pair, folded in (*local, *_national()) if _holds(folded, words)]
    hits.sort(key=lambda hit: _inside(hit[1], words))
    return list(dict.fromkeys(pair for pair, _ in hits))[:MAX_FOUND]


def topic_value(main: str, sub: str | None) -> str:
    """A topic as the value of a form field."""
    return f"{main}{JOINT}{sub}" if sub else main


def agency_value(name: str, government: str | None) -> str:
    """A body as the value of a form field."""
    return f"{name}{JOINT}{government}" if government else name


def split_value(value: str) -> tuple[str, str | None]:
    """Undo :func:`topic_value` and :func:`agency_value`."""
    first, _, second = value.partition(JOINT)
    return first.strip(), second.strip() or None


def is_topic(main: str, sub: str | None) -> bool:
    """Whether the taxonomy has the topic."""
    return load_taxonomy().find(main, sub) is not None


def _words(text: str) -> list[str]:
    return text.casefold().split()[:8]


def _holds(folded: str, words: list[str]) -> bool:
    return all(word in folded for word in words)


def _inside(folded: str, words: list[str]) -> int:
    """How many words stand only within others: "jalan" within "menjalankan"."""
    return sum(not re.search(rf"\b{re.escape(word)}", folded) for word in words)


@lru_cache(maxsize=1)
def _topics() -> list[tuple[tuple[str, str | None], str]]:
    taxonomy = load_taxonomy()
    names = ((t.main, t.sub or None) for t in taxonomy.topics if t.status == "living")
    return [((main, sub), f"{main} {sub or ''}".casefold()) for main, sub in names]


@lru_cache(maxsize=1)
def _national() -> list[tuple[tuple[str, str], str]]:
    bodies = load_agencies().by_id.values()
    return [((b.name, b.name), f"{b.name} {b.short}".casefold()) for b in bodies]


def _seats_of(region: str | None) -> list[str]:
    """The kabupaten/kota and the province of a code, as far as the table has them."""
    if region is None or region[:2] not in load_regions().by_code:
        return []
    return [code for code in dict.fromkeys((region[:5], region[:2])) if code]


def _named_seats(words: list[str]) -> list[str]:
    long = [word for word in words if len(word) >= 4]
    names = _seat_names()
    return [code for code, name in names if any(word in name for word in long)][:MAX_REGIONS]


@lru_cache(maxsize=1)
def _seat_names() -> list[tuple[str, str]]:
    regions = load_regions()
    provinces = regions.children("")
    seats = [*provinces, *(r for p in provinces for r in regions.children(p.code))]
    return [(seat.code, seat.name.casefold()) for seat in seats]


@lru_cache(maxsize=1_000)
def _units_of(code: str) -> list[tuple[tuple[str, str], str]]:
    """(unit, government) with its name and short names ("pupr", "dinkes"), folded."""
    units, government = load_units(), load_regions().government(code)
    shorts: dict[str, list[str]] = {}
    for family in units.families:
        if name := units.name(family, code):
            shorts.setdefault(name, []).append(family)
    return [
        ((name, government), " ".join((name, government, *ids)).casefold())
        for name, ids in shorts.items()
    ]
