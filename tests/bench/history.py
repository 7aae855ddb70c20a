"""A long history grouped into incidents: reports a second, and memory, as it grows.

The history is made from the written corpus, so anybody can run it: each report is a text of the
corpus told of another place (names of regions, and half of its numbers, are replaced; some words
are left out). A fifth tell again of one of the latest thousand, at the same place. Districts are
drawn with frequencies of 1 / rank, as cities report more than villages.
"""

from __future__ import annotations

import json
import re
import resource
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from common import console, corpus, engine, finish, load_bundle, parser, resident, table

from pilah.datasets.readers import read_rows
from pilah.datasets.records import LabelledReport
from pilah.datasets.regions import Regions, load_regions
from pilah.models.clustering import Clustered, Summary
from pilah.models.places import PlaceReader
from pilah.service.cli_incidents import clustered
from pilah.service.workers import workers

SEED = 11
AGAIN = 0.2
"""Share of reports that tell again of an earlier one."""
RECENT = 1_000
LEFT_OUT = 0.08
"""Share of words that a writer leaves out."""
APART = timedelta(seconds=60)
"""Time between two reports: half a million in a year."""
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text of the corpus: the parts between names of regions, and the levels of those names."""

    parts: tuple[str, ...]
    levels: tuple[int, ...]

    def told_of(self, names: Iterable[str]) -> str:
        """The text with other names."""
        return "".join(chain.from_iterable(zip(self.parts, (*names, ""), strict=True)))


class Historian:
    """Writes reports like those of the corpus, as many as wanted, the same in every run."""

    def __init__(self, rows: list[LabelledReport], regions: Regions) -> None:
        self._draw = np.random.default_rng(SEED)
        self._regions, reader = regions, PlaceReader(regions)
        self._patterns = [_pattern(reader, regions, row) for row in rows]
        self._villages = self._draw.permutation([c for c in regions.by_code if len(c) == 13])
        districts = list(dict.fromkeys(code[:8] for code in self._villages.tolist()))
        shares = 1 / np.arange(1, len(districts) + 1)
        self._bounds = np.cumsum(shares / shares.sum())
        inside: dict[str, list[str]] = {}
        for code in self._villages.tolist():
            inside.setdefault(code[:8], []).append(code)
        self._inside = [inside[district] for district in districts]
        self._recent: deque[tuple[str, str]] = deque(maxlen=RECENT)

    def write(self, count: int) -> Iterator[dict[str, Any]]:
        """Rows in the contract's fields, in order of time."""
        for n in range(count):
            if self._recent and self._draw.random() < AGAIN:
                village, text = self._recent[self._draw.integers(len(self._recent))]
            else:
                village, text = self._fresh()
                self._recent.append((village, text))
            yield {
                "id": f"L-{n:08}",
                "text": self._retold(text),
                "region": village[:8],
                "reported_at": (BEGIN + n * APART).isoformat(),
                "reporter_ref": f"w{self._draw.integers(max(10, count // 2))}",
            }

    def _fresh(self) -> tuple[str, str]:
        pattern = self._patterns[self._draw.integers(len(self._patterns))]
        near = self._inside[int(np.searchsorted(self._bounds, self._draw.random()))]
        village = near[self._draw.integers(len(near))]
        told = pattern.told_of(self._regions.by_code[village[:level]].name
                               for level in pattern.levels)  # fmt: skip
        return village, _NUMBER.sub(self._other, told)

    def _other(self, number: re.Match[str]) -> str:
        if self._draw.random() < 0.5:
            return number[0]
        return "".join(map(str, self._draw.integers(1, 10, size=len(number[0]))))

    def _retold(self, text: str) -> str:
        words = text.split(" ")
        kept = [w for w, left in zip(words, self._draw.random(len(words)), strict=True)
                if left > LEFT_OUT]  # fmt: skip
        return " ".join(kept) or text


def _pattern(reader: PlaceReader, regions: Regions, row: LabelledReport) -> Pattern:
    text = row.report.full_text
    found = reader.read(text, regions.resolve(row.report.region)).found
    names = {part.text: len(part.code) for part in found if part.code and part.kind != "street"}
    parts, levels, rest = [], [], text
    if names:
        longest = sorted(names, key=len, reverse=True)
        cut = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, longest))})(?!\w)")
        pieces = cut.split(text)
        parts, levels, rest = pieces[0:-1:2], [names[p] for p in pieces[1::2]], pieces[-1]
    return Pattern((*parts, rest), tuple(levels))


def measured(found: Iterable[Clustered], step: int, minutes: float) -> Iterator[dict[str, float]]:
    """A row of figures every ``step`` reports, until all are done or the time is over."""
    begun = last = time.perf_counter()
    busy = time.process_time()
    for n, _ in enumerate(found, 1):
        if n % step:
            continue
        now, cpu = time.perf_counter(), time.process_time()
        yield {
            "reports": n,
            "reports_per_s": step / (now - last),
            "main_cpu_ms_per_report": 1e3 * (cpu - busy) / step,
            "resident_mb": resident() / 1e6,
            "minutes": (now - begun) / 60,
        }
        last, busy = now, cpu
        if now - begun > 60 * minutes:
            return


def main() -> None:
    """Write the history, group it, and say how fast that was at every size."""
    wanted = parser(__doc__ or "")
    wanted.add_argument("--reports", type=int, default=20_000)
    wanted.add_argument("--jobs", type=int, default=1)
    wanted.add_argument("--step", type=int, default=5_000, help="reports between two figures")
    wanted.add_argument("--minutes", type=float, default=60, help="stop at the next figure then")
    chosen = wanted.parse_args()
    triager, summary = engine(load_bundle(chosen.bundle)), Summary()
    historian = Historian(corpus(), load_regions())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in historian.write(chosen.reports))
        console.print(f"{chosen.reports:,} reports written, {path.stat().st_size / 1e6:.0f} MB")
        del historian
        start, rows, busy = time.perf_counter(), [], time.process_time()
        bundle = str(chosen.bundle) if chosen.bundle else None
        with workers(bundle, chosen.jobs, engine=triager) as crew:
            found = clustered(crew, read_rows(path), summary, region=None)
            for row in measured(found, chosen.step, chosen.minutes):
                console.print(row)
                rows.append(row)
        seconds = time.perf_counter() - start
    cpu = time.process_time() - busy + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    table("A long history", list(rows[0]), [list(row.values()) for row in rows])
    result = {
        "jobs": chosen.jobs,
        "reports": summary.reports,
        "seconds": seconds,
        "reports_per_s": summary.reports / seconds,
        "cpu_ms_per_report": 1e3 * cpu / summary.reports,
        "incidents": summary.alone + len(summary.incidents),
        "incidents_of_two_or_more": len(summary.incidents),
        "reports_in_them": summary.reports - summary.alone,
        "largest": [known.reports for _, known in summary.largest(5)],
        "possible": summary.possible,
        "index": triager.finder.index.facts(),
        "steps": rows,
    }
    finish("history", result, chosen.output)


if __name__ == "__main__":
    main()
