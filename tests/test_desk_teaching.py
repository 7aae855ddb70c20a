"""What a decision of the desk teaches: the report's page was open, so accepting is confirming."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_kit import SLEMAN, Desk, open_desk

from pilah.service.desk.labels import agency_value
from pilah.service.loop.export import WORTH, training_rows


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        yield desk


def decide(desk: Desk, name: str, **fields: str) -> dict[str, Any]:
    """Send the form of a report's page with these fields changed; the training row it makes."""
    mimi = desk.browser("mimi")
    page = mimi.get("/meja/laporan", id=name).text
    form = page.partition('action="/meja/putusan"')[2].partition("</form>")[0]
    chosen = re.findall(r'name="(topic|agency|outcome)" value="([^"]*)" checked', form)
    version = re.findall(r'name="version" value="(\d+)"', form)
    assert len(chosen) == 3
    assert len(version) == 1
    sent = {"id": name, "version": version[0], "action": "forward"}
    sent |= {field: html.unescape(value) for field, value in chosen}
    assert mimi.post("/meja/putusan", **sent | fields).status_code == 303
    with desk.store.reading() as connection:
        return next(row for row in training_rows(connection) if row["id"] == name)


def test_an_accepted_suggestion_was_read(desk: Desk) -> None:
    desk.classify("jalan rusak di sleman", id="R1")
    row = decide(desk, "R1")
    parts = {name: row["provenance"][name] for name in ("topic_main", "agency", "outcome")}
    for name, part in parts.items():
        assert (part["how"], part["look"], part["role"]) == ("confirmed", "read", "moderator")
        assert row[f"weight_{name}"] == WORTH["confirmed"]


def test_a_changed_label_is_a_change_and_the_rest_was_read(desk: Desk) -> None:
    desk.classify("jalan rusak di sleman", id="R2")
    row = decide(desk, "R2", agency=agency_value("Dinas Perhubungan", SLEMAN))
    how = {name: row["provenance"][name]["how"] for name in ("topic_main", "agency", "outcome")}
    assert how == {"topic_main": "confirmed", "agency": "changed", "outcome": "confirmed"}


@pytest.mark.parametrize(
    "fields", [{"action": "ask", "message": "Di mana?"}, {"action": "archive", "reason": "prank"}]
)
def test_asking_and_archiving_were_read_too(desk: Desk, fields: dict[str, str]) -> None:
    desk.classify("jalan rusak di sleman", id="R3")
    assert decide(desk, "R3", **fields)["provenance"]["outcome"]["look"] == "read"
