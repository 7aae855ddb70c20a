"""What a static encoder sees of a text: character n-grams of its words, and the words' stems.

Every n-gram and stem is one 64-bit key; an encoder knows a sorted list of keys, and what is not in
it is not seen. Keys of a whole batch come from one cumulated sum (Karp and Rabin 1987), so that no
Python loop runs over characters.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pilah.models.text import stem, tokens

Keys = NDArray[np.uint64]
Places = NDArray[np.int32]
Found = tuple[NDArray[np.int64], Keys]
"""(number of the text, key) of everything found."""

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_STEM = np.uint64(0x5851F42D4C957F2D)
"""Tells the stem ``air`` from the letters ``air``."""
_END = "\n"
_NONE = np.zeros(0, dtype=np.int32)
MAX_WORDS = 1 << 15
"""Words whose places are kept."""


@dataclass(frozen=True, slots=True)
class Grams:
    """The n-grams and stems that an encoder knows.

    Attributes:
        keys: rising; the place of a key is its column.
        shortest: characters of the shortest n-gram, the blanks around a word counted.
        longest: of the longest.
    """

    keys: Keys
    shortest: int
    longest: int
    _seen: dict[str, Places] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Word -> where its n-grams and its stem stand in ``keys``."""

    def count(self, normals: Sequence[str]) -> csr_matrix:
        """How often each stands in each text, damped: 1 + log count; float32, shape (n, keys)."""
        texts = [normal.split() for normal in normals]
        of = self._of(dict.fromkeys(chain.from_iterable(texts)))
        found = (np.concatenate([_NONE, *map(of.__getitem__, words)]) for words in texts)
        rows = [np.unique(places, return_counts=True) for places in found]
        ends = np.cumsum([0, *(len(places) for places, _ in rows)], dtype=np.int32)
        places, counts = (np.concatenate(part) for part in zip((_NONE, _NONE), *rows, strict=True))
        damped = 1.0 + np.log(counts, dtype=np.float32)
        return csr_matrix((damped, places, ends), shape=(len(normals), len(self.keys)))

    def _of(self, words: Collection[str]) -> dict[str, Places]:
        """The places of each word; what was looked up once is kept, up to :data:`MAX_WORDS`."""
        found = {word: places for word in words if (places := self._seen.get(word)) is not None}
        if len(found) < len(words):
            new = self._look_up([word for word in words if word not in found])
            if len(self._seen) + len(new) > MAX_WORDS:
                self._seen.clear()
            self._seen.update(new)
            found |= new
        return found

    def _look_up(self, words: Sequence[str]) -> dict[str, Places]:
        parts = (ngrams(words, self.shortest, self.longest), stems(words))
        rows, keys = (np.concatenate(part) for part in zip(*parts, strict=True))
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[places] == keys
        order = np.argsort(rows[known], kind="stable")
        ends = np.cumsum(np.bincount(rows[known], minlength=len(words)))
        split = np.split(places[known][order].astype(np.int32), ends[:-1])
        return dict(zip(words, split, strict=True))


def ngrams(normals: Sequence[str], shortest: int, longest: int) -> Found:
    """Character n-grams inside words; a word begins and ends with one blank."""
    line = _Line(normals)
    found = [line.windows(length) for length in range(shortest, longest + 1)]
    return line.texts(found), np.concatenate([line.keys(at, size) for at, size in found])


def stems(normals: Sequence[str]) -> Found:
    """Stems of all words."""
    line = _Line([" ".join(map(stem, tokens(normal))) for normal in normals])
    found = line.words()
    return line.texts([found]), line.keys(*found) ^ _STEM


class _Line:
    """Texts in a row, with the cumulated sum that gives the key of any stretch at once."""

    def __init__(self, texts: Sequence[str]) -> None:
        line = _END.join(f" {' '.join(text.split())} " for text in texts)
        codes = np.frombuffer(line.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        self.end = codes == ord(_END)
        self.gap = self.end | (codes == ord(" "))
        self.gaps = np.concatenate([[0], np.cumsum(self.gap)])
        self.text = np.cumsum(self.end)
        self.sums = np.zeros(len(codes) + 1, dtype=np.uint64)
        np.cumsum(codes.astype(np.uint64) * _powers(_BASE, len(codes)), out=self.sums[1:])
        self.back = _powers(_INVERSE, len(codes))

    def windows(self, length: int) -> tuple[NDArray[np.int64], int]:
        """Where the n-grams of this length start: no gap inside, no end of a text at an edge."""
        at = np.arange(max(0, len(self.gap) - length + 1))
        inner = self.gaps[at + length - 1] == self.gaps[at + 1]
        return at[inner & ~self.end[at] & ~self.end[at + length - 1]], length

    def words(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where words start, and how long they are."""
        edges = np.diff(self.gap.astype(np.int8))
        starts, ends = np.flatnonzero(edges == -1) + 1, np.flatnonzero(edges == 1) + 1
        return starts, ends - starts

    def keys(self, at: NDArray[np.int64], size: NDArray[np.int64] | int) -> Keys:
        """Keys of stretches: a polynomial of the characters modulo 2^64, stirred."""
        found = (self.sums[at + size] - self.sums[at]) * self.back[at]
        found = (found ^ (found >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        return np.asarray(found ^ (found >> np.uint64(32)))

    def texts(self, found: Sequence[tuple[NDArray[np.int64], object]]) -> NDArray[np.int64]:
        """The text that each stretch stands in."""
        return np.concatenate([self.text[at] for at, _ in found])


def _powers(base: int, count: int) -> Keys:
    found = np.full(count, base, dtype=np.uint64)
    found[:1] = 1
    return np.multiply.accumulate(found)
