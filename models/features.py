"""N-gram features of normalised text: words, stems and characters in one sparse matrix.

scikit-learn learns vocabulary and idf; a bundle keeps only these, as plain data (no pickle). The
features of new texts are made here, the same numbers in a fraction of the time for one report: the
n-grams of a word are looked up once and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from pilah.datasets.chargrams import char_counts
from pilah.models.text import normalise, stem, tokens

VIEWS = ("word", "stem", "char")
SHORTEST, LONGEST = 2, 5
"""Characters of a character n-gram."""
WORD = r"\S+"
MAX_WORDS = 1 << 15
"""Words whose character n-grams are kept."""


class View:
    """One TF-IDF view: sublinear counts times idf, L2-normalised (scikit-learn's definition)."""

    def __init__(self, kind: str, vocabulary: dict[str, int], idf: NDArray[np.float64]) -> None:
        """Keep the table: n-gram -> column, and the idf of each column."""
        self.vocabulary, self.idf = vocabulary, idf
        self._columns = _READERS[kind](vocabulary)

    def row(self, normal: str) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Columns, rising, and values of one normalised text."""
        columns, counts = np.unique(self._columns(normal), return_counts=True)
        values = (np.log(counts) + 1.0) * self.idf[columns]
        return columns, values / (np.sqrt(values @ values) or 1.0)


Reader = Callable[[str], NDArray[np.int32]]
"""The columns of a text's n-grams, one for each time an n-gram stands there."""
_NONE = np.zeros(0, dtype=np.int32)


def _of_words(change: Callable[[str], str]) -> Callable[[dict[str, int]], Reader]:
    def reader(vocabulary: dict[str, int]) -> Reader:
        def read(normal: str) -> NDArray[np.int32]:
            words = [change(token) for token in tokens(normal)]
            grams = chain(words, map(" ".join, pairwise(words)))
            found = [column for column in map(vocabulary.get, grams) if column is not None]
            return np.array(found, dtype=np.int32)

        return read

    return reader


def _of_characters(vocabulary: dict[str, int]) -> Reader:
    @lru_cache(MAX_WORDS)
    def columns(word: str) -> NDArray[np.int32]:
        found = [vocabulary[gram] for gram in char_grams(word) if gram in vocabulary]
        return np.array(found, dtype=np.int32)

    return lambda normal: np.concatenate([_NONE, *map(columns, normal.split())])


def char_grams(word: str) -> Iterator[str]:
    """The n-grams of a word with a blank on either side; a short one is its own, once."""
    padded = f" {word} "
    for n in range(SHORTEST, LONGEST + 1):
        yield from (padded[i : i + n] for i in range(max(1, len(padded) - n + 1)))
        if n >= len(padded):
            return


_READERS = {"word": _of_words(str), "stem": _of_words(stem), "char": _of_characters}


@dataclass
class NgramFeatures:
    """Three TF-IDF views side by side, each L2-normalised on its own.

    Attributes:
        views: which of word (1-2 grams), stem (1-2) and char (char_wb 2-5) are used, in order.
        min_df: smallest number of texts an n-gram stands in.
        max_features: largest number of n-grams a view keeps, most frequent first.
    """

    views: tuple[str, ...] = VIEWS
    min_df: int = 2
    max_features: int | None = None
    _tables: dict[str, View] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of columns."""
        return sum(len(view.vocabulary) for view in self._tables.values())

    def fit(self, normals: Sequence[str]) -> csr_matrix:
        """Learn vocabulary and idf, once; returns the features, shape (n, size).

        Raises:
            ValueError: no n-gram stands in enough texts.
        """
        # Serving never fits, and is spared the second and the 100 MB that this import takes.
        from sklearn.feature_extraction.text import TfidfTransformer

        parts = []
        for kind in self.views:
            names, counts = _counts(kind, normals)
            kept = _frequent(counts, self.min_df, self.max_features)
            weigh = TfidfTransformer(sublinear_tf=True)
            parts.append(weigh.fit_transform(counts[:, kept]))
            vocabulary = {names[column]: i for i, column in enumerate(kept)}
            self._tables[kind] = View(kind, vocabulary, weigh.idf_.astype(np.float64))
        return hstack(parts, format="csr", dtype=np.float32)

    def transform(self, normals: Sequence[str]) -> csr_matrix:
        """Features of normalised texts, shape (n, size), float32."""
        columns, values, ends = [], [], [0]
        for normal in normals:
            start = 0
            for view in self._tables.values():
                found, weights = view.row(normal)
                columns.append(found + start)
                values.append(weights)
                start += len(view.vocabulary)
            ends.append(ends[-1] + sum(len(c) for c in columns[-len(self._tables) :]))
        parts = (
            np.concatenate([np.zeros(0), *values]).astype(np.float32),
            np.concatenate([np.zeros(0), *columns]).astype(np.int32),
            np.array(ends, dtype=np.int32),
        )
        return csr_matrix(parts, shape=(len(normals), self.size))

    def words(self) -> dict[str, int]:
        """Single words -> column, as ``word:jalan`` and, of the stem view, ``stem:rusak``."""
        words: dict[str, int] = {}
        start = 0
        for kind, view in self._tables.items():
            if kind != "char":
                single = (w for w in view.vocabulary.items() if " " not in w[0])
                words |= {f"{kind}:{w}": start + i for w, i in single}
            start += len(view.vocabulary)
        return words

    @cached_property
    def columns_of(self) -> Callable[[str], tuple[int, ...]]:
        """The columns of a word as written, rising, over the word and stem views."""
        words = self.words()

        @lru_cache(MAX_WORDS)
        def columns(written: str) -> tuple[int, ...]:
            names = (
                name
                for token in normalise(written).split()
                for name in (f"word:{token}", f"stem:{stem(token)}")
            )
            return tuple(sorted({words[name] for name in names if name in words}))

        return columns

    def state(self) -> tuple[dict[str, list[str]], dict[str, NDArray[np.float32]]]:
        """Vocabulary in column order and idf, by view."""
        names = {kind: _in_order(view.vocabulary) for kind, view in self._tables.items()}
        return names, {kind: view.idf.astype(np.float32) for kind, view in self._tables.items()}

    @classmethod
    def restore(
        cls, names: dict[str, list[str]], idf: dict[str, NDArray[np.float32]]
    ) -> NgramFeatures:
        """The inverse of :meth:`state`."""
        tables = {
            kind: View(kind, {w: i for i, w in enumerate(words)}, idf[kind].astype(np.float64))
            for kind, words in names.items()
        }
        return cls(views=tuple(names), _tables=tables)


def _in_order(vocabulary: dict[str, int]) -> list[str]:
    return sorted(vocabulary, key=vocabulary.__getitem__)


def _counts(kind: str, normals: Sequence[str]) -> tuple[list[str], csr_matrix]:
    """N-grams of a view in order, and how often each stands in each text, shape (n, n-grams)."""
    if kind == "char":
        return char_counts(normals, (SHORTEST, LONGEST))
    from sklearn.feature_extraction.text import CountVectorizer

    change = stem if kind == "stem" else str
    counter = CountVectorizer(
        token_pattern=WORD, ngram_range=(1, 2), lowercase=False, dtype=np.float32
    )
    counts = counter.fit_transform(" ".join(map(change, tokens(n))) for n in normals)
    return [str(name) for name in counter.get_feature_names_out()], counts


def _frequent(counts: csr_matrix, min_df: int, most: int | None) -> NDArray[np.int64]:
    """Columns that stand in ``min_df`` texts or more; of too many, those that stand most often.

    Raises:
        ValueError: there is none.
    """
    kept = np.flatnonzero(np.bincount(counts.indices, minlength=counts.shape[1]) >= min_df)
    if len(kept) == 0:
        raise ValueError("no n-gram stands in enough texts")
    often = np.asarray(counts.sum(axis=0)).ravel()[kept]
    return np.sort(kept[np.argsort(-often, kind="stable")[:most]])


class Row(NamedTuple):
    """The features of one text: columns, rising, and their values; zeros are left out."""

    columns: NDArray[np.int32]
    values: NDArray[np.float32]


def rows_of(features: csr_matrix) -> Iterator[Row]:
    """Each row by itself."""
    for start, end in pairwise(features.indptr.tolist()):
        yield Row(features.indices[start:end], features.data[start:end])


def beside(ngrams: csr_matrix, vectors: NDArray[np.float32], weight: float) -> csr_matrix:
    """N-grams, and to their right the embeddings times ``weight``; a weight of 0 adds no columns.

    Both sides of a row have about the length of one view, so that weight 1 lets the embedding
    speak as loudly as one view of n-grams.
    """
    if not weight:
        return ngrams
    return hstack(
        [ngrams, csr_matrix(vectors * np.float32(weight))], format="csr", dtype=np.float32
    )
