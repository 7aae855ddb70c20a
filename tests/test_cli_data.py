"""``pilah data``: look at, convert and split labelled reports. No row is ever lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import ROWS, TRAINING, Pilah, lines, write

from pilah.datasets.readers import read_rows
from pilah.datasets.records import LabelledReport


def test_data_check(pilah: Pilah) -> None:
    assert pilah("data", "check", TRAINING, "--map", "agency=dinas").code == 0
    spoilt = [*ROWS[:3], {"text": "hp 081234567890", "region": "Slemann"}, "{"]
    path = write("d.jsonl", spoilt)
    told = pilah("data", "check", path)
    assert told.code == 1
    assert "4 readable reports" in told.out
    for wanted in ("error schema: line 5", "error region: line 4", "error personal-data: line 4"):
        assert wanted in told.out
    assert "3 error(s)" in told.out
    assert "0812" not in told.out + told.err
    stored = json.loads(pilah("data", "check", path, "--json").out)
    assert stored["rows"] == 4
    assert {f["kind"] for f in stored["findings"]} >= {"schema", "region", "personal-data", "thin"}
    many = write("m.jsonl", ["{"] * 30)
    assert "schema: 10 more; --json lists all" in pilah("data", "check", many).out


def test_data_import_masks_and_keeps(pilah: Pilah) -> None:
    Path("ekspor.csv").write_text(
        "Tracking ID,Isi Laporan,Instansi,Klasifikasi,Tanggal,Isi Catatan\n"
        "7,NIK 3404071203900001 belum aktif,Dukcapil,Aspirasi,2026-05-01,WA 081234567890\n"
        "8,,Dukcapil,Aspirasi,2026-05-01,\n"
        "9,Air mati,PDAM,Entah,2026-05-01,\n",
        "utf-8",
    )
    told = pilah("data", "import", "ekspor.csv", "--format", "sp4n", "-o", "r.jsonl",
                 "--region", "34.04")  # fmt: skip
    assert told.code == 1
    assert "1 reports in r.jsonl" in told.out
    assert lines("r.jsonl") == [
        {
            "id": "7", "text": "NIK [NIK] belum aktif", "region": "34.04",
            "reported_at": "2026-05-01T00:00:00+00:00", "visibility": "public",
            "agency": "Dukcapil", "klasifikasi": "aspirasi", "Isi Catatan": "WA [TELEPON]",
        }
    ]  # fmt: skip
    bad = lines("r.jsonl.errors.jsonl")
    assert [(b["line"], b["field"]) for b in bad] == [(3, "text"), (4, "klasifikasi")]
    assert pilah("data", "import", "r.jsonl", "-o", "r.jsonl").code == 2
    assert len(lines("r.jsonl")) == 1
    assert pilah("data", "import", "r.jsonl", "-o", "s.jsonl").code == 0
    assert lines("s.jsonl") == lines("r.jsonl")


def read(path: Path) -> list[LabelledReport]:
    contents = [row.content for row in read_rows(path)]
    assert all(isinstance(c, LabelledReport) for c in contents)
    return [c for c in contents if isinstance(c, LabelledReport)]


def test_importing_leaves_out_a_phone_number_as_sender(pilah: Pilah) -> None:
    rows = [{"text": "Air mati", "reporter_ref": ref} for ref in ("081234567890", "warga-7")]
    assert pilah("data", "import", write("a.jsonl", rows), "-o", "r.jsonl").code == 0
    assert [row.get("reporter_ref") for row in lines("r.jsonl")] == [None, "warga-7"]


def test_importing_changes_nothing_but_personal_data(pilah: Pilah) -> None:
    assert pilah("data", "import", TRAINING, "-o", "r.jsonl").code == 0
    assert read(Path("r.jsonl")) == read(TRAINING)


@pytest.mark.parametrize("by", ["time", "group"])
def test_data_split_loses_no_row(pilah: Pilah, by: str) -> None:
    told = pilah("data", "split", TRAINING, "-o", "bagian", "--share", "0.25", "--by", by)
    assert told.code == 0
    sides = [{r["id"] for r in lines(f"bagian/{n}.jsonl")} for n in ("train", "test")]
    assert not sides[0] & sides[1]
    dropped = int(told.out.split("nearly in the test ")[1].split(":")[0])
    assert len(sides[0]) + len(sides[1]) + dropped == len(ROWS)
    if by == "time":
        assert len(sides[1]) == 30


def test_data_split_says_what_is_wrong(pilah: Pilah) -> None:
    path = write("d.jsonl", [{"text": "a"}, {"text": "b"}, "{"])
    assert "use --by group instead" in pilah("data", "split", path, "-o", "x").err
    assert not Path("x").exists()
    told = pilah("data", "split", path, "-o", "x", "--by", "acak")
    assert "--by acak: use time or group" in told.err
    told = pilah("data", "split", path, "-o", "x", "--by", "group", "--share", "0.5")
    assert told.code == 1
    assert [b["line"] for b in lines("x/split.errors.jsonl")] == [3]
    assert len(lines("x/train.jsonl")) + len(lines("x/test.jsonl")) == 2
    assert pilah("data", "split", path, "-o", "x", "--share", "2").code == 2
