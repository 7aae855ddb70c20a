"""Embeddings of reports behind one small Protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pilah.models.features import NgramFeatures


class Encoder(Protocol):
    """Turns normalised texts into L2-normalised float32 vectors, shape (n, dim)."""

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same text may give another vector."""
        ...

    def encode(self, normals: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of normalised texts, shape (n, dim)."""
        ...


@dataclass(frozen=True, slots=True)
class LsaEncoder:
    """Latent semantic analysis over the n-gram features (Deerwester et al. 1990).

    Attributes:
        features: the n-grams it reads.
        components: right singular vectors, shape (features, dim).
    """

    features: NgramFeatures
    components: NDArray[np.float32]

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.components.shape[1])

    @property
    def version(self) -> str:
        """Hash of the components."""
        digest = hashlib.sha256(np.ascontiguousarray(self.components).tobytes()).hexdigest()
        return f"lsa{self.dim}-{digest[:8]}"

    def encode(self, normals: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of normalised texts, shape (n, dim)."""
        return self.project(self.features.transform(normals))

    def project(self, features: csr_matrix) -> NDArray[np.float32]:
        """Vectors of features that were computed already (the heads read the same ones)."""
        return unit(np.asarray(features @ self.components, dtype=np.float32))


class HashEncoder:
    """Character trigrams hashed into signed buckets: no training, deterministic, for tests.

    Source: feature hashing, Weinberger et al. 2009.
    """

    dim = 256
    version = "hash256-1"

    def encode(self, normals: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of normalised texts, shape (n, 256)."""
        rows = np.zeros((len(normals), self.dim), dtype=np.float32)
        for row, text in zip(rows, normals, strict=True):
            padded = f" {text} "
            for i in range(len(padded) - 2):
                bucket = int.from_bytes(
                    hashlib.blake2s(padded[i : i + 3].encode(), digest_size=4).digest(), "big"
                )
                row[bucket % self.dim] += 1.0 if bucket & 0x80000000 else -1.0
        return unit(rows)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows divided by their length; a zero row stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths == 0, 1.0, lengths), dtype=np.float32)
