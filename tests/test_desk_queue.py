"""The queue of the desk: order, filters, pages, claims."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from desk_kit import BADUNG, ROAD, SLEMAN, Browser, Desk, forward, open_desk, order
from sqlalchemy import update

from pilah.service.desk.tables import cases


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        yield desk


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
    assert (len(order(first)), len(order(second))) == (50, 3)
    assert set(order(first)).isdisjoint(order(second))


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


def test_skipping_goes_down_the_queue_and_begins_anew_at_its_end(desk: Desk) -> None:
    for name in ("S1", "S2", "S3"):
        desk.classify(f"halo {name}", id=name)
    browser = desk.browser("mimi")
    browser.post("/meja/berikut")
    seen = ["S1"]
    for _ in range(3):
        location = browser.post("/meja/lewati", id=seen[-1]).headers["location"]
        seen.append(location.partition("id=")[2])
    assert seen == ["S1", "S2", "S3", "S1"]


def test_who_finds_no_free_report_is_told_why(desk: Desk) -> None:
    desk.classify("halo", id="T1")
    desk.browser("mimi").post("/meja/berikut")
    sari = desk.browser("sari")
    page = sari.get(sari.post("/meja/berikut").headers["location"]).text
    assert "sedang dikerjakan petugas lain" in page
    assert order(page) == ["T1"]
    assert "sedang dikerjakan" not in sari.get("/meja").text
