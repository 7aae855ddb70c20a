"""What a bundle says about labelled rows, kept row by row: the ground of every figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.taxonomy import load_taxonomy
from pilah.models.bundle import TARGETS

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.models.answer import Agency
    from pilah.models.bundle import Bundle
    from pilah.models.linear import FloatArray
    from pilah.models.triage import Triager

CHUNK = 256
AGENCY = "agency_answer"
"""The final agency: rules, learned head or both, with the place that was read."""
BOTH = "topic_and_agency"
"""Right when the likeliest main topic and the final agency are."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of one target, on the rows whose right answer is given.

    Attributes:
        rows: row numbers, ascending, shape (n,).
        truth: the given label as the bundle names it, shape (n,).
        answer: the likeliest label, shape (n,).
        right: whether it is the given one, shape (n,).
        confidence: its probability, shape (n,).
        sure: whether no person would look because of it, shape (n,).
        known: whether the bundle can give the right label at all, shape (n,).
    """

    rows: NDArray[np.int64]
    truth: NDArray[np.object_]
    answer: NDArray[np.object_]
    right: NDArray[np.bool_]
    confidence: NDArray[np.float32]
    sure: NDArray[np.bool_]
    known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Asked:
    """All answers of one bundle to the same rows.

    Attributes:
        bundle: who was asked.
        probabilities: head -> shape (all rows, labels).
        agencies: final agency of every row.
        said: head, :data:`AGENCY` or :data:`BOTH` -> what was said; targets that no row has a
            label of are absent.
    """

    bundle: Bundle
    probabilities: dict[str, FloatArray]
    agencies: tuple[Agency, ...]
    said: dict[str, Said]


def ask(
    triager: Triager, rows: Sequence[LabelledReport], tick: Callable[[int], object] = lambda _: None
) -> Asked:
    """Let every head, and the rules, speak about each row; nothing is remembered.

    Args:
        triager: holds the bundle.
        rows: labelled reports, at least one.
        tick: called with the number of rows done, for a progress bar.
    """
    bundle = triager.bundle
    spoken: dict[str, list[FloatArray]] = {name: [] for name in TARGETS if name in bundle.heads}
    agencies: list[Agency] = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        reads = triager.analyse([(str(start + i), r.report) for i, r in enumerate(chunk)])
        features, _ = bundle.read([a.clean.normal for a in reads])
        for name, parts in spoken.items():
            parts.append(bundle.heads[name].probabilities(features))
        agencies += [reading.draft.agency for reading in reads]
        tick(len(chunk))
    probabilities = {name: np.concatenate(parts) for name, parts in spoken.items()}
    said = {name: _head(bundle, name, p, rows) for name, p in probabilities.items()}
    said |= {AGENCY: _agency(bundle, agencies, rows)}
    said |= {BOTH: _both(said["topic_main"], said[AGENCY])} if "topic_main" in said else {}
    kept = {name: s for name, s in said.items() if len(s.rows)}
    return Asked(bundle, probabilities, tuple(agencies), kept)


def _head(
    bundle: Bundle, name: str, probabilities: FloatArray, rows: Sequence[LabelledReport]
) -> Said:
    head = bundle.heads[name]
    given = [given_label(r, name, own=not bundle.label_set.startswith("sp4n-")) for r in rows]
    index = np.array([i for i, g in enumerate(given) if g is not None], dtype=np.int64)
    truth, names = _names([given[i] for i in index]), _names(head.labels)
    spoken = probabilities[index]
    answer, confidence = names[spoken.argmax(axis=1)], spoken.max(axis=1)
    limits = np.array([head.sure[str(label)] for label in answer], dtype=np.float32)
    known = np.isin(truth.astype(str), head.labels)
    return Said(index, truth, answer, answer == truth, confidence, confidence >= limits, known)


def _agency(bundle: Bundle, agencies: Sequence[Agency], rows: Sequence[LabelledReport]) -> Said:
    speaks = any(a.name is not None for a in agencies)
    index = np.array([i for i, r in enumerate(rows) if r.labels.agency and speaks], dtype=np.int64)
    truth = _names([rows[i].labels.agency for i in index])
    mine = [agencies[i] for i in index]
    right = np.array([same_body(a.name, t) for a, t in zip(mine, truth, strict=True)], dtype=bool)
    # An office answered with its place is the office of the label: one class, not two.
    answer = np.where(right, truth, _names([a.name or "-" for a in mine]))
    confidence = np.array([a.probability for a in mine], dtype=np.float32)
    sure = confidence >= np.array([bundle.agency_limit(a) for a in mine], dtype=np.float32)
    return Said(index, truth, answer, right, confidence, sure, np.ones(len(index), dtype=bool))


def _both(topic: Said, agency: Said) -> Said:
    index, t, a = np.intersect1d(topic.rows, agency.rows, return_indices=True)
    joined = [
        _names([f"{one} + {two}" for one, two in zip(x[t], y[a], strict=True)])
        for x, y in ((topic.truth, agency.truth), (topic.answer, agency.answer))
    ]
    return Said(
        rows=index,
        truth=joined[0],
        answer=joined[1],
        right=topic.right[t] & agency.right[a],
        confidence=topic.confidence[t] * agency.confidence[a],
        sure=topic.sure[t] & agency.sure[a],
        known=topic.known[t],
    )


def _names(values: Sequence[str | None]) -> NDArray[np.object_]:
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found


def given_label(row: LabelledReport, name: str, *, own: bool) -> str | None:
    """The right label of a row as a head names it, or None where none is given.

    Args:
        row: a labelled report.
        name: one of the targets of a bundle.
        own: topics are a city's own names; otherwise they become ids of SP4N's taxonomy.
    """
    labels = row.labels
    if name == "route":
        level, unit = row.extra.get("level"), row.extra.get("unit")
        return f"{level}:{unit}" if level and unit else None
    if own or not name.startswith("topic"):
        value: str | None = getattr(labels, name)
        return value
    if labels.topic_main is None or (name == "topic_sub" and labels.topic_sub is None):
        return None
    topic = load_taxonomy().find(
        labels.topic_main, labels.topic_sub if name == "topic_sub" else None
    )
    return topic.id if topic else f"{labels.topic_main} / {labels.topic_sub or '-'}"


def named(label: str) -> str:
    """A label as people know it: SP4N topics by name, everything else as it is."""
    topics = load_taxonomy().by_id
    parts = [topics[p].sub or topics[p].main if p in topics else p for p in label.split(" + ")]
    return " + ".join(parts)


OFFICES = (
    "pemerintah desa", "pemerintah nagari", "pemerintah kalurahan", "pemerintah gampong",
    "pemerintah kampung", "kelurahan", "kecamatan", "kapanewon", "kemantren", "distrik",
)  # fmt: skip
"""Offices that the answer names with their place, where a label may give the office alone."""


def same_body(name: str | None, label: str | None) -> bool:
    """Whether an answer names the labelled body, letter case aside."""
    if name is None or label is None:
        return False
    ours, theirs = name.casefold(), label.casefold()
    return ours == theirs or (theirs in OFFICES and ours.startswith(f"{theirs} "))
