"""Words of regional languages as their Indonesian ones, so that two tellings of one thing meet."""

from __future__ import annotations

from functools import cache, lru_cache

from pilah.datasets.tables import read_table
from pilah.models.text import MAX_CACHED, roots

_ENDINGS = ("nyo", "nye", "ne", "na", "e")
"""What Javanese, Sundanese, Minang and Betawi put where Indonesian has "-nya"."""
_SHORTEST = 4
"""Fewest letters that are left before such an ending."""


def in_indonesian(normal: str) -> str:
    """A normalised text with the regional words that regional_words.csv knows in Indonesian.

    ``banyune munggah`` becomes ``air naik``. Twice is as once; Indonesian words stay.
    """
    return " ".join(map(_word, normal.split()))


@lru_cache(maxsize=MAX_CACHED)
def _word(word: str) -> str:
    known = _words()
    if word in known or word in roots():
        return known.get(word, word)
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= _SHORTEST and (stem in known or stem in roots()):
            return known.get(stem, stem)
    return word


@cache
def _words() -> dict[str, str]:
    rows = (row for _, row in read_table("regional_words.csv", ("word", "indonesian", "language")))
    return {row["word"]: row["indonesian"] for row in rows}
