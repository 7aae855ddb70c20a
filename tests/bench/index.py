"""The duplicate index beside brute force at 10,000, 100,000 and a million vectors; memory too.

Vectors: embeddings of the written corpus, mixed. Each is w of one text and 1 - w of one of its
fifty nearest (w from 0.5 to 1), as an embedding of two texts in one would be, plus noise of length
0.2. Dimensions other than the own of the bundle are an SVD of its n-gram features.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from common import console, corpus, finish, load_bundle, parser, resident, table
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD

from pilah.datasets.records import LabelledReport
from pilah.models.bundle import Bundle
from pilah.models.encoder import unit
from pilah.models.incidents import DuplicateFinder
from pilah.models.index import VectorIndex
from pilah.models.packing import pack, unpack
from pilah.models.pairs import plain_scorer
from pilah.models.reading import Fingerprint
from pilah.models.text import read_text
from pilah.models.triage import Triager

SIZES = (10_000, 100_000, 1_000_000)
QUERIES = 500
TURNS = 20
"""Brute-force queries in each run: one between every 25 of the index."""
NEAREST = 20
BATCH = 1_000
SEED = 7
Matrix = NDArray[np.float32]


def bases(bundle: Bundle, rows: list[LabelledReport], dims: list[int]) -> dict[int, Matrix]:
    """Embeddings of the texts in each wanted dimension."""
    normals = [read_text(r.report.full_text).normal for r in rows]
    features, vectors = bundle.read(normals)
    found = {bundle.encoder.dim: vectors}
    for dim in set(dims) - found.keys():
        svd = TruncatedSVD(dim, random_state=SEED, n_iter=3)
        found[dim] = unit(svd.fit_transform(features).astype(np.float32))
    return {dim: base[np.linalg.norm(base, axis=1) > 0.5] for dim, base in found.items()}


class Mixer:
    """Makes vectors like those of reports, as many as wanted."""

    def __init__(self, base: Matrix) -> None:
        self._base, self._random = base, np.random.default_rng(SEED)
        flat = faiss.IndexFlatIP(base.shape[1])
        flat.add(base)
        self._near = flat.search(base, 51)[1]

    def take(self, count: int) -> Matrix:
        """``count`` vectors, shape (count, dim), L2-normalised."""
        draw = self._random
        one = draw.integers(len(self._base), size=count)
        other = self._near[one, draw.integers(1, 51, size=count)]
        share = draw.uniform(0.5, 1, size=(count, 1)).astype(np.float32)
        noise = draw.standard_normal((count, self._base.shape[1]), dtype=np.float32)
        mixed = share * self._base[one] + (1 - share) * self._base[other]
        return unit(mixed + noise * np.float32(0.2 / self._base.shape[1] ** 0.5))


def grow(dim: int, mixer: Mixer, sizes: list[int]) -> Iterator[dict[str, Any]]:
    """One index growing through the sizes beside a flat one; a row of figures at each."""
    index, flat = VectorIndex(dim, "bench"), faiss.IndexFlatIP(dim)
    queries, spent = mixer.take(QUERIES), 0.0
    for size in sizes:
        while len(index) < size:
            part = mixer.take(BATCH)
            flat.add(part)
            ids = [f"LAPOR-{n:08}" for n in range(len(index), len(index) + BATCH)]
            spent += timed(lambda part=part, ids=ids: index.add(ids, part))
        row = {"dim": dim, "vectors": size, "kind": index.kind, "added_per_s": size / spent}
        yield row | asked(index, flat, queries) | added(index, mixer) | saved(index)


def asked(index: VectorIndex, flat: Any, queries: Matrix) -> dict[str, float]:  # noqa: ANN401
    """Recall and latency of lone queries on one thread, brute force taking turns.

    ``p99_cpu_ms`` counts the thread's own time only: beside other work the tail of the clock's
    milliseconds is the scheduler's.
    """
    faiss.omp_set_num_threads(1)
    ours, busy, theirs, hits = [], [], [], 0
    for n, query in enumerate(queries):
        begun = time.thread_time()
        ours.append(timed(lambda q=query: index.search(q[None], NEAREST)))
        busy.append(time.thread_time() - begun)
        if n % (QUERIES // TURNS) == 0:
            theirs.append(timed(lambda q=query: flat.search(q[None], NEAREST)))
    faiss.omp_set_num_threads(4)
    truth = flat.search(queries, NEAREST)[1].tolist()
    for query, want in zip(queries, truth, strict=True):
        got = {int(name[6:]) for name, _ in index.search(query[None], NEAREST)[0]}
        hits += len(got.intersection(want))
    brute = float(np.median(theirs))
    p50, p99 = map(float, np.quantile(ours, (0.5, 0.99)))
    return {
        "recall_at_20": hits / (NEAREST * QUERIES),
        "p50_ms": 1e3 * p50,
        "p99_ms": 1e3 * p99,
        "p99_cpu_ms": 1e3 * float(np.quantile(busy, 0.99)),
        "brute_ms": 1e3 * brute,
        "times_faster": brute / p50,
    }


def added(index: VectorIndex, mixer: Mixer) -> dict[str, float]:
    """Reports added, and removed, one at a time, as the service does."""
    vectors = mixer.take(BATCH)
    names = [f"NEW-{n}" for n in range(BATCH)]

    def add() -> None:
        for name, vector in zip(names, vectors, strict=True):
            index.add([name], vector[None])

    def remove() -> None:
        for name in names:
            index.remove([name])

    return {"single_adds_per_s": BATCH / timed(add), "removals_per_s": BATCH / timed(remove)}


LOAD = """
import json, resource, sys, time
from pathlib import Path
from pilah.models.index import VectorIndex
def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
before, start = held(), time.perf_counter()
index = VectorIndex.load(Path(sys.argv[1]))
print(json.dumps({"load_s": time.perf_counter() - start,
                  "bytes_per_vector": (held() - before) / len(index)}))
