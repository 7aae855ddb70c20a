"""For how many reports a row speaks when it judges what was fitted.

The column ``represents`` says how many reports a row stands for in its own source: an audited
report of a store for ten where a tenth is audited, a row of a complete history for one. Two sources
are two estimates of the same mix; each counts for as many rows as its weights are worth
(Kish 1965), because a large weight is not a large number of reports that were seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import InputError
from pilah.evaluation.thresholds import effective_rows

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport

COLUMN = "represents"
TRUSTED = 0.5
"""Labels of this worth and more may judge a head."""
MIN_TRUSTED = 50
"""Fewer rows than this prove nothing, unless they are all there are."""
Floats = NDArray[np.float64]


def represented(rows: Sequence[LabelledReport]) -> Floats:
    """For how many reports each row of one source speaks, shape (n,).

    In proportion to the column ``represents`` (1 without one); they sum to the effective number of
    rows.

    Raises:
        InputError: a value is no number of 0 or more.
    """
    stated = np.array([_stated(row) for row in rows], dtype=np.float64)
    total = stated.sum()
    return stated * (effective_rows(stated) / total) if total else stated


def judging(worth: Floats, represents: Floats) -> Floats | None:
    """The weight of each row in calibration, thresholds and scores, shape (n,).

    Labels of little worth get 0: a suggestion that was waved through agrees with the machine by
    construction.

    Args:
        worth: what each label is worth, 0 to 1, shape (n,).
        represents: for how many reports each row speaks, shape (n,).

    Returns:
        None where hardly a row may judge: nothing can be proved, so nothing may pass alone.
    """
    weights = np.where(worth >= TRUSTED, represents, 0.0)
    return weights if (weights > 0).sum() >= min(MIN_TRUSTED, len(worth)) else None


def _stated(row: LabelledReport) -> float:
    try:
        found = float(row.extra.get(COLUMN, 1))
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        place = f"report {row.report.id}: {COLUMN}" if row.report.id else COLUMN
        raise InputError(f"{place}: must be a number of 0 or more")
    return found
