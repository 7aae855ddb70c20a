"""Groups of rows that a mean hides: region, length, informality, language, channel, month."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.regions import load_regions
from pilah.evaluation.language import language_of
from pilah.models.text import repair, slang

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport

MIN_ROWS = 20
"""Smaller slices are not reported: their figures would be noise."""
UNKNOWN = "unknown"
LANGUAGE_READ = "language, read from the text"
LENGTHS = ((10, "1-10 words"), (20, "11-20 words"), (40, "21-40 words"), (80, "41-80 words"))
LONGER = "81 words or more"
INFORMAL = ((0.0, "no informal word"), (0.05, "up to 5 %"), (0.15, "5 to 15 %"))
MORE_INFORMAL = "over 15 %"
BANDS = (*(name for _, name in (*LENGTHS, *INFORMAL)), LONGER, MORE_INFORMAL)
MONTH = re.compile(r"\d{4}-\d{2}")
_WORD = re.compile(r"[^\W\d_]+")

Slices = dict[str, dict[str, NDArray[np.int64]]]
"""Dimension -> value -> row numbers; bands and months in their order, else by size."""


def slices_of(rows: Sequence[LabelledReport]) -> Slices:
    """Row numbers of every slice with at least :data:`MIN_ROWS` rows.

    Province, channel, month, register and language come from the rows; a dimension that no row has
    is absent. Length and informality are read from the text, and the language where no row names
    one.
    """
    found = {
        "province": [province(r) for r in rows],
        "length": [length(r.report.full_text) for r in rows],
        "informality": [informality(r.report.full_text) for r in rows],
        "register": [r.extra.get("register", UNKNOWN) for r in rows],
        **_language(rows),
        "channel": [r.report.channel or UNKNOWN for r in rows],
        "month": [month(r) for r in rows],
    }
    return {name: _grouped(v) for name, v in found.items() if set(v) != {UNKNOWN}}


def _grouped(values: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    array = np.array(values, dtype=object)
    large = [v for v, n in Counter(values).most_common() if n >= MIN_ROWS]
    large.sort(key=lambda v: BANDS.index(v) if v in BANDS else -1)
    large.sort(key=lambda v: v if MONTH.fullmatch(v) else "")
    return {v: np.flatnonzero(array == v) for v in large}


def _language(rows: Sequence[LabelledReport]) -> dict[str, list[str]]:
    if any("language" in r.extra for r in rows):
        return {"language": [r.extra.get("language", UNKNOWN) for r in rows]}
    return {LANGUAGE_READ: [language_of(r.report.full_text) for r in rows]}


def province(row: LabelledReport) -> str:
    """Province of the region that came with the report."""
    region = load_regions().resolve(row.report.region)
    return load_regions().province_of(region.code).name if region else UNKNOWN


def month(row: LabelledReport) -> str:
    """Year and month of the report, as ``2026-05``."""
    at = row.report.reported_at
    return f"{at:%Y-%m}" if at else UNKNOWN


def length(text: str) -> str:
    """Length band in words."""
    words = len(text.split())
    return next((name for most, name in LENGTHS if words <= most), LONGER)


def informality(text: str) -> str:
    """Band of the share of words that stand in the slang table (``datasets/data/slang.csv``)."""
    words = _WORD.findall(repair(text).lower())
    share = sum(w in slang() for w in words) / len(words) if words else 0.0
    return next((name for most, name in INFORMAL if share <= most), MORE_INFORMAL)
