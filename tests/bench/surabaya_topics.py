"""SP4N main topics on a city that the bundle never saw.

The city's 54 most frequent own topics were mapped to SP4N main topics by hand, some with a second
right answer. ``strict`` counts the first one only, ``either`` both.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import TEST, TOPIC_MAP, data_file, finish, labelled, load_bundle, parser, table
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from pilah.datasets.records import LabelledReport
from pilah.datasets.taxonomy import load_taxonomy
from pilah.evaluation.metrics import calibration_error
from pilah.models.bundle import Bundle
from pilah.models.text import read_text

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Told:
    """Answers of the topic head on the mapped rows.

    Attributes:
        answers: printed name of the likeliest main topic, by row.
        confidence: its probability, shape (n,).
        stated: whether the bundle would state it, shape (n,).
        sure: whether no person would look because of the topic, shape (n,).
    """

    answers: list[str]
    confidence: NDArray[np.float32]
    stated: NDArray[np.bool_]
    sure: NDArray[np.bool_]


def read_map(path: Path) -> dict[str, tuple[str, ...]]:
    """City topic -> SP4N main topics that are right, the first one first."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    both = ("sp4n_main", "sp4n_main_also_right")
    return {r["topic"]: tuple(r[column] for column in both if r[column]) for r in rows}


def ask(bundle: Bundle, rows: Sequence[LabelledReport]) -> Told:
    """What the bundle's head over main topics answers."""
    head, taxonomy = bundle.heads["topic_main"], load_taxonomy()
    normals = [read_text(r.report.full_text).normal for r in rows]
    spoken = head.probabilities(bundle.read(normals)[0])
    labels = [head.labels[i] for i in spoken.argmax(axis=1)]
    confidence = spoken.max(axis=1)
    return Told(
        [taxonomy.by_id[label].main for label in labels],
        confidence,
        confidence >= np.array([head.stated[label] for label in labels]),
        confidence >= np.array([head.sure[label] for label in labels]),
    )


def measure(told: Told, truth: Sequence[tuple[str, ...]], *, either: bool) -> dict[str, Any]:
    """All figures under one reading of what is right; macro-F1 over the topics of the truth."""
    taken = [
        answer if answer in (right if either else right[:1]) else None
        for answer, right in zip(told.answers, truth, strict=True)
    ]
    hit = np.array([t is not None for t in taken])
    wanted = [right[0] for right in truth]
    # A second right answer counts as the first one, so that it costs no class its F1.
    given = [w if h else a for w, h, a in zip(wanted, hit, told.answers, strict=True)]
    return {
        "accuracy": float(hit.mean()),
        "macro_f1": float(f1_score(wanted, given, labels=sorted(set(wanted)), average="macro")),
        "ece": calibration_error(told.confidence, hit),
        "levels": [
            {"level": level, **_kept(told.confidence >= level, hit)} for level in LEVELS
        ],
        "stated": _kept(told.stated, hit),
        "sure": _kept(told.sure, hit),
    }  # fmt: skip


def _kept(kept: NDArray[np.bool_], hit: NDArray[np.bool_]) -> dict[str, float]:
    precision = float(hit[kept].mean()) if kept.any() else 0.0
    return {"coverage": float(kept.mean()), "precision": precision}


def main() -> None:
    """Run it."""
    args = parser(__doc__ or "").parse_args()
    right = read_map(data_file(args.data, TOPIC_MAP))
    rows = [r for r in labelled(data_file(args.data, TEST)) if r.extra.get("topic") in right]
    bundle = load_bundle(args.bundle)
    told = ask(bundle, rows)
    truth = [right[r.extra["topic"]] for r in rows]
    result = {
        "bundle": bundle.version,
        "rows": len(rows),
        "topics": len({t[0] for t in truth}),
        "strict": measure(told, truth, either=False),
        "either": measure(told, truth, either=True),
    }
    show(result)
    finish("surabaya_topics", result, args.output)


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    kinds = ("strict", "either")
    figures = ("accuracy", "macro_f1", "ece")
    table(
        f"{result['rows']:,} reports, {result['topics']} SP4N main topics, "
        f"bundle {result['bundle']}",
        ("right", *figures),
        [(kind, *(result[kind][f] for f in figures)) for kind in kinds],
    )
    cuts = [(f"p >= {line['level']}", line) for line in result["either"]["levels"]]
    cuts += [(f"{name} by the bundle", result["either"][name]) for name in ("stated", "sure")]
    table("either right answer", ("answers", "coverage", "precision"), [
        (name, line["coverage"], line["precision"]) for name, line in cuts
    ])  # fmt: skip


if __name__ == "__main__":
    main()
