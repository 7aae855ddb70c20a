"""Near-duplicate texts: exact cosine over character n-grams, joined into groups."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

NEAR = 0.85
"""Cosine from which two texts count as near-duplicates."""
BLOCK = 512


def near_pairs(
    texts: Sequence[str], threshold: float = NEAR, *, tick: Callable[[int], object] | None = None
) -> Iterator[tuple[int, int, float]]:
    """Yield (i, j, cosine) with i < j for every pair at or above the threshold.

    The cosine is over character 3-5-grams inside words (TF-IDF), computed exactly in blocks.

    Args:
        texts: the texts; at least one must hold a letter or digit.
        threshold: smallest cosine.
        tick: called with the number of texts done, for a progress bar.
    """
    if len(texts) < 2:
        return
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), dtype=np.float32)
    rows = vectorizer.fit_transform([t.lower() for t in texts])
    for start in range(0, len(texts), BLOCK):
        block = (rows[start : start + BLOCK] @ rows[start:].T).tocoo()
        keep = (block.data >= threshold) & (block.row < block.col)
        yield from zip(
            (block.row[keep] + start).tolist(),
            (block.col[keep] + start).tolist(),
            block.data[keep].tolist(),
            strict=True,
        )
        if tick is not None:
            tick(min(BLOCK, len(texts) - start))


def joined(size: int, pairs: Iterator[tuple[int, int]]) -> NDArray[np.int64]:
    """Group number of each of ``size`` items after joining the pairs (union-find), shape (size,).

    Groups are numbered by their first member.
    """
    parent = list(range(size))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in pairs:
        ra, rb = root(a), root(b)
        if ra != rb:
            parent[max(ra, rb)] = min(ra, rb)
    return np.array([root(i) for i in range(size)], dtype=np.int64)


def groups(
    texts: Sequence[str], keys: Sequence[Sequence[Hashable]] = (), threshold: float = NEAR
) -> NDArray[np.int64]:
    """Groups of texts that must not be split: near-duplicates, or equal under any of the keys.

    Args:
        texts: n texts.
        keys: sequences of n values, such as incident ids; None never joins.
        threshold: cosine of a near-duplicate.

    Returns:
        Group numbers, shape (n,).
    """

    def pairs() -> Iterator[tuple[int, int]]:
        for column in keys:
            first: dict[Hashable, int] = {}
            for i, key in enumerate(column):
                if key is not None and first.setdefault(key, i) != i:
                    yield first[key], i
        for i, j, _ in near_pairs(texts, threshold):
            yield i, j

    return joined(len(texts), pairs())
