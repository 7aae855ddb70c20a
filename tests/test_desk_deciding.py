"""Deciding on the desk: labels, versions, refusals, undo, what is stored of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_kit import BADUNG, PICK, ROAD, Desk, forward, open_desk, order
from sqlalchemy import select

from pilah.service.desk.labels import agency_value
from pilah.service.loop.tables import looks
from pilah.service.words import word


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        yield desk


def test_deciding_goes_on_with_the_next_and_can_be_undone(desk: Desk) -> None:
    for name in ("D1", "D2"):
        desk.classify(f"halo {name}", id=name)
    browser = desk.browser("mimi")
    first = browser.post("/meja/berikut").headers["location"]
    assert first == "/meja/laporan?id=D1"
    sent = {"id": "D1", "version": "0", "action": "forward"} | PICK
    following = browser.post("/meja/putusan", **sent).headers["location"]
    assert following == "/meja/laporan?id=D2&sudah=D1"
    assert re.search(r"Putusan atas <a [^>]+>D1</a> tersimpan", browser.get(following).text)
    report = desk.api.get("/v1/reports/D1").json()
    decided = report["decisions"][0]
    assert decided["actor"] == "mimi"
    assert decided["action"] == "forward"
    assert decided["labels"]["topic_main"] == ROAD
    assert decided["labels"]["government"] == "Pemerintah Kabupaten Sleman"
    assert decided["versions"]["bundle"] == "fake-1"
    assert browser.post("/meja/batal", id="D1", version=1).status_code == 303
    assert order(browser.get("/meja").text) == ["D1", "D2"]
    page = browser.get("/meja/laporan", id="D1").text
    assert "Verifikasi dan teruskan" in page
    assert "Membatalkan putusan 1" in page
    assert desk.api.get("/v1/review").json()["count"] == 2


@pytest.mark.parametrize(
    ("fields", "labels", "status"),
    [
        ({"action": "ask", "message": "Di mana?"}, {"outcome": "needs_information"}, "asked"),
        ({"action": "archive", "reason": "prank"}, {"outcome": "prank"}, "archived"),
        ({"action": "archive", "reason": "sara"}, {}, "archived"),
        ({"action": "archive", "reason": "hoax"}, {"hoax": True}, "archived"),
    ],
)
def test_asking_and_archiving(
    desk: Desk, fields: dict[str, str], labels: dict[str, object], status: str
) -> None:
    desk.classify("halo", id="K1")
    browser = desk.browser("mimi")
    assert browser.post("/meja/putusan", id="K1", version=0, **fields).status_code == 303
    decided = desk.api.get("/v1/reports/K1").json()["decisions"][0]
    assert decided["labels"] == labels
    assert decided["reason"] == fields.get("reason")
    assert decided["note"] == fields.get("message")
    assert order(browser.get("/meja", status=status).text) == ["K1"]


def test_a_refusal_offers_the_next_best_and_its_undo_takes_it_back(desk: Desk) -> None:
    desk.classify("halo", id="W1")
    browser = desk.browser("sari")
    browser.post("/meja/putusan", id="W1", version=0, action="refuse")
    page = browser.get("/meja").text
    assert '"chip">Ditolak: bukan wewenang' in page
    assert "Dinas Perhubungan" in page
    history = browser.get("/meja/laporan", id="W1").text.partition("Riwayat")[2]
    assert "Dinas PU menolak." in history
    assert "Ditawarkan: Dinas Perhubungan, Pemerintah Kabupaten Sleman" in history
    again = browser.post("/meja/putusan", id="W1", version=1, action="forward", **PICK)
    assert again.status_code == 409
    assert "bukan wewenangnya" in again.text
    for value in PICK.values():  # what was chosen stays chosen
        assert f'value="{value}" checked' in again.text
    assert browser.post("/meja/batal", id="W1", version=1).status_code == 303
    assert '"chip">Ditolak' not in browser.get("/meja").text
    assert "menarik penolakannya" in browser.get("/meja/laporan", id="W1").text
    assert forward(browser, "W1", 2)[0] == 303


def test_edited_since_you_opened_it_keeps_what_was_typed(desk: Desk) -> None:
    desk.classify("halo", id="E1")
    decision = {"actor": "integrator", "outcome": "prank"}
    desk.api.post("/v1/reports/E1/decision", json=decision)
    status, page = forward(desk.browser("mimi"), "E1", 0, note="catatan saya yang panjang")
    assert status == 409
    assert "sejak Anda membukanya" in page
    assert "catatan saya yang panjang" in page
    assert 'name="version" value="1"' in page
    assert f'value="{PICK["outcome"]}" checked' not in page  # the newest state is
    assert 'value="prank" checked' in page
    assert len(desk.api.get("/v1/reports/E1").json()["decisions"]) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("topic", "BUKAN TOPIK"),
        ("agency", ""),
        ("outcome", "lain"),
        ("version", ""),
        ("version", "x"),
    ],
)
def test_wrong_forms_store_nothing(desk: Desk, field: str, value: str) -> None:
    desk.classify("halo", id="X1")
    fields = {"id": "X1", "version": "0", "action": "forward"} | PICK | {field: value}
    response = desk.browser("mimi").post("/meja/putusan", **fields)
    assert response.status_code == 422
    assert "belum tersimpan" in response.text
    assert f"{word('field', field)}: {word('cure', field)}" in response.text
    assert "lang=" not in response.text.partition("<main")[2]  # nothing in English is left
    assert desk.api.get("/v1/reports/X1").json()["decisions"] == []


def test_whether_the_content_was_seen_is_stored(desk: Desk) -> None:
    desk.classify("halo satu", id="L1")
    desk.classify("halo dua", id="L2", visibility="secret")
    sari = desk.browser("sari")
    for name in ("L1", "L2"):
        assert forward(sari, name)[0] == 303
    with desk.store.reading() as connection:
        found = connection.execute(select(looks.c.report_id, looks.c.look)).all()
    assert sorted(tuple(row) for row in found) == [("L1", "read"), ("L2", "unread")]


def test_what_was_decided_last_can_be_undone_from_the_empty_queue(desk: Desk) -> None:
    desk.classify("halo", id="U1")
    browser = desk.browser("mimi")
    assert browser.post("/meja/berikut").status_code == 303
    fields = {"id": "U1", "version": "0", "action": "forward"} | PICK
    page = browser.get(browser.post("/meja/putusan", **fields).headers["location"]).text
    assert "Tidak ada laporan di sini" in page
    assert 'action="/meja/batal"' in page
    assert 'name="version" value="1"' in page


def test_a_report_sent_away_by_mistake_is_taken_back_by_whoever_sent_it(desk: Desk) -> None:
    desk.classify("halo", id="U1")
    mimi, bagus = desk.browser("mimi"), desk.browser("bagus")
    away = {"agency": agency_value("Dinas PU", BADUNG)}
    assert forward(mimi, "U1", **away)[0] == 303
    assert mimi.get("/meja/laporan", id="U1").status_code == 404
    page = mimi.get("/meja", sudah="U1").text
    assert 'action="/meja/batal"' in page
    assert mimi.post("/meja/batal", id="U1", version=1).status_code == 303
    assert mimi.get("/meja/laporan", id="U1").status_code == 200
    assert forward(mimi, "U1", 2, **away)[0] == 303
    assert forward(bagus, "U1", 3, agency=agency_value("Dinas Perhubungan", BADUNG))[0] == 303
    assert mimi.post("/meja/batal", id="U1", version=4).status_code == 404
    assert 'action="/meja/batal"' not in mimi.get("/meja", sudah="U1").text


def test_every_change_is_in_the_audit_log(desk: Desk) -> None:
    desk.classify("halo", id="L1")
    browser = desk.browser("mimi")
    browser.post("/meja/ambil", id="L1")
    forward(browser, "L1")
    browser.post("/meja/batal", id="L1", version=1)
    page = desk.browser("sari").get("/catatan", tentang="L1").text
    for action in ("Mengambil laporan", "Verifikasi dan teruskan", "Membatalkan putusan"):
        assert action in page
