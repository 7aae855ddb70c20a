"""Indicators: counted against a brute force over the same events, shown to whoever may see them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from desk_kit import BADUNG, SLEMAN, Desk, open_desk
from sqlalchemy import text

from pilah.datasets.errors import TableError
from pilah.datasets.records import Report
from pilah.datasets.regions import load_regions
from pilah.datasets.tiles import load_tiles
from pilah.service.intake import Item, make_item
from pilah.service.loop.charts import HEIGHT, SHADES, line, tiles
from pilah.service.loop.facts import WIB, week_of
from pilah.service.loop.indicators import PILOTS, Measures
from pilah.service.testing import expect_problem


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        yield desk


def decide(desk: Desk, name: str, **fields: object) -> None:
    answer = desk.api.post(f"/v1/reports/{name}/decision", json={"actor": "m", **fields})
    assert answer.status_code == 201, answer.text


def groups(desk: Desk, **params: str) -> list[dict[str, Any]]:
    answer = desk.api.get("/v1/indicators", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["groups"]
    return found


def fill(desk: Desk) -> None:
    for n in range(3):
        desk.classify("jalan rusak dekat balai", id=f"same{n}")  # one incident
    for n in range(2):
        desk.classify(f"sebarkan kabar nomor{n} ke{n} grup{n} semua{n}", id=f"hoax{n}")
    desk.classify("jalan gelap sekali tanpa lampu malam", id="ref")
    decide(desk, "hoax0", action="archive", reason="hoax")
    decide(desk, "hoax1", hoax=False, outcome="actionable")
    decide(desk, "ref", refused_by="Dinas PU")


def test_counts_are_those_of_the_events(desk: Desk) -> None:
    fill(desk)
    total = groups(desk, by="")[0]
    wanted = {
        "reports": 6, "incidents": 4, "merged": 2, "alone": 4, "needs_information": 2,
        "decided": 3, "in_time": 3, "overdue": 0, "refused": 1, "hoax": 2,
        "hoax_confirmed": 1, "hoax_dismissed": 1, "audited": 0, "precision": None,
    }  # fmt: skip
    assert {name: total[name] for name in wanted} == wanted
    assert total["alone_share"] == pytest.approx(4 / 6)
    assert 0 <= total["hours"] < 1


def test_groups_add_up_and_filters_hold(desk: Desk) -> None:
    fill(desk)
    total = groups(desk, by="")[0]
    for by in ("week", "government", "topic", "province", "area", "visibility"):
        assert sum(g["reports"] for g in groups(desk, by=by)) == total["reports"]
    week = week_of(datetime.now(UTC).astimezone(WIB).date().isoformat())
    assert [g["week"] for g in groups(desk, by="week,government")] == [week]
    assert groups(desk, by="week", government=BADUNG) == []
    assert groups(desk, by="", government=SLEMAN)[0]["reports"] == total["reports"]
    assert groups(desk, by="", until="2001-01-01")[0]["reports"] == 0
    desk.api.post("/v1/reports/ref/decision", json={"actor": "m", "taken_back_by": "Dinas PU"})
    assert groups(desk, by="", since="2001-01-01")[0]["refused"] == 0  # a span not read yet


def test_late_reports_are_counted(desk: Desk) -> None:
    desk.classify("tidak jelas", id="late")
    old = (datetime.now(UTC) - timedelta(days=30)).isoformat(timespec="microseconds")
    with desk.store.writing() as connection:
        connection.execute(text("UPDATE cases SET due_at = :old"), {"old": old})
        connection.execute(text("UPDATE reports SET received_at = :old"), {"old": old})
    assert groups(desk, by="")[0]["overdue"] == 1
    decide(desk, "late", outcome="actionable")
    found = groups(desk, by="", since="2001-01-01")[0]  # a span not read yet
    assert (found["overdue"], found["decided"], found["in_time"]) == (0, 1, 0)


def test_csv_is_the_same_and_safe_in_a_spreadsheet(desk: Desk) -> None:
    desk.classify("jalan rusak", id="c1", channel="=cmd()")
    answer = desk.api.get("/v1/indicators", params={"by": "channel", "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert rows[0]["channel"] == "'=cmd()"
    assert rows[0]["reports"] == "1"
    assert set(rows[0]) == {"channel", *Measures().to_dict()}


def test_the_page_gives_its_numbers_as_csv_without_a_key(tmp_path: Path) -> None:
    with open_desk(tmp_path, api_keys=("kunci-uji-" + "x" * 32,)) as desk:
        assert desk.api.get("/indikator.csv").status_code == 303
        intake = desk.service.intake
        for number in range(2):
            item = make_item(Report(f"jalan rusak {number}", id=f"k{number}"), claim=None)
            assert isinstance(item, Item)
            intake.take([item], lambda _: {})
        counts = {}
        for name in ("sari", "mimi", "bagus"):
            answer = desk.browser(name).get("/indikator.csv", pemerintah=SLEMAN)
            assert answer.headers["content-type"].startswith("text/csv")
            rows = list(csv.DictReader(io.StringIO(answer.text)))
            counts[name] = sum(int(row["reports"]) for row in rows)
    assert counts == {"sari": 2, "mimi": 2, "bagus": 0}


@pytest.mark.parametrize("query", ["by=week,entah", "since=2026-13-01", "format=xml", "since=x"])
def test_wrong_questions(desk: Desk, query: str) -> None:
    answer = desk.api.get(f"/v1/indicators?{query}")
    assert expect_problem(answer, "parameter-invalid")["errors"]


def test_the_page_shows_the_pilots_first_and_each_role_its_own(desk: Desk) -> None:
    fill(desk)
    page = desk.browser("sari").get("/indikator")
    assert page.status_code == 200
    for name in PILOTS:
        assert name.replace("Pemerintah ", "") in page.text
    assert page.text.index("Enam pemerintah") < page.text.index("Ringkasan")
    assert page.text.count("<rect") == 38
    assert page.text.count("<polyline") == 4
    mimi = desk.browser("mimi").get("/indikator", pemerintah=BADUNG)
    assert f"Indikator: {SLEMAN}" in mimi.text
    assert desk.browser("adi").get("/indikator").status_code == 403


def test_a_moderator_sees_numbers_of_the_own_government_only(desk: Desk) -> None:
    fill(desk)
    page = desk.browser("bagus").get("/indikator").text
    assert "Belum ada laporan dalam 12 minggu ini" in page
    assert SLEMAN not in page
    assert not any(name in page for name in PILOTS if name != BADUNG)


def test_one_body_shows_where_its_reports_come_from(desk: Desk) -> None:
    fill(desk)
    with desk.store.writing() as connection:
        connection.exec_driver_sql("UPDATE reports SET place = '34.04.07' WHERE id = 'ref'")
    page = desk.browser("sari").get("/indikator", pemerintah=SLEMAN).text
    assert "Wilayah" in page
    assert "Depok" in page
    assert "Enam pemerintah" not in page
    assert '<svg class="map"' not in page


def test_proposals_are_judged_on_the_page(desk: Desk) -> None:
    for n in range(3):
        desk.classify(f"jalan gelap alpha{n} beta{n} gamma{n}", id=f"P{n}")
        decide(desk, f"P{n}", refused_by="Dinas PU")
        decide(desk, f"P{n}", agency="Dinas Perhubungan")
    sari, ani = desk.browser("sari"), desk.browser("ani")
    page = ani.get("/usulan-rute").text
    assert "ditolak Dinas PU" in page
    assert "Terima" not in page
    found = re.search(r'name="id" value="([0-9a-f]+)"', sari.get("/usulan-rute").text)
    assert found
    path = "/usulan-rute"
    assert ani.post(path, id=found[1], verdict="accepted").status_code == 403
    wrong = sari.post(path, id=found[1], verdict="accepted", terms="a, a")
    assert (wrong.status_code, "Kata harus" in wrong.text) == (422, True)
    done = sari.post(path, id=found[1], verdict="accepted", terms=" Gelap , padam")
    assert done.status_code == 303
    assert desk.classify("jalan padam omega")["agency"]["rule"] == "lokal-1"
    again = sari.post(path, id=found[1], verdict="accepted", terms="gelap")
    assert (again.status_code, "sudah diputuskan" in again.text) == (404, True)
    assert "gelap, padam" in sari.get(path).text
    assert sari.post(f"{path}/1/cabut").status_code == 303
    assert desk.classify("jalan padam sigma")["agency"]["name"] == "Dinas PU"


def test_the_map_has_every_province_once() -> None:
    squares = load_tiles()
    assert {t.code for t in squares} == {r.code for r in load_regions().children("")}
    assert len({(t.column, t.row) for t in squares}) == 38
    shades = {s.code: s.shade for s in tiles({"34": 100, "51": 1, "13": 0})}
    assert (shades["34"], shades["51"], shades["13"], shades["31"]) == (SHADES, 1, 0, 0)


def test_a_broken_map_is_refused(edit_table: Any) -> None:  # noqa: ANN401
    edit_table("province_tiles.csv", "12,Sumut,1,1", "12,Sumut,0,0")
    with pytest.raises(TableError, match="square is taken"):
        load_tiles.__wrapped__()


def test_lines_keep_their_scale() -> None:
    points = line([("a", 0.0), ("b", None), ("c", 0.5)], top=1.0, bands={"c": (0.25, 1.0)})
    assert [(p.label, p.y) for p in points] == [("a", HEIGHT), ("c", HEIGHT / 2)]
    assert points[1].band == (0.0, HEIGHT * 0.75)
    assert line([("a", None)]) == []
