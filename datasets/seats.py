"""Where the seats of provinces and kabupaten/kota lie, roughly (``data/region_seats.csv``)."""

from __future__ import annotations

import math
from functools import lru_cache

from pilah.datasets.errors import TableError
from pilah.datasets.records import Location
from pilah.datasets.tables import read_table

NORTH, SOUTH, WEST, EAST = 6.5, -11.5, 94.5, 141.5
"""Indonesia's bounding box in degrees, with a little sea around."""
MOST = 0.6
"""Most probability that nearness to a seat can give: borders are not known."""
_SCALE_KM = 8.0
_KM_PER_DEGREE = 111.2


def in_indonesia(location: Location) -> bool:
    """Whether a point lies in the bounding box of Indonesia."""
    return SOUTH <= location.lat <= NORTH and WEST <= location.lon <= EAST


def distance_km(a: Location, b: Location) -> float:
    """Distance on a sphere in km (equirectangular, good to 1 % within Indonesia)."""
    east = (a.lon - b.lon) * math.cos(math.radians((a.lat + b.lat) / 2))
    return _KM_PER_DEGREE * math.hypot(a.lat - b.lat, east)


def nearest_regency(location: Location) -> tuple[str, float]:
    """The kabupaten/kota whose seat is nearest, and how sure that is (at most ``MOST``).

    Seats share the probability by exp(-distance / 8 km), and a seat 50 km away says little. ""
    and 0 outside Indonesia.
    """
    if not in_indonesia(location):
        return "", 0.0
    away = {
        code: distance_km(location, seat) for code, seat in load_seats().items() if len(code) == 5
    }
    best = min(away, key=lambda code: (away[code], code))
    total = sum(math.exp((away[best] - km) / _SCALE_KM) for km in away.values())
    return best, round(MOST * math.exp(-max(0.0, away[best] - 10.0) / 40.0) / total, 3)


@lru_cache(maxsize=1)
def load_seats() -> dict[str, Location]:
    """Code of a province or kabupaten/kota -> its seat, to about two decimals of a degree.

    Raises:
        TableError: a row is broken; it names the line.
    """
    seats: dict[str, Location] = {}
    for line, row in read_table("region_seats.csv", ("code", "lat", "lon")):
        try:
            seats[row["code"]] = Location(float(row["lat"]), float(row["lon"]))
        except ValueError:
            raise TableError(
                "region_seats.csv", line, "lat or lon is no number", "write decimal degrees"
            ) from None
    return seats
