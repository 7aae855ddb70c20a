"""What a head of the ablation may read or be judged by beside what ships."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from pilah.datasets.records import LabelledReport
from pilah.training.heads import HeadSettings

PLACES = ("kecamatan", "kelurahan")
Numbers = NDArray[np.int64]
Folds = Callable[[Numbers, Numbers, HeadSettings], list[tuple[Numbers, Numbers]]]
"""(right columns, groups, settings) -> (training rows, held-out rows) of each fold."""


def places(
    fit: Sequence[LabelledReport], ask: Sequence[LabelledReport], weight: float
) -> list[csr_matrix]:
    """A column for each kecamatan and kelurahan of the fitting part; the rows of both parts."""
    named = [
        [[f"{key}:{r.extra[key]}" for key in PLACES if r.extra.get(key)] for r in part]
        for part in (fit, ask)
    ]
    columns = CountVectorizer(analyzer=list, dtype=np.float32).fit(named[0])
    return [columns.transform(part) * np.float32(weight) for part in named]


def time_folds(moments: NDArray[np.float64], count: int) -> Folds:
    """What stands in for the folds of training: spans of time with as many rows each.

    Rows of a group that reaches into the span are on neither side.
    """

    def folds(truth: Numbers, group: Numbers, _: HeadSettings) -> list[tuple[Numbers, Numbers]]:
        span = np.empty(len(truth), dtype=np.int64)
        span[np.argsort(moments, kind="stable")] = np.arange(len(truth)) * count // len(truth)
        return [
            (
                np.flatnonzero((span != i) & ~np.isin(group, group[span == i])),
                np.flatnonzero(span == i),
            )
            for i in range(count)
        ]

    return folds
