"""What ``data check`` finds: each kind once, with its line, and no text quoted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pilah.datasets.checks import THIN, CheckReport, Finding, check
from pilah.datasets.readers import read_rows
from pilah.models.masking import find_personal_data

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = (
    "lampu jalan mati di depan balai desa",
    "air keran keruh sejak perbaikan pipa",
    "antrean puskesmas terlalu panjang tiap pagi",
    "kartu keluarga belum terbit juga",
    "pohon tumbang menutup gang kami",
)
ROAD = {"topic_main": "PEKERJAAN UMUM DAN PENATAAN RUANG", "topic_sub": "JALAN BERLUBANG"}


def looked_at(folder: Path, rows: list[Any]) -> CheckReport:
    path = folder / "in.jsonl"
    lines = (r if isinstance(r, str) else json.dumps(r) for r in rows)
    path.write_text("\n".join(lines), "utf-8")
    return check(read_rows(path), find_personal_data)


def of(report: CheckReport, kind: str) -> list[Finding]:
    return [f for f in report.findings if f.kind == kind]


def one(report: CheckReport, kind: str) -> Finding:
    (found,) = of(report, kind)
    return found


def plain(count: int = 3, **fields: object) -> list[dict[str, object]]:
    return [{"text": t, **fields} for t in TEXTS[:count]]


def test_clean_rows_have_no_findings(tmp_path: Path) -> None:
    report = looked_at(tmp_path, plain(5))
    assert (report.rows, report.findings, report.errors) == (5, (), 0)
    assert set(report.labels) == {"topic_main", "topic_sub", "agency", "outcome", "klasifikasi"}


def test_no_rows_at_all(tmp_path: Path) -> None:
    report = looked_at(tmp_path, [])
    assert (report.rows, report.findings) == (0, ())


def test_a_row_that_cannot_be_read(tmp_path: Path) -> None:
    found = one(looked_at(tmp_path, [*plain(1), "{", {"text": 3}][:2]), "schema")
    assert (found.severity, found.line) == ("error", 2)
    assert found.problem == "-: not JSON"
    again = one(looked_at(tmp_path, [*plain(1), {"text": 3}]), "schema")
    assert (again.line, again.problem) == (2, "text: is a number, not a string")


def test_a_repeated_id(tmp_path: Path) -> None:
    rows = plain(3)
    rows[0]["id"] = rows[2]["id"] = "7"
    found = one(looked_at(tmp_path, rows), "id")
    assert (found.severity, found.line) == ("error", 3)
    assert found.problem == "repeats the id of line 1"


def test_an_unknown_region(tmp_path: Path) -> None:
    rows = plain(3, region="Kab. Sleman")
    rows[1]["region"] = "Kab. Slemann"
    report = looked_at(tmp_path, rows)
    found = one(report, "region")
    assert (found.severity, found.line) == ("error", 2)
    assert "34.04" in found.cure


def test_personal_data(tmp_path: Path) -> None:
    rows = plain(2)
    rows[1]["title"] = "hubungi 081234567890"
    report = looked_at(tmp_path, rows)
    assert (one(report, "personal-data").line, report.errors) == (2, 1)


def test_a_level_and_unit_outside_the_tables(tmp_path: Path) -> None:
    fits = [("bumn", "pln"), ("national", "polri"), ("kabkota", "dishub"), ("desa", "desa")]
    wrong = [("national", "pln"), ("kabkota", "pln"), ("bumn", "dishub"), ("kota", "dishub")]
    rows = [
        {"text": f"{TEXTS[i % 5]} {i * 7919} {i * 31}", "level": level, "unit": unit}
        for i, (level, unit) in enumerate([*fits, *wrong])
    ]
    found = of(looked_at(tmp_path, rows), "agency")
    assert [f.line for f in found] == [5, 6, 7, 8]
    assert all(f.severity == "error" and "agencies.csv" in f.cure for f in found)


def test_topics_outside_the_table(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{**r, **ROAD} for r in plain(3)]
    rows[1]["topic_sub"] = "JALAN BERKELOK"
    found = one(looked_at(tmp_path, rows), "topic")
    assert (found.severity, found.line) == ("error", 2)
    own = looked_at(tmp_path, plain(3, topic_main="jalan"))
    assert (one(own, "topic").severity, one(own, "topic").line) == ("warning", 0)
    assert own.errors == 0


def test_one_text_in_two_splits(tmp_path: Path) -> None:
    rows = plain(2, split="train") + plain(1, split="test")
    report = looked_at(tmp_path, rows)
    found = one(report, "leakage")
    assert (found.severity, found.line) == ("error", 3)
    assert found.problem == "nearly the same as line 1, in another split"


def test_one_text_with_two_labels(tmp_path: Path) -> None:
    rows = plain(1, outcome="actionable", agency="PLN") + plain(1, outcome="prank", agency="PLN")
    report = looked_at(tmp_path, rows)
    assert one(report, "label-conflict").problem == "same text as line 1, other outcome"
    assert one(report, "near-duplicate").line == 2
    assert report.errors == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"incident": "i"}, {"incident": "i"}),
        ({"incident": "i"}, {"hard_negative_of": "i"}),
        ({"campaign": "c"}, {"campaign": "c"}),
    ],
)
def test_near_duplicates_that_are_meant_are_no_finding(
    tmp_path: Path, first: dict[str, str], second: dict[str, str]
) -> None:
    assert not looked_at(tmp_path, plain(1, **first) + plain(1, **second)).findings
    apart = looked_at(tmp_path, plain(1, incident="i") + plain(1, incident="j"))
    assert one(apart, "near-duplicate").severity == "warning"


def test_related_rows_still_leak(tmp_path: Path) -> None:
    rows = plain(1, incident="i", split="train") + plain(1, incident="i", split="test")
    assert one(looked_at(tmp_path, rows), "leakage").line == 2


def test_thin_labels(tmp_path: Path) -> None:
    rows = [{"text": f"{TEXTS[i % 5]} {i * 7919} {i * 31}", "agency": "A"} for i in range(THIN)]
    rows += [{"text": t, "agency": f"B{i}"} for i, t in enumerate(TEXTS)]
    found = one(looked_at(tmp_path, rows), "thin")
    assert found.problem == "agency: 5 of 6 labels under 15 rows (B0, B1, B2, B3, B4)"
    rows.append({"text": "satu lagi yang lain sama sekali", "agency": "B5"})
    assert one(looked_at(tmp_path, rows), "thin").problem.endswith("B4 …)")
    report = looked_at(tmp_path, rows)
    assert report.labels["agency"] == {"A": THIN, **{f"B{i}": 1 for i in range(6)}}


def test_errors_come_first_and_no_text_is_quoted(tmp_path: Path) -> None:
    quoted = "kata rahasia 3404010101010001"
    rows = [
        {"text": quoted, "region": "Entah Di Mana", "topic_main": quoted, "outcome": "actionable"},
        {"text": quoted, "outcome": "prank", **ROAD},
        "{" + quoted,
        {"text": quoted, "visibility": quoted},
    ]
    report = looked_at(tmp_path, rows)
    order = [(f.severity != "error", f.kind, f.line) for f in report.findings]
    assert order == sorted(order)
    quoting = [f for f in report.findings if "rahasia" in f.problem + f.cure and f.kind != "thin"]
    assert not quoting
    assert {f.kind for f in report.findings} >= {
        "schema", "region", "personal-data", "topic", "label-conflict", "near-duplicate", "thin",
    }  # fmt: skip
    assert report.errors == sum(f.severity == "error" for f in report.findings)


def test_progress_is_told(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in plain(5)), "utf-8")
    done: list[int] = []
    check(read_rows(path), find_personal_data, tick=done.append)
    assert sum(done) == 5
