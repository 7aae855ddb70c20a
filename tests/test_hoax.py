"""Signs of a hoax are named; people who report one are not punished."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.datasets.claims import VERDICTS
from pilah.datasets.errors import TableError
from pilah.datasets.tables import read_table
from pilah.models.answer import Hoax
from pilah.models.bursts import Burst, Sender
from pilah.models.claims import shipped_base
from pilah.models.fingerprint import content_words
from pilah.models.hoax import (
    CONTEXT_DETECTORS,
    HoaxWeights,
    look_for_hoax,
    shipped_weights,
)
from pilah.models.hoax_cues import cue_kinds, read_cues
from pilah.models.hoax_roles import MARKS, role_grams, roles_of
from pilah.models.hoax_signs import TEXT_DETECTORS, HoaxInput
from pilah.models.hoax_style import (
    BUCKETS,
    CHAR_SIZES,
    SAID,
    StyleModel,
    chars_of,
    plain_words,
    shipped_style,
)
from pilah.models.reading import PlaceReading
from pilah.models.text import read_text

NOWHERE = PlaceReading(code=None, probability=0.0)
HOLE = "Lubang di Jl. Anggrek depan toko bangunan belum ditambal, kemarin dua motor jatuh"
READERS = ("writer", "first", "second")
"""Columns of the blind readings: what the writer said, and two who saw no label."""


def look(text: str, burst: Burst | None = None, sender: Sender | None = None) -> Hoax:
    return look_for_hoax(HoaxInput(read_text(text), NOWHERE, burst, sender))


def kinds(answer: Hoax) -> set[str]:
    return {found.kind for found in answer.evidence}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SEBARKAN ke semua grup WA sebelum dihapus, info dari grup sebelah", "chain_style"),
        ("Dibuka bantuan tunai 900rb, isi data di link bantu-warga.xyz buruan", "link_bait"),
        ("Loker BUMN tanpa tes, transfer biaya seragam 300rb ke panitia pusat", "link_bait"),
        ("Selamat anda pemenang undian, kirim kode OTP dan nomor rekening", "link_bait"),
        ("Penculik anak berkeliaran, organ diambil, anak hilang sudah banyak", "sensational"),
        ("tes tes doang hehe gabut", "prank"),
    ],
)
def test_signs_are_flagged_with_their_kind(text: str, kind: str) -> None:
    answer = look(text)
    assert answer.flag
    assert kind in kinds(answer)
    assert all(found.detail for found in answer.evidence)


@pytest.mark.parametrize(
    "text",
    [
        HOLE,
        "ada pesan WA katanya bansos 900rb lewat link, apakah benar? jangan sampai warga tertipu",
        "saya ditipu orang yang mengaku dari PLN, disuruh klik link lalu transfer 300 ribu",
        "Mohon diblokir situs bantuan-palsu.xyz, penipuan mengatasnamakan kemensos",
        "TOLONG PAK JALAN DEPAN SEKOLAH HANCUR SUDAH SETAHUN, SAYA MARAH SEKALI!!!",
        "dalan ngarep omahku bosok pak, mbok didandani, wis telung taun ora digagas",
        "PKH ibu saya belum cair, saldo kosong, sudah tanya pendamping",
        "Tolong viralkan, jembatan kami putus tidak ada yang peduli",
        "keracunan MBG di sekolah anak saya, 12 siswa mual, nasinya bau",
    ],
)
def test_legitimate_reports_are_not_flagged(text: str) -> None:
    assert not look(text).flag


def test_reporting_a_scam_lowers_the_same_words() -> None:
    bait = "bantuan tunai, isi data di link bantu-warga.xyz dan kirim foto KTP"
    assert look(f"apakah benar {bait}? saya curiga penipuan").score < 0.5 * look(bait).score
    assert read_cues(read_text("saya curiga penipuan, mohon dicek").normal)["guard"].score > 0.5
    assert "guard" not in read_cues(read_text(HOLE).normal)


def test_a_campaign_shows_its_burst() -> None:
    answer = look(HOLE, Burst(reports=23, reporters=20, hours=48))
    assert answer.flag
    assert kinds(answer) == {"campaign"}
    assert "23 teks" in answer.evidence[0].detail
    assert "20 pelapor" in answer.evidence[0].detail


def test_a_few_neighbours_are_no_campaign() -> None:
    assert look(HOLE, Burst(reports=4, reporters=4, hours=48)).evidence == ()


def test_many_copies_of_one_sender_are_named() -> None:
    answer = look(HOLE, sender=Sender(reports=12, copies=9, hours=24))
    assert "repeat_sender" in kinds(answer)
    assert answer.flag
    assert look(HOLE, sender=Sender(reports=2, copies=2, hours=24)).evidence == ()


def test_a_smallest_campaign_and_a_smallest_repeat_are_flagged() -> None:
    assert look(HOLE, Burst(reports=5, reporters=5, hours=48)).flag
    assert look(HOLE, sender=Sender(reports=3, copies=3, hours=24)).flag
    assert look(HOLE, sender=Sender(reports=8, copies=1, hours=24)).flag


def test_the_learned_part_names_what_spoke() -> None:
    answer = look("vaksin di sekolah bikin lumpuh, bidan dilarang bicara, jangan mau disuntik")
    assert answer.flag
    told = next(e.detail for e in answer.evidence if e.kind == "learned_style")
    assert told.startswith("isi dan gaya seperti contoh hoaks, terutama: ")
    assert "=" not in told


def test_every_kind_of_cue_is_told_in_indonesian() -> None:
    assert set(SAID) == set(cue_kinds())


@pytest.mark.parametrize("change", [str.upper, lambda t: t + "!!!", lambda t: t.replace(",", "")])
def test_how_someone_types_changes_nothing(change: Callable[[str], str]) -> None:
    for text in (HOLE, "Penculik anak berkeliaran, organ diambil, anak hilang sudah banyak"):
        assert look(change(text)).score == pytest.approx(look(text).score, abs=0.02)


def test_the_guard_does_not_excuse_a_campaign() -> None:
    text = f"apakah benar begini pak? {HOLE}"
    burst = Burst(reports=23, reporters=20, hours=48)
    assert look(text, burst).score == pytest.approx(look(HOLE, burst).score, abs=0.01)


def test_official_links_are_not_doubtful() -> None:
    answer = look("Foto ada di https://www.lapor.go.id/foto/12, tolong diperiksa")
    assert (answer.flag, answer.evidence) == (False, ())


def test_a_known_claim_is_named_by_its_id() -> None:
    told = "katanya beras plastik beredar di pasar dan membal kalau dibola"
    found = shipped_base().closest(content_words(read_text(told).normal))
    assert found is not None
    assert found.claim.id == "c043"
    assert "c043" in next(e.detail for e in look(told).evidence if e.kind == "known_claim")


def test_shipped_claims_are_whole() -> None:
    base = shipped_base()
    assert len({claim.id for claim in base.claims}) == len(base) >= 60
    assert {claim.verdict for claim in base.claims} <= set(VERDICTS)
    for claim in base.claims:
        found = base.closest(content_words(read_text(claim.claim).normal))
        assert found is not None
        assert (found.claim.id, found.resemblance) == (claim.id, 1.0)


def test_what_the_learned_part_reads_is_not_counted_twice() -> None:
    weights = shipped_weights()
    kinds = {detector.__name__ for detector in (*TEXT_DETECTORS, *CONTEXT_DETECTORS)}
    assert kinds - set(weights.weights) == {"chain_style", "link_bait", "sensational"}
    assert weights.guarded <= set(weights.weights) <= kinds


@pytest.mark.parametrize("change", [{"guard": 2}, {"weights": {"prank": -1}}, {"weights": None}])
def test_broken_weights_are_refused(change: dict[str, object]) -> None:
    data = {"version": "x", "weights": {}, "guard": 0.5, "guarded": []}
    with pytest.raises(TableError, match="restore it"):
        HoaxWeights.from_dict(data | change)


def test_weights_come_back_as_they_were_saved(tmp_path: Path) -> None:
    style = shipped_style()
    style.save(tmp_path / "hoax.npz")
    again = StyleModel.load(tmp_path / "hoax.npz")
    assert again.grams == style.grams
    assert (again.evidence, again.flag) == (style.evidence, style.flag)
    assert np.array_equal(again.chars, style.chars)
    (tmp_path / "hoax.npz").write_bytes(b"PK broken")
    with pytest.raises(TableError, match="make hoax"):
        StyleModel.load(tmp_path / "hoax.npz")


@given(st.text(max_size=60))
def test_character_buckets_are_counted(text: str) -> None:
    words = plain_words(text)
    buckets, counts = chars_of(words)
    assert list(buckets) == sorted(set(buckets))
    assert all(0 <= b < BUCKETS for b in buckets)
    length = len(f" {' '.join(words)} ")
    assert counts.sum() == sum(max(0, length - size + 1) for size in CHAR_SIZES)


@given(st.text(min_size=1, max_size=200))
def test_any_text_gets_a_score(text: str) -> None:
    answer = look(text)
    assert 0 <= answer.score <= 1
    assert answer.flag == (answer.score >= round(shipped_style().flag, 4))


@pytest.mark.timeout(10)
def test_a_hostile_text_does_not_stall() -> None:
    """Runs of host-like pieces once took time in the square of the length (a hang, not a speed)."""
    for piece in ("a-", "0812-", "a."):
        assert look((piece * 20_000)[:20_000]).flag is False


def test_roles_carry_over_to_other_words_and_languages() -> None:
    one = role_grams(plain_words(read_text("kata ipar saya anak diculik").normal))
    other = role_grams(plain_words(read_text("ceuk dulur abdi budak diculik").normal))
    assert {"<say", "<child<take", "&child&say"} <= set(one) & set(other)


def test_a_role_word_can_be_met_and_plays_one_part() -> None:
    rows = [row for _, row in read_table("hoax_roles.csv", ("role", "word"))]
    assert len({row["word"] for row in rows}) == len(rows)
    for row in rows:
        assert list(roles_of(plain_words(read_text(row["word"]).normal))) == [row["role"]]


def test_no_role_is_shown_to_a_moderator() -> None:
    answer = look("kata ipar saya vaksin di sekolah bikin lumpuh, bidan dilarang bicara")
    assert not any(mark in found.detail for found in answer.evidence for mark in MARKS)


def test_the_blind_readers_read_rows_of_the_test_split() -> None:
    root = Path(__file__).parents[1]
    split = (root / "datasets" / "data" / "corpus" / "test.jsonl").read_text("utf-8")
    kinds_of = {row["id"]: row.get("hoax_kind") for row in map(json.loads, split.splitlines())}
    with (root / "tests" / "bench" / "data" / "hoax_reader.csv").open(encoding="utf-8") as handle:
        said = {row["id"]: row for row in csv.DictReader(handle)}
    assert {row[who] for row in said.values() for who in READERS} == {"yes", "no"}
    assert {of for of, kind in kinds_of.items() if kind not in (None, "campaign")} <= set(said)
    assert set(said) <= set(kinds_of)
    overruled = [
        name for name, row in said.items() if [row[w] for w in READERS] == ["yes", "no", "no"]
    ]
    assert {kinds_of[name] for name in overruled} == {"legit"}
