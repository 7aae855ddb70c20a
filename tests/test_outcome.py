"""What an official would have to ask for before acting."""

from __future__ import annotations

import pytest

from pilah.models.outcome import SHORT, missing_parts
from pilah.models.reading import PlaceReading
from pilah.models.text import normalise

NOWHERE = PlaceReading("34.04", 1.0)
STREET = PlaceReading("34.04", 1.0, streets=frozenset({"kaliurang"}))
FULL = "lampu jalan mati dan gelap sekali sejak kemarin"


def lacking(text: str, place: PlaceReading = STREET, **known: bool) -> tuple[str, ...]:
    facts = {"routed": True, "needs_place": True, "topic_known": True} | known
    found = missing_parts(normalise(text), place, **facts)
    assert len(found.parts) == len(found.evidence)
    assert all(found.evidence)
    return found.parts


def test_a_full_report_lacks_nothing() -> None:
    assert lacking(FULL) == ()


@pytest.mark.parametrize(
    "place",
    [
        STREET,
        PlaceReading("34.04", 1.0, landmarks=frozenset({"pasar gamping"})),
        PlaceReading("34.04", 1.0, numbers={"rt": ("3",)}),
        PlaceReading("34.04", 1.0, numbers={"km": ("9",)}),
        PlaceReading("34.04.07.2003", 1.0),
    ],
)
def test_a_spot_is_a_street_a_landmark_a_number_or_a_village(place: PlaceReading) -> None:
    assert lacking(FULL, place) == ()


@pytest.mark.parametrize(
    "place",
    [NOWHERE, PlaceReading(None, 0.0), PlaceReading("34.04.07", 1.0), PlaceReading("34", 1.0)],
)
def test_a_road_needs_a_spot_a_register_does_not(place: PlaceReading) -> None:
    assert lacking(FULL, place) == ("place",)
    assert lacking(FULL, place, needs_place=False) == ()
    assert lacking(FULL, PlaceReading("34.04", 1.0, numbers={"rt": ()})) == ("place",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("jalan rusak parah di depan pasar cebongan sejak kemarin", True),
        ("sampah menumpuk di samping jembatan sinduadi sejak senin", True),
        ("jalan berlubang dan gelap sekali sejak kemarin", False),
        ("jalan rusak di depan rumah saya sejak kemarin", False),
        ("lampu jalan mati di tempat kami sejak kemarin", False),
    ],
)
def test_a_place_that_no_gazetteer_knows_counts_when_it_has_a_name(text: str, told: bool) -> None:
    assert ("place" not in lacking(text, NOWHERE)) == told


@pytest.mark.parametrize(
    "when",
    ["sejak kemarin", "tadi malam", "tgl 3", "hari senin", "12/05", "sdh lama", "setiap hujan",
     "jam 9", "bln lalu"],
)  # fmt: skip
def test_a_time_is_heard(when: str) -> None:
    assert "time" not in lacking(f"lampu jalan mati di gang kami {when}")


def test_a_time_is_missed() -> None:
    assert lacking("lampu jalan di gang kami mati dan gelap") == ("time",)


def test_an_object_needs_a_topic_and_some_words() -> None:
    assert lacking("mati sejak kemarin") == ("object",)
    assert lacking(FULL, topic_known=False) == ("object",)
    enough = " ".join(["lampu"] * (SHORT - 2) + ["sejak", "kemarin"])
    assert lacking(enough) == ()


def test_without_a_government_the_agency_is_missing() -> None:
    assert lacking(FULL, routed=False) == ("agency",)


def test_everything_is_missing_in_a_fixed_order() -> None:
    nothing = lacking("tolong", NOWHERE, routed=False, topic_known=False)
    assert nothing == ("place", "time", "object", "agency")
