"""The claim base: CSV, JSONL, RSS and Atom in, the nearest claim out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pilah.datasets.claims import Claim, joined, read_claims
from pilah.datasets.errors import FileFormatError
from pilah.models.claims import MIN_RESEMBLANCE, MIN_SHARED, ClaimBase
from pilah.models.fingerprint import content_words
from pilah.models.text import read_text
from pilah.service.cli import command_line

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Periksa</title>
<item><title>[SALAH] Kran umum kota diisi cairan penidur</title><link>https://periksa.example/1</link>
<pubDate>Mon, 02 Nov 2026 08:00:00 +0700</pubDate></item>
<item><title>[BENAR] Jembatan gantung lama ditutup sementara</title></item>
<item><title>Cek Fakta: Menyesatkan, Kartu tani hangus bila tidak dipakai sebulan</title></item>
<item><title>Hoaks!</title></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><entry>
<title>Hoaks: sumur bor kota beracun semua</title>
<link rel="self" href="https://periksa.example/x"/><link href="https://periksa.example/2"/>
<updated>2026-11-02</updated></entry></feed>"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def closest(base: ClaimBase, text: str) -> str | None:
    found = base.closest(content_words(read_text(text).normal))
    return found.claim.id if found else None


def test_rss_items_become_claims_with_link_date_and_verdict(tmp_path: Path) -> None:
    found = read_claims(write(tmp_path, "a.rss", RSS))
    assert [c.claim for c in found.claims] == [
        "Kran umum kota diisi cairan penidur",
        "Kartu tani hangus bila tidak dipakai sebulan",
    ]
    first, second = found.claims
    assert (first.verdict, first.link) == ("false", "https://periksa.example/1")
    assert first.date.startswith("Mon, 02 Nov")
    assert second.verdict == "misleading"
    assert found.true == 1
    assert [row.line for row in found.bad] == [4]


def test_atom_entries_become_claims(tmp_path: Path) -> None:
    (claim,) = read_claims(write(tmp_path, "a.atom", ATOM)).claims
    assert (claim.claim, claim.link) == (
        "sumur bor kota beracun semua",
        "https://periksa.example/2",
    )
    assert claim.date == "2026-11-02"


def test_csv_and_jsonl_name_their_bad_rows(tmp_path: Path) -> None:
    table = "claim,link,verdict\nair kran kota dicampur obat tidur,https://x.example,\npendek,,\n"
    found = read_claims(write(tmp_path, "a.csv", table))
    assert [(c.claim, c.link, c.verdict) for c in found.claims] == [
        ("air kran kota dicampur obat tidur", "https://x.example", "false")
    ]
    assert [(row.line, row.field) for row in found.bad] == [(3, "claim")]
    lines = '{"claim": "garam dapur berisi kaca halus", "verdict": "ragu"}\n[1]\nbukan json\n'
    found = read_claims(write(tmp_path, "a.jsonl", lines))
    assert [(row.line, row.field) for row in found.bad] == [(1, "verdict"), (2, "row"), (3, "row")]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "x", "unknown suffix"),
        ("a.csv", "judul\nx\n", "no column claim; it has judul; name the columns"),
        ("a.csv", "claim;link\nx;y\n", "save it with commas"),
        ("a.xml", "<rss", "not XML"),
        ("a.xml", "<html><body/></html>", "neither RSS nor Atom"),
        ("a.xml", '<!DOCTYPE r [<!ENTITY e "x">]><rss><item>&e;</item></rss>', "DTD or entities"),
        ("a.xml", '<!DOCTYPE r SYSTEM "file:///etc/passwd"><rss/>', "DTD or entities"),
    ],
)
def test_files_that_cannot_be_read_say_why(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(FileFormatError, match=said):
        read_claims(write(tmp_path, name, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"tidak-ada\.rss"):
        read_claims(tmp_path / "tidak-ada.rss")


def test_the_later_claim_of_one_id_stays() -> None:
    old, new = Claim("a", "klaim yang sudah lama"), Claim("a", "klaim yang lebih baru")
    assert joined([[old], [new]]) == (new,)


BASE = ClaimBase(
    [
        Claim("kran", "Kran umum kota diisi cairan penidur oleh petugas"),
        Claim("tani", "Kartu tani hangus bila tidak dipakai selama sebulan"),
    ]
)


def test_a_reworded_claim_is_found() -> None:
    assert closest(BASE, "petugas katanya mengisi kran umum dgn cairan penidur") == "kran"
    assert closest(BASE, "kartu tani saya hilang, bagaimana mengurusnya") is None


def test_words_far_apart_are_no_claim() -> None:
    far = " ".join(f"sapi{i}" for i in range(60))
    assert closest(BASE, f"kran umum kota {far} diisi cairan penidur") is None


@given(
    st.lists(
        st.sampled_from(
            ("kran", "umum", "kota", "isi", "cair", "tidur", "tugas", "kartu", "tani", "hangus")
        ),
        max_size=12,
    )
)
def test_the_closest_claim_is_the_best_of_all(words: list[str]) -> None:
    """Against brute force over claims and windows of a text that fits one window."""
    found = BASE.closest(tuple(words))
    shares = {}
    for claim, weights in zip(BASE.claims, BASE._weights, strict=True):
        shared = weights.keys() & set(words)
        share = sum(weights[w] for w in shared) / sum(weights.values())
        shares[claim.id] = share if len(shared) >= MIN_SHARED else 0.0
    best = max(shares.values())
    assert (found is None) == (best < MIN_RESEMBLANCE - 1e-12)
    if found:
        assert found.resemblance == pytest.approx(best, abs=1e-4)


def test_the_command_reads_names_and_tries(tmp_path: Path) -> None:
    feed = write(tmp_path, "a.rss", RSS)
    said = CliRunner().invoke(
        command_line(), ["claims", str(feed), "--text", "kartu tani hangus tak dipakai"]
    )
    assert said.exit_code == 1
    assert "2 claims, 1 true ones left out" in said.stdout
    assert "Kartu tani hangus" in said.stdout
    assert f"{feed}:4: claim" in said.stderr.replace("\n", "")
