"""What the desk's pages never show, and that their keys do not collide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_kit import Desk, open_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        yield desk


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
