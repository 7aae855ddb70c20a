"""Masking: what must go, what must stay, and that nothing leaks wherever it stands."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pilah.models.masking import LABELS, case_numbers, find_personal_data, mask
from pilah.models.text import read_text

FIRST = ["", "Yth admin, ", "nomor saya ", "halo(", "data:", "1. ", "tahun 2024 ", "RT 05 RW 2 "]
LAST = ["", " mohon dibantu", ").", ", terima kasih", "\nwassalam", " sejak 2 minggu", "; RW 3"]
AREAS = ["A", "B", "D", "L", "N", "W", "AB", "AD", "BK", "DK", "KT", "BA", "DR", "EA"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("NIK 3404051212900001", "[NIK]"),
        ("3404 0552 1290 0001", "[NIK]"),
        ("34.04.05.12.12.90.0001", "[NIK]"),
        ("nik saya 357824051193002 salah ketik", "[NIK]"),
        ("no KK: 3404051212900001", "[KK]"),
        ("kartu keluarga 3404051212900001", "[KK]"),
        ("hubungi 081234567890", "[TELEPON]"),
        ("+62 812-3456-7890", "[TELEPON]"),
        ("6281234567890", "[TELEPON]"),
        ("0 8 1 2 3 4 5 6 7 8 9 0", "[TELEPON]"),
        ("0812 - 3456 - 7890", "[TELEPON]"),
        ("+62 (812) 3456-7890", "[TELEPON]"),
        ("(0274) 512345", "[TELEPON]"),
        ("021-5551234", "[TELEPON]"),
        ("telp 7654321", "[TELEPON]"),
        ("budi.s+1@contoh.co.id", "[EMAIL]"),
        ("budi (at) contoh.com", "[EMAIL]"),
        ("budi(AT)contoh.com", "[EMAIL]"),
        ("budi [At] contoh.com", "[EMAIL]"),
        ("budi ( at ) contoh (dot) co (titik) id", "[EMAIL]"),
        ("budi @contoh.com", "[EMAIL]"),
        ("truk AB 1234 CD menerobos", "[PLAT]"),
        ("B1234XYZ", "[PLAT]"),
        ("b-1234-xyz", "[PLAT]"),
        ("nopol be 45", "[PLAT]"),
        ("mobil l 12 xy", "[PLAT]"),
        ("rek BCA 1234567890 a.n. seseorang", "[REKENING]"),
        ("nomor virtual account: 8808 1234 5678 9012", "[REKENING]"),
        ("idpel 512345678901", "[IDPEL]"),
        ("no meter 14-1234-56789", "[IDPEL]"),
        ("BPJS 0001234567890", "[IDPEL]"),
        ("npwp 012345678901000", "[NPWP]"),
        ("01.234.567.8-901.000", "[NPWP]"),
        ("paspor A1234567", "[PASPOR]"),
    ],
)
def test_personal_data_is_replaced_by_its_label(text: str, label: str) -> None:
    assert label in mask(text)
    digits = [word for word in mask(text).split() if sum(c.isdigit() for c in word) > 3]
    assert not digits


@pytest.mark.parametrize(
    "text",
    [
        "Rp 1.500.000 dan Rp85.000.000.000",
        "SK Nomor 421/1234/2020 tanggal 12-01-2020",
        "20230115123045",
        "id laporan 1234567, tiket LP-2024-00123",
        "rt 05 rw 2, km 12, PP 12, UU 23, SD 3, pasal 5 ayat 2",
        "BLOK D 12 NO 5 RT 3 RW 10",
        "sejak 12 januari 2023 jam 10.30 wib, umur 45 th",
        "data 10 20 30 40 50 60 70 80",
        "guru p3k 2023 dan d 3 rt 05",
        "hubungi 112 atau 1708, call center 1500123 sibuk",
        "kode pos 55281, bayar 250.000 ke pln 2 bulan",
        "e-ktp belum jadi, kk juga",
        "koordinat -7.79558, 110.36949",
        "dua orang @admin @dinas.kota",
        "pengurus P3SRS dan kantor DP5A",
        "kerja dr 2019 di pabrik",
        "lebar 3 m x 12 m, 1234 jiwa, 12345678 suara",
    ],
)
def test_ordinary_numbers_stay(text: str) -> None:
    assert mask(text) == text
    assert find_personal_data(text) == ()


def test_spans_index_the_text_as_given() -> None:
    text = "hub 08\u200b1234567890, nik 3404051212900001"
    kinds = {text[span.start : span.end]: span.kind for span in find_personal_data(text)}
    assert kinds == {"08\u200b1234567890": "TELEPON", "3404051212900001": "NIK"}


@pytest.mark.parametrize(
    "text",
    [
        "\u0660\u0668\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
        "\uff10\uff18\uff11\uff12345678",
        "0\u200d8\u200b12\u20603456789",
    ],
)
def test_disguised_digits_do_not_hide_a_phone(text: str) -> None:
    assert mask(text) == "[TELEPON]"
    assert read_text(text).masked == "[TELEPON]"


def spread(number: str, gap: str, size: int) -> str:
    """A number in groups of ``size`` with a gap between them."""
    return gap.join(number[i : i + size] for i in range(0, len(number), size))


@st.composite
def niks(draw: st.DrawFn) -> str:
    province = draw(st.sampled_from(["11", "31", "34", "35", "51", "73", "91", "96"]))
    day = draw(st.integers(1, 31)) + draw(st.sampled_from([0, 40]))
    rest = draw(st.integers(1, 12)), draw(st.integers(0, 99)), draw(st.integers(1, 9999))
    head = f"{province}{draw(st.integers(1, 79)):02}{draw(st.integers(1, 30)):02}"
    return f"{head}{day:02}{rest[0]:02}{rest[1]:02}{rest[2]:04}"


@given(niks(), st.sampled_from(["", " ", ".", "-", ". "]), st.sampled_from([1, 2, 4, 6]), st.data())
def test_no_nik_leaks(nik: str, gap: str, size: int, data: st.DataObject) -> None:
    first, last = data.draw(st.sampled_from(FIRST)), data.draw(st.sampled_from(LAST))
    # In one row of spread digits nobody can tell where the number starts.
    assume(not (gap and any(map(str.isdigit, first[-3:]))))
    assert mask(f"{first}{spread(nik, gap, size)}{last}") == f"{first}[NIK]{last}"


@given(
    st.sampled_from(["08", "+628", "628", "+62 8"]),
    st.from_regex(r"[1-9][0-9]{7,9}", fullmatch=True),
    st.sampled_from(["", " ", "-", "."]),
    st.data(),
)
def test_no_mobile_number_leaks(start: str, rest: str, gap: str, data: st.DataObject) -> None:
    first, last = data.draw(st.sampled_from(FIRST)), data.draw(st.sampled_from(LAST))
    number = start + rest[:2] + gap + spread(rest[2:], gap, 4)
    masked = mask(f"{first}{number}{last}")
    assert "[TELEPON]" in masked
    assert rest[2:] not in "".join(filter(str.isdigit, masked))


@given(
    st.from_regex(r"[a-z0-9][a-z0-9._+-]{0,15}[a-z0-9]", fullmatch=True),
    st.sampled_from(["gmail.com", "yahoo.co.id", "surel.kampus.ac.id", "a-b.net"]),
    st.sampled_from(LAST),
)
def test_no_email_leaks(name: str, host: str, last: str) -> None:
    masked = mask(f"surel {name}@{host}{last}")
    assert "@" not in masked
    assert masked.startswith("surel [EMAIL]")


@given(
    st.sampled_from(AREAS),
    st.integers(1000, 9999),
    st.from_regex(r"[A-Z]{1,3}", fullmatch=True),
    st.sampled_from(["", " ", "-", ". "]),
    st.data(),
)
def test_no_plate_leaks(area: str, number: int, end: str, gap: str, data: st.DataObject) -> None:
    first = data.draw(st.sampled_from(["", "Yth admin, ", "pengendara ", "(", "RT 05 RW 2 "]))
    last = data.draw(st.sampled_from(LAST))
    assert mask(f"{first}{area}{gap}{number}{gap}{end}{last}") == f"{first}[PLAT]{last}"


PIECES = ["08", "1234", "rek", " ", "3404051212900001", "@", "a.com", "B 12", "nik", "[NIK]", "."]


@given(st.text(max_size=300) | st.lists(st.sampled_from(PIECES)).map("".join))
def test_masking_twice_changes_nothing(text: str) -> None:
    masked = mask(text)
    assert mask(masked) == masked
    assert find_personal_data(masked) == ()


def test_labels_survive_and_are_no_keywords() -> None:
    text = " ".join(f"[{label}] 12345" for label in LABELS)
    assert mask(text) == text


def test_the_same_case_has_the_same_hash() -> None:
    a = case_numbers("ID pelanggan 512345678901 mati sejak kemarin")
    b = case_numbers("mohon cek idpel: 5123-4567-8901")
    assert a == b
    assert len(a) == 1


def test_case_hashes_do_not_show_the_number_and_depend_on_the_key() -> None:
    text = "tiket LP-2024-00123, nik 3404051212900001"
    hashes = case_numbers(text)
    assert len(hashes) == 2
    assert all(len(h) == 32 and "00123" not in h for h in hashes)
    assert hashes.isdisjoint(case_numbers(text, key=b"rahasia"))


def test_phones_and_plain_numbers_are_no_case() -> None:
    assert case_numbers("telp 081234567890, RT 05, tahun 2024, Rp 1.500.000") == frozenset()
