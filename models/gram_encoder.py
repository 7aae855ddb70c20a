"""Static embeddings of character n-grams and stems, added up: meaning at the price of a look-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pilah.models.encoder import unit
from pilah.models.encoder_folder import EncoderFolder, open_folder, write_about
from pilah.models.grams import Grams
from pilah.models.linear import quantise

BATCH = 1024
"""Texts read at once: bounds the memory of a long list."""


@dataclass(frozen=True, slots=True)
class GramEncoder:
    """The sum of the vectors of a text's n-grams and stems, each as long as it is telling.

    Source: CHARAGRAM (Wieting et al. 2016), fastText (Bojanowski et al. 2017). The table is int8
    with one scale a row, memory-mapped; only rows that a batch needs are read.

    Attributes:
        folder: where it lies.
        grams: n-grams and stems that it knows.
        vectors: int8, shape (keys, dim).
        scales: float32, shape (keys,).
    """

    folder: EncoderFolder
    grams: Grams
    vectors: NDArray[np.int8]
    scales: NDArray[np.float32]

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.folder.dim

    @property
    def version(self) -> str:
        """Of the folder."""
        return self.folder.version

    def encode(self, normals: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of normalised texts, shape (n, dim); a text without known n-gram gives zeros."""
        rows = np.zeros((len(normals), self.dim), dtype=np.float32)
        for start in range(0, len(normals), BATCH):
            rows[start : start + BATCH] = self._sums(normals[start : start + BATCH])
        return unit(rows)

    def _sums(self, normals: Sequence[str]) -> NDArray[np.float32]:
        counts = self.grams.count(normals)
        used, places = np.unique(counts.indices, return_inverse=True)
        table = self.vectors[used].astype(np.float32)
        table *= self.scales[used, None]
        shape = (len(normals), len(used))
        found: NDArray[np.float32] = csr_matrix((counts.data, places, counts.indptr), shape) @ table
        return found

    @classmethod
    def load(cls, path: Path) -> GramEncoder:
        """Open a folder of the kind ``grams``.

        Raises:
            BundleError: the folder is damaged.
        """
        folder = open_folder(path)
        keys = np.load(path / "keys.npy", allow_pickle=False)
        grams = Grams(keys, **folder.about["settings"])
        vectors = np.asarray(np.load(path / "vectors.npy", mmap_mode="r", allow_pickle=False))
        scales = np.load(path / "scales.npy", allow_pickle=False)
        return cls(folder, grams, vectors, scales)

    @staticmethod
    def write(
        path: Path, grams: Grams, table: NDArray[np.float32], about: dict[str, Any]
    ) -> EncoderFolder:
        """Write a table of shape (keys, dim) as an encoder folder."""
        path.mkdir(parents=True, exist_ok=True)
        values, scales = quantise(table)
        for name, rows in (("keys", grams.keys), ("vectors", values), ("scales", scales)):
            np.save(path / f"{name}.npy", rows, allow_pickle=False)
        settings = {"shortest": grams.shortest, "longest": grams.longest}
        facts = {"kind": "grams", "dim": int(table.shape[1]), "settings": settings, **about}
        return write_about(path, facts)
