"""Do two readers agree on the labels of the written corpus?

``second_reader.csv`` holds the judgements of a reader who saw text, title and region of 600 rows
drawn at random (seed 7), and no label; and, as ``first_...``, the labels that stood then. Agreement
and Cohen's kappa per field: ``first`` is the independent figure; ``now`` is after the differences
were decided, so it is no measure of agreement any more, only of what was mended. ``either`` counts
a second right answer (``topic_main_also``, ``topic_sub_also``).
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, finish, parser, share, table

from pilah.datasets.taxonomy import load_taxonomy

FOLDER = ROOT / "datasets" / "data" / "corpus"
SECOND = FOLDER / "second_reader.csv"
FIELDS = ("topic_main", "topic_sub", "level", "unit", "outcome", "klasifikasi", "hoax")
DRAWS = 1000
LABELLED = ("topic_main", "topic_sub", "level", "unit")
"""Fields that are compared only where both readers filled them."""


def labels(folder: Path) -> dict[str, dict[str, Any]]:
    """The rows of all splits by id, topics as ids of the taxonomy."""
    taxonomy, found = load_taxonomy(), {}
    for split in ("train", "dev", "test"):
        for line in (folder / f"{split}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            for end in ("", "_also"):
                main = row.get(f"topic_main{end}") or row.get("topic_main")
                topic = taxonomy.find(main, row.get(f"topic_sub{end}")) if main else None
                if topic is not None:
                    row[f"topic_sub{end}"] = topic.id if "." in topic.id else None
                    row[f"topic_main{end}"] = topic.id[:2]
            found[row["id"]] = row
    return found


def judgements(path: Path, reader: str = "") -> list[dict[str, Any]]:
    """What the second reader wrote; with ``first_`` the labels that stood then."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    plain = ("level", "unit", "outcome", "klasifikasi")
    return [
        {
            "id": r["id"],
            "topic_main": r[f"{reader}topic"][:2] or None,
            "topic_sub": r[f"{reader}topic"] if "." in r[f"{reader}topic"] else None,
            **{f: r[f"{reader}{f}"] or None for f in plain},
            "hoax": r[f"{reader}hoax"] == "yes",
        }
        for r in rows
    ]


def agreement(
    first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]], field: str
) -> dict[str, Any]:
    """Share of equal labels, Cohen's kappa with a bootstrap interval, and the commonest pairs."""
    pairs = [
        (a.get(field), b.get(field), a.get(f"{field}_also"))
        for a, b in zip(first, second, strict=True)
        if field not in LABELLED or (a.get(field) is not None and b.get(field) is not None)
    ]
    left, right = ([str(p[i]) for p in pairs] for i in (0, 1))
    rng, draws = np.random.default_rng(0), []
    for _ in range(DRAWS):
        chosen = rng.integers(len(pairs), size=len(pairs))
        sample = [(left[i], right[i]) for i in chosen]
        draws.append(kappa([a for a, _ in sample], [b for _, b in sample]))
    unlike = Counter((a, b) for a, b in zip(left, right, strict=True) if a != b)
    return {
        "rows": len(pairs),
        "agree": share(sum(a == b for a, b in zip(left, right, strict=True)), len(pairs)),
        "either": share(sum(b in (a, also) for a, b, also in pairs), len(pairs)),
        "kappa": kappa(left, right),
        "kappa_95": [float(np.percentile(draws, p)) for p in (2.5, 97.5)],
        "commonest": [[*pair, n] for pair, n in unlike.most_common(5)],
    }


def kappa(left: Sequence[str], right: Sequence[str]) -> float:
    """Cohen's kappa (Cohen 1960)."""
    size = len(left)
    one, two = Counter(left), Counter(right)
    seen = sum(a == b for a, b in zip(left, right, strict=True)) / size
    chance = sum(one[k] * two[k] for k in one) / size**2
    return 1.0 if chance == 1 else (seen - chance) / (1 - chance)


def main() -> None:
    """Run it."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--corpus", type=Path, default=FOLDER)
    arguments.add_argument("--second", type=Path, default=SECOND)
    args = arguments.parse_args()
    known, second = labels(args.corpus), judgements(args.second)
    kept = [row for row in second if row["id"] in known]
    sides = {
        "first": (judgements(args.second, "first_"), second),
        "now": ([known[row["id"]] for row in kept], kept),
    }
    result = {
        name: {field: agreement(*pair, field) for field in FIELDS} for name, pair in sides.items()
    }
    head = ("field", "rows", "agree", "either", "kappa", "95 %")
    for name, fields in result.items():
        table(f"second reader against {name}, {len(sides[name][1])} rows", head, [
            (f, r["rows"], r["agree"], r["either"], r["kappa"],
             "{:.2f}-{:.2f}".format(*r["kappa_95"])) for f, r in fields.items()
        ])  # fmt: skip
    finish("corpus_second_reader", result, args.output)


if __name__ == "__main__":
    main()
