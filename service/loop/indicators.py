"""Indicators: what the work is worth, in measures that can be counted from the store.

Incidents and medians do not add up, so each grouping is counted for itself, from columns that were
read once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pilah.evaluation.intervals import wilson
from pilah.service.loop.columns import Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

PILOTS = (
    "Pemerintah Provinsi Sumatera Barat",
    "Pemerintah Provinsi DI Yogyakarta",
    "Pemerintah Provinsi Bali",
    "Pemerintah Kabupaten Tangerang",
    "Pemerintah Kabupaten Sleman",
    "Pemerintah Kabupaten Badung",
)
"""The governments that the platform is strengthened with first."""

Key = tuple[str | None, ...]


@dataclass(slots=True)
class Measures:
    """The measures of one group.

    Attributes:
        reports: reports received.
        incidents: incidents they tell of.
        merged: reports that joined a known incident at once.
        alone: reports routed without a person.
        needs_information: reports that lack something.
        overdue: reports that wait past their third working day.
        decided: reports that a person decided.
        in_time: of those, decided within three working days.
        hours: median hours from receipt to the first decision; None when nobody decided.
        refused: standing refusals ("bukan wewenang").
        hoax: reports flagged as hoax-like.
        hoax_confirmed: flags that a person confirmed.
        hoax_dismissed: flags that a person dismissed.
        audited: sure answers that a person was asked to check and did.
        right: of those, with the right agency.
    """

    reports: int = 0
    incidents: int = 0
    merged: int = 0
    alone: int = 0
    needs_information: int = 0
    overdue: int = 0
    decided: int = 0
    in_time: int = 0
    hours: float | None = None
    refused: int = 0
    hoax: int = 0
    hoax_confirmed: int = 0
    hoax_dismissed: int = 0
    audited: int = 0
    right: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON, with shares and the interval of the precision; None where nothing is known."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        share = wilson(self.right, self.audited) if self.audited else None
        return plain | {
            "alone_share": self.alone / self.reports if self.reports else None,
            "in_time_share": self.in_time / self.decided if self.decided else None,
            "precision": share.value if share else None,
            "precision_lower": share.lower if share else None,
            "precision_upper": share.upper if share else None,
        }


def measures(
    columns: Columns,
    by: Sequence[str],
    *,
    government: str | None = None,
    topic: str | None = None,
) -> dict[Key, Measures]:
    """Every measure, grouped.

    Args:
        columns: the reports that are counted.
        by: dimensions; none gives one group, ``()``.
        government: only reports that stand with this body; None: all.
        topic: only those of this main topic; None: all.
    """
    rows = _chosen(columns, {"government": government, "topic": topic})
    keys, group = _groups(columns, by, rows)
    number = len(keys)
    found = [Measures(reports=n) for n in _per_group(group, number)]
    for name, counts in columns.counts.items():
        for into, value in zip(found, _per_group(group, number, counts[rows]), strict=True):
            setattr(into, name, value)
    for into, value in zip(found, _distinct(group, number, columns.incident[rows]), strict=True):
        into.incidents = value
    for place, hours in _medians(group, columns.hours[rows]).items():
        found[place].hours = hours
    return dict(zip(keys, found, strict=True))


def _chosen(columns: Columns, wanted: Mapping[str, str | None]) -> NDArray[np.int64]:
    """Numbers of the rows that have the wanted values."""
    mask = np.ones(columns.size, dtype=bool)
    for name, value in wanted.items():
        if value is not None:
            column = columns.dimensions[name]
            code = column.values.index(value) if value in column.values else -1
            mask &= column.codes == code
    return np.flatnonzero(mask)


def _groups(
    columns: Columns, by: Sequence[str], rows: NDArray[np.int64]
) -> tuple[list[Key], NDArray[np.int64]]:
    """The groups that there are, and the number of each row's group."""
    if not by:
        return [()], np.zeros(len(rows), dtype=np.int64)
    if not len(rows):
        return [], rows
    coded = [columns.dimensions[name] for name in by]
    group = np.zeros(len(rows), dtype=np.int64)
    for column in coded:  # one by one: the product of all their sizes may not fit into 64 bits
        flat = group * len(column.values) + column.codes[rows]
        _, first, group = np.unique(flat, return_index=True, return_inverse=True)
    codes = (column.codes[rows[first]] for column in coded)
    names = ([c.values[i] for i in part] for c, part in zip(coded, codes, strict=True))
    return list(zip(*names, strict=True)), group


def _per_group(
    group: NDArray[np.int64], number: int, weights: NDArray[np.int64] | None = None
) -> list[int]:
    counted: list[int] = np.bincount(group, weights, minlength=number).astype(np.int64).tolist()
    return counted


def _distinct(group: NDArray[np.int64], number: int, values: NDArray[np.int64]) -> list[int]:
    """How many different values each group has."""
    width = int(values.max(initial=0)) + 1
    pairs = np.sort(group * width + values)  # np.unique hashes, which takes three times as long
    new = np.ones(len(pairs), dtype=bool)
    new[1:] = pairs[1:] != pairs[:-1]
    return _per_group(pairs[new] // width, number)


def _medians(group: NDArray[np.int64], hours: NDArray[np.float64]) -> dict[int, float]:
    """Group -> median of the hours that are known."""
    known = ~np.isnan(hours)
    group, hours = group[known], hours[known]
    order = np.lexsort((hours, group))
    present, starts = np.unique(group[order], return_index=True)
    parts = np.split(hours[order], starts)[1:]  # the first is empty
    return {int(g): float(np.median(part)) for g, part in zip(present, parts, strict=True)}
