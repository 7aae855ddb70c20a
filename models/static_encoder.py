"""Static embeddings of word pieces, averaged: meaning at the price of a table look-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from pilah.models.encoder import unit
from pilah.models.encoder_folder import EncoderFolder, open_folder, write_about
from pilah.models.linear import quantise

MAX_PIECES = 512
"""Word pieces of a text that are read; a report of 20,000 characters has some thousands."""


@dataclass(frozen=True, slots=True)
class StaticEncoder:
    """The mean of the vectors of a text's word pieces, each as long as the piece is telling.

    The length of a row is its weight in the mean: training starts from smooth inverse frequency
    (Arora et al. 2017) and learns the rest. The table is int8 with one scale a row, memory-mapped.

    Attributes:
        folder: where it lies.
        tokenizer: word pieces of normalised text.
        vectors: int8, shape (pieces, dim).
        scales: float32, shape (pieces,).
    """

    folder: EncoderFolder
    tokenizer: Tokenizer
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
        """Vectors of normalised texts, shape (n, dim); a text without a known piece gives zeros."""
        rows = np.zeros((len(normals), self.dim), dtype=np.float32)
        read = self.tokenizer.encode_batch(list(normals), add_special_tokens=False)
        for row, found in zip(rows, read, strict=True):
            ids = found.ids[:MAX_PIECES]
            row += self.scales[ids] @ self.vectors[ids].astype(np.float32)
        return unit(rows)

    @classmethod
    def load(cls, path: Path) -> StaticEncoder:
        """Open a folder of the kind ``static``.

        Raises:
            BundleError: the folder is damaged.
        """
        folder = open_folder(path)
        tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        vectors = np.load(path / "vectors.npy", mmap_mode="r", allow_pickle=False)
        scales = np.load(path / "scales.npy", allow_pickle=False)
        return cls(folder, tokenizer, vectors, scales)

    @staticmethod
    def write(
        path: Path, tokenizer: Tokenizer, table: NDArray[np.float32], about: dict[str, Any]
    ) -> EncoderFolder:
        """Write a table of shape (pieces, dim) as an encoder folder."""
        path.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(path / "tokenizer.json"))
        values, scales = quantise(table)
        np.save(path / "vectors.npy", values, allow_pickle=False)
        np.save(path / "scales.npy", scales, allow_pickle=False)
        facts = {"kind": "static", "dim": int(table.shape[1]), **about}
        return write_about(path, facts)
