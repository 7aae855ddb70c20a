"""Labels that are probably wrong: planted ones are found, and told with their row."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_kit import ROWS, Pilah, lines, write

from pilah.training.suspects import MISSING, suspicious

FIELDS = {
    "target",
    "file",
    "line",
    "id",
    "given",
    "suggested",
    "probability",
    "suggested_probability",
}


def spoilt(*places: int) -> list[dict[str, Any]]:
    """The rows without sub-topics, where those at these places carry another main topic."""
    mains = sorted({r["topic_main"] for r in ROWS})
    rows = [
        {"id": f"r{i}", "text": r["text"], "topic_main": r["topic_main"]}
        for i, r in enumerate(ROWS)
    ]
    for i in places:
        rows[i]["topic_main"] = next(m for m in mains if m != rows[i]["topic_main"])
    return rows


def test_planted_errors_are_found_with_their_rows(pilah: Pilah) -> None:
    planted = (3, 40, 77, 101)
    path = write("d.jsonl", spoilt(*planted))
    told = pilah("data", "suspects", path, "--target", "topic", "-o", "curiga.jsonl")
    assert told.code == 0, told.err
    found = lines("curiga.jsonl")
    assert f"{len(found)} suspects in curiga.jsonl" in told.err
    assert all(set(s) == FIELDS for s in found)
    hit = {s["line"]: s for s in found if s["line"] - 1 in planted}
    assert len(hit) >= 3
    assert len(found) <= 3 * len(planted)
    for line, suspect in hit.items():
        assert suspect["id"] == f"r{line - 1}"
        assert (suspect["file"], suspect["target"]) == ("d.jsonl", "topic_main")
        assert suspect["suggested"] == ROWS[line - 1]["topic_main"]
        assert suspect["probability"] < suspect["suggested_probability"]
    assert f"r{next(iter(hit)) - 1}" in told.out


def test_labels_that_fit_are_not_suspected() -> None:
    truth = np.arange(60) % 3
    sure = np.eye(3, dtype=np.float32)[truth] * 0.88 + 0.04
    assert suspicious(truth, sure).tolist() == []
    wrong = truth.copy()
    wrong[7] = (wrong[7] + 1) % 3
    assert suspicious(wrong, sure).tolist() == [7]


def test_without_cleanlab_the_cure_is_told(pilah: Pilah, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    told = pilah("data", "suspects", write("d.jsonl", ROWS), "--target", "klasifikasi")
    assert (told.code, MISSING in told.err) == (2, True)
    assert not Path("curiga.jsonl").exists()
