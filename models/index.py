"""The duplicate index: vectors of remembered reports, searched by inner product.

Exact while it is small; when it has grown, an inverted index with measured recall takes over.
"""

from __future__ import annotations

import json
import logging
import zlib
from array import array
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

import faiss
import numpy as np

from pilah.datasets.errors import IndexMismatchError
from pilah.models.index_kinds import (
    CLEAN,
    EXACT_UP_TO,
    FEWEST,
    GROW_BY,
    Inverted,
    compared,
    inverted,
    lists_for,
    ranked,
)
from pilah.models.saved import CURE, MANIFEST, commit, place, verified
from pilah.models.vectors import Vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

log = logging.getLogger(__name__)

FORMAT = 3
"""Version of the folder layout."""


class VectorIndex:
    """Report ids by their L2-normalised embeddings.

    Up to ``exact_up_to`` vectors every search is exact; beyond, an inverted index is built, at
    once or in a thread while the old one goes on serving. Not safe for concurrent callers: they
    hold a lock.

    Attributes:
        dim: length of every vector.
        version: version of the encoder that made the vectors; saved and checked.
        grow_aside: whether a larger index is built in a thread. Which search then meets the new
            one depends on the clock, so leave it off where answers must repeat.
        saved_as: names of the files of its last save or load.
    """

    def __init__(
        self, dim: int, version: str, *, exact_up_to: int = EXACT_UP_TO, grow_aside: bool = False
    ) -> None:
        """Start empty."""
        if dim < 1:
            raise ValueError(f"dim must be positive, not {dim}")
        self.dim, self.version, self.grow_aside = dim, version, grow_aside
        self._names: list[str | None] = []  # by key; None where a report was removed
        self._sums = array("I")  # by key: checksum of the vector
        self._keys: dict[str, int] = {}
        self._vectors = Vectors(dim)  # by key
        self._gone: list[int] = []  # keys of removed reports that a search may still meet
        self._lists: Inverted | None = None
        self._limit = exact_up_to
        self._growth: _Growth | None = None
        self.saved_as: str | None = None

    def __len__(self) -> int:
        """How many reports it holds."""
        return len(self._keys)

    def __contains__(self, report_id: object) -> bool:
        """Whether this report is held."""
        return report_id in self._keys

    @property
    def kind(self) -> str:
        """How it searches, such as ``exact`` or ``ivf4096,pq4,nprobe16,ranked200``."""
        return "exact" if self._lists is None else self._lists.kind

    @property
    def recall(self) -> float:
        """Share of the true 20 nearest that a search finds, as measured when it was built."""
        return 1.0 if self._lists is None else self._lists.recall

    def facts(self) -> dict[str, object]:
        """What ``GET /v1/model`` tells of it."""
        return {"kind": self.kind, "reports": len(self), "recall_at_20": self.recall}

    def add(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add reports; one that is held already is replaced.

        Args:
            ids: report ids, each at most once.
            vectors: float32, shape (len(ids), dim), L2-normalised.

        Raises:
            ValueError: the shape is wrong, an id repeats, or a value is not finite.
        """
        matrix = self._checked(vectors)
        if len(matrix) != len(ids) or len(set(ids)) != len(ids):
            raise ValueError(f"{len(ids)} ids, {len(set(ids))} different, {len(matrix)} vectors")
        self.remove(ids)
        keys = np.arange(len(self._names), len(self._names) + len(ids), dtype=np.int64)
        self._names += ids
        self._sums.extend(map(_checksum, matrix))
        self._keys.update(zip(ids, keys.tolist(), strict=True))
        self._vectors.add(matrix)
        if self._lists is not None:
            with _one_thread():
                self._lists.add(matrix, keys)
        self._grow()

    def remove(self, ids: Iterable[str]) -> int:
        """Remove reports; unknown ids are passed over. Returns how many were held."""
        keys = [key for name in ids if (key := self._keys.pop(name, None)) is not None]
        for key in keys:
            self._names[key] = None
        self._gone += keys
        return len(keys)

    def search(self, vectors: NDArray[np.float32], k: int) -> list[list[tuple[str, float]]]:
        """The nearest reports of each vector, best first.

        Args:
            vectors: float32, shape (n, dim), L2-normalised.
            k: how many neighbours at most; fewer come back when fewer are held or found.

        Returns:
            A list of n lists of (report id, cosine similarity).

        Raises:
            ValueError: the shape is wrong or a value is not finite.
        """
        matrix, k = self._checked(vectors), min(k, len(self))
        if k < 1:
            return [[] for _ in matrix]
        with _one_thread():
            scores, keys = self._nearest(matrix, k)
        rows = zip(keys.tolist(), scores.tolist(), strict=True)
        return [self._named(row_keys, row_scores) for row_keys, row_scores in rows]

    def _nearest(
        self, queries: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        held, gone = self._vectors.all(), np.array(self._gone, dtype=np.int64)
        if self._lists is None:
            return compared(queries, held, k, gone)
        return ranked(queries, self._lists.near(queries, k, gone), held, k)

    def ids(self) -> list[str]:
        """Ids of all held reports, in order of arrival."""
        return list(self._keys)

    def holds(self, report_id: str, vector: NDArray[np.float32]) -> bool:
        """Whether it was given this very vector for a report, shape (dim,)."""
        key = self._keys.get(report_id)
        return key is not None and self._sums[key] == _checksum(vector)

    def cosines(
        self, report_ids: Sequence[str], vector: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Cosine of each report with an L2-normalised vector, shape (dim,); 0 if not held."""
        keys = np.array([self._keys.get(name, -1) for name in report_ids], dtype=np.int64)
        held = np.flatnonzero(keys >= 0)
        found = np.zeros(len(keys))
        found[held] = np.einsum("nd,d->n", self._vectors.take(keys[held]), vector)
        return found

    def wait(self) -> None:
        """Let a larger index that is being built take over before going on."""
        if self._growth is not None:
            self._growth.join()
            self._grow()

    def copy(self) -> VectorIndex:
        """A copy to be saved while this one goes on; vectors are shared."""
        copy = VectorIndex(self.dim, self.version)
        copy._names, copy._sums, copy._gone = [*self._names], self._sums[:], [*self._gone]
        copy._keys, copy._vectors, copy._limit = dict(self._keys), self._vectors.copy(), self._limit
        if self._lists is not None:
            copy._lists = replace(self._lists, faiss=faiss.clone_index(self._lists.faiss))
        return copy

    def save(self, folder: Path, *, along: Callable[[str], None] = lambda _: None) -> None:
        """Write the index; a crash at any moment leaves the earlier one readable.

        Data files carry their checksum in their name, and the manifest, renamed into place last,
        says which of them count.

        Args:
            folder: made when it is not there.
            along: writes what goes with the index, given the names of its files, right before they
                count.
        """
        folder.mkdir(parents=True, exist_ok=True)
        ids = json.dumps([self._names, self._sums.tolist()], ensure_ascii=False)
        files = {
            "ids": place(folder, ".ids.json", lambda path: _write(path, ids)),
            "vectors": place(folder, ".npy", self._vectors.write),
        }
        if self._lists is not None:
            lists = self._lists.faiss
            files["lists"] = place(folder, ".faiss", lambda p: faiss.write_index(lists, str(p)))
        manifest = {
            "format": FORMAT, "dim": self.dim, "version": self.version, "count": len(self),
            "kind": self.kind, "recall": self.recall,
            "ranked": self._lists.ranked if self._lists else None,
            "limit": self._limit, "gone": self._gone, "files": files,
        }  # fmt: skip
        names = [entry["file"] for entry in files.values()]
        self.saved_as = "+".join(names)
        along(self.saved_as)
        commit(folder, json.dumps(manifest, indent=1), keep=set(names))

    @classmethod
    def load(cls, folder: Path) -> VectorIndex:
        """Read a saved index, verifying every file against its checksum.

        Raises:
            IndexMismatchError: a file is missing, damaged or of another format.
        """
        try:
            return cls._read(folder)
        except IndexMismatchError:
            raise
        except (OSError, ValueError, KeyError, TypeError, IndexError, RuntimeError) as error:
            raise IndexMismatchError(f"{folder}: cannot be read ({error!r}); {CURE}") from error

    @classmethod
    def _read(cls, folder: Path) -> VectorIndex:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise IndexMismatchError(f"{folder}: format {manifest['format']}, not {FORMAT}; {CURE}")
        files = manifest["files"]
        paths = {part: verified(folder, entry) for part, entry in files.items()}
        index = cls(int(manifest["dim"]), str(manifest["version"]))
        index._limit = int(manifest["limit"])
        names, sums = json.loads(paths["ids"].read_text(encoding="utf-8"))
        index._names, index._sums = names, array("I", sums)
        index._keys = {name: key for key, name in enumerate(names) if name is not None}
        index._gone = [int(key) for key in manifest["gone"]]
        index._vectors = Vectors.read(paths["vectors"], index.dim)
        if "lists" in paths:
            lists = faiss.read_index(str(paths["lists"]))
            index._lists = Inverted(lists, int(manifest["ranked"]), float(manifest["recall"]))
        index._agree(folder, int(manifest["count"]))
        index.saved_as = "+".join(entry["file"] for entry in files.values())
        return index

    def _agree(self, folder: Path, count: int) -> None:
        held = {count, len(self._keys)}
        if self._lists is not None:
            held.add(int(self._lists.faiss.ntotal) - len(self._gone))
        if held != {count} or len({len(p) for p in (self._names, self._sums, self._vectors)}) > 1:
            raise IndexMismatchError(f"{folder}: its files disagree in count or size; {CURE}")

    def _grow(self) -> None:
        """Start to build a larger index when it is time, or take over one that is ready."""
        if self._growth is None and (len(self) > self._limit or self._unclean()):
            held = self._held()
            copy = self._vectors.all()[held].astype(np.float16)
            self._growth = _Growth(copy, held, first_new=len(self._names))
            self._growth.start()
            if not self.grow_aside:
                self._growth.join()
        if self._growth is not None and not self._growth.is_alive():
            growth, self._growth = self._growth, None
            self._limit = len(growth.keys) * GROW_BY
            if growth.built is not None:
                self._take_over(growth, growth.built)

    def _unclean(self) -> bool:
        many = len(self) > FEWEST and CLEAN * len(self._gone) > len(self._names)
        return many and self._lists is not None

    def _take_over(self, growth: _Growth, built: Inverted) -> None:
        """Bring the new index up to what happened while it was built, then use it."""
        held = self._held()
        late = held[held >= growth.first_new]
        if len(late):
            built.add(self._vectors.take(late), late)
        self._lists, self._gone = built, np.setdiff1d(growth.keys, held).tolist()
        self._vectors.halve()
        log.info("index: %d reports now in %s, recall %.3f", len(self), self.kind, self.recall)

    def _held(self) -> NDArray[np.int64]:
        return np.fromiter(self._keys.values(), dtype=np.int64, count=len(self._keys))

    def _named(self, keys: list[int], scores: list[float]) -> list[tuple[str, float]]:
        pairs = zip(keys, scores, strict=True)
        found = ((self._names[key], score) for key, score in pairs if key >= 0)
        return [(name, score) for name, score in found if name is not None]

    def _checked(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        matrix = np.ascontiguousarray(vectors, dtype=np.float32)
        if matrix.ndim != 2 or matrix.shape[1] != self.dim:
            raise ValueError(f"vectors of shape {matrix.shape}, not (n, {self.dim})")
        if not np.isfinite(matrix).all():
            raise ValueError("a vector has a value that is not finite")
        return matrix


class _Growth(Thread):
    """Builds an inverted index of a copy, so that the index itself may change meanwhile."""

    def __init__(
        self, vectors: NDArray[np.float16], keys: NDArray[np.int64], *, first_new: int
    ) -> None:
        super().__init__(name="index-growth", daemon=True)
        self.keys, self.first_new = keys, first_new
        self.built: Inverted | None = None
        self._vectors: NDArray[np.float16] | None = vectors

    def run(self) -> None:
        """Build; a failure leaves the smaller index in use."""
        vectors, self._vectors = self._vectors, None
        if vectors is None:
            raise RuntimeError("an index is grown once")
        try:
            with _one_thread():
                self.built = inverted(vectors, self.keys, lists=lists_for(len(self.keys)))
        except (RuntimeError, MemoryError) as error:
            log.error("index: the larger one was not built: %r", error)


def saved_index(folder: Path | None, dim: int, version: str) -> VectorIndex:
    """The saved index when it is whole and of this encoder, else an empty one (the log says so)."""
    if folder is not None and folder.exists():
        try:
            index = VectorIndex.load(folder)
            if (index.dim, index.version) == (dim, version):
                index.grow_aside = True
                return index
            log.info("the saved index is of encoder %s, not %s: rebuilt", index.version, version)
        except IndexMismatchError as error:
            log.warning("the saved index cannot be used and is rebuilt: %s", error)
    return VectorIndex(dim, version, grow_aside=folder is not None)


def _checksum(vector: NDArray[np.float32]) -> int:
    """CRC-32 of a vector's bytes."""
    return zlib.crc32(np.ascontiguousarray(vector, dtype="<f4").tobytes())


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let FAISS work in this thread alone.

    Its own threads wait for each other by turning in a loop. Beside other work that takes many
    times the CPU (19 times, when an index of 50,000 was built on four busy cores), and to wake
    them costs a lone vector more than they save.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