"""


def saved(index: VectorIndex) -> dict[str, float]:
    """Seconds to save, and what loading it takes in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        save_s = timed(lambda: index.save(Path(folder)))
        command = [sys.executable, "-c", LOAD, folder]
        told = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        return {"save_s": save_s, **json.loads(told.stdout)}


def remembered(bundle: Bundle, rows: list[LabelledReport], count: int) -> dict[str, float]:
    """Memory of fingerprints in the running service, without their vectors; restored in order."""
    engine = Triager.from_bundle(bundle, service_version="bench")
    read = engine.analyse([(str(n), row.report) for n, row in enumerate(rows[:2_000])])
    finder = DuplicateFinder(VectorIndex(2, "bench"), plain_scorer(), bundle.duplicates)
    stored = (
        (replace(read[n % len(read)].fingerprint, report_id=f"L-{n:08}", text_hash=f"{n:064}",
                 reporter=f"{n:064}"), f"inc-{n:020}")
        for n in range(count)
    )  # fmt: skip
    before = resident()
    seconds = timed(lambda: finder.restore(stored))
    row = {"reports": count, "bytes_per_report": (resident() - before) / count,
           "restored_per_s": count / seconds}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        row["save_s"] = timed(finder.saving(Path(folder), "bench"))
        row["load_s"] = timed(lambda: finder.recover(Path(folder)))
    return row | {"unpacked_bytes": unpacked([a.fingerprint for a in read])}


def unpacked(known: list[Fingerprint]) -> float:
    """Bytes that a fingerprint takes as long as it is kept unpacked."""
    packed = [
        (f"L-{n:08}", pack(known[n % len(known)])) for n in range(unpack.cache_info().maxsize or 0)
    ]
    unpack.cache_clear()
    tracemalloc.start()
    for report_id, part in packed:
        unpack(report_id, part)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / len(packed)


def timed(run: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def plot(rows: list[dict[str, Any]]) -> str:
    """Latency of a query against the number of vectors, both axes logarithmic, as SVG."""
    lines = [("brute force", "brute_ms", "#999"), ("Pilah p50", "p50_ms", "#1b6ca8"),
             ("Pilah p99 (CPU)", "p99_cpu_ms", "#7fb2d8")]  # fmt: skip
    dims = sorted({row["dim"] for row in rows})
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 320" font-size="12" '
             'font-family="sans-serif"><rect width="760" height="320" fill="#fff"/>']  # fmt: skip
    for panel, dim in enumerate(dims):
        mine = [row for row in rows if row["dim"] == dim]
        parts.append(_panel(60 + 370 * panel, dim, mine, lines))
    return "\n".join([*parts, "</svg>", ""])


def _panel(left: int, dim: int, rows: list[dict[str, Any]], lines: list[tuple[str, ...]]) -> str:
    def x(vectors: float) -> float:
        return left + 130 * (np.log10(vectors) - 4)

    def y(milliseconds: float) -> float:
        return 270 - 60 * (np.log10(milliseconds) + 1.5)

    out = [f'<text x="{left}" y="20" font-weight="bold">{dim} dimensions, ms per query</text>']
    for ms in (0.1, 1, 10, 100):
        out.append(f'<path d="M{left} {y(ms):.0f}h270" stroke="#eee"/>')
        out.append(f'<text x="{left - 8}" y="{y(ms) + 4:.0f}" text-anchor="end">{ms:g}</text>')
    for row in rows:
        label = f"{row['vectors']:,} (recall {row['recall_at_20']:.3f})"
        out.append(f'<text x="{x(row["vectors"]):.0f}" y="290" text-anchor="middle" '
                   f'font-size="9">{label}</text>')  # fmt: skip
    for n, (name, key, colour) in enumerate(lines):
        points = " ".join(f"{x(r['vectors']):.0f},{y(r[key]):.0f}" for r in rows)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{left + 10}" y="{40 + 15 * n}" fill="{colour}">{name}</text>')
    return "\n".join(out)


def main() -> None:
    """Run the sizes and dimensions asked for."""
    wanted = parser(__doc__ or "")
    wanted.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    wanted.add_argument("--dims", type=int, nargs="+", default=[256])
    wanted.add_argument("--plot", type=Path, help="SVG file")
    chosen = wanted.parse_args()
    bundle = load_bundle(chosen.bundle)
    reports = corpus()
    memory = remembered(bundle, reports, max(chosen.sizes))
    console.print(memory)
    rows: list[dict[str, Any]] = []
    for dim, base in sorted(bases(bundle, reports, chosen.dims).items()):
        for row in grow(dim, Mixer(base), chosen.sizes) if dim in chosen.dims else ():
            console.print(row)
            rows.append(row)
    table("The index", list(rows[0]), [list(row.values()) for row in rows])
    if chosen.plot:
        chosen.plot.write_text(plot(rows), encoding="utf-8")
    finish("index", {"index": rows, "fingerprints": memory}, chosen.output)


if __name__ == "__main__":
    main()
