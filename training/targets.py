"""Which heads an experiment can fit: the rows of each, their labels, and what is too rare."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import InputError
from pilah.datasets.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.training.config import TrainConfig

FIELDS = {
    "topic": ("topic_main", "topic_sub"),
    "route": ("route",),
    "agency": ("agency",),
    "outcome": ("outcome",),
    "klasifikasi": ("klasifikasi",),
}


@dataclass(frozen=True, slots=True)
class Target:
    """One head to fit.

    Attributes:
        name: of the head.
        index: numbers of its rows, shape (n,).
        labels: their labels.
        weights: what each label is worth, above 0 and at most 1, shape (n,).
        rare: label -> rows, of labels too rare to learn.
    """

    name: str
    index: NDArray[np.int64]
    labels: list[str]
    weights: NDArray[np.float64]
    rare: dict[str, int] = field(default_factory=dict)


def find_targets(rows: Sequence[LabelledReport], config: TrainConfig) -> tuple[bool, list[Target]]:
    """The heads to fit; True when most topics are a city's own, not SP4N's.

    Raises:
        InputError: no target has two labels with enough rows.
    """
    mains = Counter(r.labels.topic_main for r in rows if r.labels.topic_main)
    strange = {m: n for m, n in sorted(mains.items()) if load_taxonomy().find(m) is None}
    own = bool(strange) and 2 * sum(strange.values()) >= mains.total()
    found = []
    for name in (n for t in config.target for n in FIELDS[t]):
        if name == "topic_sub" and own:
            continue
        labels = [_label(r, name, own=own) for r in rows]
        count = Counter(x for x in labels if x is not None)
        learned = {x for x, n in count.items() if n >= config.min_count}
        if len(learned) < 2:
            continue
        index = np.array([i for i, x in enumerate(labels) if x in learned], dtype=np.int64)
        rare = {x: n for x, n in sorted(count.items()) if x not in learned}
        rare |= strange if name == "topic_main" and not own else {}
        weights = np.array([worth_of(rows[i], name) for i in index])
        found.append(Target(name, index, [str(labels[i]) for i in index], weights, rare))
    if not found:
        raise InputError(
            f"none of {', '.join(config.target)} has two labels with {config.min_count} rows each; "
            "check --map, or lower min_count"
        )
    return own, found


def label_set(labels: Mapping[str, Sequence[str]], *, own: bool) -> str:
    """Version of the labels: that of SP4N's table, or a hash of a city's own (head -> labels)."""
    if not own:
        return load_taxonomy().version
    names = json.dumps({n: list(v) for n, v in sorted(labels.items())}, ensure_ascii=False)
    return "own-" + hashlib.sha256(names.encode()).hexdigest()[:8]


def _label(row: LabelledReport, name: str, *, own: bool) -> str | None:
    """The label of one row; SP4N topics become ids, only living ones are learned."""
    labels = row.labels
    if name == "route":
        level, unit = row.extra.get("level"), row.extra.get("unit")
        return f"{level}:{unit}" if level and unit else None
    if not name.startswith("topic") or own:
        value: str | None = getattr(labels, name)
        return value
    if labels.topic_main is None or (name == "topic_sub" and labels.topic_sub is None):
        return None
    sub = labels.topic_sub if name == "topic_sub" else None
    topic = load_taxonomy().find(labels.topic_main, sub)
    return topic.id if topic is not None and topic.status == "living" else None


def worth_of(row: LabelledReport, name: str) -> float:
    """What the label of one row is worth: the column ``weight_<field>``, 1 without one.

    Raises:
        InputError: it is no number above 0 and at most 1.
    """
    column = f"weight_{'agency' if name == 'route' else name}"
    try:
        weight = float(row.extra.get(column, 1))
    except ValueError:
        weight = 0.0
    if not 0 < weight <= 1:
        place = f"report {row.report.id}: {column}" if row.report.id else column
        raise InputError(f"{place}: must be a number above 0 and at most 1")
    return weight
