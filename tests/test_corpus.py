"""The written corpus keeps its promises: schema, labels, privacy, splits, breadth."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pilah.datasets.checks import check
from pilah.datasets.near import near_pairs
from pilah.datasets.readers import read_rows
from pilah.datasets.taxonomy import load_taxonomy
from pilah.models.masking import find_personal_data

ROOT = Path(__file__).parent.parent / "datasets" / "data" / "corpus"
SPLITS = ("train", "dev", "test")


def rows_of(split: str) -> list[dict[str, Any]]:
    with (ROOT / f"{split}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def corpus() -> list[dict[str, Any]]:
    return [row for split in SPLITS for row in rows_of(split)]


@pytest.mark.parametrize("split", SPLITS)
def test_the_check_finds_no_error(split: str) -> None:
    report = check(read_rows(ROOT / f"{split}.jsonl"), find_personal_data)
    wrong = [f for f in report.findings if f.severity == "error" or f.kind == "near-duplicate"]
    assert wrong == []


def test_every_row_fits_the_schema(corpus: list[dict[str, Any]]) -> None:
    schema = json.loads((ROOT / "schema.json").read_text("utf-8"))
    known = schema["properties"]
    for row in corpus:
        assert set(schema["required"]) <= set(row) <= set(known), row["id"]
        for name, rule in known.items():
            if "enum" in rule and name in row:
                assert row[name] in rule["enum"], (row["id"], name)
    assert len({row["id"] for row in corpus}) == len(corpus)


def test_no_batch_incident_or_near_duplicate_crosses_a_split(corpus: list[dict[str, Any]]) -> None:
    for key in ("batch", "incident", "campaign"):
        homes: dict[str, set[str]] = {}
        for row in corpus:
            if key in row:
                homes.setdefault(row[key], set()).add(row["split"])
        assert {name: h for name, h in homes.items() if len(h) > 1} == {}, key
    texts = [f"{row.get('title', '')}\n{row['text']}" for row in corpus]
    crossing = [
        (corpus[a]["id"], corpus[b]["id"])
        for a, b, _ in near_pairs(texts)
        if corpus[a]["split"] != corpus[b]["split"]
    ]
    assert crossing == []


def test_every_living_topic_is_written_about(corpus: list[dict[str, Any]]) -> None:
    count = Counter(row.get("topic_main") for row in corpus)
    living = [t.main for t in load_taxonomy().mains() if t.status == "living"]
    assert {name: count[name] for name in living if count[name] < 60} == {}


def test_every_common_sub_topic_has_fifteen_rows(corpus: list[dict[str, Any]]) -> None:
    count = Counter((row.get("topic_main"), row.get("topic_sub")) for row in corpus)
    with (ROOT / "common_subtopics.csv").open(encoding="utf-8", newline="") as lines:
        common = [load_taxonomy().by_id[row["id"]] for row in csv.DictReader(lines)]
    assert len({topic.id for topic in common}) == len(common) > 150
    assert all(topic.status == "living" and topic.sub for topic in common)
    assert {t.id: count[t.main, t.sub] for t in common if count[t.main, t.sub] < 15} == {}


def test_every_incident_has_a_hard_negative(corpus: list[dict[str, Any]]) -> None:
    sizes = Counter(row["incident"] for row in corpus if "incident" in row)
    assert min(sizes.values()) >= 2
    imitated = {row["hard_negative_of"] for row in corpus if "hard_negative_of" in row}
    assert imitated == set(sizes)
