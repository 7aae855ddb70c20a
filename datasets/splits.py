"""Splits that do not flatter: by time, and never through a group of near-duplicates."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import InputError
from pilah.datasets.near import groups

Groups = NDArray[np.int64]
Moments = Sequence[datetime | None]
HOLDOUT = "'newest 20%', 'random 20%' or a date such as '2026-01-01'"
"""What a rule for held-out rows looks like."""
_RULE = re.compile(r"(?P<way>newest|random) (?P<percent>[1-9]\d?)%")


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of the two sides, and the rows left out because a group crossed the cut."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    dropped: NDArray[np.int64]


def time_split(
    texts: Sequence[str],
    moments: Moments,
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
    return _apart(_newest(moments, share), groups(texts, keys))


def group_split(
    texts: Sequence[str],
    keys: Sequence[Sequence[Hashable]] = (),
    *,
    share: float = 0.2,
    seed: int = 0,
) -> Split:
    """A random ``share`` of whole groups is the test side; nothing is dropped."""
    group = groups(texts, keys)
    return _apart(_random(group, share, seed), group)


def split_by(rule: str, moments: Moments, group: Groups, *, seed: int = 0) -> Split:
    """Hold rows out as a rule of an experiment says; see :data:`HOLDOUT`.

    Args:
        rule: ``newest N%`` of the rows, ``random N%`` of the groups, or all rows from a date on
            (the day as written in the report).
        moments: when each report came, n items.
        group: rows with one number never stand on both sides, shape (n,).
        seed: of a random rule.

    Raises:
        InputError: not a rule, a rule by time with undated rows, or one side is empty.
    """
    check_rule(rule)
    undated = sum(m is None for m in moments)
    if undated and not rule.startswith("random"):
        raise InputError(
            f"holdout {rule!r} needs reported_at in every row, {undated} have none; map the "
            "column, or use 'random 20%'"
        )
    cut = _apart(_chosen(rule, moments, group, seed), group)
    if not len(cut.train) or not len(cut.test):
        side = "train on" if not len(cut.train) else "measure on"
        raise InputError(f"holdout {rule!r} leaves nothing to {side}; use {HOLDOUT}")
    return cut


def check_rule(rule: str) -> None:
    """Refuse what is no rule for held-out rows.

    Raises:
        InputError: it says what a rule looks like.
    """
    if _RULE.fullmatch(rule):
        return
    try:
        date.fromisoformat(rule)
    except ValueError:
        raise InputError(f"holdout {rule!r}: is no rule; use {HOLDOUT}") from None


def _chosen(rule: str, moments: Moments, group: Groups, seed: int) -> NDArray[np.bool_]:
    """Which rows the rule names, shape (n,)."""
    found = _RULE.fullmatch(rule)
    if found is None:
        first = date.fromisoformat(rule)
        return np.array([m is not None and m.date() >= first for m in moments], dtype=bool)
    share = int(found["percent"]) / 100
    return _newest(moments, share) if found["way"] == "newest" else _random(group, share, seed)


def _newest(moments: Moments, share: float) -> NDArray[np.bool_]:
    stamps = np.array([m.timestamp() for m in moments if m is not None])
    test = np.zeros(len(stamps), dtype=bool)
    test[np.argsort(stamps, kind="stable")[len(stamps) - max(1, round(share * len(stamps))) :]] = 1
    return test


def _random(group: Groups, share: float, seed: int) -> NDArray[np.bool_]:
    ids, sizes = np.unique(group, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(ids))
    wanted = np.searchsorted(np.cumsum(sizes[order]), share * len(group)) + 1
    return np.isin(group, ids[order[:wanted]])


def _apart(test: NDArray[np.bool_], group: Groups) -> Split:
    crossing = ~test & np.isin(group, group[test])
    return Split(np.flatnonzero(~test & ~crossing), np.flatnonzero(test), np.flatnonzero(crossing))
