"""Places read from a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.datasets.records import Location
from pilah.datasets.regions import load_regions
from pilah.models.places import GIVEN, PlaceReader
from pilah.models.reading import PlaceReading
from pilah.models.text import normalise

PIECES = [
    *("jl", "rt", "/", "rw", "3", "kec.", "Depok", "gang", "depan", "pasar", "kota", "km", "\n"),
    *("kab", ".", "bandung", "-", "arah", "no", "blok", "İ", "v", "sukamaju", "di", "a"),
]


@pytest.fixture(scope="module")
def reader() -> PlaceReader:
    return PlaceReader(load_regions())


def read(reader: PlaceReader, text: str, region: str | None = None) -> PlaceReading:
    return reader.read(text, load_regions().resolve(region))


@pytest.mark.parametrize(
    ("text", "region", "code"),
    [
        ("Lampu mati di Kab. Badung Kec. Kuta Utara desa Tibubeneng", None, "51.03.06.2004"),
        ("lampu mati di kel. gubeng kec. gubeng", "Kota Surabaya", "35.78.08.1001"),
        ("banjir di rungkut menanggal", "Kota Surabaya", "35.78.25.1003"),
        ("banjir di gunung anyar", "Kota Surabaya", "35.78.25"),
        ("jalan rusak di Depok Sleman", None, "34.04.07"),
        ("jalan rusak di depok", "Kab. Sleman", "34.04.07"),
        ("jalan rusak di depok", None, "32.76"),
        ("saya di jogja", None, "34"),
        ("warga tangsel kecewa", None, "36.74"),
        ("jalan rusak di sleman", "Kab. Sleman", "34.04"),
        ("di Bandung banyak begal", None, "32"),
        ("di Kota Bandung banyak begal", None, "32.73"),
        ("jalan rusak dan berlubang", None, None),
        ("desa sukamaju belum ada listrik", None, None),
        ("desa sukamaju, kec. cilodong, kota depok", None, "32.76.08.1001"),
        ("jalan baru sumber air makmur maju jaya", "Kab. Sleman", "34.04"),
        ("", "Kab. Sleman", "34.04"),
        ("", None, None),
    ],
)
def test_the_deepest_sure_region(
    reader: PlaceReader, text: str, region: str | None, code: str | None
) -> None:
    assert read(reader, text, region).code == code


def test_a_common_word_needs_a_cue(reader: PlaceReader) -> None:
    assert read(reader, "sudah lama tidak ada sumber air", "Kab. Sleman").code == "34.04"
    assert read(reader, "batu berserakan", None).code is None
    assert read(reader, "di kecamatan yang lain", None).code is None
    assert read(reader, "sampah di Kota Batu", None).code == "35.79"


def test_the_same_village_twice_in_a_frame_stays_above(reader: PlaceReader) -> None:
    reading = read(reader, "di siwalankerto atau di krembangan selatan", "Kota Surabaya")
    assert reading.code == "35.78"
    assert {place.name for place in reading.found} == {"Siwalankerto", "Krembangan Selatan"}


def test_a_small_word_is_no_part_of_a_name(reader: PlaceReader) -> None:
    assert read(reader, "kembali ke diri sendiri", None).found == ()


@pytest.mark.parametrize(
    ("text", "conflict"),
    [
        ("banjir di Kota Bandung", True),
        ("kejadian di kabupaten bantul", True),
        ("jalan rusak arah Solo", False),
        ("macet menuju kota Semarang", False),
        ("warung soto lamongan di jalan bandung", False),
        ("saya dari Kota Bandung, lampu mati di Kalasan", False),
        ("banjir di kecamatan Kalasan, Sleman", False),
    ],
)
def test_conflict_with_the_given_region(reader: PlaceReader, text: str, *, conflict: bool) -> None:
    reading = read(reader, text, "Kab. Sleman")
    assert reading.conflict == conflict
    assert reading.code is not None
    assert reading.code.startswith("34.04")
    if conflict:
        assert reading.probability <= GIVEN / 2


@pytest.mark.parametrize(
    ("text", "streets"),
    [
        ("jl kaliurang km 5,6 berlubang", {"kaliurang"}),
        ("jalan raya serpong macet", {"serpong"}),
        ("Jl. Jend. Soedirman No. 5", {"jenderal sudirman"}),
        ("jl. a. yani mahal", {"ahmad yani"}),
        ("jln. gajah mada gg 3", {"gajah mada", "gang 3"}),
        ("gang mawar II banjir", {"gang mawar 2"}),
        ("jalan 17 agustus gelap", {"17 agustus"}),
        ("Jalan Melati Putih rusak", {"melati putih"}),
        ("jalan rusak, jalan berlubang, jalan di depan rumah", set()),
        ("jalan menuju pasar", set()),
        ("lampu jalan mati", set()),
        ("lampu peteng ning jalan mawar ngarep pasar", {"mawar"}),
        ("jalan flamboyan caket sma 2 gelap", {"flamboyan"}),
        ("jl sudirman balakang masjid raya", {"sudirman"}),
        ("kabel putus di Jl Menoreh Raya", {"menoreh raya"}),
        ("Jalan Berlubang di sini", set()),
    ],
)
def test_streets(reader: PlaceReader, text: str, streets: set[str]) -> None:
    assert read(reader, text).streets == streets


@pytest.mark.parametrize(
    ("text", "rt", "rw"),
    [
        ("rt 03/rw 05", "3", "5"),
        ("RT.3 RW.1", "3", "1"),
        ("rt003rw01", "3", "1"),
        ("rt 3/1", "3", "1"),
        ("RT/RW 02/04", "2", "4"),
        ("RT/RW: 003 / 012", "3", "12"),
        ("RT: 7, RW: 10", "7", "10"),
        ("RT IV RW IX", "4", "9"),
        ("Rt. 05 dan Rw. 12", "5", "12"),
    ],
)
def test_rt_and_rw(reader: PlaceReader, text: str, rt: str, rw: str) -> None:
    numbers = read(reader, text).numbers
    assert (numbers["rt"], numbers["rw"]) == ((rt,), (rw,))


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("jl kaliurang km 5,6", "km", ("5.6",)),
        ("km. 12 sampai KM 13.50", "km", ("12", "13.5")),
        ("rusak sepanjang 5 km", "km", ()),
        ("jl mawar no. 12A", "no", ("12a",)),
        ("rumah nomor 05", "no", ("5",)),
        ("undang-undang nomor 23 tahun 2014", "no", ()),
        ("perumahan indah blok C3 no 7", "blok", ("c3",)),
        ("tidak ada angka", "rt", ()),
    ],
)
def test_km_number_and_block(
    reader: PlaceReader, text: str, kind: str, values: tuple[str, ...]
) -> None:
    assert read(reader, text).numbers[kind] == values


@pytest.mark.parametrize(
    ("text", "landmarks"),
    [
        ("di depan indomaret", {"indomaret"}),
        ("depan indomaret palagan, tolong", {"indomaret palagan"}),
        ("dekat mesjid al ikhlas", {"masjid al ikhlas"}),
        ("samping sdn 1", {"sdn 1"}),
        ("samping sd negeri 1", {"sdn 1"}),
        ("terminal bungurasih kotor", {"terminal bungurasih"}),
        ("pasar baru bau", {"pasar baru"}),
        ("dekat stasiun tugu dan pertigaan janti", {"stasiun tugu", "pertigaan janti"}),
        ("di pasar yang ramai", set()),
        ("depan rumah saya", set()),
        ("cedhak terminal peteng", {"terminal"}),
        ("ngarep omahe tonggo kulo", set()),
        ("mburi sd negeri wis banjir", set()),
    ],
)
def test_landmarks(reader: PlaceReader, text: str, landmarks: set[str]) -> None:
    assert read(reader, text).landmarks == landmarks


def test_found_is_in_order_and_quotes_the_text(reader: PlaceReader) -> None:
    text = "RT 3 RW 1, Jl. Kaliurang KM 5, dekat Pasar Colombo, Kec. Depok, Kab. Sleman"
    found = read(reader, text).found
    assert [(place.kind, place.text) for place in found] == [
        ("rt_rw", "RT 3"),
        ("rt_rw", "RW 1"),
        ("street", "Jl. Kaliurang"),
        ("km", "KM 5"),
        ("landmark", "Pasar Colombo"),
        ("kecamatan", "Depok"),
        ("kabupaten", "Sleman"),
    ]
    assert all(place.code is None for place in found[:5])
    assert [place.code for place in found[5:]] == ["34.04.07", "34.04"]


def test_normalised_text_reads_the_same(reader: PlaceReader) -> None:
    text = "Jl. Kaliurang KM 5,6 RT.3/RW.1 Kec. Depok, Kab. Sleman"
    raw, normal = read(reader, text), read(reader, normalise(text))
    assert (raw.code, raw.streets, raw.numbers) == (normal.code, normal.streets, normal.numbers)


def test_coordinates_are_soft_and_last(reader: PlaceReader) -> None:
    here = Location(-7.26, 112.75)
    lone = reader.read("lampu mati", None, here)
    assert lone.code == "35.78"
    assert lone.probability <= 0.6
    assert reader.read("lampu mati di Kota Malang", None, here).code == "35.73"
    assert reader.read("lampu mati", load_regions().resolve("34.04"), here).code == "34.04"
    assert reader.read("lampu mati", None, Location(52.0, 4.0)).code is None


@given(
    st.text(max_size=2000) | st.lists(st.sampled_from(PIECES)).map(" ".join),
    st.sampled_from([None, "34", "34.04", "35.78.08"]),
)
def test_any_text_can_be_read(text: str, code: str | None) -> None:
    regions = load_regions()
    region = regions.by_code[code] if code else None
    reading = _shared().read(text, region, Location(-7.0, 110.0))
    assert 0.0 <= reading.probability <= 1.0
    assert reading.code is None or reading.code in regions.by_code
    assert all(place.text in text for place in reading.found)
    assert all(0.0 <= place.probability <= 1.0 for place in reading.found)
    if code:
        assert reading.code is not None
        assert reading.code.startswith(code)


def _shared() -> PlaceReader:
    if not _READER:
        _READER.append(PlaceReader(load_regions()))
    return _READER[0]


_READER: list[PlaceReader] = []
