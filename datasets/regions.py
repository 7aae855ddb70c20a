"""Indonesia's administrative regions: provinces, kabupaten/kota, kecamatan, desa/kelurahan.

The table is ``data/regions.csv.gz`` (``code,name``); level and parent follow from the code. Names
that people write but the table lacks stand in ``data/region_aliases.csv``.
"""

from __future__ import annotations

import csv
import difflib
import gzip
import io
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pilah.datasets.errors import TableError, UnknownRegionError
from pilah.datasets.records import REGION_PARTS
from pilah.datasets.region_names import (
    LEVEL_OF_LENGTH,
    NameReader,
    build_index,
    canonical_code,
    fold,
    key_of,
    split_parts,
)
from pilah.datasets.tables import data_folder, read_table

MAX_PARTS = 6
"""Most comma-separated parts of a region line that are read."""
_NAMES = "regions.csv.gz"
_ALIASES = "region_aliases.csv"
_SHORT_PROVINCE = {"31": "DKI Jakarta", "34": "DI Yogyakarta"}


@dataclass(frozen=True, slots=True)
class Region:
    """One administrative region.

    Attributes:
        code: Kemendagri code with dots, such as ``34.04.07``.
        name: official name; a kabupaten/kota carries its type ("Kabupaten Sleman").
        level: provinsi, kabupaten, kota, kecamatan, kelurahan or desa.
        parent: code one level up, "" for a province.
    """

    code: str
    name: str
    level: str
    parent: str


