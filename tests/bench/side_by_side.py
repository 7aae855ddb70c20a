"""Pilah's answer beside the usual stack, in one process, on the same reports, with equal threads.

``pilah``: ``analyse`` and ``settle``: topic, agency, place, outcome, hoax evidence, explanation,
and the comparison with 100,000 remembered reports of one city (so every block of the memory is
full: the costly case). ``usual``: one BERT of base size with random weights in torch on the CPU
(hidden 768, 12 layers, 30,522 pieces, at most 128), mean pooling, one linear head, and a flat
FAISS index of 100,000 x 768: one topic and thirty neighbours, nothing more.

Random weights cost as much as trained ones. The usual stack's word pieces are fitted in memory on
the same city's earlier reports, so its inputs are as short as they can be expected to be. Where
other programs run beside, set OMP_WAIT_POLICY=PASSIVE: threads that spin while they wait make the
usual stack look many times slower than it is. Where the usual stack has several threads for a
batch, Pilah has as many processes that read (``--jobs``); their start is not timed, as loading is
not.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import faiss
import numpy as np
from common import (
    TEST,
    TRAIN,
    console,
    data_file,
    engine,
    finish,
    labelled,
    load_bundle,
    parser,
    table,
)
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pilah.datasets.records import Report
from pilah.models.encoder import unit
from pilah.models.incidents import new_incident_id
from pilah.models.registry import shipped_bundle
from pilah.models.triage import Triager
from pilah.service.workers import Workers, workers

NEIGHBOURS = 30
LABELS, HIDDEN, PIECES, LONGEST = 38, 768, 30_522, 128
BLOCK = 20
"""Reports that one side answers before it is the other's turn: load from outside meets both."""
PART = 16
"""Reports of a batch that one process is given at a time."""
NOISE = 0.5
"""Length of the random part of a remembered vector, before it is brought back to length one."""
MISSING = (
    "skipped: the usual stack needs torch and transformers: "
    "pip install torch==2.13.0, then pip install transformers"
)

Step = Callable[[str, Report], dict[str, float]]
"""Answers one report; returns the seconds of each part."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Encoder with pooling and head, its tokenizer, and a flat index."""

    model: Any
    head: Any
    pieces: Any
    index: Any

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Mean-pooled, normalised vectors; the head's probabilities are computed and left."""
        import torch

        read = self.pieces.encode_batch([t.lower() for t in texts])
        ids = torch.tensor([r.ids for r in read])
        mask = torch.tensor([r.attention_mask for r in read])
        with torch.inference_mode():
            hidden = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
            weight = mask.unsqueeze(-1).float()
            pooled = (hidden * weight).sum(1) / weight.sum(1)
            torch.softmax(self.head(pooled), dim=-1)
        return unit(pooled.numpy())

    def answer(self, report_id: str, report: Report) -> dict[str, float]:  # noqa: ARG002
        """One report: encode, classify, search."""
        start = time.perf_counter()
        vector = self.encode([report.text])
        middle = time.perf_counter()
        self.index.search(vector, NEIGHBOURS)
        end = time.perf_counter()
        return {"encode": middle - start, "search": end - middle, "all": end - start}

    def batch(self, reports: Sequence[Report], size: int = 32) -> None:
        """Many reports, sorted by length so that little is padded."""
        texts = sorted((r.text for r in reports), key=len)
        parts = [self.encode(texts[i : i + size]) for i in range(0, len(texts), size)]
        self.index.search(np.concatenate(parts), NEIGHBOURS)


def usual_stack(remembered: int, texts: Sequence[str], rng: np.random.Generator) -> Usual:
    """Build it; the texts only fit the word pieces."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel

    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - no password
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=PIECES, special_tokens=special, show_progress=False
    )
    pieces.train_from_iterator((t.lower() for t in texts), trainer)
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    pieces.enable_truncation(LONGEST)
    pieces.enable_padding()
    torch.manual_seed(0)
    index = faiss.IndexFlatIP(HIDDEN)
    index.add(unit(rng.standard_normal((remembered, HIDDEN), dtype=np.float32)))
    config = BertConfig(vocab_size=PIECES)
    return Usual(BertModel(config).eval(), torch.nn.Linear(HIDDEN, LABELS).eval(), pieces, index)


def remember(
    triager: Triager, reports: Sequence[Report], count: int, rng: np.random.Generator
) -> None:
    """Fill the memory with ``count`` reports: real readings, vectors moved, each its own text."""
    reads = triager.analyse([(f"seed-{i}", r) for i, r in enumerate(reports)])
    ids = [f"old-{i}" for i in range(count)]
    vectors = np.stack([read.vector for read in reads])[np.arange(count) % len(reads)]
    noise = rng.standard_normal(vectors.shape, dtype=np.float32) * (NOISE / vectors.shape[1] ** 0.5)
    triager.finder.index.add(ids, unit(vectors + noise))
    prints = (
        replace(reads[i % len(reads)].fingerprint, report_id=name, text_hash=name)
        for i, name in enumerate(ids)
    )
    triager.finder.restore((p, new_incident_id(p.report_id)) for p in prints)


def pilah_step(triager: Triager) -> Step:
    """One report through Pilah, as the service does before it stores."""

    def answer(report_id: str, report: Report) -> dict[str, float]:
        start = time.perf_counter()
        (read,) = triager.analyse([(report_id, report)])
        middle = time.perf_counter()
        triager.settle(read)
        end = time.perf_counter()
        return {"analyse": middle - start, "settle": end - middle, "all": end - start}

    return answer


def pilah_batch(triager: Triager, working: Workers, reports: Sequence[Report]) -> None:
    """Many reports through Pilah, as ``pilah classify --jobs`` reads a file."""
    items = [(f"batch-{i}", r) for i, r in enumerate(reports)]
    begin = working.begin(Triager.analyse)
    for wait in [begin(items[i : i + PART]) for i in range(0, len(items), PART)]:
        for read in wait():
            triager.settle(read)


def alternate(
    steps: dict[str, Step], reports: Sequence[Report]
) -> dict[str, list[dict[str, float]]]:
    """Each side answers every report, in turns of :data:`BLOCK`."""
    told: dict[str, list[dict[str, float]]] = {name: [] for name in steps}
    for start in range(0, len(reports), BLOCK):
        for name, step in steps.items():
            block = enumerate(reports[start : start + BLOCK], start)
            told[name] += [step(f"new-{i}", report) for i, report in block]
    return told


def medians(told: Sequence[dict[str, float]]) -> dict[str, float]:
    """Median milliseconds of each part, and the 95th percentile of the whole."""
    parts = {f"{k}_ms": 1000 * statistics.median(t[k] for t in told) for k in told[0]}
    return parts | {"p95_ms": 1000 * float(np.quantile([t["all"] for t in told], 0.95))}


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Hold torch, FAISS and BLAS to so many threads."""
    import torch

    torch.set_num_threads(count)
    faiss.omp_set_num_threads(count)
    with threadpool_limits(count):
        yield


