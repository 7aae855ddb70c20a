"""Local languages that the model was never taught, beside Indonesian.

The main-topic head with the settings of the bundle is fitted on the Indonesian rows of the corpus'
training split alone. It is asked about every report in (or mixed with) another language, of all
splits, unless its incident was taught, and about the Indonesian dev and test rows. Since a language
has topics of its own, Indonesian is also weighed to the topics of each. Needs no data beside the
project.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from common import finish, parser, share, table
from corpus_learning import FOLDER, full, read, teach

from pilah.evaluation.intervals import wilson

SPLITS = ("train", "dev", "test")
NAMES = {"jv": "Javanese", "su": "Sundanese", "min": "Minang", "ban": "Balinese", "bew": "Betawi"}
Row = dict[str, Any]


def incident(row: Row) -> str | None:
    """The incident that a row tells of or imitates."""
    return row.get("incident") or row.get("hard_negative_of")


def language(row: Row) -> str:
    """Printed name of its language."""
    return "Indonesian" if row["language"] == "id" else NAMES.get(row["language"], "others")


def hit(row: Row, answer: str) -> bool:
    """Is it the row's main topic, or its second right one?"""
    return answer in (row["topic_main"], row.get("topic_main_also"))


def weighed(hits: dict[str, list[bool]], topics: Counter[str]) -> tuple[float, float]:
    """Share right when the topics stand in these numbers, and the share of them that is known."""
    known = {topic: n for topic, n in topics.items() if hits.get(topic)}
    total = sum(known.values())
    right = sum(n * share(sum(hits[topic]), len(hits[topic])) for topic, n in known.items())
    return share(right, total), share(total, topics.total())


def lines(asked: Sequence[Row], answers: Sequence[str]) -> list[Row]:
    """Accuracy by language, the largest first."""
    right = [hit(row, answer) for row, answer in zip(asked, answers, strict=True)]
    hits: dict[str, list[bool]] = defaultdict(list)
    for row, found in zip(asked, right, strict=True):
        if language(row) == "Indonesian":
            hits[row["topic_main"]].append(found)
    told = []
    for name, rows in Counter(map(language, asked)).most_common():
        mine = [i for i, row in enumerate(asked) if language(row) == name]
        found = wilson(sum(right[i] for i in mine), rows)
        same, covered = weighed(hits, Counter(asked[i]["topic_main"] for i in mine))
        told.append({"language": name, "rows": rows, "accuracy": found.value,
                     "lower": found.lower, "upper": found.upper,
                     "indonesian_same_topics": same, "topics_covered": covered})  # fmt: skip
    return told


def main() -> None:
    """Run it."""
    args = parser(__doc__ or "").parse_args()
    rows = {split: read(FOLDER / f"{split}.jsonl") for split in SPLITS}
    taught = [row for row in rows["train"] if row["language"] == "id"]
    known = {incident(row) for row in taught} - {None}
    head = teach(taught, [full(row) for row in taught])
    asked = [
        row
        for split, found in rows.items()
        for row in found
        if (row["language"] != "id" or split != "train") and incident(row) not in known
    ]
    result = {
        "taught": head.rows,
        "languages": lines(asked, head.answers([full(row) for row in asked])),
    }
    table(
        f"taught {head.rows:,} Indonesian reports",
        ("language", "rows", "accuracy", "from", "to", "Indonesian, same topics", "known"),
        [tuple(line.values()) for line in result["languages"]],
    )
    finish("zero_shot", result, args.output)


if __name__ == "__main__":
    main()
