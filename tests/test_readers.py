"""Files of reports: whatever is wrong with one row is said with its place, and harms no other."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readers_kit import GOOD, bad, only, rows, said, texts, write

from pilah.datasets.errors import FileFormatError
from pilah.datasets.readers import (
    FIELDS,
    SP4N_COLUMNS,
    SP4N_KLASIFIKASI,
    BadRow,
    count_rows,
    read_rows,
    with_defaults,
)
from pilah.datasets.records import KLASIFIKASI, LabelledReport, Labels, Location, Report

if TYPE_CHECKING:
    from pathlib import Path


def around(broken: bytes, *, header: bytes = b"", ends: bytes = b"\n") -> bytes:
    """A file of four rows whose second is broken."""
    first, *others = (json.dumps({"text": t}).encode() if not header else t.encode() for t in GOOD)
    lines = [first, broken, *others]
    return ends.join(([header] if header else []) + lines) + ends


JSONL = [
    (b'{"text": "x"', "-", "not JSON", "one JSON object a line"),
    (b"[1]", "-", "not an object", "one JSON object a line"),
    (b'"text"', "-", "not an object", "one JSON object a line"),
    (b'{"text": "caf\xe9"}', "-", "not UTF-8", "save the file as UTF-8"),
    (b'{"text": "x", "id": ' + b"9" * 5000 + b"}", "-", "not JSON", "one JSON object a line"),
    (b"[" * 200_000, "-", "not JSON", "one JSON object a line"),
    (b'{"title": "tanpa isi"}', "text", "missing or empty", "1 to 20,000"),
    (b'{"text": 5}', "text", "is a number", "JSON string"),
    (b'{"text": "' + b"a" * 1_000_000 + b'"}', "text", "1,000,000 characters", "at most 20,000"),
    (b'{"text": "a\\u0000b"}', "text", "NUL", "UTF-8"),
    (b'{"text": "a\\ud800b"}', "text", "lone surrogate", "UTF-8"),
    (b'{"text": "a", "title": "b\\u0007"}', "title", "control characters", "plain text"),
    (b'{"text": "a", "location": {"lat": 1e400, "lon": 1}}', "location.lat", "outside", "WGS 84"),
    (b'{"text": "a", "reported_at": "kemarin"}', "reported_at", "ISO 8601", "2026-05-01"),
    (b'{"text": "a", "visibility": "rahasia"}', "visibility", "unknown", "secret"),
    (b'{"text": "a", "outcome": "selesai"}', "outcome", "unknown", "actionable"),
    (b'{"text": "a", "hoax": "mungkin"}', "hoax", "neither", "true or false"),
]


@pytest.mark.parametrize(("broken", "field", "problem", "cure"), JSONL)
def test_a_broken_jsonl_row_harms_no_other(
    tmp_path: Path, broken: bytes, field: str, problem: str, cure: str
) -> None:
    for ends in (b"\n", b"\r\n"):
        path = write(tmp_path, "in.jsonl", around(broken, ends=ends))
        said(rows(path), line=2, field=field, problem=problem, cure=cure)


def test_jsonl_blank_lines_bom_and_ndjson(tmp_path: Path) -> None:
    content = '\ufeff{"text": "satu"}\n\n   \n{"text": "dua"}'
    found = rows(write(tmp_path, "in.NDJSON", content))
    assert [(r.line, t) for r, t in zip(found, texts(found), strict=True)] == [
        (1, "satu"), (4, "dua"),
    ]  # fmt: skip


def test_everything_of_a_jsonl_row_is_kept(tmp_path: Path) -> None:
    row = {
        "id": 7, "title": "PJU", "text": " lampu mati ", "region": {"regency": "Sleman"},
        "location": {"lat": -7.7, "lon": 110.3}, "reported_at": "2026-05-01", "channel": "wa",
        "reporter_ref": "w1", "visibility": "secret", "chosen_agency": "PLN",
        "topic_main": "A", "topic_sub": "B", "agency": "C", "outcome": "prank",
        "klasifikasi": "aspirasi", "hoax": False, "incident": "i1", "batch": 3, "kosong": " ",
        "aneh": "\ud800", "daftar": [1, 2], "tiada": None,
    }  # fmt: skip
    kept = only(rows(write(tmp_path, "in.jsonl", json.dumps(row))))
    report, labels = kept.report, kept.labels
    assert (report.id, report.text, report.region) == ("7", "lampu mati", {"regency": "Sleman"})
    assert report.location == Location(-7.7, 110.3)
    assert (report.visibility, report.reported_at) == ("secret", datetime(2026, 5, 1, tzinfo=UTC))
    assert (labels.topic_main, labels.hoax, labels.incident) == ("A", False, "i1")
    assert kept.extra == {"batch": "3", "aneh": "?", "daftar": "[1, 2]"}


CSV = [
    (b"x,y", "-", "2 cells under 1 columns", "quote cells"),
    (b"caf\xe9", "-", "not UTF-8", "save the file as UTF-8"),
    (b'""', "text", "missing or empty", "1 to 20,000"),
    (b'"kutip ini tidak ditutup', "-", "a quote is not closed", "close every quote"),
    (b'"kutip "di dalam" sel"', "-", "a quote is not closed", "double those inside"),
    (b'"' + b"a" * 1_000_000 + b'"', "-", "a cell is too long", "close every quote"),
    (b"a" * 1_000_000, "-", "a cell is too long", "close every quote"),
    (b"a" * 25_000, "text", "25,000 characters", "at most 20,000"),
    (b"a\x00b", "text", "NUL", "UTF-8"),
]


@pytest.mark.parametrize(("broken", "field", "problem", "cure"), CSV)
def test_a_broken_csv_row_harms_no_other(
    tmp_path: Path, broken: bytes, field: str, problem: str, cure: str
) -> None:
    for ends in (b"\n", b"\r\n"):
        path = write(tmp_path, "in.csv", around(broken, header=b"text", ends=ends))
        said(rows(path), line=3, field=field, problem=problem, cure=cure)


def test_a_stray_quote_does_not_join_two_rows(tmp_path: Path) -> None:
    content = 'id,text,channel\n1,"jalan rusak,web\n2,"air mati",web\n3,lampu padam,web\n'
    found = rows(write(tmp_path, "in.csv", content))
    assert [b.line for b in bad(found)] == [2]
    assert texts(found) == ["air mati", "lampu padam"]


def test_csv_quoting(tmp_path: Path) -> None:
    content = (
        'id,text\n1,"baris satu\r\nbaris dua, dengan koma"\n\n2,"kata ""dikutip"""\n'
        '3,tinggi 5" saja\n4,\n5,akhir'
    )
    found = rows(write(tmp_path, "in.csv", content))
    assert texts(found) == [
        "baris satu\r\nbaris dua, dengan koma", 'kata "dikutip"', 'tinggi 5" saja', "akhir",
    ]  # fmt: skip
    assert [(b.line, b.field) for b in bad(found)] == [(7, "text")]
    assert [r.line for r in found] == [2, 5, 6, 7, 8]


