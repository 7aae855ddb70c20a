"""Signs around a report that honest people give too: named, never counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.datasets.records import Report
from pilah.models.answer import Hoax
from pilah.models.bursts import Target, TargetBurst, targets_of
from pilah.models.closed_cases import KIND, ClosedCase, contradiction, told
from pilah.models.encoder import HashEncoder
from pilah.models.hoax import look_for_hoax
from pilah.models.hoax_signs import HoaxInput
from pilah.models.incidents import DuplicateFinder
from pilah.models.index import VectorIndex
from pilah.models.pairs import plain_scorer
from pilah.models.reading import Fingerprint, PlaceReading
from pilah.models.scoring import DuplicateThresholds
from pilah.models.text import read_text
from pilah.service.fake import FakeEngine

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CASE = ClosedCase("inc-1", NOON)
ENCODER = HashEncoder()
NOWHERE = PlaceReading(code=None, probability=0.0)
SHOP = Target("target:34.04:landmark:apotek mawar", "landmark", "apotek mawar")


def complaint(n: int, **changes: object) -> Fingerprint:
    """One of many different complaints against one shop, an hour after the one before."""
    made = Fingerprint(
        report_id=f"r{n}",
        text_hash=f"{n:064}",
        words=frozenset(range(20 * n, 20 * n + 20)),
        place="34.04.07",
        streets=frozenset({"anggrek"}),
        numbers={"no": ("5",)},
        landmarks=frozenset({"apotek mawar"}),
        cases=frozenset(),
        topic=f"topic {n}",
        reporter=f"w{n}",
        visibility="public",
        received_at=NOON + timedelta(hours=n),
        names=frozenset({7}),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def remembering(*known: tuple[Fingerprint, str]) -> DuplicateFinder:
    finder = DuplicateFinder(
        VectorIndex(ENCODER.dim, ENCODER.version), plain_scorer(), DuplicateThresholds()
    )
    finder.restore(known)
    return finder


def looked_at(burst: TargetBurst | None) -> Hoax:
    clean = read_text("pelayanan apotek mawar lambat dan petugasnya kurang ramah kepada warga")
    return look_for_hoax(HoaxInput(clean, NOWHERE, target=burst))


# ---- one target in a burst


def test_a_report_names_persons_places_and_addresses() -> None:
    kinds = {target.kind: target for target in targets_of(complaint(1))}
    assert set(kinds) == {"person", "landmark", "address"}
    assert kinds["landmark"] == SHOP
    assert kinds["address"].name == "anggrek no 5"
    assert kinds["person"].name == ""
    assert not list(targets_of(complaint(1, place=None)))
    bare = complaint(1, names=frozenset(), numbers={}, landmarks=frozenset({"masjid"}))
    assert not list(targets_of(bare))


def test_different_complaints_against_one_target_are_counted() -> None:
    finder = remembering(*((complaint(n), f"inc-{n}") for n in range(6)))
    burst = finder.target(complaint(6), "inc-6")
    assert burst is not None
    assert (burst.reports, burst.reporters) == (7, 7)
    assert burst.ids == ("r5", "r4", "r3", "r2", "r1")
    alone = replace(burst, reports=1, reporters=1, ids=())
    assert finder.target(complaint(99), "inc-99") == alone


def test_witnesses_copies_and_secret_reports_are_no_burst() -> None:
    now = complaint(9)
    alike = complaint(1, words=now.words)
    hidden = complaint(2, visibility="secret")
    witness = complaint(3)
    finder = remembering((alike, "inc-1"), (hidden, "inc-2"), (witness, "inc-9"))
    burst = finder.target(now, "inc-9")
    assert burst is not None
    assert (burst.reports, burst.reporters, burst.ids) == (1, 1, ())


def test_copies_of_each_other_count_once() -> None:
    words = complaint(1).words
    copies = ((complaint(n, words=words), f"inc-{n}") for n in range(1, 6))
    burst = remembering(*copies).target(complaint(9), "inc-9")
    assert burst is not None
    assert (burst.reports, burst.reporters, burst.ids) == (2, 2, ("r5",))


def test_witnesses_of_another_incident_count_once() -> None:
    witnesses = [(complaint(n), "inc-1") for n in range(1, 5)]
    burst = remembering(*witnesses, (complaint(5), "inc-5")).target(complaint(9), "inc-9")
    assert burst is not None
    assert (burst.reports, burst.reporters, burst.ids) == (3, 3, ("r5", "r4"))


def test_a_burst_is_named_with_ids_and_never_counted() -> None:
    quiet = looked_at(None)
    burst = TargetBurst(SHOP, 7, 6, 48, ("r5", "r4"))
    answer = looked_at(burst)
    assert (answer.score, answer.flag) == (quiet.score, quiet.flag)
    [sign] = set(answer.evidence) - set(quiet.evidence)
    assert sign.kind == "target_burst"
    assert sign.detail == (
        "7 laporan berbeda dari 6 pelapor dalam 48 jam menyebut tempat apotek mawar; "
        "bisa serangan bersama, bisa pula masalah nyata (antara lain r5, r4 dan lainnya)"
    )
    assert looked_at(replace(burst, reporters=4)) == quiet


@settings(max_examples=50)
@given(
    sent=st.lists(st.sampled_from(["public", "anonymous", "secret"]), max_size=8),
    mine=st.sampled_from(["public", "anonymous", "secret"]),
)
def test_what_is_sent_openly_tells_nothing_of_what_is_sent_without_a_name(
    sent: list[str], mine: str
) -> None:
    known = [complaint(n, visibility=v, reporter="w", received_at=NOON) for n, v in enumerate(sent)]
    finder = remembering(*((f, f"inc-{f.report_id}") for f in known))
    now = complaint(99, visibility=mine, reporter="w", received_at=NOON)
    same = sum(v == mine != "secret" for v in sent)
    assert finder.sender(now).reports == same + 1


# ---- contradiction of a closed case


@pytest.mark.parametrize(
    ("text", "said", "score"),
    [
        ("lubang di jalan anggrek masih ada", "belum selesai: masih", 1.0),
        ("katanya sudah diperbaiki, nyatanya tidak", "belum selesai: katanya sudah diperbaiki", 1),
        ("lampu tak kunjung dibetulkan sampai sekarang", "belum selesai", 1.0),
        ("anak saya masih sekolah, jalannya masih rusak", "belum selesai: masih", 1.0),
        ("kami masih menunggu perbaikannya", "belum selesai: masih", 1.0),
        ("lampunya mati lagi", "mungkin terjadi lagi; kata pelapor: lagi", 0.5),
        ("sudah tidak ada air lagi, kemarin banjir kembali", "kata pelapor: kembali", 0.5),
        ("air tidak mengalir lagi", "kata pelapor: lagi", 0.5),
    ],
)
def test_a_text_that_says_otherwise_is_named_with_the_case(
    text: str, said: str, score: float
) -> None:
    found = contradiction(read_text(text).normal, CASE)
    assert found is not None
    assert (found.kind, found.score) == (KIND, score)
    assert "(inc-1) sudah ditutup pada 2026-05-01, tetapi" in found.detail
    assert said in found.detail


@pytest.mark.parametrize(
    "text",
    [
        "ada lubang besar di jalan anggrek",
        "lampu sudah menyala kembali, terima kasih",
        "sekali lagi terima kasih",
        "udah ga ada masalah lagi",
        "saya mau tanya lagi",
        "semoga tidak terjadi lagi",
        "anak saya masih sekolah di sana",
        "apakah masih dibuka pendaftarannya",
        "saya belum tahu harus ke mana",
        "jangan sampai terulang",
    ],
)
def test_a_plain_report_contradicts_nothing(text: str) -> None:
    assert contradiction(read_text(text).normal, CASE) is None


def test_praise_that_says_again_is_for_nobody_to_look_at() -> None:
    triage = FakeEngine().analyse([("r1", Report("jalan"))])[0].draft
    praise = replace(triage, outcome=replace(triage.outcome, label="praise_or_question"))
    assert told(praise, "kami datang lagi berterima kasih", CASE) == praise
    assert told(praise, "lampunya masih mati", CASE).review.needed
    assert told(triage, "lampunya mati lagi", CASE).review.reasons[-1] == KIND
