"""What the learned route head adds to the routing table, on the dev and test split of the corpus.

The same bundle answers with every weight of its route head: 0 is the table alone, 1 the head
alone. The weight that ships was chosen at training, on held-out rows of the training split, from
the same list. No other data is needed.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from common import ROOT, console, engine, finish, labelled, load_bundle, parser, table

from pilah.evaluation.asking import AGENCY, BOTH, ask
from pilah.evaluation.compare import difference, incident_groups
from pilah.evaluation.summary import summarise
from pilah.training.routing import WEIGHTS

FOLDER = ROOT / "datasets" / "data" / "corpus"


def main() -> None:
    """Run it."""
    args = parser(__doc__ or "").parse_args()
    bundle = load_bundle(args.bundle)
    rows = [r for split in ("dev", "test") for r in labelled(FOLDER / f"{split}.jsonl")]
    groups, said = incident_groups(rows), {}
    for weight in sorted({*WEIGHTS, bundle.route_weight}):
        console.print(f"weight {weight}")
        said[weight] = ask(engine(replace(bundle, route_weight=weight)), rows).said
    lines = []
    for weight, answers in said.items():
        line: dict[str, Any] = {"weight": weight}
        for target in (AGENCY, BOTH):
            summary = summarise(answers[target], {})
            gap = difference(said[0.0][target], answers[target], groups)
            line[target] = {
                "rows": summary.rows,
                "accuracy": summary.accuracy.value,
                "ece": summary.ece,
                "coverage_at_95": summary.coverage_at_95,
                "against_the_table": asdict(gap),
            }
        lines.append(line)
    result = {"bundle": bundle.version, "weight": bundle.route_weight, "weights": lines}
    show(result)
    finish("route_head", result, args.output)


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    for target in (AGENCY, BOTH):
        rows = []
        for line in result["weights"]:
            found = line[target]
            gap = found["against_the_table"]
            accuracy = gap["accuracy"]
            told = "{difference:+.3f} ({lower:+.3f} to {upper:+.3f})".format(**accuracy)
            mark = " (ships)" if line["weight"] == result["weight"] else ""
            rows.append((
                f"{line['weight']}{mark}", found["rows"], found["accuracy"], told, gap["wins"],
                gap["losses"], found["ece"], found["coverage_at_95"],
            ))  # fmt: skip
        head = ("weight", "rows", "right", "against 0", "only it", "only 0", "ECE", "at 95 %")
        table(f"{target}, bundle {result['bundle']}", head, rows)


if __name__ == "__main__":
    main()
