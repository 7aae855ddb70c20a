"""The page of one report: incidents, past cases, history, search, the question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_kit import ROAD, Desk, forward, open_desk
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from pilah.service.desk.asking import ask_text
from pilah.service.desk.differences import side_by_side
from pilah.service.desk.labels import search_agencies, search_topics, topic_value
from pilah.service.desk.viewing import options_of
from pilah.service.tables import incidents


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        yield desk


def test_incidents_side_by_side_merge_apart_and_undo(desk: Desk) -> None:
    desk.classify("kabar pohon tumbang di sleman", id="I1")
    desk.classify("kabar pohon tumbang di godean", id="I2")
    browser = desk.browser("sari")
    page = browser.get("/meja/laporan", id="I2").text
    assert "Sekarang satu kejadian" in page
    assert '<mark class="only">godean</mark>' in page
    home = desk.api.get("/v1/reports/I1").json()["incident_id"]

    def act(what: str) -> str:
        browser.post("/meja/kejadian", id="I2", other="I1", what=what)
        incident: str = desk.api.get("/v1/reports/I2").json()["incident_id"]
        return incident

    assert act("apart") != home
    assert act("merge") == home
    assert act("undo") != home
    history = browser.get("/meja/laporan", id="I2").text
    for words in ("Memisahkan dari kejadian", "Membatalkan perubahan kejadian"):
        assert words in history


def test_a_closed_case_that_a_report_contradicts_is_shown_with_its_outcome(desk: Desk) -> None:
    desk.classify("kabar pohon tumbang di sleman", id="I1")
    home = desk.api.get("/v1/reports/I1").json()["incident_id"]
    why = {"actor": "sari", "reason": "sudah dipotong dinas"}
    assert desk.api.post(f"/v1/incidents/{home}/close", json=why).status_code == 200
    desk.classify("kabar pohon tumbang di sleman masih melintang", id="I2")
    page = desk.browser("sari").get("/meja/laporan", id="I2").text
    assert "Perlu diketahui" in page
    assert "oleh sari: sudah dipotong dinas" in page
    assert "belum selesai: masih" in page
    assert "Ciri hoaks" not in page
    assert "Perlu diketahui" not in desk.browser("sari").get("/meja/laporan", id="I1").text


def test_the_day_of_a_closing_is_that_of_western_indonesia(desk: Desk) -> None:
    desk.classify("kabar pohon tumbang di sleman", id="I1")
    home = desk.api.get("/v1/reports/I1").json()["incident_id"]
    desk.api.post(f"/v1/incidents/{home}/close", json={"actor": "sari", "reason": "beres"})
    with desk.store.writing() as connection:
        connection.execute(update(incidents).values(closed_at="2026-05-01T18:00:00+00:00"))
    [sign] = desk.classify("kabar pohon tumbang di sleman masih ada")["hoax"]["evidence"]
    assert "sudah ditutup pada 2026-05-02" in sign["detail"]


def test_the_open_page_shows_the_signs_of_a_hoax_alone(desk: Desk) -> None:
    desk.classify("kabar pohon tumbang di sleman", id="I1")
    home = desk.api.get("/v1/reports/I1").json()["incident_id"]
    desk.api.post(f"/v1/incidents/{home}/close", json={"actor": "sari", "reason": "beres"})
    said = {"text": "kabar pohon tumbang di sleman masih melintang sebarkan"}
    page = desk.api.post("/", data=said).text
    assert "Gaya pesan berantai" in page
    assert "Berbeda dengan kasus yang sudah ditutup" not in page
    assert "sudah ditutup pada" not in page


def test_past_cases_show_what_was_decided(desk: Desk) -> None:
    desk.classify("halo lama", id="N1")
    desk.classify("kabar baru", id="N2")
    browser = desk.browser("mimi")
    assert "Belum ada kasus yang cukup mirip" in browser.get("/meja/laporan", id="N2").text
    forward(browser, "N1")
    page = browser.get("/meja/laporan", id="N2").text
    assert "Kasus serupa yang sudah diputus" in page
    assert "halo lama" in page


def test_a_past_case_that_is_not_alike_is_not_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.classify("halo lama", id="N1")
    desk.classify("kabar baru", id="N2")
    browser = desk.browser("mimi")
    forward(browser, "N1")
    monkeypatch.setattr("pilah.service.desk.past.MIN_SIMILARITY", 0.51)  # the fake says 0.5
    page = browser.get("/meja/laporan", id="N2").text
    assert "halo lama" not in page
    assert "Belum ada kasus yang cukup mirip" in page


def test_the_history_speaks_indonesian(desk: Desk) -> None:
    desk.classify("sebarkan kabar ini", id="H1")
    sari = desk.browser("sari")
    sari.post("/meja/putusan", id="H1", version=0, action="archive", reason="hoax")
    history = sari.get("/meja/laporan", id="H1").text.partition("Riwayat")[2]
    assert "Mengarsipkan: Hoaks" in history
    assert "Hoaks: ya" in history
    assert "True" not in history


def test_a_search_adds_choices(desk: Desk) -> None:
    desk.classify("halo", id="Z1")
    browser = desk.browser("mimi")
    whole = browser.get("/meja/laporan", id="Z1", cari="jembatan").text
    part = browser.get("/meja/label", id="Z1", cari="jembatan").text
    for text in (whole, part):
        assert f'value="{topic_value(ROAD, "JEMBATAN")}"' in text
    assert "<html" not in part


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("perhubungan", ("Dinas Perhubungan", "Pemerintah Kabupaten Sleman")),
        ("PLN", ("PT PLN (Persero)", "PT PLN (Persero)")),
        ("dishub", ("Dinas Perhubungan", "Pemerintah Kabupaten Sleman")),
        ("dinkes badung", ("Dinas Kesehatan", "Pemerintah Kabupaten Badung")),
        ("satpol pp", ("Satuan Polisi Pamong Praja", "Pemerintah Kabupaten Sleman")),
        ("kesehatan badung", ("Dinas Kesehatan", "Pemerintah Kabupaten Badung")),
    ],
)
def test_bodies_are_found_by_words(text: str, wanted: tuple[str, str]) -> None:
    assert wanted in search_agencies(text, "34.04.07")


def test_labels_that_begin_with_a_word_come_before_those_that_hold_it() -> None:
    found = [f"{main} {sub}" for main, sub in search_topics("jalan")]
    assert "JALAN BERLUBANG" in found[0] + found[1]
    assert not re.search(r"\bJALAN", found[-1])  # "MENJALANKAN", "BERJALAN"


def test_nothing_is_found_for_nothing() -> None:
    assert search_agencies("", "34.04") == search_topics(" ") == []
    assert len(search_topics("a")) == 12


def test_the_question_names_what_is_missing() -> None:
    assert "Kapan" in ask_text(["time"])
    assert "Di mana" not in ask_text(["time"])
    assert "Apa yang terjadi" in ask_text([])


@given(st.text(max_size=80), st.text(max_size=80))
def test_side_by_side_loses_nothing(one: str, other: str) -> None:
    left, right = side_by_side(one, other)
    assert "".join(s.text for s in left) == one
    assert "".join(s.text for s in right) == other
    assert all(s.text == s.text.strip() for s in (*left, *right) if s.kind)
    if one == other:
        assert not any(s.kind for s in (*left, *right))


def test_choices_are_sorted_and_leave_out_what_is_hardly_likely() -> None:
    found = [("A \u203a B", 0.01), ("C \u203a C", 0.3), ("D", 0.6)]
    options = options_of(found, None, ["E"])
    assert [(o.name, o.chosen) for o in options] == [("D", True), ("C", False), ("E", False)]
    assert options_of(found, "A \u203a B", [])[-1].name == "A \u203a B"  # what was decided stays
    assert options_of(found[:1], None, [])[0].chosen  # so does the likeliest
