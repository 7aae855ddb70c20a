"""A simulated month: a stream of reports through the real intake, scripted moderators, retrains.

The oldest reports are a labelled history that makes the first bundle. Every later day brings the
next reports in order of their dates. Each is answered first and measured against its gold label
(prequentially), and only then may anybody decide: moderators decide what waits, by gold labels with
noise, some of them by nodding; agencies refuse most of what was wrongly routed to them. Every night
a bundle is trained on the history and on what was decided (``pilah train --from-store``), and
promoted without a contest. Reports that nobody decided teach nothing.
"""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from common import ROOT, TRAIN, console, data_file, finish, labelled, parser, share, table

from pilah.datasets.records import LabelledReport
from pilah.evaluation.asking import same_body
from pilah.evaluation.intervals import wilson
from pilah.models.bundle import Bundle
from pilah.models.registry import Registry
from pilah.models.triage import Triager
from pilah.service.api import take_one
from pilah.service.app import opened
from pilah.service.checks import check_decision
from pilah.service.cli_data import as_row
from pilah.service.codecs import dump
from pilah.service.deciding import decide
from pilah.service.loop.export import export
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
AUDIT = 0.1
"""Share of the sure answers that are checked."""
LIGHT = TrainConfig(views=("word",), folds=3, dim=64)
"""Thirty nights must fit into minutes: words only, three folds; the bundled experiment has more."""
WRITTEN_PROMISE = 0.8
"""Precision asked of sure answers on the written stream: 0.9, proved on so small a history,
lets next to nothing through in the first days, and shows nothing."""
FIELDS = ("topic_main", "topic_sub", "agency", "outcome")


@dataclass(frozen=True)
class Stream:
    """What flows: the history, the days, and what is learned."""

    name: str
    history: list[LabelledReport]
    days: list[list[LabelledReport]]
    config: TrainConfig


class Month:
    """One run over one stream."""

    def __init__(self, stream: Stream, folder: Path, seed: int) -> None:
        """Train the first bundle on the history."""
        self.stream, self.folder = stream, folder
        self.chance = random.Random(seed)  # noqa: S311 - moderators' slips, not secrets
        self.gold: dict[str, LabelledReport] = {}
        self.wrong: list[str] = []
        self.history = folder / "riwayat.jsonl"
        self.history.write_text("".join(dump(as_row(r)) + "\n" for r in stream.history), "utf-8")
        self.registry = Registry(folder / "data" / "bundles")
        self._promote(0)

    def run(self) -> list[dict[str, Any]]:
        """Every day's figures."""
        settings = Settings(data_dir=self.folder / "data", audit_share=AUDIT)
        days = []
        with opened(settings, self._engine) as service:
            switcher = Switcher(service, self._engine, self.registry.pointer())
            for number, reports in enumerate(self.stream.days, 1):
                start = time.perf_counter()
                day = self._answer(service, number, reports)
                self._work(service)
                with service.intake.store.reading() as connection:
                    day["decided"] = export(connection, self.folder / "keputusan.jsonl")
                self._promote(number)
                switcher.look()
                day["seconds"] = time.perf_counter() - start
                days.append(day)
                alone = share(day["alone"], day["reports"])
                console.print(
                    f"{self.stream.name} day {number}: {alone:.2f} alone, "
                    f"{share(day['right'], day['judged']):.3f} of them right, "
                    f"{day['decided']} decided, {day['seconds']:.0f} s"
                )
        return days

    def _engine(self, settings: Settings) -> Triager:
        folder = self.registry.path(settings.bundle or None)
        return Triager.from_bundle(Bundle.load(folder), service_version="bench")

    def _promote(self, night: int) -> None:
        files = [self.history, *([self.folder / "keputusan.jsonl"] if night else [])]
        target = self.folder / f"malam-{night}"
        train(replace(self.stream.config, data=tuple(files), name=f"malam-{night}")).save(target)
        self.registry.promote(str(target), f"malam {night}")

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

    def _label(self, service: Service, report_id: str) -> None:
        if self.chance.random() < NOD:
            self._decide(service, report_id, look="unread")
            return
        labels = self.gold[report_id].labels
        said = {name: value for name in FIELDS if (value := getattr(labels, name)) is not None}
        if "agency" in said and self.chance.random() < NOISE:
            other = self.chance.choice(self.stream.history).labels.agency
            said["agency"] = other or said["agency"]
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


def written(history: int, days: int, per_day: int) -> Stream:
    """The written corpus in order of its dates, all splits: no shipped bundle takes part."""
    rows = [r for s in ("train", "dev", "test") for r in labelled(CORPUS / f"{s}.jsonl")]
    rows.sort(key=lambda r: (str(r.report.reported_at), r.report.id or ""))
    config = replace(
        LIGHT, target=("topic", "route", "outcome"), min_count=8, sure_precision=WRITTEN_PROMISE
    )
    return _cut("written", rows, config, (history, days, per_day))


