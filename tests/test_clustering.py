"""``pilah incidents``: a history is grouped as the service would have grouped it."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from cli_kit import ROWS, TRAINING, Pilah, lines, write

from pilah.datasets.errors import InputError
from pilah.datasets.readers import BadRow, read_rows
from pilah.models.clustering import Assigned, Summary, cluster_rows
from pilah.models.triage import Triager
from pilah.service.workers import workers

if TYPE_CHECKING:
    from pathlib import Path

    from pilah.models.bundle import Bundle

COPY = "Lubang besar di Jalan Anggrek KM 5 depan toko cat Makmur, dua motor jatuh tadi malam"


def reports(count: int, **fields: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    days = (f"2026-05-{n + 1:02}T08:00:00+07:00" for n in range(count))
    row = {"text": COPY, "region": "34.04.07"} | fields
    return [row | {"id": f"c{n}", "reported_at": day} for n, day in enumerate(days)]


def grouped(bundle: Bundle, path: Path, **options: Any) -> tuple[list[Any], Summary]:  # noqa: ANN401
    engine, summary = Triager.from_bundle(bundle, service_version="test"), Summary()
    found = cluster_rows(engine, read_rows(path), summary, **options)
    return [row.content for row in found], summary


def test_it_groups_as_classify_does(pilah: Pilah, tmp_path: Path) -> None:
    source = write("riwayat.jsonl", [*ROWS, *reports(3)])
    assert pilah("incidents", source, "-o", "a.jsonl").code == 0
    assert pilah("classify", source, "-o", "b.jsonl").code == 0
    wanted = [
        (t["report_id"], t["duplicates"]["incident_id"], t["duplicates"]["verdict"])
        for t in lines("b.jsonl")
    ]
    found = [(a["report_id"], a["incident_id"], a["verdict"]) for a in lines("a.jsonl")]
    assert found == wanted
    assert len({a["incident_id"] for a in lines("a.jsonl")}) < len(found)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl", "riwayat.jsonl"]


def test_a_process_that_ends_early_is_told_with_a_cure(bundle: Bundle, bundle_folder: Path) -> None:
    engine = Triager.from_bundle(bundle, service_version="test")
    with (
        workers(str(bundle_folder), 2, engine=engine) as found,
        pytest.raises(InputError, match="use fewer --jobs"),
    ):
        found.begin(end_at_once)(())()


def end_at_once(_engine: Triager, _given: tuple[()]) -> None:
    os._exit(9)


@pytest.mark.parametrize("command", ["incidents", "classify"])
def test_more_processes_give_the_same(pilah: Pilah, bundle_folder: Path, command: str) -> None:
    for jobs in (1, 2):
        options = ("--bundle", bundle_folder, "--jobs", jobs)
        assert pilah(command, TRAINING, "-o", f"{jobs}.jsonl", *options).code == 0
    assert lines("1.jsonl") == lines("2.jsonl")
    assert len(lines("1.jsonl")) == len(ROWS)


def test_bad_rows_are_told_and_the_rest_is_grouped(pilah: Pilah) -> None:
    source = write("a.jsonl", [*reports(2), {"id": "x"}, "{", {"id": "c0", "text": "lagi"}])
    ended = pilah("incidents", source, "-o", "b.jsonl")
    assert (ended.code, len(lines("b.jsonl"))) == (1, 2)
    assert [row["line"] for row in lines("b.jsonl.errors.jsonl")] == [3, 4, 5]
    assert "2 reports, 1 incidents: 1 of two or more with 2 reports" in ended.err
    assert "2026-05-01" in ended.err


def test_the_summary_counts_every_report_once(bundle: Bundle, tmp_path: Path) -> None:
    others = [{"id": f"o{n}", "text": r["text"]} for n, r in enumerate(ROWS[:20])]
    secret = [row | {"id": f"s{row['id']}"} for row in reports(2, visibility="secret")]
    path = write(str(tmp_path / "a.jsonl"), [*reports(4), *others, *secret])
    found, summary = grouped(bundle, path)
    sizes = Counter(a.incident_id for a in found if isinstance(a, Assigned))
    assert summary.reports == len(found) == 26
    assert summary.alone == sum(size == 1 for size in sizes.values())
    assert {i: k.reports for i, k in summary.incidents.items()} == {
        i: size for i, size in sizes.items() if size > 1
    }
    [(largest, known)] = summary.largest(1)
    assert (largest, known.reports, known.place) == (found[0].incident_id, 4, "34.04.07")
    assert (known.first.day, known.last.day) == (1, 4)


@pytest.mark.parametrize("window", [2, 9])
@pytest.mark.parametrize("chunk", [1, 3])
def test_working_ahead_changes_nothing(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int, chunk: int
) -> None:
    again = [row | {"id": f"x{row['id']}"} for row in reports(3, text=ROWS[0]["text"])]
    path = write(str(tmp_path / "a.jsonl"), [*reports(2), {"id": "bad"}, *ROWS[:5], *again])
    wanted, counted = grouped(bundle, path)
    monkeypatch.setattr("pilah.models.batch.CHUNK", chunk)
    found, summary = grouped(bundle, path, window=window)
    assert isinstance(found[2], BadRow)
    assert found == wanted
    assert summary.largest(9) == counted.largest(9)
    assert len(summary.incidents) > 1


def test_marks_are_those_of_the_whole_analysis(bundle: Bundle) -> None:
    engine = Triager.from_bundle(bundle, service_version="test")
    rows = [row.content for row in read_rows(TRAINING)]
    items = [(str(n), r.report) for n, r in enumerate(rows) if not isinstance(r, BadRow)]
    whole = engine.analyse(items)
    for analysis, (fingerprint, vector) in zip(whole, engine.recognise(items), strict=True):
        assert fingerprint == analysis.fingerprint
        assert (vector == analysis.vector).all()
    assert engine.recognise([]) == []
