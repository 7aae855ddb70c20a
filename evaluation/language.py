"""Which regional language a text is written in, as far as a few everyday words tell."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from pilah.datasets.tables import read_table
from pilah.models.text import repair

LEAST = 2
"""Different words of a language that a text must hold."""
INDONESIAN = "id or unclear"
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def language_of(text: str) -> str:
    """``jv``, ``su``, ``min``, ``ban``, ``bew``, or :data:`INDONESIAN` where nothing else is told.

    Counts the different words of each language (``datasets/data/language_words.csv``); two are
    needed, and more than of any other language.
    """
    found = Counter(_words()[w] for w in set(WORD.findall(repair(text).lower())) if w in _words())
    (best, count), (_, other), *_ = [*found.most_common(2), ("", 0), ("", 0)]
    return best if count >= LEAST and count > other else INDONESIAN


@lru_cache(maxsize=1)
def _words() -> dict[str, str]:
    """Word -> language.

    Raises:
        TableError: a row is broken; it names the line.
    """
    rows = (row for _, row in read_table("language_words.csv", ("word", "language")))
    return {row["word"]: row["language"] for row in rows}
