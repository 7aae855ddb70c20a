"""The two kinds of search behind the duplicate index, and how the larger one is built.

Exact: every vector is compared (``IndexFlatIP``). Inverted: vectors lie in lists around centroids
of a spherical k-means, and only the nearest lists are compared (IVF; Jegou et al. 2011), as 16-bit
floats. How many lists are looked at is chosen by the recall measured on the index's own vectors.
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

EXACT_UP_TO = 50_000
"""Beyond so many vectors an inverted index is built."""
GROW_BY = 4
"""An inverted index is built anew, with more lists, when it holds so many times its first size."""
RECALL = 0.99
"""Share of the true 20 nearest that the look-up must find when the number of lists is chosen."""
NEAREST = 20
SAMPLE = 500
"""Vectors on which the recall is measured."""
PER_LIST = 40
"""Training vectors for each centroid."""
ROUNDS = 10
"""Rounds of k-means."""
_CHUNK = 20_000
_SEED = 5
_HASHTABLE = 2
"""``DirectMap::Hashtable`` of FAISS: ids are found, and removed, without looking through lists."""


@dataclass(frozen=True, slots=True)
class Built:
    """A FAISS index that keeps the ids of another one, and the recall it was measured to have."""

    faiss: Any
    recall: float


def exact(dim: int) -> Built:
    """An empty exact index."""
    return Built(faiss.IndexIDMap2(faiss.IndexFlatIP(dim)), 1.0)


def kind_of(index: Any) -> str:  # noqa: ANN401 - a FAISS index
    """What a FAISS index is, such as ``exact`` or ``ivf4096,fp16,nprobe16``."""
    if isinstance(index, faiss.IndexIDMap2):
        return "exact"
    return f"ivf{index.nlist},fp16,nprobe{index.nprobe}"


def lists_for(count: int) -> int:
    """How many lists suit so many vectors: the power of two next to four square roots."""
    return int(2 ** round(math.log2(max(4.0, 4 * math.sqrt(count)))))


def inverted(source: Any, keys: NDArray[np.int64], *, lists: int) -> Built:  # noqa: ANN401
    """Build an inverted index of everything that another FAISS index holds.

    Args:
        source: the other index; it must not change meanwhile.
        keys: its ids, shape (n,), n at least ``lists``.
        lists: number of centroids.
    """
    rng = np.random.default_rng(_SEED)
    kind = f"IVF{lists},SQfp16"
    made: Any = faiss.index_factory(source.d, kind, faiss.METRIC_INNER_PRODUCT)
    made.by_residual = False
    made.cp.niter, made.cp.spherical, made.cp.max_points_per_centroid = ROUNDS, True, PER_LIST
    sample = np.sort(rng.permutation(keys)[: lists * PER_LIST])
    made.train(source.reconstruct_batch(sample))
    made.set_direct_map_type(_HASHTABLE)
    for part in _chunks(keys):
        made.add_with_ids(source.reconstruct_batch(part), part)
    asked = np.sort(rng.permutation(keys)[:SAMPLE])
    return Built(made, _tune(made, source.reconstruct_batch(asked), _truth(source, keys, asked)))


def _tune(index: Any, queries: NDArray[np.float32], truth: list[set[int]]) -> float:  # noqa: ANN401
    """Set the fewest lists to look at that reach ``RECALL``; gives the recall reached."""
    recall, wanted = 0.0, max(1, sum(map(len, truth)))
    for exponent in range(2, int(math.log2(index.nlist)) + 1):
        index.nprobe = 2**exponent
        _, found = index.search(queries, NEAREST + 1)
        pairs = zip(truth, found.tolist(), strict=True)
        recall = sum(len(want.intersection(row)) for want, row in pairs) / wanted
        if recall >= RECALL:
            break
    return recall


def _truth(source: Any, keys: NDArray[np.int64], asked: NDArray[np.int64]) -> list[set[int]]:  # noqa: ANN401
    """The true nearest of each asked vector, itself left out."""
    queries = source.reconstruct_batch(asked)
    near = faiss.ResultHeap(len(asked), NEAREST + 1, keep_max=True)
    for part in _chunks(keys):
        scores = queries @ source.reconstruct_batch(part).T
        near.add_result(scores, np.broadcast_to(part, scores.shape).copy())
    near.finalize()
    rows = zip(near.I.tolist(), asked.tolist(), strict=True)
    return [{key for key in row if key not in (me, -1)} for row, me in rows]


def _chunks(keys: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]
