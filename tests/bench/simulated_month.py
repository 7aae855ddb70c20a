"""A simulated month: a stream of reports through the real intake, scripted moderators, retrains.

A labelled history makes the first bundle. Every later day brings the next reports. Each is answered
first and measured against its gold label (prequentially), and only then may anybody decide:
moderators decide what waits, by gold labels with noise, some of them by nodding; a second one, with
noise of an own, labels blindly what was decided against a likely suggestion; agencies refuse most
of what was wrongly routed to them. Every night a bundle is trained on the history and on what was
decided (``pilah train --from-store``), and promoted without a contest. Reports that nobody decided
teach nothing.

Streams: ``real`` is a city's reports in order of their dates; ``shuffled`` the same in an order
drawn by the seed, a city that does not change; ``written`` is the written corpus in drawn order
too, for its dates follow the batches of its writers and mean nothing.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from common import ROOT, TEST, TRAIN, console, data_file, finish, labelled, parser, share
from simulated_month_plot import LENGTH, shown, weeks

from pilah.datasets.checks import CheckReport
from pilah.datasets.records import LabelledReport
from pilah.evaluation.asking import same_body
from pilah.models.bundle import Bundle
from pilah.models.registry import Registry
from pilah.models.scoring import DuplicateThresholds
from pilah.models.text import read_text
from pilah.models.triage import Triager
from pilah.service.api import take_one
from pilah.service.app import opened
from pilah.service.checks import check_decision
from pilah.service.cli_data import as_row
from pilah.service.codecs import dump
from pilah.service.deciding import decide
from pilah.service.loop.api import save_opinion
from pilah.service.loop.export import training_rows
from pilah.service.loop.samples import waiting_for_opinion
from pilah.service.reads import review_queue
from pilah.service.settings import Settings
from pilah.service.state import Service
from pilah.service.switch import Switcher
from pilah.training.config import TrainConfig
from pilah.training.train import train

CORPUS = ROOT / "datasets" / "data" / "corpus"
NOISE = 0.05
"""Share of moderators' labels that are wrong."""
NOD = 0.2
"""Share of looks in which a moderator accepts the suggestion without reading."""
REFUSED = 0.8
"""Share of wrongly routed reports that the agency sends back."""
AUDIT = 0.2
"""Share of the sure answers that are checked: so much proves a threshold within weeks."""
LIGHT = TrainConfig(views=("word",), dim=64)
"""Thirty nights must fit into minutes: n-grams of words only; the bundled experiment has more."""
WRITTEN_PROMISE = 0.8
"""Precision asked of sure answers on the written stream: 0.9, proved on so small a history,
lets next to nothing through in the first days, and shows nothing."""
LATER = 1000
"""Reports after the month that bundles are asked, so that all are measured on the same."""
BATCH = 100
NO_REPEATS = DuplicateThresholds(duplicate=1.01, possible=1.01)
"""Nobody merges here, so that nothing is learned of repeats: they are left out of the month."""
FIELDS = ("topic_main", "topic_sub", "agency", "outcome")
STREAMS = ("real", "shuffled", "written")
YEARS = {2022: TRAIN, 2023: TEST}


@dataclass(frozen=True)
class Scenario:
    """What is simulated.

    Attributes:
        stream: one of ``STREAMS``.
        year: of the city's reports; 2022 is what choices were made on.
        history: reports that are labelled before the first day.
        days: how many.
        per_day: reports a day.
        seed: of slips, draws and drawn orders.
        weighted: decisions speak for all reports, and likely suggestions that were overruled are
            asked of a second person; False is the loop without either.
        hidden_nods: nods say that they read, as a moderator at the desk can nod.
    """

    stream: str
    year: int
    history: int
    days: int
    per_day: int
    seed: int
    weighted: bool = True
    hidden_nods: bool = False