def compare(
    triager: Triager,
    working: Workers,
    usual: Usual,
    reports: Sequence[Report],
    batch: Sequence[Report],
) -> dict[str, Any]:
    """Medians of both sides one by one, seconds of a batch, and the ratios usual / Pilah."""
    pilah_batch(triager, working, reports)  # every process reads something before it is timed
    steps = {"pilah": pilah_step(triager), "usual": usual.answer}
    alternate(steps, reports[:BLOCK])
    told = alternate(steps, reports[BLOCK:])
    one = {name: medians(times) for name, times in told.items()}
    many = {
        "pilah": _seconds(lambda: pilah_batch(triager, working, batch)),
        "usual": _seconds(lambda: usual.batch(batch)),
    }
    return {
        "one": one,
        "batch_seconds": many,
        "ratio_one": one["usual"]["all_ms"] / one["pilah"]["all_ms"],
        "ratio_one_p95": one["usual"]["p95_ms"] / one["pilah"]["p95_ms"],
        "ratio_batch": many["usual"] / many["pilah"],
    }


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def best_ratio(runs: Sequence[dict[str, Any]]) -> float:
    """Usual / Pilah for one report, each with the number of threads that suits it best."""
    least = {side: min(run["one"][side]["all_ms"] for run in runs) for side in ("pilah", "usual")}
    return least["usual"] / least["pilah"]


def main() -> None:
    """Run it."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--remembered", type=int, default=100_000)
    arguments.add_argument("--reports", type=int, default=200)
    arguments.add_argument("--batch", type=int, default=256)
    arguments.add_argument("--seeds", type=int, default=2_000, help="earlier reports that are read")
    args = arguments.parse_args()
    old, new = (labelled(data_file(args.data, name)) for name in (TRAIN, TEST))
    if not all(map(importlib.util.find_spec, ("torch", "transformers"))):
        console.print(MISSING)
        raise SystemExit(0)
    rng = np.random.default_rng(0)
    # Chosen by chance: the file is in order of time.
    chosen = rng.permutation(len(new))
    reports = [new[i].report for i in chosen[: args.reports + BLOCK]]
    batch = [new[i].report for i in chosen[-args.batch :]]
    bundle = load_bundle(args.bundle)
    triager = engine(bundle)
    seeds = [old[i].report for i in rng.permutation(len(old))[: args.seeds]]
    remember(triager, seeds, args.remembered, rng)
    usual = usual_stack(args.remembered, [r.report.text for r in old], rng)
    lengths = [len(e.ids) for e in map(usual.pieces.encode, (r.text.lower() for r in reports))]
    result: dict[str, Any] = {
        "bundle": bundle.version,
        "remembered": len(triager.finder),
        "reports": args.reports,
        "batch": args.batch,
        "median_pieces": statistics.median(lengths),
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", "default"),
    }
    counts = sorted({1, os.cpu_count() or 1})
    for count in counts:
        folder = str(args.bundle or shipped_bundle())
        with threads(count), workers(folder, count, engine=triager) as working:
            result[f"threads_{count}"] = compare(triager, working, usual, reports, batch)
    result["ratio_one_best"] = best_ratio([result[f"threads_{count}"] for count in counts])
    show(result)
    finish("side_by_side", result, args.output)


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    console.print(f"one report, each side at its best: ratio {result['ratio_one_best']:.1f}")
    for name, found in result.items():
        if not name.startswith("threads_"):
            continue
        pilah, usual = found["one"]["pilah"], found["one"]["usual"]
        rows = [
            ("one report, median ms", pilah["all_ms"], usual["all_ms"], found["ratio_one"]),
            ("one report, p95 ms", pilah["p95_ms"], usual["p95_ms"], found["ratio_one_p95"]),
            (
                f"{result['batch']} reports, s",
                *found["batch_seconds"].values(),
                found["ratio_batch"],
            ),
        ]
        title = f"{name.replace('_', ': ')}; {result['remembered']:,} reports remembered"
        table(title, ("measure", "Pilah", "usual stack", "ratio"), rows)
        parts = {f"Pilah {k}": pilah[f"{k}_ms"] for k in ("analyse", "settle")}
        parts |= {f"usual {k}": usual[f"{k}_ms"] for k in ("encode", "search")}
        console.print(", ".join(f"{k} {v:.2f} ms" for k, v in parts.items()))


if __name__ == "__main__":
    main()
