"""The desk's pages without a browser: order, claims, decisions, versions, undo, shield."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from desk_kit import BADUNG, SLEMAN, Browser, Desk, open_desk
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from pilah.service.desk.asking import ask_text
from pilah.service.desk.differences import side_by_side
from pilah.service.desk.labels import agency_value, search_agencies, search_topics, topic_value
from pilah.service.desk.tables import cases
from pilah.service.loop.tables import looks
from pilah.service.tables import incidents
from pilah.service.words import word

ROAD = "PEKERJAAN UMUM DAN PENATAAN RUANG"
PICK = {"topic": ROAD, "agency": agency_value("Dinas PU", SLEMAN), "outcome": "actionable"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        yield desk


def forward(browser: Browser, name: str, version: int = 0, **fields: str) -> tuple[int, str]:
    sent = {"id": name, "version": str(version), "action": "forward"} | PICK | fields
    response = browser.post("/meja/putusan", **sent)
    return response.status_code, response.text


def order(page: str) -> list[str]:
    return re.findall(r'class="case" href="/meja/laporan\?id=([^"&]+)', page)


def test_the_queue_shows_what_waits_with_reasons(desk: Desk) -> None:
    desk.classify("sebarkan kabar ini", id="Q1")
    desk.classify("jalan rusak di sleman", id="sure")
    page = desk.browser("mimi").get("/meja").text
    assert order(page) == ["Q1"]
    for words in ("Topik belum pasti", "Berciri hoaks", "Dinas PU", "<strong>1</strong>"):
        assert words in page
    assert order(desk.browser("sari").get("/meja", status="sure").text) == ["sure"]


def test_large_incidents_and_older_reports_come_first(desk: Desk) -> None:
    for name in ("A1", "B1"):
        desk.classify(f"halo kabar {name}", id=name)
    for number in range(4):
        desk.classify("kabar serupa semua", id=f"C{number}")
    with desk.store.writing() as connection:
        late = update(cases).where(cases.c.report_id == "B1")
        connection.execute(late.values(rank=0.0, due_at="2020-01-01T00:00:00+00:00"))
    page = desk.browser("sari").get("/meja").text
    assert order(page)[0] == "B1"
    assert set(order(page)[1:5]) == {"C0", "C1", "C2", "C3"}
    assert "lewat 3 hari kerja" in page


def test_filters(desk: Desk) -> None:
    desk.classify("sebarkan kabar ini", id="Q1")
    desk.classify("halo apa", id="Q2")
    browser = desk.browser("sari")
    assert order(browser.get("/meja", reason="hoax_like").text) == ["Q1"]
    assert len(order(browser.get("/meja", agency="Dinas PU").text)) == 2
    assert order(browser.get("/meja", agency="Dinas Lain").text) == []
    assert order(browser.get("/meja", topic=ROAD).text) == []
    with desk.store.writing() as connection:
        connection.execute(update(cases).where(cases.c.report_id == "Q2").values(region="34.04.07"))
    assert order(browser.get("/meja", region="34").text) == ["Q2"]
    assert order(browser.get("/meja", region="3").text) == []


def offered(page: str, field: str) -> list[str]:
    """What a filter offers, without "Semua"."""
    found = re.search(rf'<select id="{field}".*?</select>', page, re.DOTALL)
    assert found
    return re.findall(r"<option[^>]*>([^<]+)</option>", found[0])[1:]


def test_filters_say_how_many_and_are_taken_off_one_by_one(desk: Desk) -> None:
    for number in range(3):
        desk.classify(f"halo {number}", id=f"F{number}")
    desk.classify("sebarkan kabar ini", id="F9")
    with desk.store.writing() as connection:
        for name, code in (("F0", "34.04.07"), ("F1", "34.04.06"), ("F2", "51.03")):
            mine = cases.c.report_id == name
            connection.execute(update(cases).where(mine).values(region=code, topic=f"T{name}"))
    browser = desk.browser("sari")
    page = browser.get("/meja").text
    assert offered(page, "reason") == ["Topik belum pasti (4)", "Berciri hoaks (1)"]
    assert offered(page, "topic") == ["TF0 (1)", "TF1 (1)", "TF2 (1)"]
    assert offered(page, "agency") == ["Dinas PU (4)"]
    assert offered(page, "region") == ["Daerah Istimewa Yogyakarta (2)", "Bali (1)"]
    page = browser.get("/meja", region="34", topic="TF0", agency="Dinas PU").text
    assert order(page) == ["F0"]
    assert offered(page, "region")[1] == "\u2003Kabupaten Sleman (2)"
    assert 'href="/meja?region=34&amp;agency=Dinas+PU">Topik: TF0' in page
    for code in ("abc", "34.", "..", "3404"):  # no code, and no error either
        assert order(browser.get("/meja", region=code).text) == []
    gone = browser.get("/meja", region="11.01", reason="entah").text
    assert order(gone) == []
    assert "Kabupaten Aceh Selatan (0)" in gone
    assert "entah (0)" in gone


def test_moderators_choose_among_the_districts_of_their_own_government(desk: Desk) -> None:
    for number, code in enumerate(("34.04.07", "34.04.06", "51.03.02")):
        desk.classify(f"halo {number}", id=f"G{number}")
        with desk.store.writing() as connection:
            mine = update(cases).where(cases.c.report_id == f"G{number}")
            government = BADUNG if number == 2 else SLEMAN
            connection.execute(mine.values(region=code, government=government))
    names = [n.strip() for n in offered(desk.browser("mimi").get("/meja").text, "region")]
    assert names == [
        "Daerah Istimewa Yogyakarta (2)", "Kabupaten Sleman (2)", "Mlati (1)", "Depok (1)",
    ]  # fmt: skip


def test_the_queue_has_pages(desk: Desk) -> None:
    for number in range(53):
        desk.classify(f"halo {number} {number * 7}", id=f"P{number}")
    browser = desk.browser("sari")
    first = browser.get("/meja").text
    found = re.search(r'href="/meja\?(mulai=50)"', first)
    assert found
    second = browser.get("/meja", mulai="50").text
    assert len(order(first)), len(order(second)) == (50, 3)
    assert set(order(first)).isdisjoint(order(second))


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
    again = browser.post("/meja/putusan", id="W1", version=1, action="forward", **PICK)
    assert again.status_code == 409
    assert "bukan wewenangnya" in again.text
    assert browser.post("/meja/batal", id="W1", version=1).status_code == 303
    assert '"chip">Ditolak' not in browser.get("/meja").text
    assert forward(browser, "W1", 2)[0] == 303


def test_two_people_never_do_the_same_one(desk: Desk) -> None:
    for number in range(6):
        desk.classify(f"halo {number}", id=f"T{number}")
    browsers = [desk.browser(name) for name in ("mimi", "sari")]
    start, taken = threading.Barrier(2), list[str]()

    def run(browser: Browser) -> None:
        start.wait()
        while "id=" in (location := browser.post("/meja/berikut").headers["location"]):
            name = location.partition("id=")[2].partition("&")[0]
            taken.append(name)
            assert forward(browser, name)[0] == 303

    threads = [threading.Thread(target=run, args=(b,)) for b in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = [desk.api.get(f"/v1/reports/T{n}").json()["decisions"] for n in range(6)]
    assert [len(found) for found in stored] == [1] * 6
    assert sorted(taken) == [f"T{n}" for n in range(6)]


def test_a_claim_keeps_others_out_until_it_ends(desk: Desk) -> None:
    desk.classify("halo", id="C1")
    mine, other = desk.browser("mimi"), desk.browser("sari")
    assert mine.post("/meja/ambil", id="C1").status_code == 303
    assert other.post("/meja/ambil", id="C1").status_code == 409
    assert "Dikerjakan mimi" in other.get("/meja").text
    assert "sedang dikerjakan mimi" in other.get("/meja/laporan", id="C1").text
    assert forward(other, "C1")[0] == 409
    assert desk.api.get("/v1/reports/C1").json()["decisions"] == []
    over = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="microseconds")
    with desk.store.writing() as connection:
        connection.execute(update(cases).values(claimed_until=over))
    assert forward(other, "C1")[0] == 303


def test_giving_back_and_skipping(desk: Desk) -> None:
    for name in ("S1", "S2"):
        desk.classify(f"halo {name}", id=name)
    browser = desk.browser("mimi")
    browser.post("/meja/berikut")
    assert browser.post("/meja/lewati", id="S1").headers["location"].endswith("id=S2")
    assert browser.post("/meja/lepas", id="S2").headers["location"] == "/meja"
    assert desk.browser("sari").post("/meja/ambil", id="S1").status_code == 303


def test_edited_since_you_opened_it_keeps_what_was_typed(desk: Desk) -> None:
    desk.classify("halo", id="E1")
    decision = {"actor": "integrator", "outcome": "prank"}
    desk.api.post("/v1/reports/E1/decision", json=decision)
    status, page = forward(desk.browser("mimi"), "E1", 0, note="catatan saya yang panjang")
    assert status == 409
    assert "sejak Anda membukanya" in page
    assert "catatan saya yang panjang" in page
    assert 'name="version" value="1"' in page
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
    assert "Bergaya pesan berantai" in page
    assert "Berbeda dengan kasus yang sudah ditutup" not in page
    assert "sudah ditutup pada" not in page


def test_past_cases_show_what_was_decided(desk: Desk) -> None:
    desk.classify("halo lama", id="N1")
    desk.classify("kabar baru", id="N2")
    browser = desk.browser("mimi")
    assert "Kasus serupa" not in browser.get("/meja/laporan", id="N2").text
    forward(browser, "N1")
    page = browser.get("/meja/laporan", id="N2").text
    assert "Kasus serupa yang sudah diputus" in page
    assert "halo lama" in page


def test_secret_reports_are_shielded_on_every_page(desk: Desk) -> None:
    words = "kabar Kumbakarna menerima pungli"
    desk.classify(words, id="H1", visibility="secret")
    desk.classify(words, id="H2")
    desk.classify("kabar Kumbakarna lain", id="H3")
    for name in ("mimi", "sari", "ani"):
        browser = desk.browser(name)
        pages = [browser.get("/meja/laporan", id="H1").text]
        assert "rahasia" in pages[0]
        assert "Kumbakarna" not in pages[0]
        other = browser.get("/meja/laporan", id="H2").text
        assert "H1" not in other
        assert "H1" in browser.get("/meja").text
        assert browser.get("/meja").text.count("Kumbakarna") == 2
    sari = desk.browser("sari")
    sari.post("/meja/putusan", id="H1", version=0, action="archive", reason="unclear", note=words)
    assert "Kumbakarna" not in sari.get("/meja/laporan", id="H1").text
    past = sari.get("/meja/laporan", id="H3").text.partition("Kasus serupa")[2]
    assert "H1" not in past
    assert "Kumbakarna" not in desk.browser("adi").get("/catatan").text


def test_the_history_speaks_indonesian(desk: Desk) -> None:
    desk.classify("sebarkan kabar ini", id="H1")
    sari = desk.browser("sari")
    sari.post("/meja/putusan", id="H1", version=0, action="archive", reason="hoax")
    history = sari.get("/meja/laporan", id="H1").text.partition("Riwayat")[2]
    assert "Mengarsipkan: Hoaks" in history
    assert "Hoaks: ya" in history
    assert "True" not in history


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


def test_personal_data_is_masked_for_everybody(desk: Desk) -> None:
    desk.classify("halo hubungi 081234567890", id="M1")
    for name in ("mimi", "sari", "ani"):
        browser = desk.browser(name)
        for page in (browser.get("/meja"), browser.get("/meja/laporan", id="M1")):
            assert "081234567890" not in page.text
            assert "M1" in page.text


def test_hostile_text_stays_text(desk: Desk) -> None:
    hostile = '<script>alert(1)</script> "><img src=x onerror=alert(1)> kabar'
    desk.classify(hostile, id='"><b>x')
    browser = desk.browser("sari")
    for page in (browser.get("/meja"), browser.get("/meja/laporan", id='"><b>x')):
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<b>x" not in page.text
        assert "<img" not in page.text


def test_every_key_of_a_page_is_used_once(desk: Desk) -> None:
    desk.classify("kabar pohon tumbang", id="Y1")
    desk.classify("kabar pohon tumbang", id="Y2")
    browser = desk.browser("sari")
    browser.post("/meja/ambil", id="Y2")
    for page in (browser.get("/meja"), browser.get("/meja/laporan", id="Y2", sudah="Y1")):
        keys = re.findall(r'data-key="([^"]+)"', page.text)
        assert len(keys) == len(set(keys))
        assert keys


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
        ("kesehatan badung", ("Dinas Kesehatan", "Pemerintah Kabupaten Badung")),
    ],
)
def test_bodies_are_found_by_words(text: str, wanted: tuple[str, str]) -> None:
    assert wanted in search_agencies(text, "34.04.07")


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
    if one == other:
        assert not any(s.kind for s in (*left, *right))


def test_every_change_is_in_the_audit_log(desk: Desk) -> None:
    desk.classify("halo", id="L1")
    browser = desk.browser("mimi")
    browser.post("/meja/ambil", id="L1")
    forward(browser, "L1")
    browser.post("/meja/batal", id="L1", version=1)
    page = desk.browser("sari").get("/catatan", tentang="L1").text
    for action in ("Mengambil laporan", "Verifikasi dan teruskan", "Membatalkan putusan"):
        assert action in page