class Month:
    """One run over one stream."""

    def __init__(self, scenario: Scenario, data: Path, folder: Path) -> None:
        """Train the first bundle on the history."""
        self.scenario, self.folder = scenario, folder
        rows, self.config = _stream(scenario, data)
        self.before, later = rows[: scenario.history], rows[scenario.history :]
        starts = range(0, scenario.days * scenario.per_day, scenario.per_day)
        self.days = [later[i : i + scenario.per_day] for i in starts]
        after = later[scenario.days * scenario.per_day :]
        self.later = [row for row in after if row.labels.agency is not None][:LATER]
        self.asked: list[dict[str, float]] = []
        self.chance = random.Random(scenario.seed)  # noqa: S311 - moderators' slips, not secrets
        self.gold: dict[str, LabelledReport] = {}
        self.wrong: list[str] = []
        self.history = folder / "riwayat.jsonl"
        self.history.write_text("".join(dump(as_row(r)) + "\n" for r in self.before), "utf-8")
        self.registry = Registry(folder / "data" / "bundles")
        self._promote(0)

    def run(self) -> list[dict[str, Any]]:
        """Every day's figures."""
        settings = Settings(
            data_dir=self.folder / "data",
            audit_share=AUDIT,
            overruled_share=1.0 if self.scenario.weighted else 0.0,
        )
        found = []
        with opened(settings, self._engine) as service:
            switcher = Switcher(service, self._engine, self.registry.pointer())
            for number, reports in enumerate(self.days, 1):
                start = time.perf_counter()
                day = self._answer(service, number, reports)
                self._work(service)
                day["second_looks"] = self._second_looks(service)
                day["decided"] = self._export(service)
                self._promote(number)
                switcher.look()
                day["seconds"] = time.perf_counter() - start
                found.append(day)
                console.print(
                    f"{self.scenario.stream} day {number}: "
                    f"{share(day['alone'], day['reports']):.2f} alone, "
                    f"{share(day['right'], day['judged']):.3f} of them right, "
                    f"{day['decided']} decided, {day['seconds']:.0f} s"
                )
        return found

    def _ask_later(self, night: int) -> None:
        """Keep what the bundle of a night makes of the reports after the month."""
        bundle = Bundle.load(self.folder / f"malam-{night}")
        engine, answers = Triager.from_bundle(bundle, service_version="bench"), []
        for start in range(0, len(self.later), BATCH):
            rows = self.later[start : start + BATCH]
            read = engine.analyse([(str(n), row.report) for n, row in enumerate(rows)])
            answers += [a.draft for a in read]
        sure = np.array([not draft.review.reasons for draft in answers])  # repeats take no part
        right = np.array([
            same_body(draft.agency.name, row.labels.agency)
            for draft, row in zip(answers, self.later, strict=True)
        ])  # fmt: skip
        self.asked.append({
            "after": night,
            "alone": float(sure.mean()),
            "right": share(int(right[sure].sum()), int(sure.sum())),
            "agency": float(right.mean()),
        })  # fmt: skip

    def _engine(self, settings: Settings) -> Triager:
        folder = self.registry.path(settings.bundle or None)
        return Triager.from_bundle(Bundle.load(folder), service_version="bench")

    def _export(self, service: Service) -> int:
        with service.intake.store.reading() as connection:
            rows = list(training_rows(connection))
        if not self.scenario.weighted:
            rows = [{k: v for k, v in row.items() if k != "represents"} for row in rows]
        file = self.folder / "keputusan.jsonl"
        file.write_text("".join(dump(row) + "\n" for row in rows), "utf-8")
        return len(rows)

    def _promote(self, night: int) -> None:
        files = [self.history, *([self.folder / "keputusan.jsonl"] if night else [])]
        target = self.folder / f"malam-{night}"
        bundle = train(replace(self.config, data=tuple(files), name=f"malam-{night}"))
        replace(bundle, duplicates=NO_REPEATS).save(target)
        self.registry.promote(str(target), f"malam {night}")
        if night % LENGTH == 0:
            self._ask_later(night)

    def _answer(
        self, service: Service, number: int, reports: list[LabelledReport]
    ) -> dict[str, Any]:
        """Take the day's reports in, and compare each answer with gold before anybody decides."""
        day = {"day": number, "reports": 0, "alone": 0, "judged": 0, "right": 0, "all_right": 0,
               "all_judged": 0}  # fmt: skip
        for row in reports:
            report_id = f"{number}-{day['reports']}"
            self.gold[report_id] = row
            body = {k: v for k, v in as_row(row).items() if k in ("text", "title", "region")}
            reply = take_one(service, {**body, "id": report_id}, None)
            triage = reply.outcomes[0].triage  # type: ignore[union-attr]
            sure = not triage["review"]["needed"]
            day["reports"] += 1
            day["alone"] += sure
            if row.labels.agency is not None:
                right = same_body(triage["agency"]["name"], row.labels.agency)
                day["all_judged"] += 1
                day["all_right"] += right
                day["judged"] += sure
                day["right"] += sure and right
                if sure and not right:
                    self.wrong.append(report_id)
        return day

    def _work(self, service: Service) -> None:
        """What people do until the evening."""
        for report_id in self.wrong:
            if self.chance.random() < REFUSED:
                self._decide(service, report_id, action="refuse")
        self.wrong.clear()
        while True:
            with service.intake.store.reading() as connection:
                waiting = review_queue(connection, reason=None, after=0, limit=200)
            if not waiting:
                return
            for member in waiting:
                self._label(service, member.report_id)

    def _second_looks(self, service: Service) -> int:
        """Another person labels what was asked of a second one; how many there were."""
        with service.intake.store.reading() as connection:
            asked = waiting_for_opinion(connection, "skrip-2", limit=1000)
        for item in asked:
            said = {"actor": "skrip-2", **self._said(item["report_id"])}
            save_opinion(service.intake, check_decision(item["report_id"], said)[0])
        return len(asked)

    def _said(self, report_id: str) -> dict[str, object]:
        """The gold labels of a report, sometimes with a slip."""
        labels = self.gold[report_id].labels
        said = {name: value for name in FIELDS if (value := getattr(labels, name)) is not None}
        if "agency" in said and self.chance.random() < NOISE:
            said["agency"] = self.chance.choice(self.before).labels.agency or said["agency"]
        return said

    def _label(self, service: Service, report_id: str) -> None:
        if self.chance.random() < NOD:
            look = "read" if self.scenario.hidden_nods else "unread"
            self._decide(service, report_id, look=look)
            return
        said = self._said(report_id)
        try:
            self._decide(service, report_id, look="read", **said)
        except Exception as error:
            if getattr(error, "slug", "") != "agency-refused":
                raise
            said.pop("agency")
            self._decide(service, report_id, look="read", **said)

    def _decide(self, service: Service, report_id: str, **fields: object) -> None:
        decision, after = check_decision(report_id, {"actor": "skrip", **fields})
        decide(service.intake, decision, after=after)


