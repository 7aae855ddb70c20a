"""The duplicate index: vectors of remembered reports, searched exactly by inner product."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from pilah.datasets.errors import IndexMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

FORMAT = 1
"""Version of the folder layout."""
MANIFEST = "manifest.json"
CURE = "run `pilah index rebuild`"


class VectorIndex:
    """Report ids by their L2-normalised embeddings.

    Exact (a flat inner-product index), so its cost grows with its size: right for up to some
    hundred thousand reports. Not safe for concurrent writers: the caller holds a lock.

    Attributes:
        dim: length of every vector.
        version: version of the encoder that made the vectors; saved and checked.
    """

    def __init__(self, dim: int, version: str) -> None:
        """Start empty."""
        if dim < 1:
            raise ValueError(f"dim must be positive, not {dim}")
        self.dim, self.version = dim, version
        self._faiss: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dim))
        self._names: dict[int, str] = {}
        self._keys: dict[str, int] = {}
        self._next = 0

    def __len__(self) -> int:
        """How many reports it holds."""
        return len(self._names)

    def __contains__(self, report_id: object) -> bool:
        """Whether this report is held."""
        return report_id in self._keys

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
        keys = range(self._next, self._next + len(ids))
        self._next += len(ids)
        self._names.update(zip(keys, ids, strict=True))
        self._keys.update(zip(ids, keys, strict=True))
        self._faiss.add_with_ids(matrix, np.array(keys, dtype=np.int64))

    def remove(self, ids: Iterable[str]) -> int:
        """Remove reports; unknown ids are passed over. Returns how many were held."""
        keys = [key for name in ids if (key := self._keys.pop(name, None)) is not None]
        for key in keys:
            del self._names[key]
        if keys:
            self._faiss.remove_ids(np.array(keys, dtype=np.int64))
        return len(keys)

    def search(self, vectors: NDArray[np.float32], k: int) -> list[list[tuple[str, float]]]:
        """The nearest reports of each vector, best first.

        Args:
            vectors: float32, shape (n, dim), L2-normalised.
            k: how many neighbours at most; fewer come back when fewer are held.

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
        """Whether it holds this very vector for a report, shape (dim,)."""
        key = self._keys.get(report_id)
        return key is not None and bool(
            np.allclose(self._faiss.reconstruct(key), vector, atol=1e-6)
        )

    def cosine(self, report_id: str, vector: NDArray[np.float32]) -> float:
        """Cosine of one held report with an L2-normalised vector, shape (dim,); 0 if not held."""
        key = self._keys.get(report_id)
        return 0.0 if key is None else float(self._faiss.reconstruct(key) @ vector)

    def save(self, folder: Path) -> None:
        """Write the index; a crash at any moment leaves the earlier one readable.

        Data files carry their checksum in their name, and the manifest, renamed into place last,
        says which of them count.
        """
        folder.mkdir(parents=True, exist_ok=True)
        ids = json.dumps([[key, name] for key, name in self._names.items()], ensure_ascii=False)
        vectors = _place(folder, ".faiss", lambda path: faiss.write_index(self._faiss, str(path)))
        names = _place(folder, ".ids.json", lambda path: _write(path, ids))
        manifest = {
            "format": FORMAT, "dim": self.dim, "version": self.version, "count": len(self),
            "next": self._next, "vectors": vectors, "ids": names,
        }  # fmt: skip
        _commit(folder, json.dumps(manifest, indent=1), keep={vectors["file"], names["file"]})

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
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise IndexMismatchError(f"{folder}: cannot be read ({error!r}); {CURE}") from error

    @classmethod
    def _read(cls, folder: Path) -> VectorIndex:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise IndexMismatchError(f"{folder}: format {manifest['format']}, not {FORMAT}; {CURE}")
        vectors, names = (_verified(folder, manifest[part]) for part in ("vectors", "ids"))
        index = cls(int(manifest["dim"]), str(manifest["version"]))
        index._faiss = faiss.read_index(str(vectors))
        index._names = {int(k): str(n) for k, n in json.loads(names.read_text(encoding="utf-8"))}
        index._keys = {name: key for key, name in index._names.items()}
        index._next = int(manifest["next"])
        index._agree(folder, int(manifest["count"]))
        return index

    def _agree(self, folder: Path, count: int) -> None:
        held = {count, len(self._names), len(self._keys), int(self._faiss.ntotal)}
        if held != {count} or self._faiss.d != self.dim or self._next < count:
            raise IndexMismatchError(f"{folder}: its files disagree in count or size; {CURE}")

    def _named(self, keys: list[int], scores: list[float]) -> list[tuple[str, float]]:
        return [(self._names[key], score) for key, score in zip(keys, scores, strict=True)]

    def _checked(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        matrix = np.ascontiguousarray(vectors, dtype=np.float32)
        if matrix.ndim != 2 or matrix.shape[1] != self.dim:
            raise ValueError(f"vectors of shape {matrix.shape}, not (n, {self.dim})")
        if not np.isfinite(matrix).all():
            raise ValueError("a vector has a value that is not finite")
        return matrix


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Search with so many threads: waking several costs a lone query more than they save."""
    before = faiss.omp_get_max_threads()
    if count is not None:
        faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _place(folder: Path, suffix: str, write: Callable[[Path], None]) -> dict[str, str]:
    """Write a data file under the name of its checksum; returns what the manifest says of it."""
    temporary = _temporary(folder, suffix)
    try:
        write(temporary)
        _sync(temporary)
        checksum = _checksum(temporary)
        name = f"{checksum[:16]}{suffix}"
        temporary.replace(folder / name)
    finally:
        temporary.unlink(missing_ok=True)
    return {"file": name, "blake2b": checksum}


def _commit(folder: Path, manifest: str, *, keep: set[str]) -> None:
    temporary = _temporary(folder, ".manifest")
    _write(temporary, manifest)
    _sync(temporary)
    _sync(folder)
    temporary.replace(folder / MANIFEST)
    _sync(folder)
    for stale in (*folder.glob("*.faiss"), *folder.glob("*.ids.json")):
        if stale.name not in keep:
            stale.unlink(missing_ok=True)


def _verified(folder: Path, entry: dict[str, str]) -> Path:
    path = folder / entry["file"]
    if path.parent != folder or _checksum(path) != entry["blake2b"]:
        raise IndexMismatchError(f"{path}: its checksum is wrong; {CURE}")
    return path


def _checksum(path: Path) -> str:
    digest = blake2b(digest_size=32)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _temporary(folder: Path, suffix: str) -> Path:
    handle, name = tempfile.mkstemp(dir=folder, prefix=".new-", suffix=suffix + ".tmp")
    os.close(handle)
    return Path(name)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
