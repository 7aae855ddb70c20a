"""Embeddings by number: 32-bit floats while few are held, 16-bit ones beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_FIRST = 1 << 10
_SPARE = 1.25
"""How much larger the array is made when it is full; what is not yet used takes no memory."""


class Vectors:
    """A matrix that grows by rows."""

    def __init__(self, dim: int) -> None:
        """Start empty."""
        self._rows: NDArray[Any] = np.empty((_FIRST, dim), dtype=np.float32)
        self._count = 0

    def __len__(self) -> int:
        """How many rows."""
        return self._count

    def all(self) -> NDArray[Any]:
        """All of them, shape (n, dim); good until the next is added."""
        return self._rows[: self._count]

    def copy(self) -> Vectors:
        """What is held now; rows are shared, for none ever changes."""
        copy = Vectors(self._rows.shape[1])
        copy._rows, copy._count = self.all(), self._count
        return copy

    def take(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Some of them, a copy, shape (len(numbers), dim)."""
        return self._rows[numbers].astype(np.float32, copy=False)

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Append rows, shape (n, dim)."""
        needed = self._count + len(vectors)
        if needed > len(self._rows):
            self._resize(max(needed, int(len(self._rows) * _SPARE)), self._rows.dtype)
        self._rows[self._count : needed] = vectors
        self._count = needed

    def halve(self) -> None:
        """Keep 16-bit floats from now on."""
        if self._rows.dtype != np.float16:
            self._resize(len(self._rows), np.dtype(np.float16))

    def _resize(self, rows: int, kind: np.dtype[Any]) -> None:
        larger = np.empty((rows, self._rows.shape[1]), dtype=kind)
        larger[: self._count] = self.all()
        self._rows = larger

    def write(self, path: Path) -> None:
        """Save them as a NumPy file."""
        with path.open("wb") as file:
            np.save(file, self.all(), allow_pickle=False)

    @classmethod
    def read(cls, path: Path, dim: int) -> Vectors:
        """The inverse of :meth:`write`.

        Raises:
            ValueError: the file holds something else.
        """
        found = np.load(path, allow_pickle=False)
        if found.ndim != 2 or found.shape[1] != dim or found.dtype not in (np.float16, np.float32):
            raise ValueError(f"{path.name}: a matrix of {found.dtype}, {found.shape}")
        vectors = cls(dim)
        vectors._rows, vectors._count = found, len(found)
        return vectors
