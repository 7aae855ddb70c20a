"""What the written corpus teaches: learning curve, first corpus against all, worst topics.

The main-topic head is fitted with the settings of the bundle on growing shares of our training
batches and asked about reports it never saw: real ones of Kota Surabaya, whose own topics were
mapped by hand, and our own test split.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, TEST, TOPIC_MAP, console, data_file, finish, labelled, parser, share, table
from sklearn.metrics import f1_score
from surabaya_topics import read_map

from pilah.datasets.near import groups
from pilah.datasets.records import LabelledReport
from pilah.datasets.taxonomy import load_taxonomy
from pilah.models.features import NgramFeatures
from pilah.models.linear import LinearHead
from pilah.models.text import read_text
from pilah.training.config import load_config
from pilah.training.heads import HeadSettings, fit_head

FOLDER = ROOT / "datasets" / "data" / "corpus"
CONFIG = ROOT / "training" / "experiments" / "default.toml"
SHARES = (0.125, 0.25, 0.5, 1.0)
SEEDS = (0, 1, 2)
FIRST = ("w01", "w02", "w03", "w04")
"""Writers of the first corpus."""
WORST = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """Texts in normal form, and the main topics that are right for each, the first one first."""

    normals: list[str]
    truth: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Taught:
    """A fitted head and what it reads."""

    features: NgramFeatures
    head: LinearHead
    rows: int
    topics: int

    def answers(self, normals: Sequence[str]) -> list[str]:
        """Printed name of the likeliest main topic, by text."""
        spoken = self.head.probabilities(self.features.transform(normals)).argmax(axis=1)
        return [load_taxonomy().by_id[self.head.labels[i]].main for i in spoken]


def normal(row: LabelledReport) -> str:
    """The form that the heads read."""
    return read_text(row.report.full_text).normal


def teach(rows: Sequence[dict[str, Any]], normals: Sequence[str], *, seed: int = 0) -> Taught:
    """The main-topic head of the default experiment on these rows."""
    config = replace(load_config(CONFIG), seed=seed)
    ids = [load_taxonomy().find(r["topic_main"]) for r in rows]
    living = [t.id if t is not None and t.status == "living" else None for t in ids]
    count = Counter(living)
    kept = [i for i, t in enumerate(living) if t is not None and count[t] >= config.min_count]
    labels = [str(living[i]) for i in kept]
    group = groups(
        [normals[i] or "-" for i in kept],
        ([rows[i].get("incident") or rows[i].get("hard_negative_of") for i in kept],),
    )
    features = NgramFeatures(config.views, config.min_df, config.max_features or None)
    matrix = features.fit([normals[i] for i in kept])
    fields = HeadSettings.__dataclass_fields__
    settings = HeadSettings(**{f: getattr(config, f) for f in fields})
    fitted = fit_head(matrix, labels, group, settings)
    return Taught(features, fitted.head, len(kept), len(set(labels)))


def judge(answers: Sequence[str], truth: Sequence[tuple[str, ...]]) -> dict[str, float]:
    """Accuracy and macro-F1, the first right answer only and either."""
    found: dict[str, float] = {}
    wanted = [right[0] for right in truth]
    for name, given in (
        ("strict", list(answers)),
        ("either", [r[0] if a in r else a for a, r in zip(answers, truth, strict=True)]),
    ):
        found[f"{name}_accuracy"] = float(np.mean(np.array(wanted) == np.array(given)))
        found[f"{name}_macro_f1"] = float(
            f1_score(wanted, given, labels=sorted(set(wanted)), average="macro", zero_division=0)
        )
    return found


def worst(
    answers: Sequence[str], truth: Sequence[tuple[str, ...]], least: int
) -> list[dict[str, Any]]:
    """Topics with the lowest recall, and what was answered instead."""
    found: list[dict[str, Any]] = []
    for topic in sorted({t[0] for t in truth}):
        mine = [(a, t) for a, t in zip(answers, truth, strict=True) if t[0] == topic]
        if len(mine) < least:
            continue
        wrong = Counter(a for a, t in mine if a not in t)
        recall = 1 - share(wrong.total(), len(mine))
        line = {"topic": topic, "rows": len(mine), "recall": recall}
        said = sum(a == topic for a in answers)
        right = sum(a in t for a, t in zip(answers, truth, strict=True) if a == topic)
        found.append({**line, "precision": share(right, said), "instead": wrong.most_common(3)})
    return sorted(found, key=lambda line: float(line["recall"]))[:WORST]


def read(path: Path) -> list[dict[str, Any]]:
    """Rows of the corpus with a main topic."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [r for r in rows if r.get("topic_main")]