@pytest.mark.parametrize("header", ["\ufeffid,text", '\ufeff"id","text"', " id , text "])
def test_a_bom_and_blanks_in_the_header_do_not_matter(tmp_path: Path, header: str) -> None:
    kept = only(rows(write(tmp_path, "in.csv", f"{header}\n17,lampu mati\n")))
    assert (kept.report.id, kept.report.text) == ("17", "lampu mati")


def test_csv_coordinates_stand_in_two_columns(tmp_path: Path) -> None:
    content = "text,lat,lon\na,-7.7,110.3\nb,,\nc,x,110\nd,,110\ne,-7.7, \nf,nan,nan\n"
    found = rows(write(tmp_path, "in.csv", content))
    assert texts(found) == ["a", "b", "f"]
    assert isinstance(found[0].content, LabelledReport)
    assert found[0].content.report.location == Location(-7.7, 110.3)
    assert [(b.line, b.field) for b in bad(found)] == [
        (4, "location.lat"), (5, "location.lat"), (6, "location.lon"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.csv", "", "no readable header"),
        ("in.csv", "\n\n", "no readable header|no column 'text'"),
        ("in.csv", b"id,caf\xe9\n1,a\n", "no readable header"),
        ("in.csv", "id,isi\n1,a\n", r"no column 'text'; it has id, isi; .*--map text=COLUMN"),
        ("in.csv", "id|text\n1|a\n", r"no column 'text'; it has id\|text; separate.*commas"),
        ("in.csv", "id;isi\n1;a\n", "no column 'text'; it has id, isi;"),
        ("in.csv", "text,text\na,b\n", "column 'text' stands twice; rename"),
        ("in.csv", '"text\na\n', "no readable header"),
        ("in.txt", "apa saja", "unknown suffix; use .jsonl, .csv or .parquet"),
        ("in.xlsx", "PK", "save a spreadsheet as CSV UTF-8"),
        ("in", "apa saja", "unknown suffix"),
        ("in.parquet", b"PAR1 bukan PAR1", "not a Parquet file"),
        ("in.parquet", b"", "not a Parquet file"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(FileFormatError, match=message):
        rows(write(tmp_path, name, content))


def test_an_empty_jsonl_holds_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "in.jsonl", "")
    assert (rows(path), count_rows(path)) == ([], 0)


def test_what_is_wrong_with_the_call_is_said_before_reading(tmp_path: Path) -> None:
    path = write(tmp_path, "in.jsonl", '{"text": "a"}\n')
    with pytest.raises(FileFormatError, match="no such file"):
        read_rows(tmp_path / "tiada.jsonl")
    with pytest.raises(FileFormatError, match="no such file"):
        read_rows(tmp_path)
    with pytest.raises(FileFormatError, match="--map teks=: unknown field; use one of"):
        read_rows(path, {"teks": "isi"})
    for name in ("tiada.csv", "tiada.parquet"):
        with pytest.raises(FileFormatError, match="no such file"):
            count_rows(tmp_path / name)


def test_map_names_other_columns(tmp_path: Path) -> None:
    content = "nomor,isi,text,dinas\n9,lampu mati,catatan lama,Dishub\n"
    path = write(tmp_path, "in.csv", content)
    kept = only(rows(path, {"text": "isi", "id": "nomor", "agency": "dinas"}))
    assert (kept.report.text, kept.report.id, kept.labels.agency) == ("lampu mati", "9", "Dishub")
    with pytest.raises(FileFormatError, match="no column 'uraian'; it has nomor, isi"):
        rows(path, {"text": "uraian"})


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_csv_says_by_its_header_what_separates_its_columns(tmp_path: Path, mark: str) -> None:
    table = [["id", "isi, atau uraian", "title"], ["9", "lampu; mati, gelap\t", "a"]]
    path = tmp_path / "in.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        csv.writer(handle, delimiter=mark).writerows(table)
    kept = only(rows(path, {"text": "isi, atau uraian"})).report
    assert (kept.id, kept.text, kept.title) == ("9", "lampu; mati, gelap", "a")


def test_map_names_the_form_of_dates(tmp_path: Path) -> None:
    content = "isi,tgl\na,31/12/2025 7:05\nb,\nc,2025-12-31\n"
    path = write(tmp_path, "in.csv", content)
    found = rows(path, {"text": "isi", "reported_at": "tgl:%d/%m/%Y %H:%M"})
    moments = [r.content.report.reported_at for r in found if isinstance(r.content, LabelledReport)]
    assert moments == [datetime(2025, 12, 31, 7, 5, tzinfo=UTC), None]
    (wrong,) = bad(found)
    assert (wrong.line, wrong.field) == (4, "reported_at")
    assert "not of the form %d/%m/%Y %H:%M" in wrong.problem
    first, *_ = bad(rows(path, {"text": "isi", "reported_at": "tgl"}))
    assert "--map reported_at=COLUMN:%d/%m/%Y" in first.cure


def test_map_wins_over_a_column_of_the_field_s_name(tmp_path: Path) -> None:
    for row in ({"isi": "benar", "text": "salah"}, {"text": "salah", "isi": "benar"}):
        path = write(tmp_path, "in.jsonl", json.dumps(row))
        assert texts(rows(path, {"text": "isi"})) == ["benar"]


def test_map_of_a_missing_jsonl_field_is_a_bad_row(tmp_path: Path) -> None:
    path = write(tmp_path, "in.jsonl", '{"isi": "a"}\n{"text": "b"}\n')
    found = rows(path, {"text": "isi"})
    assert texts(found) == ["a"]
    assert [(b.line, b.field) for b in bad(found)] == [(2, "text")]


@pytest.mark.parametrize(
    ("field", "column"), [(f, c) for f, names in SP4N_COLUMNS.items() for c in names]
)
def test_every_sp4n_column_is_known(tmp_path: Path, field: str, column: str) -> None:
    value = {"reported_at": "2026-05-01", "klasifikasi": "aspirasi"}.get(field, "nilai")
    row = {column.title(): value} | ({} if field == "text" else {"Isi Laporan": "lampu mati"})
    (found,) = rows(write(tmp_path, "in.jsonl", json.dumps(row)), sp4n=True)
    assert isinstance(found.content, LabelledReport)
    report, labels = found.content.report, found.content.labels
    kept = getattr(labels, field) if hasattr(labels, field) else getattr(report, field)
    assert kept == (datetime(2026, 5, 1, tzinfo=UTC) if field == "reported_at" else value)
    assert not found.content.extra


def test_an_sp4n_export_is_read_as_it_is_printed(tmp_path: Path) -> None:
    header = "Tracking ID,Judul,Isi Laporan,Instansi Terdisposisi,Klasifikasi,Lokasi,text\n"
    path = write(
        tmp_path,
        "ekspor.csv",
        header + "1,PJU,lampu mati,Pemkab Sleman,Pengaduan Tidak Berkadar Pengawasan,34.04,x\n"
        "2,,air mati,Pemkab Sleman,Pengaduan  berkadar pengawasan,34.04,y\n"
        "3,,minta info,Pemkab Sleman,Permintaan Informasi,,z\n"
        "4,,apa ini,Pemkab Sleman,Entah,,w\n",
    )
    found = rows(path, {"text": "Isi Laporan"}, sp4n=True)
    kinds = [r.content.labels.klasifikasi for r in found if isinstance(r.content, LabelledReport)]
    assert kinds == ["pengaduan", "pengaduan_pengawasan", "permintaan_informasi"]
    assert texts(found) == ["lampu mati", "air mati", "minta info"]
    assert [(b.line, b.field) for b in bad(found)] == [(5, "klasifikasi")]
    assert isinstance(found[0].content, LabelledReport)
    assert (found[0].content.report.id, found[0].content.report.title) == ("1", "PJU")


def test_pilahs_own_columns_win_over_sp4n_names(tmp_path: Path) -> None:
    row = {"text": "benar", "isi": "salah", "region": "34.04", "lokasi": "entah"}
    kept = only(rows(write(tmp_path, "in.jsonl", json.dumps(row)), sp4n=True))
    assert (kept.report.text, kept.report.region) == ("benar", "34.04")
    assert kept.extra == {"isi": "salah", "lokasi": "entah"}


def test_defaults_fill_only_what_is_missing(tmp_path: Path) -> None:
    content = '{"text": "a"}\n{"text": "b", "region": "34.04"}\n'
    for row, region in zip(rows(write(tmp_path, "in.jsonl", content)), "51", strict=False):
        assert isinstance(row.content, LabelledReport)
        kept = with_defaults(row.content, region=region).report.region
        assert kept == (row.content.report.region or region)
        assert with_defaults(row.content, region=None) is row.content


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@settings(max_examples=80)
@given(table=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_any_csv_that_python_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "in.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("catatan", "text"), *table])
    found = rows(path)
    assert len(found) == len(table)
    kept = [t for _, t in table if t.strip()]
    assert texts(found) == [t.strip() for t in kept]


@settings(max_examples=150)
@given(content=st.binary(max_size=200) | st.text(alphabet='a",\n\r;é', max_size=60).map(str.encode))
def test_no_bytes_break_a_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    plain = write(folder, "in.jsonl", content)
    assert len(rows(plain)) == sum(1 for line in content.split(b"\n") if line.strip())
    found = rows(write(folder, "in.csv", b"text,title\n" + content))
    assert all(isinstance(r.content, LabelledReport | BadRow) for r in found)
    lines = [r.line for r in found]
    assert lines == sorted(set(lines))


def test_the_reader_knows_every_field_of_the_records() -> None:
    assert set(FIELDS) == {f.name for kind in (Report, Labels) for f in fields(kind)}
    assert set(SP4N_COLUMNS) <= set(FIELDS)
    assert set(SP4N_KLASIFIKASI.values()) == set(KLASIFIKASI)
