"""The loop of the simulated month without service and store, so that seeds and variants fit.

Agencies of a city, word n-grams of its texts, the same heads, calibration, thresholds and weights
as in training. Slips, nods, audits, refusals and second looks are those of ``simulated_month.py``;
heads are fitted anew every five days. Variants: ``weighted`` is the loop as it is, ``unweighted``
lets decisions judge as if they were a fair sample and asks no second person, ``fixed`` never
learns. The real stream keeps its order, so that seeds draw only slips and audits; of the shuffled
one they draw the order too.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from common import TEST, TRAIN, data_file, finish, labelled, parser, share, table
from numpy.typing import NDArray
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

VARIANTS = ("weighted", "unweighted", "fixed")
LENGTH = 5
"""Days between two fits, and days that are counted together."""
MIN_COUNT = 10
SETTINGS = HeadSettings(folds=3)


class City:
    """The reports of a file, oldest first, read once for all runs."""

    def __init__(self, file: Path) -> None:
        """Read them; the n-grams know all texts, the heads only what was labelled."""
        rows = labelled(file, {"agency": "agency_group", "reported_at": "date"})
        rows.sort(key=lambda r: str(r.report.reported_at))
        texts = [read_text(r.report.full_text).normal for r in rows]
        self.labels = [str(r.labels.agency) for r in rows]
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
    audit: float
    history: int
    days: int
    per_day: int


class Loop:
    """One run over one order of the reports."""

    def __init__(self, city: City, plan: Plan) -> None:
        """Fit the first head on the history."""
        self.city, self.plan = city, plan
        self.chance = random.Random(plan.seed)  # noqa: S311 - moderators' slips, not secrets
        order = list(range(len(city.labels)))
        if plan.shuffled:
            self.chance.shuffle(order)
        self.history, self.later = order[: plan.history], order[plan.history :]
        self.decided: dict[int, Decided] = {}
        self.waited, self.sure = 0, 0

    def run(self) -> list[tuple[float, float, float]]:
        """Of each five days: share alone, right of those, right of all."""
        found, head = [], self._fit()
        size = LENGTH * self.plan.per_day
        for start in range(0, self.plan.days * self.plan.per_day, size):
            found.append(self._answer(head, self.later[start : start + size]))
            if self.plan.variant != "fixed":
                head = self._fit()
        return found

    def _answer(self, head: LinearHead, rows: list[int]) -> tuple[float, float, float]:
        spoken = head.probabilities(self.city.matrix[rows])
        alone, right, all_right = 0, 0, 0
        for row, said in zip(rows, spoken, strict=True):
            best = int(said.argmax())
            label, confidence = head.labels[best], float(said[best])
            good, sure = label == self.city.labels[row], confidence >= head.sure[label]
            all_right += good
            alone += sure
            right += good and sure
            self.sure += sure
            self.waited += not sure
            drawn = sure and self.chance.random() < self.plan.audit
            refused = sure and not good and self.chance.random() < REFUSED
            if drawn or refused or not sure:
                kind = WAITED if not sure else AUDIT if drawn else "refused"
                self.decided[row] = Decided(*self._decide(row, label, confidence), kind)
        return share(alone, len(rows)), share(right, alone), share(all_right, len(rows))

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
        return self.city.labels[self.chance.choice(self.history) if slip else row]

    def _fit(self) -> LinearHead:
        index = np.array([*self.history, *self.decided], dtype=np.int64)
        labels = [self.city.labels[i] for i in self.history]
        labels += [d.label for d in self.decided.values()]
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


def _told(values: Sequence[float]) -> str:
    return f"{mean(values):.3f} ({stdev(values):.3f})" if len(values) > 1 else f"{values[0]:.3f}"


def main() -> None:
    """Run it."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--year", type=int, choices=(2022, 2023), default=2023)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--audit", type=float, default=0.1)
    arguments.add_argument("--order", choices=("real", "shuffled"), nargs="+", default=["real"])
    arguments.add_argument("--variant", choices=VARIANTS, nargs="+", default=list(VARIANTS))
    arguments.add_argument("--history", type=int, default=800)
    arguments.add_argument("--days", type=int, default=30)
    arguments.add_argument("--per-day", type=int, default=95)
    args = arguments.parse_args()
    city = City(data_file(args.data, {2022: TRAIN, 2023: TEST}[args.year]))
    result: dict[str, Any] = {"year": args.year, "audit": args.audit, "seeds": args.seeds}
    plan = Plan("", False, 0, args.audit, args.history, args.days, args.per_day)
    for order in args.order:
        for variant in args.variant:
            plans = [
                replace(plan, variant=variant, shuffled=order == "shuffled", seed=seed)
                for seed in range(args.seeds)
            ]
            runs = [Loop(city, p).run() for p in plans]
            result[f"{order} {variant}"] = runs
            lines = []
            for number, parts in enumerate(zip(*runs, strict=True)):
                days = f"{number * LENGTH + 1}-{number * LENGTH + LENGTH}"
                lines.append((days, *(_told([p[i] for p in parts]) for i in range(3))))
            title = f"{order} {args.year}, {variant}: mean (spread) of {args.seeds} seeds"
            table(title, ("days", "alone", "right of those", "agency"), lines)
    finish("simulated_loop", result, args.output)


if __name__ == "__main__":
    main()
