"""Repairing, normalising, cutting and stemming of text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.models.text import (
    MAX_STEMMED,
    normalise,
    read_text,
    repair,
    roots,
    slang,
    stem,
    tokens,
)

ANY = st.text(max_size=400)
PIECES = [
    *(
        "jalan2",
        "blok2",
        "dgn",
        "bangettt",
        "jum'at",
        "-",
        "2",
        "nya",
        "https://a.id/x",
        "😀",
        "?!",
    ),
    *(
        "?!",
        "[NIK]",
        "@admin",
        "yg2",
        "maaaf",
        "1.500.000",
        "lapor.go.id",
        "İ",
        "ß",
        "ǆ",
        "ΑΣ",
        "\n",
    ),
]
WORDS = st.lists(st.sampled_from(PIECES)).map(" ".join)


@pytest.mark.parametrize(
    ("raw", "fixed"),
    [
        ("jalan\u00a0rusak\u2003parah", "jalan rusak parah"),
        ("kata\u200bkunci\ufeff", "katakunci"),
        ("a\x00b\x07c", "abc"),
        ("satu\r\n\r\n\r\ndua", "satu\ndua"),
        ("caf\u0065\u0301", "café"),
        ("\uff12\u0663 kali", "23 kali"),
        ("lampu mati â€“ tolong", "lampu mati \u2013 tolong"),
        ("\ud800 rusak", "\ufffd rusak"),
    ],
)
def test_repair_mends_characters_only(raw: str, fixed: str) -> None:
    assert repair(raw) == fixed


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Jalan RUSAK parah.", "jalan rusak parah"),
        ("tolooong dong pakkk", "tolong dong bapak"),
        ("gaji PPPK blm cair", "gaji pppk belum cair"),
        ("maaaaf banget2", "maaf banget-banget"),
        ("jalan2 dan jln2nya", "jalan-jalan dan jalan-jalannya"),
        ("anak-anak anak2", "anak-anak anak-anak"),
        ("RT003RW01 km5,6 blok2", "rt 003 rw 01 km 5,6 blok 2"),
        (
            "sy mhn bantuannya krn blm ada pju",
            "saya mohon bantuannya karena belum ada penerangan jalan umum",
        ),
        ("yg di jl. mawar kec. depok", "yang di jalan mawar kecamatan depok"),
        ("kapan??!! ya ampun!!!", "kapan ? ya ampun !"),
        ("cek https://contoh.id/a?b=1 @admin 😀😀", "cek [url] [user] [emoji]"),
        ("hari jum'at pukul 07.30", "hari jumat pukul 07.30"),
        ("[NIK] dan [TELEPON]", "[nik] dan [telepon]"),
        ("Rp 1.500.000,-", "rp 1.500.000"),
        ("", ""),
    ],
)
def test_normalise(text: str, normal: str) -> None:
    assert normalise(text) == normal


@pytest.mark.parametrize(
    "word", ["pln", "kai", "ma", "sd", "smp", "sma", "mi", "pkl", "pp", "bpjs", "kpk", "pdam", "uu"]
)
def test_bodies_and_short_names_are_no_slang(word: str) -> None:
    assert normalise(word) == word


def test_every_standard_form_is_final() -> None:
    assert [source for source, target in slang().items() if normalise(target) != target] == []


def test_every_slang_word_is_reached() -> None:
    assert [source for source, target in slang().items() if normalise(source) != target] == []


def test_no_slang_word_is_a_single_letter() -> None:
    assert min(map(len, slang())) == 2


@given(ANY | WORDS)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(ANY)
def test_repaired_text_is_clean(text: str) -> None:
    fixed = repair(text)
    assert unicodedata.is_normalized("NFC", fixed)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in fixed if c != "\n")
    assert "  " not in fixed


def test_tokens_leave_marks_out() -> None:
    assert tokens("kapan ? anak-anak [nik] 07.30 !") == ("kapan", "anak-anak", "[nik]", "07.30")


@pytest.mark.parametrize(
    ("token", "root"),
    [
        ("perbaikan", "baik"),
        ("kebersihan", "bersih"),
        ("anak-anaknya", "anak"),
        ("jalan", "jalan"),
        ("[nik]", "[nik]"),
        ("07.30", "07.30"),
        ("", ""),
        ("-", "-"),
        ("x" * (MAX_STEMMED + 1), "x" * (MAX_STEMMED + 1)),
    ],
)
def test_stem(token: str, root: str) -> None:
    assert stem(token) == root


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_stem_takes_any_token(token: str) -> None:
    assert isinstance(stem(token), str)


def test_roots_are_words() -> None:
    assert {"jalan", "sampah", "lampu"} <= roots()


def test_read_text_masks_before_it_normalises() -> None:
    clean = read_text("Tlg hub 0812\u200b34567890 yaa  \U0001d7d9 kali")
    assert clean.fixed == "Tlg hub 081234567890 yaa 1 kali"
    assert clean.masked == "Tlg hub [TELEPON] yaa 1 kali"
    assert clean.normal == "tolong hubungi [telepon] ya 1 kali"


@given(st.text(max_size=2000))
def test_read_text_takes_any_text(text: str) -> None:
    clean = read_text(text)
    assert normalise(clean.normal) == clean.normal
