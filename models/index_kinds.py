"""The two kinds of search behind the duplicate index, and how the larger one is built.

Exact: every vector is compared. Inverted: vectors lie in lists around centroids of a spherical
k-means (IVF; Jegou et al. 2011); of the nearest lists all are compared by codes of two bits a
dimension (product quantisation, scanned in registers: Andre et al. 2015), and the best of those by
the vectors themselves. How many lists are looked at is chosen by the recall measured on the index's
own vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Near = tuple[NDArray[np.float32], NDArray[np.int64]]
    """Cosines and keys of the nearest of each query, best first, shape (n, k) each."""

EXACT_UP_TO = 50_000
"""Beyond so many vectors an inverted index is built."""
GROW_BY = 4
"""An inverted index is built anew, with more lists, when it holds so many times its first size."""
CLEAN = 10
"""It is also built anew when one in so many of its vectors was removed, and ``FEWEST`` are left."""
FEWEST = 1_000
RECALL = 0.985
"""Share of the true 20 nearest that the look-up must find when the number of lists is chosen."""
NEAREST = 20
RANKED = (100, 200, 400, 800, 1600)
"""How many vectors may be compared themselves after their codes were: the fewest that are enough
when all lists are looked at."""
ENOUGH = 0.992
"""Share of the true 20 nearest that must be among those, so that some may be lost with lists."""
SAMPLE = 500
"""Vectors on which the recall is measured."""
PER_LIST = 40
"""Training vectors for each centroid."""
ROUNDS = 10
"""Rounds of k-means."""
_AT_ONCE = 64
"""Queries that are ranked together."""
_BLOCK = 64
_CHUNK = 20_000
_SEED = 5


@dataclass(frozen=True, slots=True)
class Inverted:
    """Lists of coded vectors.

    Attributes:
        faiss: a FAISS index of codes, under the keys of the vectors.
        ranked: how many of those with the best codes are compared themselves.
        recall: share of the true 20 nearest that a search finds, as measured.
    """

    faiss: Any
    ranked: int
    recall: float

    @property
    def kind(self) -> str:
        """Such as ``ivf4096,pq4,nprobe16,ranked200``."""
        return f"ivf{self.faiss.nlist},pq4,nprobe{self.faiss.nprobe},ranked{self.ranked}"

    def add(self, vectors: NDArray[Any], keys: NDArray[np.int64]) -> None:
        """Add vectors, shape (n, dim), in small parts."""
        for part in _chunks(len(keys)):
            self.faiss.add_with_ids(vectors[part].astype(np.float32), keys[part])

    def near(
        self, queries: NDArray[np.float32], k: int, gone: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Keys of the likely nearest of each query, at least ``k``, -1 for none.

        Removed vectors keep their codes; as many more are looked at, up to twice in all.
        """
        ranked = max(k, self.ranked)
        found: NDArray[np.int64] = self.faiss.search(queries, ranked + min(ranked, len(gone)))[1]
        return np.where(np.isin(found, gone), -1, found) if len(gone) else found


def lists_for(count: int) -> int:
    """How many lists suit so many vectors: the power of two next to four square roots."""
    return int(2 ** round(math.log2(max(4.0, 4 * math.sqrt(count)))))


def compared(
    queries: NDArray[np.float32], held: NDArray[np.float32], k: int, gone: NDArray[np.int64]
) -> Near:
    """The nearest of each query among all vectors but those ``gone``; k is at most their number."""
    parts = []
    for part in _split(len(queries)):
        scores = _products(queries[part], held)
        scores[:, gone] = -np.inf
        parts.append(_best(scores, k))
    scores, keys = (np.concatenate(both) for both in zip(*parts, strict=True))
    return scores, keys


def ranked(
    queries: NDArray[np.float32], near: NDArray[np.int64], held: NDArray[Any], k: int
) -> Near:
    """The nearest of each query among a few, as :func:`compared`; key -1 where there are less."""
    scores = np.empty(near.shape, dtype=np.float32)
    for part in _split(len(queries)):
        few = held[near[part]].astype(np.float32)
        scores[part] = np.einsum("nkd,nd->nk", few, queries[part])
    scores[near < 0] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(near, order, 1)


