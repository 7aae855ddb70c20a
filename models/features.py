"""N-gram features of normalised text: words, stems and characters in one sparse matrix.

The vectorizers are scikit-learn's; only their vocabulary and idf are kept in a bundle, so that a
bundle is plain data (no pickle) and survives scikit-learn upgrades.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from pilah.models.text import stem, tokens

VIEWS = ("word", "stem", "char")


def stemmed(normal: str) -> str:
    """The text with every token replaced by its Sastrawi stem."""
    return " ".join(stem(t) for t in tokens(normal))


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
    _vectorizers: dict[str, TfidfVectorizer] = field(default_factory=dict)
    _words: dict[str, int] | None = None

    @property
    def size(self) -> int:
        """Number of columns."""
        return sum(len(v.vocabulary_) for v in self._vectorizers.values())

    def fit(self, normals: Sequence[str]) -> csr_matrix:
        """Learn vocabulary and idf; returns the features, shape (n, size)."""
        self._vectorizers = {v: _vectorizer(v, self.min_df, self.max_features) for v in self.views}
        return _join([v.fit_transform(_inputs(k, normals)) for k, v in self._vectorizers.items()])

    def transform(self, normals: Sequence[str]) -> csr_matrix:
        """Features of normalised texts, shape (n, size), float32."""
        return _join([v.transform(_inputs(k, normals)) for k, v in self._vectorizers.items()])

    def words(self) -> dict[str, int]:
        """Single words -> column, as ``word:jalan`` and, of the stem view, ``stem:rusak``."""
        if self._words is None:
            self._words = {}
            start = 0
            for view, vectorizer in self._vectorizers.items():
                if view != "char":
                    single = (w for w in vectorizer.vocabulary_.items() if " " not in w[0])
                    self._words |= {f"{view}:{w}": start + int(i) for w, i in single}
                start += len(vectorizer.vocabulary_)
        return self._words

    def state(self) -> tuple[dict[str, list[str]], dict[str, NDArray[np.float32]]]:
        """Vocabulary in column order and idf, by view."""
        names: dict[str, list[str]] = {}
        idf: dict[str, NDArray[np.float32]] = {}
        for view, vectorizer in self._vectorizers.items():
            names[view] = [str(n) for n in vectorizer.get_feature_names_out()]
            idf[view] = vectorizer.idf_.astype(np.float32)
        return names, idf

    @classmethod
    def restore(
        cls, names: dict[str, list[str]], idf: dict[str, NDArray[np.float32]]
    ) -> NgramFeatures:
        """The inverse of :meth:`state`."""
        features = cls(views=tuple(names))
        for view, words in names.items():
            vocabulary = {w: i for i, w in enumerate(words)}
            vectorizer = _vectorizer(view, 1, None, vocabulary)
            vectorizer.idf_ = idf[view].astype(np.float64)
            features._vectorizers[view] = vectorizer
        return features


def _vectorizer(
    view: str, min_df: int, max_features: int | None, vocabulary: dict[str, int] | None = None
) -> TfidfVectorizer:
    shape = {"analyzer": "char_wb", "ngram_range": (2, 5)} if view == "char" else {
        "token_pattern": r"\S+", "ngram_range": (1, 2),
    }  # fmt: skip
    return TfidfVectorizer(
        sublinear_tf=True, lowercase=False, min_df=min_df, max_features=max_features,
        vocabulary=vocabulary, dtype=np.float32 if vocabulary is None else np.float64, **shape,
    )  # fmt: skip


def _inputs(view: str, normals: Sequence[str]) -> list[str]:
    if view == "char":
        return list(normals)
    if view == "stem":
        return [stemmed(n) for n in normals]
    return [" ".join(tokens(n)) for n in normals]


def _join(parts: list[csr_matrix]) -> csr_matrix:
    return hstack(parts, format="csr", dtype=np.float32)


def beside(ngrams: csr_matrix, vectors: NDArray[np.float32], weight: float) -> csr_matrix:
    """N-grams, and to their right the embeddings times ``weight``; a weight of 0 adds no columns.

    Both sides of a row have about the length of one view, so that weight 1 lets the embedding
    speak as loudly as one view of n-grams.
    """
    return _join([ngrams, csr_matrix(vectors * np.float32(weight))]) if weight else ngrams
