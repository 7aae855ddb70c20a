"""The loop of the simulated month without service and store, so that seeds and variants fit.

Agencies of a city, word n-grams of its texts, the same heads, calibration, thresholds and weights
as in training. Slips, nods, audits, refusals and second looks are those of ``simulated_month.py``;
heads are fitted anew every five days. Variants: ``weighted`` is the loop as it is, ``unweighted``
lets decisions judge as if they were a fair sample and asks no second person, ``fixed`` never
learns, ``all`` is told the gold label of every report, which is as much as a month can teach. The
real stream keeps its order, so that seeds draw only slips and audits; of the shuffled one they draw
the order too.

Two questions are asked. What people saw: every five days the reports that came. What was learned:
the same later reports, from after the month, asked of every head, so that days that are easy or
hard take no part.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import numpy as np
from common import TEST, TRAIN, data_file, finish, labelled, parser, share, table
from numpy.typing import NDArray
from simulated_month import AUDIT as AUDITED
from simulated_month import NOD, NOISE, REFUSED

from pilah.datasets.near import groups
from pilah.datasets.records import LabelledReport, Labels, Report
from pilah.models.features import NgramFeatures
from pilah.models.linear import LinearHead
from pilah.models.text import read_text
from pilah.service.loop.export import WORTH
from pilah.service.loop.representing import WAITED, Selection
from pilah.service.loop.samples import AUDIT, LIKELY
from pilah.training.heads import HeadSettings, fit_head
from pilah.training.mix import represented

VARIANTS = ("weighted", "unweighted", "fixed", "all")
LENGTH = 5
"""Days between two fits, and days that are counted together."""
MIN_COUNT = 10
LATER = 1000
"""Reports after the month that every head is asked; nobody decides them."""
SETTINGS = HeadSettings()
HEAD = ("days", "alone", "right of those", "agency", "alone at best")


class Figures(NamedTuple):
    """Of some reports: what passes alone, how much of it is right, and how much of all.

    ``at best`` is what could pass at the promised precision if the threshold were chosen on these
    very reports: what a head knows, whatever its thresholds.
    """

    alone: float
    right: float
    agency: float
    at_best: float


class City:
    """The reports of a file, oldest first, read once for all runs."""

    def __init__(self, file: Path) -> None:
        """Read them; the n-grams know all texts, the heads only what was labelled."""
        rows = labelled(file, {"agency": "agency_group", "reported_at": "date"})
        rows.sort(key=lambda r: str(r.report.reported_at))
        texts = [read_text(r.report.full_text).normal for r in rows]
        self.labels = np.array([str(r.labels.agency) for r in rows], dtype=object)
        self.matrix = NgramFeatures(("word",), 2, None).fit(texts)
        self.groups = groups([t or "-" for t in texts])


@dataclass(frozen=True)
class Decided:
    """One decided report: its label, how that came about, why it was decided."""

    label: str
    how: str
    kind: str


@dataclass(frozen=True)
class Plan:
    """One run."""

    variant: str
    shuffled: bool
    seed: int
    start: int
    audit: float
    history: int
    days: int
    per_day: int


class Loop:
    """One run over one order of the reports."""

    def __init__(self, city: City, plan: Plan) -> None:
        """Lay the reports in their order."""
        self.city, self.plan = city, plan
        self.chance = random.Random(plan.seed)  # noqa: S311 - moderators' slips, not secrets
        order = list(range(len(city.labels)))
        if plan.shuffled:
            self.chance.shuffle(order)
        first, month = plan.start + plan.history, plan.days * plan.per_day
        self.history, self.month = order[plan.start : first], order[first : first + month]
        self.later = order[first + month :][:LATER]
        self.decided: dict[int, Decided] = {}
        self.waited, self.sure = 0, 0

    def run(self) -> tuple[list[Figures], list[Figures]]:
        """Of each five days the reports that came; the later ones before and after each."""
        head = self._fit()
        came, later = [], [self._figures(head, self.later)]
        size = LENGTH * self.plan.per_day
        for start in range(0, len(self.month), size):
            rows = self.month[start : start + size]
            came.append(self._figures(head, rows))
            if self.plan.variant != "fixed":
                self._decided(head, rows)
                head = self._fit()
            later.append(self._figures(head, self.later))
        return came, later

    def _figures(self, head: LinearHead, rows: list[int]) -> Figures:
        label, confidence, sure = self._asked(head, rows)
        right = label == self.city.labels[rows]
        hits = np.cumsum(right[np.argsort(-confidence, kind="stable")])
        enough = np.flatnonzero(hits >= SETTINGS.sure_precision * np.arange(1, len(rows) + 1))
        return Figures(
            float(sure.mean()),
            share(int(right[sure].sum()), int(sure.sum())),
            float(right.mean()),
            share(int(enough[-1]) + 1, len(rows)) if len(enough) else 0.0,
        )

    def _asked(
        self, head: LinearHead, rows: list[int]
    ) -> tuple[NDArray[np.object_], NDArray[np.float32], NDArray[np.bool_]]:
        """Label and confidence of each report, and whether no person looks."""
        spoken = head.probabilities(self.city.matrix[rows])
        best = spoken.argmax(axis=1)
        limit = np.array([head.sure[name] for name in head.labels])
        confidence = spoken.max(axis=1)
        return np.array(head.labels, dtype=object)[best], confidence, confidence >= limit[best]

    def _decided(self, head: LinearHead, rows: list[int]) -> None:
        """What people do with the reports that came."""
        if self.plan.variant == "all":
            told = {row: Decided(self.city.labels[row], "blind", AUDIT) for row in rows}
            self.decided.update(told)
            return
        for row, label, confidence, sure in zip(rows, *self._asked(head, rows), strict=True):
            self.sure += bool(sure)
            self.waited += not sure
            drawn = sure and self.chance.random() < self.plan.audit
            good = label == self.city.labels[row]
            refused = sure and not good and self.chance.random() < REFUSED
            if drawn or refused or not sure:
                kind = WAITED if not sure else AUDIT if drawn else "refused"
                self.decided[row] = Decided(*self._decide(row, label, confidence), kind)

    def _decide(self, row: int, suggested: str, confidence: float) -> tuple[str, str]:
        """The label that people give, and how it came about."""
        if self.chance.random() < NOD:
            return suggested, "unread"
        label = self._said(row)
        second = label != suggested and confidence >= LIKELY and self.plan.variant == "weighted"
        if second and self._said(row) != label:
            return label, "disputed"
        return label, "confirmed" if label == suggested else "changed"

    def _said(self, row: int) -> str:
        slip = self.chance.random() < NOISE
        return str(self.city.labels[self.chance.choice(self.history) if slip else row])

    def _fit(self) -> LinearHead:
        index = np.array([*self.history, *self.decided], dtype=np.int64)
        labels = [*self.city.labels[self.history], *(d.label for d in self.decided.values())]
        names, count = np.unique(labels, return_counts=True)
        kept = np.flatnonzero(np.isin(labels, names[count >= MIN_COUNT]))
        worth = [1.0] * len(self.history) + [WORTH[d.how] for d in self.decided.values()]
        represents = np.concatenate([np.ones(len(self.history)), self._represents()])
        return fit_head(
            self.city.matrix[index[kept]],
            [labels[i] for i in kept],
            self.city.groups[index[kept]],
            SETTINGS,
            worth=np.array(worth)[kept],
            represents=represents[kept],
        ).head

    def _represents(self) -> NDArray[np.float64]:
        if self.plan.variant != "weighted":
            return np.ones(len(self.decided))
        mix = Selection(frozenset(map(str, range(self.waited))), self.sure, {})
        stands = mix.represents(d.kind for d in self.decided.values() if d.how != "unread")
        rows = [
            LabelledReport(
                Report("-"),
                Labels(),
                {"represents": str(stands.get(d.kind, 0.0) if d.how != "unread" else 0.0)},
            )
            for d in self.decided.values()
        ]
        return represented(rows)


def _lines(runs: Sequence[Sequence[Figures]], names: Sequence[str]) -> list[tuple[str, ...]]:
    """One line a moment: its name, mean and spread of each figure over the runs."""
    return [
        (name, *(_told(values) for values in zip(*found, strict=True)))
        for name, found in zip(names, zip(*runs, strict=True), strict=True)
    ]


def _told(values: Sequence[float]) -> str:
    return f"{mean(values):.3f} ({stdev(values):.3f})" if len(values) > 1 else f"{values[0]:.3f}"


def main() -> None:
    """Run it."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--year", type=int, choices=(2022, 2023), default=2023)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument(
        "--start", type=int, nargs="+", default=[0], help="first report of a run"
    )
    arguments.add_argument("--audit", type=float, default=AUDITED)
    arguments.add_argument("--order", choices=("real", "shuffled"), nargs="+", default=["real"])
    arguments.add_argument("--variant", choices=VARIANTS, nargs="+", default=list(VARIANTS))
    arguments.add_argument("--history", type=int, default=800)
    arguments.add_argument("--days", type=int, default=30)
    arguments.add_argument("--per-day", type=int, default=60)
    args = arguments.parse_args()
    city = City(data_file(args.data, {2022: TRAIN, 2023: TEST}[args.year]))
    result: dict[str, Any] = {"year": args.year, "audit": args.audit, "seeds": args.seeds}
    for order, variant in product(args.order, args.variant):
        plan = Plan(
            variant, order == "shuffled", 0, 0, args.audit, args.history, args.days, args.per_day
        )
        drawn = product(range(args.seeds), args.start)
        plans = [replace(plan, seed=seed, start=start) for seed, start in drawn]
        came, later = zip(*(Loop(city, p).run() for p in plans), strict=True)
        result[f"{order} {variant}"] = {"came": came, "later": later}
        ends = range(0, args.days + 1, LENGTH)
        title = f"{order} {args.year}, {variant}, {len(plans)} runs: the reports that came"
        table(title, HEAD, _lines(came, [f"{a + 1}-{a + LENGTH}" for a in ends[:-1]]))
        title = f"{order} {args.year}, {variant}: {LATER:,} later reports, after so many days"
        table(title, HEAD, _lines(later, [str(end) for end in ends]))
    finish("simulated_loop", result, args.output)


if __name__ == "__main__":
    main()
