"""Which n-grams and stems an encoder knows, and their vectors before any training.

The first vectors are random directions as long as the n-gram is rare: their sums keep, up to noise,
the cosines of TF-IDF (Johnson and Lindenstrauss 1984; Achlioptas 2003), which is a hard peer to
beat. Training starts from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilah.models.grams import Found, Grams, Keys, ngrams, stems
from pilah.training.pretrain.texts import chunks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pilah.training.pretrain.config import EncoderConfig

RARITY = 1.5
"""Power of the inverse document frequency that is the length of a first vector."""
STEM = 2.0
"""How much longer the first vector of a stem is than that of an n-gram as rare."""
LEAST = 2
"""Texts of a chunk that a key must stand in to be counted there."""


def learn_grams(
    texts: Sequence[tuple[Path, float]], config: EncoderConfig
) -> tuple[Grams, NDArray[np.float32]]:
    """The most frequent n-grams and stems, and the length of their first vectors.

    Args:
        texts: (file of normalised text, weight).
        config: how many of each, and the lengths of n-grams.
    """
    size = config.static
    read = partial(ngrams, shortest=size.shortest, longest=size.longest)
    kinds = [_frequent(texts, read, size.grams), _frequent(texts, stems, size.stems)]
    keys = np.concatenate([keys for keys, _ in kinds])
    lengths = np.concatenate([r**RARITY * f for (_, r), f in zip(kinds, (1.0, STEM), strict=True)])
    order = np.argsort(keys)
    lengths = (lengths / lengths.mean())[order].astype(np.float32)
    return Grams(keys[order], size.shortest, size.longest), lengths


def directions(count: int, dim: int, seed: int) -> NDArray[np.float32]:
    """Random vectors of expected length one, shape (count, dim)."""
    draw = np.random.default_rng(seed)
    return draw.standard_normal((count, dim), dtype=np.float32) / np.float32(dim**0.5)


def _frequent(
    texts: Sequence[tuple[Path, float]], read: Callable[[list[str]], Found], wanted: int
) -> tuple[Keys, NDArray[np.float64]]:
    """The keys that stand in most texts, and their inverse document frequency."""
    keys = np.zeros(0, dtype=np.uint64)
    counts: NDArray[np.float64] = np.zeros(0)
    total = 0.0
    for path, weight in texts:
        for lines in chunks(path):
            found, times = _texts_with(*read(lines))
            keys, places = np.unique(np.concatenate([keys, found]), return_inverse=True)
            counts = np.bincount(places, np.append(counts, weight * times)).astype(np.float64)
            total += weight * len(lines)
    best = np.argsort(-counts, kind="stable")[:wanted]
    return keys[best], np.log((1 + total) / (1 + counts[best])) + 1


def _texts_with(rows: NDArray[np.int64], keys: Keys) -> tuple[Keys, NDArray[np.int64]]:
    """Keys, and in how many texts each stands."""
    order = np.lexsort((rows, keys))
    rows, keys = rows[order], keys[order]
    new = np.append(True, (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1]))
    found, times = np.unique(keys[new], return_counts=True)
    return found[times >= LEAST], times[times >= LEAST]