def _products(queries: NDArray[np.float32], held: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every query with every vector, shape (queries, vectors).

    A lone query stays in its thread: BLAS would wake others for it, and waiting for them on a busy
    machine takes a hundred times as long as the product.
    """
    if len(queries) == 1:
        return np.asarray(np.einsum("nd,kd->nk", queries, held))
    return queries @ held.T


def _best(scores: NDArray[np.float32], k: int) -> Near:
    """The k highest scores of each row and their columns, best first; k is at most the columns.

    The k-th highest of the maxima of blocks is at most the k-th highest score, so what lies below
    it is not looked at: several times as fast as a partition of all.
    """
    starts = np.arange(0, scores.shape[1], min(_BLOCK, scores.shape[1] // k))
    highest = np.maximum.reduceat(scores, starts, axis=1)
    least = np.partition(highest, -k, axis=1)[:, -k]
    rows, columns = np.nonzero(scores >= least[:, None])
    found = scores[rows, columns]
    order = np.lexsort((-found, rows))
    first = np.searchsorted(rows, np.arange(len(scores)))
    chosen = order[first[:, None] + np.arange(k)]
    return found[chosen], columns[chosen]


def inverted(vectors: NDArray[Any], keys: NDArray[np.int64], *, lists: int) -> Inverted:
    """Build an inverted index.

    Args:
        vectors: L2-normalised, shape (n, dim); they must not change meanwhile.
        keys: one each, n at least ``lists``.
        lists: number of centroids.
    """
    rng, dim = np.random.default_rng(_SEED), vectors.shape[1]
    pieces = dim // 2 if dim % 2 == 0 else dim
    kind = f"IVF{lists},PQ{pieces}x4fs"
    made: Any = faiss.index_factory(dim, kind, faiss.METRIC_INNER_PRODUCT)
    made.by_residual = False
    made.cp.niter, made.cp.spherical, made.cp.max_points_per_centroid = ROUNDS, True, PER_LIST
    sample = np.sort(rng.permutation(len(keys))[: lists * PER_LIST])
    made.train(vectors[sample].astype(np.float32))
    Inverted(made, 0, 0.0).add(vectors, keys)
    asked = np.sort(rng.permutation(len(keys))[:SAMPLE])
    queries = vectors[asked].astype(np.float32)
    return _tuned(made, queries, _truth(vectors, keys, queries, keys[asked]))


def _tuned(index: Any, queries: NDArray[np.float32], truth: list[set[int]]) -> Inverted:  # noqa: ANN401
    """Rank the fewest that reach ``ENOUGH``, then look at the fewest lists for ``RECALL``."""
    wanted = max(1, sum(map(len, truth)))

    def recall(lists: int, ranked: int) -> float:
        index.nprobe = lists
        _, found = index.search(queries, ranked)
        pairs = zip(truth, found.tolist(), strict=True)
        return sum(len(want.intersection(row)) for want, row in pairs) / wanted

    whole = (n for n in RANKED if recall(index.nlist, n) >= ENOUGH)
    ranked, reached = next(whole, RANKED[-1]), 0.0
    for half in range(4, 1 + 2 * int(math.log2(index.nlist))):
        reached = recall(round(2 ** (half / 2)), ranked)
        if reached >= RECALL:
            break
    return Inverted(index, ranked, reached)


def _truth(
    vectors: NDArray[Any],
    keys: NDArray[np.int64],
    queries: NDArray[np.float32],
    asked: NDArray[np.int64],
) -> list[set[int]]:
    """The true nearest of each asked vector, itself left out."""
    near = faiss.ResultHeap(len(asked), NEAREST + 1, keep_max=True)
    for part in _chunks(len(keys)):
        scores = queries @ vectors[part].astype(np.float32).T
        near.add_result(scores, np.broadcast_to(keys[part], scores.shape).copy())
    near.finalize()
    rows = zip(near.I.tolist(), asked.tolist(), strict=True)
    return [{key for key in row if key not in (me, -1)} for row, me in rows]


def _chunks(count: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, count, _CHUNK))


def _split(count: int) -> Iterator[slice]:
    return (slice(start, start + _AT_ONCE) for start in range(0, count, _AT_ONCE))
