"""From the name of a body back to the row of the tables that it stands for."""

from __future__ import annotations

from functools import lru_cache

from pilah.datasets.agencies import load_agencies, load_units
from pilah.datasets.regions import Regions, level_of, load_regions

NATIONAL = "nasional"
"""Kind of area of a body that serves the whole country."""
_OFFICES = ("kecamatan", "kelurahan", "desa")
"""Families whose offices are named with their place."""


def seat_of(government: str | None) -> str | None:
    """Kemendagri code of a local government by its name; None for any other body."""
    return _seats().get(government.casefold()) if government else None


def area_kind(code: str | None) -> str:
    """provinsi, kabupaten or kota in which a code lies; ``nasional`` without a code."""
    return NATIONAL if code is None else level_of(code[:5])


def target_of(name: str, government: str | None) -> tuple[str, str] | None:
    """Level and target of the routing table (``("kabkota", "dishub")``) for a body's name.

    Args:
        name: as an answer or a person names it; case does not matter.
        government: the body as SP4N disposes to it; without one only national bodies are found.

    Returns:
        None when no table knows the name at that government. Where two families share a name
        there, the first of ``unit_families.csv``.
    """
    seat = seat_of(government)
    if seat is None:
        agency = load_agencies().resolve(name)
        return (agency.level, agency.id) if agency else None
    level = "provinsi" if len(seat) == 2 else "kabkota"
    wanted, units = name.casefold(), load_units()
    for family in units.families:
        usual = units.name(family, seat).casefold()
        if wanted == usual or (family in _OFFICES and wanted.startswith(f"{usual} ")):
            return ("desa" if family == "desa" else level), family
    return None


@lru_cache(maxsize=1)
def _seats() -> dict[str, str]:
    regions: Regions = load_regions()
    codes = [code for code in regions.by_code if len(code) <= 5]
    return {regions.government(code).casefold(): code for code in sorted(codes, reverse=True)}
