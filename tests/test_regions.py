"""The table of regions and the ways to find one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.datasets.errors import UnknownRegionError
from pilah.datasets.records import Location
from pilah.datasets.regions import Region, Regions, lineage, load_regions
from pilah.datasets.seats import distance_km, in_indonesia, load_seats, nearest_regency


@pytest.fixture(scope="module")
def regions() -> Regions:
    return load_regions()


def test_the_table_is_whole(regions: Regions) -> None:
    assert len(regions.by_code) == 91_599
    sizes = [sum(len(code) == n for code in regions.by_code) for n in (2, 5, 8, 13)]
    assert sizes == [38, 514, 7_285, 83_762]


def test_every_parent_is_in_the_table(regions: Regions) -> None:
    assert all(up in regions.by_code for code in regions.by_code for up in lineage(code))


def test_a_region_knows_itself(regions: Regions) -> None:
    assert regions.by_code["34.04"] == Region("34.04", "Kabupaten Sleman", "kabupaten", "34")
    assert regions.by_code["35.78.08.1001"].level == "kelurahan"
    assert "99" not in regions.by_code


@pytest.mark.parametrize(
    ("given_region", "code"),
    [
        ("34.04", "34.04"),
        ("3404", "34.04"),
        ("3404072001", "34.04.07.2001"),
        (" 34 ", "34"),
        ("Kabupaten Sleman, DI Yogyakarta", "34.04"),
        ("Kab. Sleman", "34.04"),
        ("kab sleman", "34.04"),
        ("Sleman", "34.04"),
        ("Kota Surabaya", "35.78"),
        ("SURABAYA", "35.78"),
        ("Kec. Depok, Sleman", "34.04.07"),
        ("Depok, Sleman", "34.04.07"),
        ("Depok", "32.76"),
        ("Kel. Gubeng, Kec. Gubeng, Kota Surabaya", "35.78.08.1001"),
        ("Gubeng, Surabaya", "35.78.08"),
        ("Kota Bandung, Jawa Barat, Indonesia", "32.73"),
        ("Bandung Kota", "32.73"),
        ("Jakarta Selatan", "31.74"),
        ("Kota Adm. Jakarta Selatan", "31.74"),
        ("Kepulauan Seribu", "31.01"),
        ("Gunung Kidul", "34.03"),
        ("jogja", "34"),
        ("Yogyakarta", "34"),
        ("Kota Yogyakarta", "34.71"),
        ("jaksel", "31.74"),
        ("Tangsel", "36.74"),
        ("Sumbar", "13"),
        ("Solo", "33.72"),
        ("DKI Jakarta", "31"),
        ({"province": "Bali", "regency": "Badung"}, "51.03"),
        ({"regency": "Bandung", "district": "Coblong"}, "32.73.02"),
        ({"regency": "34.04", "district": "Depok", "village": "Caturtunggal"}, "34.04.07.2001"),
    ],
)
def test_resolve(regions: Regions, given_region: str | dict[str, str], code: str) -> None:
    found = regions.resolve(given_region)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("nothing", [None, "", "  ", ",", "Indonesia", {}, {"province": ""}])
def test_nothing_given_is_no_region(regions: Regions, nothing: str | None) -> None:
    assert regions.resolve(nothing) is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("Bandung", r"fits 2 regions.*32\.04.*32\.73"),
        ("Slemann", r"Kabupaten Sleman.*34\.04"),
        ("Kab Slemn", r"did you mean Kabupaten Sleman"),
        ("34.99", r"did you mean Daerah Istimewa Yogyakarta \(34\)"),
        ("99.01", "give a Kemendagri code"),
        ("Sukamaju", r"fits \d+ regions"),
        ("Depok, Surabaya", "do not lie in each other"),
        ({"regency": "Sleman", "district": "Depk"}, r"Depok, Kabupaten Sleman"),
        ({"province": "Sleman"}, "not in the table"),
        ("a,b,c,d,e,f,g", "more than 6 parts"),
    ],
)
def test_resolve_says_what_is_wrong(
    regions: Regions, wrong: str | dict[str, str], message: str
) -> None:
    with pytest.raises(UnknownRegionError, match=message) as caught:
        regions.resolve(wrong)
    assert caught.value.field == "region"


def test_the_error_does_not_quote_the_value(regions: Regions) -> None:
    with pytest.raises(UnknownRegionError) as caught:
        regions.resolve("rahasia 081234567890")
    assert "rahasia" not in str(caught.value)


@settings(max_examples=50)
@given(st.text(max_size=100))
def test_resolve_finds_or_refuses_any_text(text: str) -> None:
    try:
        found = load_regions().resolve(text)
    except UnknownRegionError:
        return
    assert found is None or found.code in load_regions().by_code


def test_every_code_and_every_alias_resolves(regions: Regions) -> None:
    for code in [code for code in regions.by_code if len(code) <= 5]:
        found = regions.resolve(code)
        assert found is not None
        assert found.code == code
    assert set(regions.aliases.values()) <= set(regions.by_code)
    assert len(regions.aliases) > 250


@pytest.mark.parametrize(
    ("code", "government"),
    [
        ("34", "Pemerintah Provinsi DI Yogyakarta"),
        ("34.04", "Pemerintah Kabupaten Sleman"),
        ("34.04.07.2001", "Pemerintah Kabupaten Sleman"),
        ("35.78.08", "Pemerintah Kota Surabaya"),
        ("31", "Pemerintah Provinsi DKI Jakarta"),
        ("31.74", "Pemerintah Provinsi DKI Jakarta"),
        ("31.01.01", "Pemerintah Provinsi DKI Jakarta"),
        ("13", "Pemerintah Provinsi Sumatera Barat"),
    ],
)
def test_government(regions: Regions, code: str, government: str) -> None:
    assert regions.government(code) == government


def test_up_and_down(regions: Regions) -> None:
    assert [r.code for r in regions.ancestors("34.04.07")] == ["34", "34.04"]
    assert regions.province_of("34.04.07").code == "34"
    regency = regions.regency_of("34.04.07.2001")
    assert regency is not None
    assert regency.name == "Kabupaten Sleman"
    assert regions.regency_of("34") is None
    assert [r.name for r in regions.children("34")][-1] == "Kota Yogyakarta"
    assert len(regions.children("")) == 38
    assert regions.children("34.04.07.2001") == ()
    with pytest.raises(KeyError):
        regions.government("99")


def test_every_seat_is_a_region_and_lies_in_indonesia(regions: Regions) -> None:
    seats = load_seats()
    assert set(seats) == {code for code in regions.by_code if len(code) <= 5}
    assert all(in_indonesia(seat) for seat in seats.values())


def test_seats_lie_near_their_province() -> None:
    seats = load_seats()
    far = [c for c, seat in seats.items() if distance_km(seat, seats[c[:2]]) > 750]
    assert far == []


def test_nearest_regency() -> None:
    code, probability = nearest_regency(Location(-7.26, 112.75))
    assert code == "35.78"
    assert 0.3 < probability <= 0.6
    assert nearest_regency(Location(52.37, 4.9)) == ("", 0.0)
    assert nearest_regency(Location(-6.0, 112.0))[1] < 0.3
