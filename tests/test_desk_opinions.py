"""Second opinions on the desk: blind, within the own government, once each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_kit import BADUNG, PICK, SLEMAN, Desk, forward, open_desk, order
from sqlalchemy import insert, select, update

from pilah.service.desk.tables import cases
from pilah.service.loop.tables import second_opinions

PATH = "/pendapat"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        yield desk


def draw(desk: Desk, name: str, government: str = SLEMAN, **fields: object) -> None:
    """A report that "bagus" labelled and that was drawn for a second opinion."""
    desk.classify(f"halo {name} tentang kabar", id=name, **fields)
    with desk.store.writing() as connection:
        mine = cases.c.report_id == name
        connection.execute(update(cases).where(mine).values(government=government, region="34.04"))
        labels = json.dumps({"agency": "Dinas Pertama"})
        row = {"report_id": name, "actor": "bagus", "labels": labels, "given_at": name}
        connection.execute(insert(second_opinions).values(row))


def test_an_opinion_is_given_blind_and_changes_nothing(desk: Desk) -> None:
    draw(desk, "O1")
    mimi = desk.browser("mimi")
    page = mimi.get(PATH, cari="perhubungan").text
    assert "halo O1" in page
    assert "Dinas Perhubungan" in page  # found, not suggested
    for hidden in ("Dinas Pertama", "Dinas PU", " checked", "0 %"):
        assert hidden not in page.partition("<main")[2].partition("<footer")[0]
    done = mimi.post(PATH, id="O1", **PICK)
    assert "Pendapat Anda tersimpan" in mimi.get(done.headers["location"]).text
    with desk.store.reading() as connection:
        mine = second_opinions.c.actor == "mimi"
        text = connection.execute(select(second_opinions.c.labels).where(mine)).scalar_one()
    assert json.loads(text)["agency"] == "Dinas PU"
    assert desk.api.get("/v1/reports/O1").json()["decisions"] == []
    assert "Memberi pendapat kedua" in desk.browser("sari").get("/catatan", tentang="O1").text
    again = mimi.post(PATH, id="O1", **PICK)
    assert (again.status_code, "tidak lagi menunggu" in again.text) == (409, True)
    assert "Tidak ada laporan yang menunggu pendapat Anda" in mimi.get(PATH).text


def test_what_is_shown_is_open_to_whoever_sees_it(desk: Desk) -> None:
    draw(desk, "O1", BADUNG)
    draw(desk, "O2", visibility="secret")
    mimi, bagus, sari = (desk.browser(name) for name in ("mimi", "bagus", "sari"))
    for browser in (mimi, bagus):  # another government's; the own labels; a secret
        assert "Tidak ada laporan yang menunggu" in browser.get(PATH).text
    assert mimi.post(PATH, id="O1", **PICK).status_code == 404
    assert mimi.get(f"{PATH}/label", id="O1", cari="jalan").status_code == 404
    assert "halo O1" in sari.get(PATH).text
    assert order(sari.get("/meja").text)  # both still wait on the desk


def test_it_does_not_say_how_many_wait_when_it_did_not_count_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("O1", "O2", "O3"):
        draw(desk, name)
    assert "3 laporan menunggu pendapat Anda" in desk.browser("mimi").get(PATH).text
    monkeypatch.setattr("pilah.service.desk.opinions.AHEAD", 2)
    assert "2 atau lebih laporan menunggu pendapat Anda" in desk.browser("mimi").get(PATH).text


def test_skipping_and_leaving_everything_open(desk: Desk) -> None:
    for name in ("O1", "O2"):
        draw(desk, name)
    mimi = desk.browser("mimi")
    page = mimi.get(PATH).text
    assert "2 laporan menunggu pendapat Anda" in page
    assert 'href="/pendapat?id=O2"' in page
    assert 'href="/pendapat?id=O1"' in mimi.get(PATH, id="O2").text
    empty = mimi.post(PATH, id="O2")
    assert (empty.status_code, "halo O2" in empty.text) == (422, True)
    assert "pilih satu penanganan" in empty.text
    assert forward(mimi, "O1")[0] == 303  # deciding goes its own way
