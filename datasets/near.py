"""Near-duplicate texts: exact cosine over character n-grams, joined into groups."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pilah.datasets.chargrams import char_counts

NEAR = 0.85
"""Cosine from which two texts count as near-duplicates."""
BLOCK = 512
COMMON = 0.02
"""N-grams that stand in a larger share of the texts are common."""
SLACK = 1e-3
"""For rounding: bounds are in single precision."""


def near_pairs(
    texts: Sequence[str], threshold: float = NEAR, *, tick: Callable[[int], object] | None = None
) -> Iterator[tuple[int, int, float]]:
    """Yield (i, j, cosine) with i < j for every pair at or above the threshold.

    The cosine is over character 3-5-grams inside words (TF-IDF). It is exact: what the rare n-grams
    of two texts share, plus the most that their common ones could, bounds it (Bayardo, Ma & Srikant
    2007), and only pairs whose bound reaches the threshold are computed in full.

    Args:
        texts: the texts; at least one must hold a letter or digit.
        threshold: smallest cosine.
        tick: called with the number of texts done, for a progress bar.
    """
    from sklearn.feature_extraction.text import TfidfTransformer  # a second, and 100 MB

    if len(texts) < 2:
        return
    _, counts = char_counts([t.lower() for t in texts], (3, 5))
    rows = TfidfTransformer().fit_transform(counts)
    rare = rows[:, np.bincount(rows.indices, minlength=rows.shape[1]) <= COMMON * len(texts)]
    common = np.sqrt(np.maximum(0.0, 1.0 - rare.multiply(rare).sum(axis=1).A1))
    plain = np.flatnonzero(common >= threshold - SLACK)
    for start in range(0, len(texts), BLOCK):
        left, right = _candidates(rows, rare, common, plain, start, threshold)
        cosine = rows[left].multiply(rows[right]).sum(axis=1).A1
        near = cosine >= threshold
        yield from zip(
            left[near].tolist(), right[near].tolist(), cosine[near].tolist(), strict=True
        )
        if tick is not None:
            tick(min(BLOCK, len(texts) - start))


def _candidates(
    rows: csr_matrix,
    rare: csr_matrix,
    common: NDArray[np.float32],
    plain: NDArray[np.int64],
    start: int,
    threshold: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (i, j), i < j and i in this block, that may reach the threshold, each once.

    Args:
        rows: all texts, shape (n, n-grams).
        rare: their rare n-grams alone.
        common: length of what is common in each, shape (n,).
        plain: texts so common that they may be near without one rare n-gram.
        start: of the block.
        threshold: smallest cosine.
    """
    stop = start + BLOCK
    shared = (rare[start:stop] @ rare[start:].T).tocoo()
    left, right = shared.row + start, shared.col + start
    keep = shared.data + common[left] * common[right] >= threshold - SLACK
    mine = plain[(plain >= start) & (plain < stop)]
    alike = (rows[mine] @ rows[plain].T).tocoo()
    close = alike.data >= threshold
    first = np.concatenate([left[keep], mine[alike.row[close]]])
    second = np.concatenate([right[keep], plain[alike.col[close]]])
    size = rows.shape[0]
    pairs = np.unique((first * size + second)[first < second].astype(np.int64))
    return pairs // size, pairs % size


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
