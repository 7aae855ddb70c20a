"""Names of regions in a text: every stretch of words that is a name, with what it can mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pilah.datasets.region_names import fold
from pilah.datasets.regions import Regions
from pilah.datasets.tables import read_table

MAX_WORDS = 6
"""Most words of one region name."""
MAX_MENTIONS = 200
"""Most names that are read in one text, from its start; a real report has a handful."""
MAX_CODES = 1000
"""Most regions that one name stands for and that are still weighed."""
_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+|[^\s\w]|\n|_")
_JOINERS = frozenset(
    ("di", "ke", "se", "dari", "si", "ter", "ber", "per", "me", "pe", "a", "ya", "mau")
)
_START = 8
_SKIP = frozenset(".:;-/")
_CUES = {
    **dict.fromkeys(("provinsi", "propinsi", "prov", "pemprov", "gubernur"), "provinsi"),
    **dict.fromkeys(("kabupaten", "kab", "pemkab", "bupati"), "kabupaten"),
    **dict.fromkeys(("kota", "kotamadya", "kodya", "pemkot", "walikota", "kotif"), "kota"),
    **dict.fromkeys(
        ("kecamatan", "kec", "camat", "kapanewon", "kemantren", "distrik"), "kecamatan",
    ),
    **dict.fromkeys(
        ("kelurahan", "kel", "lurah", "kalurahan", "desa", "ds", "nagari", "gampong", "pekon",
         "kampung", "kades"), "desa",
    ),
}  # fmt: skip
_CUE_OF_LENGTH = {2: "provinsi", 8: "kecamatan", 13: "desa"}


class Token(NamedTuple):
    """One word, number or mark.

    Attributes:
        text: lower-case ASCII form.
        start: first character in the text.
        end: one past the last character.
        capital: it starts with a capital in a text that also has small letters.
    """

    text: str
    start: int
    end: int
    capital: bool = False

    @property
    def is_word(self) -> bool:
        """Whether it is a word, not a number or a mark."""
        return self.text[:1].isalpha()


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of tokens that is the name of one region or several.

    Attributes:
        first: index of the first token of the name (the level word is before it).
        last: index one past the last token.
        codes: regions it can mean; at the level of the cue when there is one.
        cue: level word before it (provinsi, kabupaten, kota, kecamatan, desa), or None.
    """

    first: int
    last: int
    codes: tuple[str, ...]
    cue: str | None


@lru_cache(maxsize=1)
def place_words() -> dict[str, dict[str, str]]:
    """The table of words around places: role -> word -> what it stands for.

    Raises:
        TableError: a row is broken; it names the line.
    """
    table: dict[str, dict[str, str]] = {}
    for _, row in read_table("place_words.csv", ("word", "role", "stands_for")):
        table.setdefault(row["role"], {})[row["word"]] = row["stands_for"]
    return table


def cut(text: str) -> list[Token]:
    """Cut a text into words, numbers and marks, in order."""
    mixed = sum(map(str.islower, text)) * 2 > sum(map(str.isalpha, text))
    return [
        Token(_folded(m[0]), m.start(), m.end(), mixed and m[0][0].isupper())
        for m in _TOKEN.finditer(text)
    ]


def _folded(word: str) -> str:
    """Lower-case ASCII form of a word; the word itself when nothing of it is ASCII."""
    return word.lower() if word.isascii() else fold(word) or word


class Gazetteer:
    """Looks up names of regions in tokens, longest name first."""

    def __init__(self, regions: Regions) -> None:
        """Build what is looked up; takes a few tenths of a second."""
        self._regions = regions
        self._index = regions.index
        self._short = place_words()["abbreviation"]
        self._never = place_words()["stop"].keys() - place_words()["common"].keys()
        keys = (*regions.index, *regions.aliases)
        self._starts = frozenset(key[:n] for key in keys for n in range(3, _START + 1))

    def mentions(self, tokens: Sequence[Token]) -> list[Mention]:
        """The names in the tokens, in order, without overlap; at most ``MAX_MENTIONS``."""
        found: list[Mention] = []
        i = 0
        while i < len(tokens) and len(found) < MAX_MENTIONS:
            mention = self._at(tokens, i)
            if mention is not None:
                found.append(mention)
            i = mention.last if mention else i + 1
        return found

    def _at(self, tokens: Sequence[Token], i: int) -> Mention | None:
        if not tokens[i].is_word:
            return None
        cue = _CUES.get(tokens[i].text)
        return (self._cued(tokens, i, cue) if cue else None) or self._longest(tokens, i, None)

    def _cued(self, tokens: Sequence[Token], i: int, cue: str) -> Mention | None:
        j = i + 1
        while j < len(tokens) and (tokens[j].text in _SKIP or tokens[j].text.startswith("adm")):
            j += 1
        if j == len(tokens) or tokens[j].text in self._never:
            return None
        return self._longest(tokens, j, cue)

    def _longest(self, tokens: Sequence[Token], i: int, cue: str | None) -> Mention | None:
        """The longest name that starts at a token and has a region at the level of the cue."""
        best, key, words = None, "", 0
        for j in range(i, min(len(tokens), i + 2 * MAX_WORDS)):
            text = tokens[j].text
            if text in "-'" and key:
                continue
            if not text[0].isalnum() or words == MAX_WORDS or (not key and not text[0].isalpha()):
                break
            key, words = key + self._short.get(text, text), words + 1
            if len(key) > 2 and key[:_START] not in self._starts:
                break
            codes = self._codes(key, cue)
            if codes and not (words > 1 and self._accident(tokens[i].text, codes)):
                best = Mention(i, j + 1, codes, cue)
        return best

    def _codes(self, key: str, cue: str | None) -> tuple[str, ...]:
        if len(key) < 3:
            return ()
        codes = self._index.get(key, ())
        if key in self._regions.aliases:
            codes = (*codes, self._regions.aliases[key])
        if cue is not None:
            codes = tuple(code for code in codes if cue_of(code) == cue)
        return codes[:MAX_CODES]

    def _accident(self, first: str, codes: tuple[str, ...]) -> bool:
        """Whether "ke diri" was read as Kediri: a small word is no part of the name."""
        if first not in _JOINERS:
            return False
        names = (fold(self._regions.by_code[code].name).split() for code in codes)
        return all(first not in name for name in names)


def cue_of(code: str) -> str:
    """The level word that fits a code: provinsi, kabupaten, kota, kecamatan or desa."""
    if len(code) == 5:
        return "kota" if code[3] == "7" else "kabupaten"
    return _CUE_OF_LENGTH[len(code)]