def full(row: dict[str, Any]) -> str:
    """Title and text in normal form."""
    return read_text(f"{row['title']}\n{row['text']}" if row.get("title") else row["text"]).normal


def main() -> None:
    """Run it."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--corpus", type=Path, default=FOLDER)
    args = arguments.parse_args()
    right = read_map(data_file(args.data, TOPIC_MAP))
    city = [r for r in labelled(data_file(args.data, TEST)) if r.extra.get("topic") in right]
    rows, test = read(args.corpus / "train.jsonl"), read(args.corpus / "test.jsonl")
    normals = [full(r) for r in rows]
    asked = {
        "real": Asked([normal(r) for r in city], [right[r.extra["topic"]] for r in city]),
        "own test": Asked([full(r) for r in test], [
            tuple(filter(None, (r["topic_main"], r.get("topic_main_also")))) for r in test
        ]),
    }  # fmt: skip
    curve = []
    for part in SHARES:
        for seed in SEEDS if part < 1 else SEEDS[:1]:
            chosen = some_batches(rows, part, seed)
            taught, line = line_of(f"{part:.1%} of batches", chosen, rows, normals, asked)
            curve.append({"seed": seed, **line})
    whole = taught
    first = [i for i, r in enumerate(rows) if r["batch"].startswith(FIRST)]
    _, line = line_of("first corpus (w01-w04)", first, rows, normals, asked)
    result = {
        "curve": [*curve, line],
        "worst_own": worst(whole.answers(asked["own test"].normals), asked["own test"].truth, 5),
        "worst_real": worst(whole.answers(asked["real"].normals), asked["real"].truth, 5),
    }
    show(result)
    finish("corpus_learning", result, args.output)


def some_batches(rows: Sequence[dict[str, Any]], part: float, seed: int) -> list[int]:
    """Row numbers of a random share of the batches."""
    batches = sorted({r["batch"] for r in rows})
    order = np.random.default_rng(seed).permutation(len(batches))
    chosen = {batches[i] for i in order[: round(part * len(batches))]}
    return [i for i, r in enumerate(rows) if r["batch"] in chosen]


def line_of(
    name: str,
    chosen: Sequence[int],
    rows: Sequence[dict[str, Any]],
    normals: Sequence[str],
    asked: dict[str, Asked],
) -> tuple[Taught, dict[str, Any]]:
    """Fit on the chosen rows and ask everywhere."""
    taught = teach([rows[i] for i in chosen], [normals[i] for i in chosen])
    figures = {key: judge(taught.answers(a.normals), a.truth) for key, a in asked.items()}
    return taught, {"corpus": name, "rows": taught.rows, "topics": taught.topics, **figures}


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    figures = ("strict_accuracy", "strict_macro_f1", "either_accuracy", "either_macro_f1")
    for key in ("real", "own test"):
        table(
            f"asked: {key}",
            ("corpus", "seed", "rows", "topics", *figures),
            [
                (line["corpus"], line.get("seed", 0), line["rows"], line["topics"],
                 *(line[key][f] for f in figures))
                for line in result["curve"]
            ],
        )  # fmt: skip
    for key in ("worst_own", "worst_real"):
        table(key, ("topic", "rows", "recall", "precision", "instead"), [
            (x["topic"], x["rows"], x["recall"], x["precision"],
             "; ".join(f"{t} {n}" for t, n in x["instead"])) for x in result[key]
        ])  # fmt: skip
    console.print("either: a second right answer counts too")


if __name__ == "__main__":
    main()