def _stream(scenario: Scenario, folder: Path) -> tuple[list[LabelledReport], TrainConfig]:
    """The reports in the order in which they come, and how the nights train."""
    if scenario.stream == "written":
        rows = [r for s in ("train", "dev", "test") for r in labelled(CORPUS / f"{s}.jsonl")]
        target, least, promise = ("topic", "route", "outcome"), 8, WRITTEN_PROMISE
    else:
        mapping = {"agency": "agency_group", "reported_at": "date"}
        rows = labelled(data_file(folder, YEARS[scenario.year]), mapping)
        rows = [replace(r, labels=replace(r.labels, topic_main=None, topic_sub=None)) for r in rows]
        target, least, promise = ("agency",), 10, LIGHT.sure_precision
    rows = [replace(r, labels=replace(r.labels, incident=None), extra=_routed(r)) for r in rows]
    rows.sort(key=lambda r: (str(r.report.reported_at), r.report.id or ""))
    if scenario.stream != "real":
        random.Random(scenario.seed).shuffle(rows)  # noqa: S311 - an order, not a secret
    return rows, replace(LIGHT, target=target, min_count=least, sure_precision=promise)


def _routed(row: LabelledReport) -> dict[str, str]:
    """The columns that routing learns from."""
    return {name: row.extra[name] for name in ("level", "unit") if name in row.extra}


@contextmanager
def light_nights() -> Iterator[None]:
    """A text is read once, not every night, and the check of the data, which informs, is left out.

    Neither changes what is learned.
    """
    nothing = CheckReport(0, (), {})
    with (
        patch("pilah.training.data.read_text", lru_cache(maxsize=None)(read_text)),
        patch("pilah.training.data.check", lambda *_: nothing),
    ):
        yield


def main() -> None:
    """Run it."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--stream", choices=STREAMS, default="written")
    arguments.add_argument("--year", type=int, choices=sorted(YEARS), default=2023)
    arguments.add_argument("--days", type=int, default=30)
    arguments.add_argument("--per-day", type=int, default=60)
    arguments.add_argument("--history", type=int, default=800)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument(
        "--unweighted",
        action="store_true",
        help="decisions judge as if they were a fair sample; no second looks",
    )
    arguments.add_argument("--hidden-nods", action="store_true", help="nods say that they read")
    arguments.add_argument("--show", type=Path, nargs="+", help="JSON files of runs, no new run")
    arguments.add_argument("--plot", type=Path, help="SVG file of the curves")
    args = arguments.parse_args()
    if args.show:
        shown(args.show, args.plot)
        return
    scenario = Scenario(
        stream=args.stream, year=args.year, history=args.history, days=args.days,
        per_day=args.per_day, seed=args.seed, weighted=not args.unweighted,
        hidden_nods=args.hidden_nods,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name, light_nights():
        month = Month(scenario, args.data, Path(name))
        days = month.run()
    output = args.output or Path(f"bulan-{args.stream}-{args.seed}.json")
    finish(
        "simulated_month",
        {**asdict(scenario), "of_days": days, "weeks": weeks(days), "later": month.asked},
        output,
    )
    shown([output], args.plot)


if __name__ == "__main__":
    main()
