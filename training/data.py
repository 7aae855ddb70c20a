"""The data of an experiment: read, checked, normalised, grouped, and partly held out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.checks import TARGETS, check
from pilah.datasets.errors import InputError, UnknownRegionError
from pilah.datasets.near import groups
from pilah.datasets.readers import BadRow, read_rows, with_defaults
from pilah.datasets.regions import load_regions
from pilah.datasets.splits import Split, split_by
from pilah.datasets.tables import data_folder
from pilah.models.masking import find_personal_data
from pilah.models.text import read_text
from pilah.training.mix import represented

if TYPE_CHECKING:
    from pilah.datasets.readers import Row
    from pilah.datasets.records import LabelledReport, Labels
    from pilah.models.reading import CleanText
    from pilah.training.config import TrainConfig


WRITTEN = "bawaan"
"""Stands among the files of an experiment for the written corpus that ships with Pilah."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Labelled reports, read.

    Attributes:
        rows: the good rows.
        cleans: their text forms.
        groups: rows with one number never lie on both sides of a split, shape (n,).
        places: name of the file and line of each row.
        represents: for how many reports each row speaks, see :mod:`pilah.training.mix`,
            shape (n,).
        bad: how many rows could not be read.
        findings: kind of finding -> how often ``pilah data check`` has it, errors first.
    """

    rows: list[LabelledReport]
    cleans: list[CleanText]
    groups: NDArray[np.int64]
    places: list[tuple[str, int]]
    represents: NDArray[np.float64]
    bad: int = 0
    findings: dict[str, int] = field(default_factory=dict)

    def take(self, index: NDArray[np.int64]) -> Prepared:
        """Only the rows with these numbers."""
        chosen = index.tolist()
        return replace(
            self,
            rows=[self.rows[i] for i in chosen],
            cleans=[self.cleans[i] for i in chosen],
            groups=self.groups[index],
            places=[self.places[i] for i in chosen],
            represents=self.represents[index],
        )

    def judged_by(self, index: NDArray[np.int64]) -> Prepared:
        """All rows, of which only those with these numbers judge what is fitted."""
        kept = np.isin(np.arange(len(self.rows)), index)
        return replace(self, represents=np.where(kept, self.represents, 0.0))

    @property
    def fingerprint(self) -> str:
        """Hash of the normalised texts and labels, in order."""
        pairs = zip(self.cleans, self.rows, strict=True)
        rows = json.dumps([(c.normal, asdict(r.labels)) for c, r in pairs])
        return hashlib.sha256(rows.encode()).hexdigest()[:16]


def prepare(config: TrainConfig) -> Prepared:
    """Read, check and normalise the data, and find what must stay on one side of a split.

    Raises:
        InputError: there is no good row.
    """
    good: list[LabelledReport] = []
    places: list[tuple[str, int]] = []
    represents: list[NDArray[np.float64]] = []
    bad, findings = 0, Counter[str]()
    for path in config.data:
        shipped = path.name == WRITTEN
        rows = _written() if shipped else list(read_rows(path, config.map))
        findings.update(f"{f.severity} {f.kind}" for f in check(rows, find_personal_data).findings)
        bad += sum(isinstance(row.content, BadRow) for row in rows)
        region = "" if shipped else config.region
        usable = [
            _usable(r.content, region, config.rename)
            for r in rows
            if not isinstance(r.content, BadRow)
        ]
        good += usable
        places += [(path.name, r.line) for r in rows if not isinstance(r.content, BadRow)]
        represents.append(represented(usable))
    if not good:
        raise InputError(f"no usable row in {len(config.data)} file(s), {bad} bad rows")
    cleans = [read_text(r.report.full_text) for r in good]
    group, found = _groups(good, cleans), dict(sorted(findings.items()))
    return Prepared(good, cleans, group, places, np.concatenate(represents), bad, found)


def _written() -> list[Row]:
    """The written corpus without its agencies: they are those of no one city."""
    found = read_rows(Path(str(data_folder() / "corpus" / "train.jsonl")))
    return [
        replace(row, content=replace(kept, labels=replace(kept.labels, agency=None)))
        for row in found
        if not isinstance(kept := row.content, BadRow)
    ]


def hold_out(data: Prepared, config: TrainConfig) -> Split:
    """The rows to fit on and the rows that only the card's figures see, none of the written corpus.

    Raises:
        InputError: the rule does not fit the data.
    """
    if not config.holdout:
        nothing = np.array([], dtype=np.int64)
        return Split(np.arange(len(data.rows)), nothing, nothing)
    own = np.array(
        [i for i, (name, _) in enumerate(data.places) if name != WRITTEN], dtype=np.int64
    )
    moments = [data.rows[i].report.reported_at for i in own]
    test = own[split_by(config.holdout, moments, data.groups[own], seed=config.seed).test]
    beside = np.isin(data.groups, data.groups[test])
    dropped = np.setdiff1d(np.flatnonzero(beside), test)
    return Split(np.flatnonzero(~beside), test, dropped)


def _groups(rows: Sequence[LabelledReport], cleans: Sequence[CleanText]) -> NDArray[np.int64]:
    incidents = [r.labels.incident or r.extra.get("hard_negative_of") for r in rows]
    return groups([c.normal or "-" for c in cleans], (incidents,))


def _usable(row: LabelledReport, region: str, names: dict[str, str]) -> LabelledReport:
    placed = _placed(with_defaults(row, region=region or None))
    return replace(placed, labels=_renamed(placed.labels, names))


def _placed(row: LabelledReport) -> LabelledReport:
    """The row without a region that is in no table: its text and labels are worth learning."""
    try:
        load_regions().resolve(row.report.region)
    except UnknownRegionError:
        extra = {**row.extra, "region": str(row.report.region)}
        return replace(row, report=replace(row.report, region=None), extra=extra)
    return row


def _renamed(labels: Labels, names: dict[str, str]) -> Labels:
    """The labels under the names they have now."""
    kept = {field: getattr(labels, field) for field in TARGETS}
    return replace(labels, **{f: names.get(v, v) for f, v in kept.items() if v is not None})
