"""A map of Indonesia without borders: one square a province (``province_tiles.csv``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from pilah.datasets.errors import TableError
from pilah.datasets.regions import load_regions
from pilah.datasets.tables import read_table

FILE = "province_tiles.csv"


@dataclass(frozen=True, slots=True)
class Tile:
    """One province: code, short name, place in the grid (column eastwards, row southwards)."""

    code: str
    short: str
    column: int
    row: int


@lru_cache(maxsize=1)
def load_tiles() -> tuple[Tile, ...]:
    """Read the grid.

    Raises:
        TableError: an unknown or missing province, a repeat, or two provinces on one square.
    """
    tiles: dict[str, Tile] = {}
    taken: set[tuple[int, int]] = set()
    provinces = {region.code for region in load_regions().children("")}
    for line, row in read_table(FILE, ("code", "short", "column", "row")):
        if row["code"] not in provinces or row["code"] in tiles:
            raise TableError(FILE, line, "unknown or repeated province", "one row a province")
        if not (row["column"].isdecimal() and row["row"].isdecimal()):
            raise TableError(FILE, line, "column or row is no number", "write whole numbers")
        square = int(row["column"]), int(row["row"])
        if square in taken:
            raise TableError(FILE, line, "square is taken", "choose a free one")
        taken.add(square)
        tiles[row["code"]] = Tile(row["code"], row["short"], *square)
    if missing := provinces - set(tiles):
        raise TableError(FILE, 0, f"no square for {sorted(missing)}", "add a row")
    return tuple(tiles.values())
