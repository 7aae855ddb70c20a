"""Reports and labels as they come in: what is refused, and how it is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pilah.datasets.errors import ReportError
from pilah.datasets.records import (
    KLASIFIKASI,
    MAX_SHORT,
    MAX_TEXT,
    OUTCOMES,
    Labels,
    Location,
    Report,
    parse_labels,
    parse_report,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEXT = "lampu jalan mati sejak kemarin"
T = TypeVar("T")
MARK = "rahasiaku"
"""Stands in wrong values: no message may quote it."""


def report(**fields: object) -> Report:
    return parse_report({"text": TEXT} | fields)


def refused(**fields: object) -> ReportError:
    with pytest.raises(ReportError) as caught:
        report(**fields)
    return caught.value


@pytest.mark.parametrize(
    ("fields", "place", "problem", "cure"),
    [
        ({"text": None}, "text", "missing or empty", "1 to 20,000"),
        ({"text": ""}, "text", "missing or empty", "1 to 20,000"),
        ({"text": " \n\t\u3000 "}, "text", "missing or empty", "1 to 20,000"),
        ({"text": float("nan")}, "text", "missing or empty", "1 to 20,000"),
        ({"text": 17}, "text", "is a number, not a string", "JSON string"),
        ({"text": [MARK]}, "text", "is an array, not a string", "JSON string"),
        ({"text": f"{MARK}\x00"}, "text", "NUL", "UTF-8"),
        ({"text": f"{MARK}\ud800"}, "text", "surrogate", "UTF-8"),
        ({"text": MARK * 3000}, "text", "has 27,000 characters", "at most 20,000"),
        ({"id": True}, "id", "is a boolean, not a string", "JSON string"),
        ({"id": 1.5}, "id", "is a number, not a string", "JSON string"),
        ({"id": 10**5000}, "id", "has over 500 digits", "at most 500"),
        ({"title": {"a": MARK}}, "title", "is an object, not a string", "JSON string"),
        ({"title": MARK * 100}, "title", "has 900 characters", "at most 500"),
        ({"channel": f"{MARK}\x07"}, "channel", "control characters", "plain text"),
        ({"reporter_ref": f"{MARK}\udfff"}, "reporter_ref", "control characters", "plain text"),
        ({"chosen_agency": [MARK]}, "chosen_agency", "is an array", "JSON string"),
        ({"region": 34.04}, "region", "is a number, not a string", "JSON string"),
        ({"region": [MARK]}, "region", "is an array, not a string", "JSON string"),
        ({"region": {"kota": MARK}}, "region", "unknown keys", "province, regency"),
        ({"region": {"village": [MARK]}}, "region.village", "is an array", "JSON string"),
        ({"location": MARK}, "location", "is not an object", '"lat"'),
        ({"location": {}}, "location.lat", "is not a number", "decimal degrees"),
        ({"location": {"lat": 1}}, "location.lon", "is not a number", "decimal degrees"),
        ({"location": {"lat": "1", "lon": 2}}, "location.lat", "is not a number", "degrees"),
        ({"location": {"lat": True, "lon": 2}}, "location.lat", "is not a number", "degrees"),
        ({"location": {"lat": 90.1, "lon": 2}}, "location.lat", "is outside ±90", "WGS 84"),
        ({"location": {"lat": 1, "lon": -181}}, "location.lon", "is outside ±180", "WGS 84"),
        ({"location": {"lat": 10**400, "lon": 2}}, "location.lat", "is outside ±90", "WGS 84"),
        ({"location": {"lat": 1, "lon": -(10**400)}}, "location.lon", "is outside", "WGS 84"),
        ({"location": {"lat": float("nan"), "lon": 2}}, "location.lat", "is outside", "WGS 84"),
        ({"location": {"lat": 1, "lon": float("inf")}}, "location.lon", "is outside", "WGS 84"),
        ({"reported_at": MARK}, "reported_at", "is not ISO 8601", "2026-05-01T"),
        ({"reported_at": "01/05/2026"}, "reported_at", "is not ISO 8601", "2026-05-01T"),
        ({"reported_at": 10**5000}, "reported_at", "is not ISO 8601", "2026-05-01T"),
        ({"reported_at": ["2026-05-01"]}, "reported_at", "is not ISO 8601", "2026-05-01T"),
        ({"visibility": MARK}, "visibility", "is unknown", "public, anonymous or secret"),
        ({"visibility": ["secret"]}, "visibility", "is unknown", "public, anonymous or secret"),
    ],
)
def test_a_wrong_field_names_place_and_cure(
    fields: dict[str, Any], place: str, problem: str, cure: str
) -> None:
    error = refused(**fields)
    assert error.field == place
    assert problem in error.problem
    assert cure in error.cure
    assert str(error) == f"{error.field}: {error.problem}; {error.cure}"
    assert MARK not in str(error)


def test_the_limits_are_inclusive() -> None:
    assert len(report(text=" " + "a" * MAX_TEXT + "\n").text) == MAX_TEXT
    assert refused(text="a" * (MAX_TEXT + 1)).field == "text"
    assert len(report(title=" " + "a" * MAX_SHORT).title or "") == MAX_SHORT
    assert refused(title="a" * (MAX_SHORT + 1)).field == "title"
    assert report(id=10**MAX_SHORT - 1).id == "9" * MAX_SHORT
    assert refused(id=10**MAX_SHORT).field == "id"
    edge = {"lat": -90, "lon": 180.0}
    assert report(location=edge).location == Location(-90.0, 180.0)


def test_line_ends_and_tabs_belong_to_a_text() -> None:
    assert report(text="satu\r\n\tdua\n").text == "satu\r\n\tdua"


def test_everything_but_the_text_is_optional() -> None:
    empty = dict.fromkeys(("id", "title", "channel", "reporter_ref", "chosen_agency"), "")
    blank = {"region": " ", "location": None, "reported_at": "", "visibility": None}
    assert report(**empty, **blank, unknown=object()) == Report(TEXT)
    assert report(region=float("nan"), location=float("nan")) == Report(TEXT)


def test_numbers_become_strings_where_a_name_is_meant() -> None:
    assert (report(id=17).id, report(region=3404).region) == ("17", "3404")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("34.04", "34.04"),
        ({"regency": " Sleman ", "village": ""}, {"regency": "Sleman"}),
        ({"province": "DI Yogyakarta", "regency": None}, {"province": "DI Yogyakarta"}),
        ({"regency": 3404}, {"regency": "3404"}),
        ({"village": ""}, None),
        ({}, None),
    ],
)
def test_a_region_is_a_name_or_an_object(given: object, kept: object) -> None:
    assert report(region=given).region == kept


@pytest.mark.parametrize(
    ("given", "hours"),
    [
        ("2026-05-01T08:30:00+07:00", 1.5),
        ("2026-05-01T01:30:00Z", 1.5),
        ("2026-05-01T01:30:00", 1.5),
        (" 2026-05-01 01:30 ", 1.5),
        ("2026-05-01", 0),
        (datetime(2026, 5, 1, 1, 30), 1.5),  # noqa: DTZ001 - a naive time is the point
    ],
)
def test_a_time_without_zone_is_utc(given: object, hours: float) -> None:
    moment = report(reported_at=given).reported_at
    assert moment == datetime(2026, 5, 1, tzinfo=UTC) + timedelta(hours=hours)
    assert moment.tzinfo is not None


def test_the_title_is_read_with_the_text() -> None:
    assert report(title="PJU").full_text == f"PJU\n{TEXT}"
    assert report().full_text == TEXT


@pytest.mark.parametrize(
    ("row", "place", "cure"),
    [
        ({"outcome": MARK}, "outcome", "actionable"),
        ({"outcome": ["prank"]}, "outcome", "JSON string"),
        ({"klasifikasi": MARK}, "klasifikasi", "pengaduan"),
        ({"hoax": MARK}, "hoax", "true or false"),
        ({"hoax": 2}, "hoax", "true or false"),
        ({"hoax": [True]}, "hoax", "true or false"),
        ({"hoax": 10**5000}, "hoax", "true or false"),
        ({"incident": {"a": 1}}, "incident", "JSON string"),
        ({"topic_main": "a" * 501}, "topic_main", "at most 500"),
        ({"agency": f"{MARK}\x1b"}, "agency", "plain text"),
    ],
)
def test_a_wrong_label_names_place_and_cure(row: dict[str, Any], place: str, cure: str) -> None:
    with pytest.raises(ReportError) as caught:
        parse_labels(row)
    assert caught.value.field == place
    assert cure in caught.value.cure
    assert MARK not in str(caught.value)


def test_labels_are_read() -> None:
    assert parse_labels({"text": TEXT}) == Labels()
    for value in OUTCOMES:
        assert parse_labels({"outcome": f" {value} "}).outcome == value
    for kind in KLASIFIKASI:
        assert parse_labels({"klasifikasi": kind}).klasifikasi == kind
    assert parse_labels({"incident": 7}).incident == "7"


@pytest.mark.parametrize(
    ("given", "flag"),
    [("TRUE", True), (" 0 ", False), (1, True), (0.0, False), (True, True), ("", None)],
)
def test_a_flag_has_several_spellings(given: object, flag: bool | None) -> None:
    assert parse_labels({"hoax": given}).hoax is flag


# json.loads gives lone surrogates, NaN and any integer, so they are part of "any JSON".
CHARS = st.characters(codec=None)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(CHARS, max_size=20)
    | st.sampled_from(["public", "secret", "2026-05-01T00:00:00+14:00", "34.04", "prank"])
    | st.integers(0, 6000).map(lambda n: 10**n)
)  # fmt: skip
KEYS = ("lat", "lon", "province", "regency", "district", "village")
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = tuple(Report.__dataclass_fields__) + tuple(Labels.__dataclass_fields__)
ROWS = st.fixed_dictionaries({"text": st.just(TEXT) | VALUES}).flatmap(
    lambda row: st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), VALUES).map(
        lambda rest: rest | row
    )
)


def attempt(parse: Callable[[Mapping[str, object]], T], row: dict[str, Any]) -> T | ReportError:
    try:
        return parse(row)
    except ReportError as error:
        return error


@settings(max_examples=200)
@given(ROWS)
@example({"text": TEXT, "location": {"lat": 10**400, "lon": 0}})
def test_any_json_gives_a_report_or_a_report_error(row: dict[str, Any]) -> None:
    parsed = attempt(parse_report, row)
    if isinstance(parsed, ReportError):
        assert parsed.field.split(".")[0] in FIELDS
        return
    assert 1 <= len(parsed.text) <= MAX_TEXT
    parsed.full_text.encode("utf-8")
    assert parsed.reported_at is None or parsed.reported_at.tzinfo is not None


@settings(max_examples=100)
@given(ROWS)
def test_any_json_gives_labels_or_a_report_error(row: dict[str, Any]) -> None:
    labels = attempt(parse_labels, row)
    if isinstance(labels, ReportError):
        assert labels.field in FIELDS
        return
    assert labels.outcome in (None, *OUTCOMES)
    assert labels.klasifikasi in (None, *KLASIFIKASI)
