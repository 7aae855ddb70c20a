"""What finding the incident of one report costs beside ten thousand to a million others.

20,000 reports of a made history (history.py) are read; their fingerprints stand for many more:
moved to another district, under new ids, hashes and senders, a third of their written words
replaced by others, with noise on the vectors. Reading texts is timed apart, for it does not depend
on what is remembered. CPU time of this one process, FAISS on one thread, so that other work on the
machine counts little.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import faiss
import numpy as np
from common import console, corpus, engine, finish, load_bundle, parser, resident, table
from history import APART, BEGIN, Historian

from pilah.datasets.records import parse_report
from pilah.datasets.regions import load_regions
from pilah.models.batch import CHUNK
from pilah.models.clustering import Mark, score_all
from pilah.models.encoder import unit
from pilah.models.incidents import new_incident_id
from pilah.models.triage import Triager

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
READ = 20_000
ASKED = 512
PART = 1_000
OTHER_WORDS = 0.33
NOISE = 0.3
SEED = 17


class Copier:
    """Marks like those of read reports, as many as wanted, in order of time."""

    def __init__(self, read: list[Mark]) -> None:
        self._read, self._draw, self._done = read, np.random.default_rng(SEED), 0
        placed = [f.place for f, _ in read if f.place and len(f.place) >= 8]
        self._districts = [str(place)[:8] for place in placed]

    def take(self, count: int) -> Iterator[Mark]:
        """So many more."""
        dim = len(self._read[0][1])
        noise = self._draw.standard_normal((count, dim), dtype=np.float32) * (NOISE / dim**0.5)
        for shift in noise:
            fingerprint, vector = self._read[int(self._draw.integers(len(self._read)))]
            number, self._done = self._done, self._done + 1
            words = np.array(sorted(fingerprint.written), dtype=np.int64)
            changed = self._draw.random(len(words)) < OTHER_WORDS
            words = np.where(changed, (words + number * 2_654_435_761) % (1 << 32), words)
            place = fingerprint.place
            if place and len(place) >= 8:
                place = self._districts[int(self._draw.integers(len(self._districts)))]
            made = replace(
                fingerprint,
                report_id=f"L-{number:08}",
                text_hash=f"{number:064x}",
                reporter=f"{int(self._draw.integers(1 + self._done // 2)):064x}",
                place=place,
                written=frozenset(words.tolist()),
                received_at=BEGIN + number * APART + timedelta(seconds=1),
            )
            yield made, unit((vector + shift)[None])[0]


def read_history(triager: Triager, count: int) -> tuple[list[Mark], float]:
    """Marks of a made history, and CPU milliseconds that reading one takes."""
    historian = Historian(corpus(), load_regions())
    items = [(str(row["id"]), parse_report(row)) for row in historian.write(count)]
    begun, marks = time.process_time(), []
    for start in range(0, count, PART):
        marks += triager.recognise(items[start : start + PART])
    return marks, 1e3 * (time.process_time() - begun) / count


def grown(triager: Triager, copier: Copier, size: int) -> dict[str, Any]:
    """Remember as many as wanted, then find some more one by one."""
    finder = triager.finder
    busy, before = time.process_time(), len(finder)
    while len(finder) < size:
        part = list(copier.take(min(PART, size - len(finder))))
        finder.restore((f, new_incident_id(f.report_id)) for f, _ in part)
        finder.index.add([f.report_id for f, _ in part], np.stack([v for _, v in part]))
    filled = time.process_time() - busy
    part, marks = list(copier.take(ASKED)), [time.process_time()]
    asked = [found for start in range(0, ASKED, CHUNK)
             for found in finder.join(part[start : start + CHUNK])]  # fmt: skip
    marks.append(time.process_time())
    for (fingerprint, _), scored in zip(asked, score_all(triager, asked), strict=True):
        finder.decide(fingerprint, scored)
    marks.append(time.process_time())
    gather, score = (1e3 * np.diff(marks) / ASKED).tolist()
    return {
        "remembered": size,
        "index": finder.index.kind,
        "gather_ms": gather,
        "score_ms": score,
        "finding_ms": gather + score,
        "filling_ms": 1e3 * filled / (size - before),
        "resident_mb": resident() / 1e6,
    }


def main() -> None:
    """Grow through the sizes."""
    wanted = parser(__doc__ or "")
    wanted.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    chosen = wanted.parse_args()
    faiss.omp_set_num_threads(1)
    triager = engine(load_bundle(chosen.bundle))
    read, reading = read_history(triager, READ)
    console.print(f"reading one report: {reading:.2f} ms")
    copier, rows = Copier(read), []
    for size in chosen.sizes:
        rows.append(grown(triager, copier, size))
        console.print(rows[-1])
    table("Finding one report, CPU ms", list(rows[0]), [list(row.values()) for row in rows])
    finish("finding", {"reading_ms": reading, "sizes": rows}, chosen.output)


if __name__ == "__main__":
    main()
