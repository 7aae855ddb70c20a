"""Splits that do not flatter: by time, and never through a group of near-duplicates."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import InputError
from pilah.datasets.near import groups


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of the two sides, and the rows left out because a group crossed the cut."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    dropped: NDArray[np.int64]


def time_split(
    texts: Sequence[str],
    moments: Sequence[datetime | None],
    keys: Sequence[Sequence[Hashable]] = (),
    *,
    share: float = 0.2,
) -> Split:
    """The newest ``share`` of the rows is the test side; near-duplicates of it leave training.

    Rows of the training side whose group (near-duplicate, incident) reaches into the test side
    are dropped, so that no text is learned that is asked about.

    Raises:
        InputError: a row has no time; use :func:`group_split` for undated data.
    """
    if any(m is None for m in moments):
        raise InputError("a time split needs reported_at in every row; use --by group instead")
    stamps = np.array([m.timestamp() for m in moments if m is not None])
    order = np.argsort(stamps, kind="stable")
    test = np.zeros(len(texts), dtype=bool)
    test[order[len(texts) - max(1, round(share * len(texts))) :]] = True
    group = groups(texts, keys)
    crossing = ~test & np.isin(group, group[test])
    return Split(np.flatnonzero(~test & ~crossing), np.flatnonzero(test), np.flatnonzero(crossing))


def group_split(
    texts: Sequence[str],
    keys: Sequence[Sequence[Hashable]] = (),
    *,
    share: float = 0.2,
    seed: int = 0,
) -> Split:
    """A random ``share`` of whole groups is the test side; nothing is dropped."""
    group = groups(texts, keys)
    ids, sizes = np.unique(group, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(ids))
    wanted = np.searchsorted(np.cumsum(sizes[order]), share * len(texts)) + 1
    test = np.isin(group, ids[order[:wanted]])
    return Split(np.flatnonzero(~test), np.flatnonzero(test), np.array([], dtype=np.int64))
