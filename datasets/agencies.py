"""Who answers: national bodies and state enterprises, their former names, and regional units.

Tables: ``agencies.csv``, ``agency_aliases.csv``, ``agency_successors.csv`` (national bodies);
``unit_families.csv``, ``units.csv`` (units of provinces, kabupaten and kota).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pilah.datasets.errors import TableError
from pilah.datasets.tables import read_table

AGENCY_FILE = "agencies.csv"
ALIAS_FILE = "agency_aliases.csv"
SUCCESSOR_FILE = "agency_successors.csv"
FAMILY_FILE = "unit_families.csv"
UNIT_FILE = "units.csv"
LEVELS = ("national", "bumn")
JAKARTA = "31"
"""The only province whose kota and kabupaten are administrative: its units serve all of them."""
_TOPICS = re.compile(r"\d\d(\.\d{3})?(-\d\d\.\d{3})?(\|\d\d(\.\d{3})?(-\d\d\.\d{3})?)*")


@dataclass(frozen=True, slots=True)
class Agency:
    """One national body (level ``national``) or state enterprise (level ``bumn``).

    ``parent`` is the id of the body it belongs to, or empty. ``since`` is a year or a date.
    """

    id: str
    name: str
    short: str
    level: str
    parent: str
    since: str
    about: str


@dataclass(frozen=True, slots=True)
class TopicSet:
    """Topic ids as the tables write them: ``08``, ``08.006`` or ``08.006-08.009``, joined by |."""

    text: str

    def covers(self, topic_id: str) -> bool:
        """Whether the id is named itself; a main topic does not cover its sub-topics."""
        for part in self.text.split("|"):
            first, _, last = part.partition("-")
            if len(topic_id) == len(first) and first <= topic_id <= (last or first):
                return True
        return False

    def among(self, topic_ids: Collection[str]) -> list[str]:
        """Those ids that it covers, each once."""
        if "-" in self.text:
            return [topic_id for topic_id in topic_ids if self.covers(topic_id)]
        return [part for part in dict.fromkeys(self.text.split("|")) if part in topic_ids]


@dataclass(frozen=True, slots=True)
class Successor:
    """Where the tasks of a former body went; without ``topics`` it is the default successor."""

    former: str
    id: str
    from_date: str
    topics: str
    note: str


class Agencies:
    """All national bodies and state enterprises, by id and by any name people use."""

    def __init__(
        self,
        agencies: Iterable[Agency],
        aliases: Mapping[str, str],
        successors: Mapping[str, tuple[Successor, ...]],
    ) -> None:
        """Keep the tables; the keys of the two mappings are folded names."""
        self.by_id = {a.id: a for a in agencies}
        self.successors = dict(successors)
        self._ids = {fold(n): a.id for a in self.by_id.values() for n in (a.id, a.name, a.short)}
        self._ids.update(aliases)

    def resolve(self, name: str) -> Agency | None:
        """The body meant by a name, short name, alias or former name; None when unknown.

        Case, spaces and punctuation do not matter. A body that was split gives its default
        successor; ``successor`` chooses by topic.
        """
        agency_id = self._ids.get(fold(name))
        return self.by_id[agency_id] if agency_id else self.successor(name)

    def successor(self, former_name: str, topic_id: str | None = None) -> Agency | None:
        """The body that holds a topic of a former body today; None for a name never in use."""
        rows = self.successors.get(fold(former_name), ())
        if topic_id:
            for row in rows:
                if row.topics and TopicSet(row.topics).covers(topic_id):
                    return self.by_id[row.id]
        return next((self.by_id[r.id] for r in rows if not r.topics), None)


@dataclass(frozen=True, slots=True)
class UnitFamily:
    """One kind of unit and its usual name at each level; empty where the level has none.

    ``spot``: the unit works at places (a road, a lamp), so a report to it needs one.
    """

    id: str
    provinsi: str
    kabkota: str
    spot: bool
    about: str


class Units:
    """Names of the units of regional governments."""

    def __init__(
        self, families: Mapping[str, UnitFamily], names: Mapping[tuple[str, str], str]
    ) -> None:
        """Keep the tables; ``names`` is keyed by (region code, family id)."""
        self.families = dict(families)
        self._names = dict(names)

    def name(self, family: str, government_code: str) -> str:
        """The unit's real name where the table knows it, else the family's usual name.

        Args:
            family: id of a unit family.
            government_code: code of the province or kabupaten/kota; longer codes are cut.

        Raises:
            KeyError: no such family.
        """
        kind, code = self.families[family], government_code[:5]
        province = code[:2]
        local = len(code) > len(province) and province != JAKARTA
        keys = [code] if local else [province]
        if local and not kind.provinsi:
            keys.append(province)
        known = (self._names.get((key, family)) for key in keys)
        usual = (kind.kabkota or kind.provinsi) if local else (kind.provinsi or kind.kabkota)
        return next((name for name in known if name), usual)


def fold(name: str) -> str:
    """The key that names are compared by: lower case, letters and digits only."""
    return re.sub(r"[\W_]+", "", name.casefold())


def check_topics(file: str, line: int, text: str) -> None:
    """Refuse a topic cell of another form than ``08|08.006-08.009``.

    Raises:
        TableError: the form is wrong, or a range leaves its main topic.
    """
    spans = [part.partition("-") for part in text.split("|")]
    wrong = any(last and (last[:2] != first[:2] or last <= first) for first, _, last in spans)
    if wrong or not _TOPICS.fullmatch(text):
        raise TableError(file, line, f"bad topics {text!r}", "write 08|08.006-08.009")


@lru_cache(maxsize=1)
def load_agencies() -> Agencies:
    """Read the three agency tables.

    Raises:
        TableError: an unknown id or level, a name that two bodies claim, a bad topic cell, or a
            former body without exactly one default successor.
    """
    agencies = _read_agencies()
    taken = {fold(n): a.id for a in agencies.values() for n in (a.id, a.name, a.short)}
    aliases = _read_aliases(agencies, taken)
    return Agencies(agencies.values(), aliases, _read_successors(agencies, {**taken, **aliases}))


@lru_cache(maxsize=1)
def load_units() -> Units:
    """Read the unit families and the real unit names.

    Raises:
        TableError: a repeated family or name, or a name of an unknown family.
    """
    families: dict[str, UnitFamily] = {}
    for line, row in read_table(FAMILY_FILE, ("id", "provinsi", "kabkota", "spot", "about")):
        if row["id"] in families or not (row["provinsi"] or row["kabkota"]):
            raise TableError(FAMILY_FILE, line, "repeated or nameless family", "keep one full row")
        if row["spot"] not in ("yes", "no"):
            raise TableError(FAMILY_FILE, line, "spot is neither yes nor no", "write yes or no")
        names = {k: row[k] for k in ("id", "provinsi", "kabkota", "about")}
        families[row["id"]] = UnitFamily(**names, spot=row["spot"] == "yes")
    return Units(families, _read_units(families))


def _read_units(families: Mapping[str, UnitFamily]) -> dict[tuple[str, str], str]:
    names: dict[tuple[str, str], str] = {}
    for line, row in read_table(UNIT_FILE, ("region", "family", "name")):
        key = (row["region"], row["family"])
        if row["family"] not in families:
            raise TableError(UNIT_FILE, line, "unknown family", f"add it to {FAMILY_FILE}")
        if key in names or not re.fullmatch(r"\d\d(\.\d\d)?", row["region"]) or not row["name"]:
            raise TableError(UNIT_FILE, line, "repeated row, bad region or no name", "correct it")
        names[key] = row["name"]
    return names


def _read_agencies() -> dict[str, Agency]:
    columns = ("id", "name", "short", "level", "parent", "since", "about")
    agencies: dict[str, Agency] = {}
    claimed: dict[str, str] = {}
    rows = list(read_table(AGENCY_FILE, columns))
    ids = {row["id"] for _, row in rows}
    for line, row in rows:
        agency = Agency(**row)
        if agency.id in agencies or agency.level not in LEVELS:
            raise TableError(AGENCY_FILE, line, "repeated id or unknown level", "correct the row")
        if agency.parent and agency.parent not in ids:
            raise TableError(AGENCY_FILE, line, "unknown parent", "use an id of this table")
        for name in (agency.id, agency.name, agency.short):
            if not name or claimed.setdefault(fold(name), agency.id) != agency.id:
                raise TableError(AGENCY_FILE, line, f"{name!r} is empty or taken", "make it unique")
        agencies[agency.id] = agency
    return agencies


def _read_aliases(agencies: Mapping[str, Agency], taken: Mapping[str, str]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for line, row in read_table(ALIAS_FILE, ("alias", "id")):
        key = fold(row["alias"])
        if row["id"] not in agencies:
            raise TableError(ALIAS_FILE, line, "unknown id", f"add it to {AGENCY_FILE}")
        if not key or key in taken or key in aliases:
            raise TableError(ALIAS_FILE, line, f"{row['alias']!r} is taken", "remove the row")
        aliases[key] = row["id"]
    return aliases


def _read_successors(
    agencies: Mapping[str, Agency], taken: Mapping[str, str]
) -> dict[str, tuple[Successor, ...]]:
    found: dict[str, tuple[Successor, ...]] = {}
    line = 0
    for line, row in read_table(SUCCESSOR_FILE, ("former", "id", "from_date", "topics", "note")):
        key = fold(row["former"])
        if row["id"] not in agencies:
            raise TableError(SUCCESSOR_FILE, line, "unknown id", f"add it to {AGENCY_FILE}")
        if key in taken:
            raise TableError(SUCCESSOR_FILE, line, "a name still in use", "remove one of the two")
        if row["topics"]:
            check_topics(SUCCESSOR_FILE, line, row["topics"])
        found[key] = (*found.get(key, ()), Successor(**row))
    for rows in found.values():
        if sum(not row.topics for row in rows) != 1:
            problem = f"{rows[0].former!r} needs exactly one default successor"
            raise TableError(SUCCESSOR_FILE, line, problem, "leave topics empty in one row")
    return found