class _ByCode(Mapping[str, Region]):
    """Read-only view code -> Region; a Region is made when it is asked for."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def __getitem__(self, code: str) -> Region:
        name = self._names[code]
        return Region(code, name, level_of(code), code.rpartition(".")[0])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Regions:
    """All regions, and the ways to find one.

    Attributes:
        by_code: mapping from a dotted code to its Region.
        aliases: mapping from the key of an alias to a code.
    """

    def __init__(self, names: Mapping[str, str], aliases: Mapping[str, str]) -> None:
        """Keep the tables.

        Args:
            names: code -> name, in order of the codes.
            aliases: alias as people write it -> code.
        """
        self._names = names
        self._codes = tuple(names)
        self.by_code: Mapping[str, Region] = _ByCode(names)
        self.aliases = {key_of(alias): code for alias, code in aliases.items()}

    @cached_property
    def index(self) -> dict[str, tuple[str, ...]]:
        """Name key -> codes that carry it (see ``region_names.key_of``); built on first use."""
        return build_index(self._names)

    @cached_property
    def _reader(self) -> NameReader:
        return NameReader(self._names, self.index, self.aliases)

    def resolve(self, region: str | Mapping[str, str] | None) -> Region | None:
        """Find the one region that a caller means.

        Parts must fit into each other; of what fits, the highest level is taken, as long as it is
        the only one at that level (from kecamatan down: the only one at all). So "Sleman" is the
        kabupaten and "Depok, Sleman" the kecamatan, but "Bandung" alone is an error: a kota and a
        kabupaten carry that name.

        Args:
            region: a code (``34.04`` or ``3404``), a name with or without level word and parents
                ("Kec. Depok, Sleman"), an alias ("jogja"), or a mapping with any of province,
                regency, district and village.

        Raises:
            UnknownRegionError: nothing or more than one region fits; it offers close names.
        """
        parts = _parts(region)
        if not parts:
            return None
        found = [self._reader.candidates(part, level) for part, level in parts]
        for (part, level), codes in zip(parts, found, strict=True):
            if not codes:
                raise self._unknown(part, level, found)
        return self.by_code[self._fit(found)]

    def _fit(self, found: list[frozenset[str]]) -> str:
        """The highest code that has an ancestor, or itself, in every candidate set."""
        fits = [
            code
            for code in sorted(frozenset().union(*found))
            if all(not codes.isdisjoint(lineage(code)) for codes in found)
        ]
        if not fits:
            raise UnknownRegionError(
                "region", "its parts do not lie in each other", "give parts of one place, or a code"
            )
        top = min(map(len, fits))
        rivals = [
            code
            for code in fits
            if len(code) == top or (top > 5 and not any(up in fits for up in lineage(code)[:-1]))
        ]
        if len(rivals) > 1:
            raise UnknownRegionError("region", f"fits {len(rivals)} regions", self._choose(rivals))
        return rivals[0]

    def _choose(self, codes: list[str]) -> str:
        shown = ", ".join(self._label(code) for code in codes[:5])
        return f"add the level or the parent, or give a code: {shown}"

    def _label(self, code: str) -> str:
        line = [self._names[c] for c in reversed(lineage(code))]
        return f"{', '.join(line[:2])} ({code})"

    def _unknown(
        self, part: str, level: int | None, found: list[frozenset[str]]
    ) -> UnknownRegionError:
        code = canonical_code(part)
        if code is not None:
            known = [c for c in lineage(code) if c in self._names]
            near = [self._label(known[-1])] if known else []
        else:
            near = [self._label(c) for c in self._close(part, level, found)]
        cure = f"did you mean {' or '.join(near)}?" if near else "give a Kemendagri code or name"
        return UnknownRegionError("region", "is not in the table of regions", cure)

    def _close(self, part: str, level: int | None, found: list[frozenset[str]]) -> list[str]:
        """Up to three codes with a name like this one, first among the regions named beside it."""
        inside = [code for codes in found if 0 < len(codes) < 9 for code in codes]
        below = [c for parent in inside for c in self._codes if c.startswith(f"{parent}.")]
        upper = [c for c in self._codes if len(c) <= 5]
        middle = [c for c in self._codes if len(c) == 8]
        for pool in (below[:5000], upper, middle):
            by_key = {
                key_of(self._reader.strip_level(self._names[c])): c
                for c in pool
                if level is None or LEVEL_OF_LENGTH[len(c)] == level
            }
            key = key_of(self._reader.strip_level(part))
            near = difflib.get_close_matches(key, by_key, n=3, cutoff=0.75)
            if near:
                return [by_key[key] for key in near]
        return []

    def ancestors(self, code: str) -> tuple[Region, ...]:
        """The regions above a code, province first, without itself.

        Raises:
            KeyError: the code is not in the table.
        """
        return tuple(self.by_code[c] for c in lineage(self.by_code[code].code)[:-1])

    def children(self, code: str) -> tuple[Region, ...]:
        """The regions one level below a code, in order of their codes ("" gives the provinces)."""
        if not code:
            return tuple(self.by_code[c] for c in self._codes if len(c) == 2)
        first = bisect_left(self._codes, f"{code}.")
        last = bisect_left(self._codes, f"{code}/")
        return tuple(
            self.by_code[c] for c in self._codes[first:last] if c.rpartition(".")[0] == code
        )

    def province_of(self, code: str) -> Region:
        """The province in which a code lies, or that it is."""
        return self.by_code[code[:2]]

    def regency_of(self, code: str) -> Region | None:
        """The kabupaten/kota in which a code lies, or that it is; None for a province."""
        return self.by_code[code[:5]] if len(code) >= 5 else None

    def government(self, code: str) -> str:
        """The local government that answers for a code, as SP4N writes it.

        Jakarta's kota and kabupaten are administrative only: the province answers for them. A
        kecamatan, kelurahan or desa belongs to its kabupaten/kota.

        Raises:
            KeyError: the code is not in the table.
        """
        regency = self.regency_of(self.by_code[code].code)
        if regency is None or code[:2] == "31":
            province = _SHORT_PROVINCE.get(code[:2]) or self._names[code[:2]]
            return f"Pemerintah Provinsi {province}"
        return f"Pemerintah {regency.name}"


def lineage(code: str) -> tuple[str, ...]:
    """A code and the codes above it, province first: ``34.04`` -> ``("34", "34.04")``."""
    return tuple(code[:n] for n in LEVEL_OF_LENGTH if n <= len(code))


def level_of(code: str) -> str:
    """provinsi, kabupaten, kota, kecamatan, kelurahan or desa, from the shape of a code."""
    if len(code) == 13:
        return "kelurahan" if code[9] == "1" else "desa"
    if len(code) == 5:
        return "kota" if code[3] == "7" else "kabupaten"
    return "provinsi" if len(code) == 2 else "kecamatan"


def _parts(region: str | Mapping[str, str] | None) -> list[tuple[str, int | None]]:
    """The parts to look up, each with the level it must have (None: any)."""
    if region is None:
        return []
    if isinstance(region, str):
        parts = split_parts(region)
        if len(parts) > MAX_PARTS:
            raise UnknownRegionError(
                "region",
                f"has more than {MAX_PARTS} parts",
                "give a code, or a name and its parents",
            )
        return [(part, None) for part in parts]
    named = ((fold(region.get(name) or ""), level) for level, name in enumerate(REGION_PARTS))
    return [(text, level) for text, level in named if text]


@lru_cache(maxsize=1)
def load_regions() -> Regions:
    """Read the tables that ship with Pilah; one object a process.

    Raises:
        TableError: a table is broken; it names file and line.
    """
    names = dict(_read_names())
    aliases: dict[str, str] = {}
    for line, row in read_table(_ALIASES, ("alias", "code")):
        if row["code"] not in names or row["alias"] in aliases:
            raise TableError(_ALIASES, line, "unknown code, or a repeat", "use a code of the table")
        aliases[row["alias"]] = row["code"]
    return Regions(names, aliases)


def _read_names() -> Iterator[tuple[str, str]]:
    """Code and name of every row, in order of the codes."""
    text = gzip.decompress((data_folder() / _NAMES).read_bytes()).decode()
    rows = csv.reader(io.StringIO(text))
    if next(rows, None) != ["code", "name"]:
        raise TableError(_NAMES, 1, "wrong header", "start with code,name")
    last = ""
    for row in rows:
        if len(row) != 2 or row[0] <= last:
            raise TableError(_NAMES, rows.line_num, "not two fields in order", "sort by code")
        last = row[0]
        yield last, row[1]
