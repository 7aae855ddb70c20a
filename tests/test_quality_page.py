"""The page of the model's quality: drift, agreement, candidates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from desk_kit import Desk, open_desk
from sqlalchemy import insert, update

from pilah.service.loop.drift import look_for_drift, save_report
from pilah.service.loop.quality_page import label_of
from pilah.service.loop.shadow import save_comparison
from pilah.service.loop.tables import facts, second_opinions

PATH = "/mutu"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        yield desk


def plain(page: str) -> str:
    """The text of a page."""
    return " ".join(re.sub("<[^>]+>", " ", page.partition("<main")[2]).split())


def test_it_says_what_is_not_there_yet(desk: Desk) -> None:
    page = desk.browser("ani").get(PATH).text
    for words in ("Belum ada pemeriksaan", "Belum ada laporan yang dinilai", "Tidak ada model"):
        assert words in page


def test_the_last_drift_report_is_told_in_words(desk: Desk) -> None:
    today = datetime.now(UTC).date()
    for n in range(60):
        desk.classify("jalan rusak aspal", id=f"D{n}", region="34.04")
    with desk.store.writing() as connection:
        older = (today - timedelta(days=9)).isoformat()
        connection.execute(update(facts).values(day=older))
    for n in range(60):
        desk.classify("gempa tenda pengungsi", id=f"N{n}")
    with desk.store.reading() as connection:
        found = look_for_drift(
            connection, today + timedelta(days=1), days=7, reference_days=28, promise=0.9
        )
    save_report(found, desk.service.settings.data_dir)
    page = plain(desk.browser("sari").get(PATH).text)
    assert "Ya, disarankan. Topik bergeser nyata." in page
    assert "PEKERJAAN UMUM DAN PENATAAN RUANG: 100 % menjadi 0 %" in page
    assert "belum pasti: 0 % menjadi 100 %" in page
    assert "90 sampai 100 %: 100 % menjadi 0 %" in page
    assert "gempa" in page
    assert "Atur PILAH_AUDIT_SHARE" in page


def test_agreement_and_candidates_are_shown(desk: Desk) -> None:
    for n in range(3):
        live = desk.classify(f"halo {n}", id=f"S{n}")
        other = {**live, "outcome": {"label": "prank"}, "versions": {"bundle": "calon"}}
        with desk.store.writing() as connection:
            found = {"outcome": ("actionable", "prank")} if n else {}
            save_comparison(connection, live, other, found)
            for actor, agency in (("mimi", "A"), ("sari", "B" if n else "A")):
                row = {"report_id": f"S{n}", "actor": actor, "given_at": f"2026-05-0{n + 1}"}
                labels = f'{{"agency": "{agency}"}}'
                connection.execute(insert(second_opinions).values(**row, labels=labels))
    decided = {"actor": "sari", "outcome": "prank"}
    assert desk.api.post("/v1/reports/S1/decision", json=decided).status_code == 201
    page = plain(desk.browser("sari").get(PATH).text)
    assert "Instansi 3 2 33 %" in page
    assert "calon di samping fake-1 3 laporan dibandingkan, 2 berbeda." in page
    assert "Penanganan 2 0 1 0" in page
    assert "S1 : penanganan Dapat ditindaklanjuti menjadi Iseng" in page


@pytest.mark.parametrize(
    ("name", "label", "told"),
    [
        ("region", "34", "Daerah Istimewa Yogyakarta"),
        ("region", "-", "belum pasti"),
        ("agency", "(lainnya)", "lainnya"),
        ("agency_confidence", "0.9", "90 sampai 100 %"),
        ("outcome", "prank", "Iseng"),
        ("topic", "KESEHATAN", "KESEHATAN"),
    ],
)
def test_labels_are_told_in_words(name: str, label: str, told: str) -> None:
    assert label_of(name, label) == told
