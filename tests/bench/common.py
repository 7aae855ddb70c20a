"""What the benchmarks share: where the data lies, which bundle is measured, how results are told.

The data is real text that is no part of this project. Its folder is given with ``--data`` or in
``PILAH_BENCHMARKS``; without it a benchmark says so and ends well. Only figures leave a benchmark.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pilah.datasets.readers import BadRow, read_rows
from pilah.datasets.records import LabelledReport
from pilah.models.bundle import Bundle
from pilah.models.registry import shipped_bundle
from pilah.models.triage import Triager

ROOT = Path(__file__).resolve().parents[2]
TRAIN = "surabaya_2022_train.parquet"
TEST = "surabaya_2023h1_test.parquet"
TOPIC_MAP = "surabaya_topic_map.csv"
console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def parser(about: str) -> argparse.ArgumentParser:
    """Arguments of every benchmark: ``--data``, ``--bundle``, ``--output``."""
    found = argparse.ArgumentParser(description=about)
    folder = Path(os.environ.get("PILAH_BENCHMARKS") or ROOT.parent / "shared" / "data")
    bundle = os.environ.get("PILAH_BUNDLE")
    found.add_argument("--data", type=Path, default=folder, help=f"folder (default: {folder})")
    found.add_argument(
        "--bundle",
        type=Path,
        default=Path(bundle) if bundle else None,
        help="folder of a bundle (default: PILAH_BUNDLE, else the shipped one)",
    )
    found.add_argument("-o", "--output", type=Path, help="JSON file of the result")
    return found


def data_file(folder: Path, name: str) -> Path:
    """One file of the data, from the folder itself or its ``benchmarks/``; ends the run without."""
    for path in (folder / "benchmarks" / name, folder / name):
        if path.is_file():
            return path
    console.print(
        f"skipped: no {name} in {folder}; give its folder with --data or PILAH_BENCHMARKS"
    )
    raise SystemExit(0)


def labelled(path: Path, mapping: Mapping[str, str] | None = None) -> list[LabelledReport]:
    """All good rows of a file; a bad row is an error, for the data has none."""
    rows = [row.content for row in read_rows(path, mapping)]
    bad = sum(isinstance(row, BadRow) for row in rows)
    if bad:
        raise SystemExit(f"{path.name}: {bad} bad rows; this is not the data that was meant")
    return [row for row in rows if isinstance(row, LabelledReport)]


def corpus() -> list[LabelledReport]:
    """Every report of the written corpus."""
    files = sorted((ROOT / "datasets" / "data" / "corpus").glob("*.jsonl"))
    return [row for file in files for row in labelled(file)]


def load_bundle(folder: Path | None) -> Bundle:
    """The bundle of a folder, or the shipped one."""
    return Bundle.load(folder or shipped_bundle())


def engine(bundle: Bundle) -> Triager:
    """An engine with an empty memory."""
    return Triager.from_bundle(bundle, service_version="bench")


def peak_mb() -> float:
    """Largest resident memory of this process so far, in MB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def resident() -> int:
    """Resident memory of this process in bytes (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def share(part: int, whole: int) -> float:
    """``part / whole``, 0 of nothing."""
    return part / whole if whole else 0.0


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print one table; floats get three digits."""
    shown = Table(*head, title=title, title_justify="left")
    for row in rows:
        shown.add_row(*(f"{c:.3f}" if isinstance(c, float) else str(c) for c in row))
    console.print(shown)


def finish(name: str, result: Mapping[str, Any], output: Path | None) -> None:
    """Write the result as JSON to ``output``, or print it after the tables."""
    facts = {
        "benchmark": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "load_average": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
            "system": platform.machine(),
        },
    }
    text = json.dumps({**facts, **_rounded(result)}, ensure_ascii=False, indent=1)
    if output is None:
        console.print(text, markup=False, soft_wrap=True)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text + "\n", encoding="utf-8")
        console.print(f"JSON: {output}")


def _rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {str(k): _rounded(v) for k, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list | tuple) else value
