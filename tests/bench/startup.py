"""How long the service takes to start on many stored reports, after a clean stop and a crash.

The store is made from the written corpus: the answers and fingerprints of 2,000 reports again and
again under new ids, hashes and senders, with noise on the vectors. Each start is a process of its
own that opens store, engine and index as ``pilah serve`` does, up to the first answered request.

first: nothing but the store, so memory and index are made; clean: after an ordinary stop; kill:
after a kill, with what was saved before; since: the same with as many reports stored since as a
running service lets come before it saves again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from common import console, corpus, engine, finish, load_bundle, parser, table
from sqlalchemy import insert

import pilah.service.app  # noqa: F401 - brings every table along
from pilah.models.encoder import unit
from pilah.models.incidents import new_incident_id
from pilah.models.reading import Analysis
from pilah.service.codecs import (
    digest,
    dump,
    fingerprint_to_text,
    now_text,
    report_columns,
    vector_to_bytes,
)
from pilah.service.keeper import SAVE_EVERY
from pilah.service.settings import Settings
from pilah.service.store import Store
from pilah.service.tables import fingerprints, incidents, reports, suggestions

BASE = 2_000
PART = 5_000
SEED = 13
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
NAME, HASH, SENDER = "@name@", "@hash@", "@sender@"
"""What stands in a pattern for what each copy has of its own."""
START = """
import json, os, sys, time
from pathlib import Path
begun, busy = time.perf_counter(), time.process_time()
from pilah.datasets.records import Report
from pilah.service.app import opened
from pilah.service.cli_service import engine
from pilah.service.settings import Settings
imported = time.perf_counter()
with opened(Settings(data_dir=Path(sys.argv[1]), bundle=sys.argv[3] or None), engine) as service:
    ready, cpu = time.perf_counter(), time.process_time()
    service.intake.look(Report("lubang di jalan anggrek depan pasar"))
    told = {"seconds": ready - imported, "cpu_s": cpu - busy, "import_s": imported - begun,
            "first_answer_s": time.perf_counter() - ready,
            "index": service.intake.engine.describe()["index"]["kind"],
            "reports": service.intake.engine.describe()["index"]["reports"],
            "resident_mb": int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6}
    if sys.argv[2] == "kill":
        print(json.dumps(told), flush=True)
        os._exit(0)
    stopping = time.perf_counter()
print(json.dumps(told | {"stop_s": time.perf_counter() - stopping}), flush=True)
"""


def main() -> None:
    """Make the store, then start on it in every way."""
    wanted = parser(__doc__ or "")
    wanted.add_argument("--reports", type=int, default=100_000)
    chosen = wanted.parse_args()
    bundle = load_bundle(chosen.bundle)
    rows = corpus()[:BASE]
    read = engine(bundle).analyse([(str(n), row.report) for n, row in enumerate(rows)])
    with tempfile.TemporaryDirectory() as folder:
        maker, started = Maker(Path(folder), read, bundle.marks), {}
        maker.store(chosen.reports)
        size = sum(path.stat().st_size for path in Path(folder).glob("*")) / 1e6
        console.print(f"{chosen.reports:,} reports stored, {size:.0f} MB")
        given = str(chosen.bundle) if chosen.bundle else ""
        for name, end in (("first", "stop"), ("clean", "kill"), ("kill", "kill")):
            started[name] = start(folder, end, given)
        maker.store(SAVE_EVERY)
        started["since"] = start(folder, "stop", given)
    names = list(started["first"])
    table("Starts", ["start", *names], [[n, *(s.get(k, "") for k in names)]
                                        for n, s in started.items()])  # fmt: skip
    finish("startup", {"reports": chosen.reports, "store_mb": size, "starts": started},
           chosen.output)  # fmt: skip


def start(folder: str, end: str, bundle: str) -> dict[str, Any]:
    """One start in a process of its own, stopped in order or killed."""
    command = [sys.executable, "-c", START, folder, end, bundle]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(done.stderr[-2_000:])
    told: dict[str, Any] = json.loads(done.stdout)
    console.print(told)
    return told


@dataclass(frozen=True)
class Pattern:
    """The rows of one read report, with marks in place of what differs between copies."""

    report: dict[str, Any]
    triage: str
    versions: str
    fingerprint: str
    vector: Any

    @classmethod
    def of(cls, read: Analysis) -> Pattern:
        """Written once; copies fill in its marks."""
        made = replace(
            read.fingerprint, report_id=NAME, text_hash=HASH, reporter=SENDER, received_at=BEGIN
        )
        triage = replace(read.draft, report_id=NAME).to_dict()
        report = report_columns(read.report)
        return cls(
            report | {"hash": digest(report), "topic": read.draft.topic.main, "place": made.place},
            dump(triage), dump(triage["versions"]), fingerprint_to_text(made), read.vector,
        )  # fmt: skip


class Maker:
    """Stores reports made of others."""

    def __init__(self, folder: Path, read: list[Analysis], made_by: str) -> None:
        self._folder, self._read, self._made_by = folder, [Pattern.of(r) for r in read], made_by
        self._draw, self._done = np.random.default_rng(SEED), 0

    def store(self, count: int) -> None:
        """Store so many more, in large transactions."""
        begun = time.perf_counter()
        with Store.open(Settings(data_dir=self._folder).url) as store:
            for first in range(0, count, PART):
                made = list(self._rows(min(PART, count - first)))
                with store.writing() as connection:
                    for n, kind in enumerate((incidents, reports, suggestions, fingerprints)):
                        connection.execute(insert(kind), [row[n] for row in made])
        console.print(f"stored {count:,} in {time.perf_counter() - begun:.0f} s")

    def _rows(self, count: int) -> Iterator[tuple[dict[str, Any], ...]]:
        dim = len(self._read[0].vector)
        chosen = [self._read[n] for n in self._draw.integers(len(self._read), size=count)]
        noise = self._draw.standard_normal((count, dim), dtype=np.float32) * 0.3 / dim**0.5
        vectors = unit(np.stack([pattern.vector for pattern in chosen]) + noise)
        for pattern, vector in zip(chosen, vectors, strict=True):
            yield self._row(pattern, vector)

    def _row(self, made: Pattern, vector: Any) -> tuple[dict[str, Any], ...]:  # noqa: ANN401
        number, self._done = self._done, self._done + 1
        name, moment = f"L-{number:08}", now_text()
        incident = new_incident_id(name)
        mark = made.fingerprint.replace(NAME, name).replace(HASH, f"{number:064x}")
        mark = mark.replace(SENDER, f"{number // 2:064x}")
        came = BEGIN + timedelta(minutes=number)
        return (
            {"id": incident, "created_from": name, "created_at": moment},
            made.report | {"id": name, "received_at": moment, "incident_id": incident},
            {
                "report_id": name,
                "triage": made.triage.replace(NAME, name),
                "versions": made.versions,
                "incident_id": incident,
                "review_needed": False,
                "made_at": moment,
            },
            {
                "report_id": name,
                "fingerprint": mark.replace(BEGIN.isoformat(), came.isoformat()),
                "vector": vector_to_bytes(vector),
                "made_by": self._made_by,
            },
        )


if __name__ == "__main__":
    main()
