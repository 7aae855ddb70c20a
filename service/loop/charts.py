"""Geometry of the plots on the indicator page: numbers in, SVG coordinates out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pilah.datasets.tiles import load_tiles

WIDTH, HEIGHT = 560, 150
"""Drawing area of a line plot, in SVG units."""
TILE = 46
"""Edge of a province's square."""
SHADES = 5
"""Steps of colour on the map."""


@dataclass(frozen=True, slots=True)
class Point:
    """One week on a plot; ``band`` is a vertical span (top, bottom), or None."""

    x: float
    y: float
    label: str
    value: float
    band: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Square:
    """One province on the map; ``shade`` is 0 (no report) to ``SHADES``."""

    code: str
    short: str
    x: int
    y: int
    shade: int
    value: int


def line(
    values: Sequence[tuple[str, float | None]],
    *,
    top: float | None = None,
    bands: Mapping[str, tuple[float, float]] | None = None,
) -> list[Point]:
    """Points of a line plot from left to right; weeks without a value are left out.

    Args:
        values: (label, value) in order of time.
        top: value at the upper edge; None takes the largest.
        bands: label -> (lower, upper) around the value.
    """
    known = [v for _, v in values if v is not None]
    high = top if top is not None else max(known, default=0.0)
    step = WIDTH / max(1, len(values) - 1)

    def at(value: float) -> float:
        return round(HEIGHT * (1 - value / high), 1) if high else float(HEIGHT)

    found = []
    for place, (label, value) in enumerate(values):
        if value is not None:
            around = (bands or {}).get(label)
            band = (at(around[1]), at(around[0])) if around else None
            found.append(Point(round(place * step, 1), at(value), label, value, band))
    return found


def polyline(points: Sequence[Point]) -> str:
    """The ``points`` attribute of an SVG polyline."""
    return " ".join(f"{p.x},{p.y}" for p in points)


def tiles(values: Mapping[str, int]) -> list[Square]:
    """The map: every province with its value and a shade that grows with it.

    Args:
        values: province code -> a count; absent means 0.
    """
    most = max(values.values(), default=0)
    return [
        Square(
            tile.code,
            tile.short,
            tile.column * (TILE + 2),
            tile.row * (TILE + 2),
            _shade(values.get(tile.code, 0), most),
            values.get(tile.code, 0),
        )
        for tile in load_tiles()
    ]


def _shade(value: int, most: int) -> int:
    """Steps on a square-root scale, so that one large province does not hide the others."""
    if value <= 0 or most <= 0:
        return 0
    return max(1, min(SHADES, round(math.sqrt(value / most) * SHADES)))