def real(folder: Path, history: int, days: int, per_day: int) -> Stream:
    """A city's reports of 2022 in order of their dates; its own agencies are learned."""
    mapping = {"agency": "agency_group", "reported_at": "date"}
    rows = labelled(data_file(folder, TRAIN), mapping)
    rows.sort(key=lambda r: str(r.report.reported_at))
    rows = [replace(r, labels=replace(r.labels, topic_main=None, topic_sub=None)) for r in rows]
    config = replace(LIGHT, target=("agency",), min_count=10)
    return _cut("real", rows, config, (history, days, per_day))


def _cut(
    name: str, rows: list[LabelledReport], config: TrainConfig, size: tuple[int, int, int]
) -> Stream:
    history, days, per_day = size
    later = rows[history : history + days * per_day]
    chunks = [later[i : i + per_day] for i in range(0, len(later), per_day)]
    return Stream(name, rows[:history], chunks, config)


def weeks(days: list[dict[str, Any]], length: int = 5) -> list[dict[str, Any]]:
    """Figures of each five days, with the Wilson interval of the precision."""
    found = []
    for start in range(0, len(days), length):
        part = days[start : start + length]
        total = {k: sum(d[k] for d in part) for k in part[0] if k not in ("day", "seconds")}
        precision = wilson(total["right"], total["judged"])
        found.append({
            "days": f"{part[0]['day']}-{part[-1]['day']}",
            "alone": share(total["alone"], total["reports"]),
            "precision": precision.value if total["judged"] else None,
            "lower": precision.lower, "upper": precision.upper,
            "agency_accuracy": share(total["all_right"], total["all_judged"]),
            "decided_by_then": part[-1]["decided"],
        })  # fmt: skip
    return found


def plot(runs: dict[str, list[dict[str, Any]]]) -> str:
    """An SVG: share routed without a person (line) and its precision (dots), five days each."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 300" font-size="12" '
        'font-family="sans-serif"><rect width="640" height="300" fill="#fff"/>'
    ]
    for place, (name, found) in enumerate(runs.items()):
        left, color = 60, ("#0b5c4a", "#b3541e")[place]
        step = 480 / max(1, len(found) - 1)

        def at(number: int, value: float, left: int = left, step: float = step) -> str:
            return f"{left + number * step:.0f},{250 - 220 * value:.0f}"

        line = " ".join(at(i, w["alone"]) for i, w in enumerate(found))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        for i, w in enumerate(found):
            if w["precision"] is not None:
                x, y = at(i, w["precision"]).split(",")
                parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{color}"/>')
        parts.append(f'<text x="{left + place * 260}" y="292" fill="{color}">{name}: line = routed '
                     "alone, dots = right of them</text>")  # fmt: skip
    for value in (0, 0.25, 0.5, 0.75, 1):
        y = 250 - 220 * value
        parts.append(f'<line x1="60" x2="540" y1="{y}" y2="{y}" stroke="#ddd"/>'
                     f'<text x="52" y="{y + 4}" text-anchor="end">{value:.0%}</text>')  # fmt: skip
    last = next(iter(runs.values()))
    for i, w in enumerate(last):
        x = 60 + i * 480 / max(1, len(last) - 1)
        parts.append(f'<text x="{x:.0f}" y="268" text-anchor="middle">{w["days"]}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Run it."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--days", type=int, default=30)
    arguments.add_argument("--per-day", type=int, default=40)
    arguments.add_argument("--history", type=int, default=800)
    arguments.add_argument("--only", choices=("written", "real"))
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--plot", type=Path, help="SVG file of the curves")
    args = arguments.parse_args()
    size = (args.history, args.days, args.per_day)
    streams = [] if args.only == "real" else [written(*size)]
    if args.only != "written" and (args.only == "real" or _has(args.data)):
        streams.append(real(args.data, *size))
    result: dict[str, Any] = {"seed": args.seed, "size": size}
    curves = {}
    for stream in streams:
        with tempfile.TemporaryDirectory() as name:
            days = Month(stream, Path(name), args.seed).run()
        curves[stream.name] = weeks(days)
        result[stream.name] = {"days": days, "five_days": curves[stream.name]}
        head = (
            "days",
            "alone",
            "precision",
            "lower",
            "upper",
            "agency_accuracy",
            "decided_by_then",
        )
        table(stream.name, head, [[w[k] for k in head] for w in curves[stream.name]])
    if args.plot:
        args.plot.write_text(plot(curves), encoding="utf-8")
    finish("simulated_month", result, args.output)


def _has(folder: Path) -> bool:
    return any(path.is_file() for path in (folder / "benchmarks" / TRAIN, folder / TRAIN))


if __name__ == "__main__":
    main()
