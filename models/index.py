"""The duplicate index: vectors of remembered reports, searched by inner product.

Exact while it is small; when it has grown, an inverted index with measured recall takes over.
"""

from __future__ import annotations

import json
import logging
import zlib
from array import array
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from pilah.datasets.errors import IndexMismatchError
from pilah.models.index_kinds import EXACT_UP_TO, GROW_BY, exact, inverted, kind_of, lists_for
from pilah.models.saved import CURE, MANIFEST, commit, place, verified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pilah.models.index_kinds import Built

log = logging.getLogger(__name__)

FORMAT = 2
"""Version of the folder layout."""


class VectorIndex:
    """Report ids by their L2-normalised embeddings.

    Up to ``exact_up_to`` vectors every search is exact; beyond, an inverted index is built, at
    once or in a thread while the old one goes on serving. Not safe for concurrent callers: they
    hold a lock.

    Attributes:
        dim: length of every vector.
        version: version of the encoder that made the vectors; saved and checked.
        recall: share of the true 20 nearest that a search finds, as measured when it was built.
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
        self._limit = exact_up_to
        self._growth: _Growth | None = None
        self.saved_as: str | None = None
        self._use(exact(dim))

    def __len__(self) -> int:
        """How many reports it holds."""
        return len(self._keys)

    def __contains__(self, report_id: object) -> bool:
        """Whether this report is held."""
        return report_id in self._keys

    @property
    def kind(self) -> str:
        """How it searches, such as ``exact`` or ``ivf4096,fp16,nprobe16``."""
        return kind_of(self._faiss)

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
        with _threads(1 if len(matrix) == 1 else None):
            self._faiss.add_with_ids(matrix, keys)
        self._grow()

    def remove(self, ids: Iterable[str]) -> int:
        """Remove reports; unknown ids are passed over. Returns how many were held."""
        keys = [key for name in ids if (key := self._keys.pop(name, None)) is not None]
        for key in keys:
            self._names[key] = None
        if keys:
            self._faiss.remove_ids(np.array(keys, dtype=np.int64))
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
        with _threads(1 if len(matrix) == 1 else None):
            scores, keys = self._faiss.search(matrix, k)
        rows = zip(keys.tolist(), scores.tolist(), strict=True)
        return [self._named(row_keys, row_scores) for row_keys, row_scores in rows]

    def ids(self) -> list[str]:
        """Ids of all held reports, in order of arrival."""
        return list(self._keys)

    def holds(self, report_id: str, vector: NDArray[np.float32]) -> bool:
        """Whether it was given this very vector for a report, shape (dim,)."""
        key = self._keys.get(report_id)
        return key is not None and self._sums[key] == _checksum(vector)

    def cosines(self, report_ids: Sequence[str], vector: NDArray[np.float32]) -> list[float]:
        """Cosine of each report with an L2-normalised vector, shape (dim,); 0 if not held."""
        keys = np.array([self._keys.get(name, -1) for name in report_ids], dtype=np.int64)
        held = np.flatnonzero(keys >= 0)
        found = np.zeros(len(keys), dtype=np.float32)
        if len(held):
            found[held] = self._faiss.reconstruct_batch(keys[held]) @ vector
        cosines: list[float] = found.tolist()
        return cosines

    def wait(self) -> None:
        """Let a larger index that is being built take over before going on."""
        if self._growth is not None:
            self._growth.join()
            self._grow()

    def save(self, folder: Path) -> None:
        """Write the index; a crash at any moment leaves the earlier one readable.

        Data files carry their checksum in their name, and the manifest, renamed into place last,
        says which of them count.
        """
        folder.mkdir(parents=True, exist_ok=True)
        held = [[key, name, self._sums[key]] for name, key in self._keys.items()]
        ids = json.dumps(held, ensure_ascii=False)
        vectors = place(folder, ".faiss", lambda path: faiss.write_index(self._faiss, str(path)))
        names = place(folder, ".ids.json", lambda path: _write(path, ids))
        manifest = {
            "format": FORMAT, "dim": self.dim, "version": self.version, "count": len(self),
            "next": len(self._names), "kind": self.kind, "recall": self.recall,
            "limit": self._limit, "vectors": vectors, "ids": names,
        }  # fmt: skip
        commit(folder, json.dumps(manifest, indent=1), keep={vectors["file"], names["file"]})
        self.saved_as = f"{vectors['file']}+{names['file']}"

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
        vectors, names = (verified(folder, manifest[part]) for part in ("vectors", "ids"))
        index = cls(int(manifest["dim"]), str(manifest["version"]))
        index._faiss, index.recall = faiss.read_index(str(vectors)), float(manifest["recall"])
        index._limit = int(manifest["limit"])
        index._names = [None] * int(manifest["next"])
        index._sums = array("I", bytes(4 * len(index._names)))
        for key, name, checksum in json.loads(names.read_text(encoding="utf-8")):
            index._names[key], index._sums[key] = str(name), int(checksum)
            index._keys[str(name)] = int(key)
        index._agree(folder, int(manifest["count"]))
        index.saved_as = f"{manifest['vectors']['file']}+{manifest['ids']['file']}"
        return index

    def _agree(self, folder: Path, count: int) -> None:
        held = {count, len(self._keys), int(self._faiss.ntotal)}
        if held != {count} or self._faiss.d != self.dim or len(self._names) < count:
            raise IndexMismatchError(f"{folder}: its files disagree in count or size; {CURE}")

    def _use(self, built: Built) -> None:
        self._faiss, self.recall = built.faiss, built.recall

    def _grow(self) -> None:
        """Start to build a larger index when it is time, or take over one that is ready."""
        if self._growth is None and len(self) > self._limit:
            self._growth = _Growth(self._faiss, self._held(), first_new=len(self._names))
            self._limit = len(self) * GROW_BY
            self._growth.start()
            if not self.grow_aside:
                self._growth.join()
        if self._growth is not None and not self._growth.is_alive():
            growth, self._growth = self._growth, None
            if growth.built is not None:
                self._take_over(growth, growth.built)

    def _take_over(self, growth: _Growth, built: Built) -> None:
        """Bring the new index up to what happened while it was built, then use it."""
        held = self._held()
        gone = np.setdiff1d(growth.keys, held)
        late = held[held >= growth.first_new]
        if len(gone):
            built.faiss.remove_ids(gone)
        if len(late):
            built.faiss.add_with_ids(self._faiss.reconstruct_batch(late), late)
        self._use(built)
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

    def __init__(self, source: Any, keys: NDArray[np.int64], *, first_new: int) -> None:  # noqa: ANN401
        super().__init__(name="index-growth", daemon=True)
        self.keys, self.first_new = keys, first_new
        self.built: Built | None = None
        self._source = faiss.clone_index(source)

    def run(self) -> None:
        """Build; a failure leaves the smaller index in use."""
        try:
            self.built = inverted(self._source, self.keys, lists=lists_for(len(self.keys)))
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
def _threads(count: int | None) -> Iterator[None]:
    """Work with so many threads: waking several costs a lone vector more than they save."""
    before = faiss.omp_get_max_threads()
    if count is not None:
        faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
