"""The finder: exact copies, candidates, secrets, and incidents that last."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.datasets.records import Report
from pilah.models.answer import Duplicates
from pilah.models.encoder import HashEncoder
from pilah.models.fingerprint import make_fingerprint
from pilah.models.incidents import COMPARED, NEIGHBOURS, DuplicateFinder, new_incident_id
from pilah.models.index import VectorIndex
from pilah.models.pairs import plain_scorer
from pilah.models.reading import Fingerprint, PlaceReading, Vector
from pilah.models.scoring import DuplicateThresholds
from pilah.models.text import read_text

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ENCODER = HashEncoder()
HOLE = "Lubang besar di Jl. Anggrek depan toko bangunan, dua motor jatuh tadi malam"


def finder() -> DuplicateFinder:
    index = VectorIndex(ENCODER.dim, ENCODER.version)
    return DuplicateFinder(index, plain_scorer(), DuplicateThresholds())


def read(
    text: str, report_id: str, place: str | None = "34.04.07", **changes: object
) -> tuple[Fingerprint, Vector]:
    clean = read_text(text)
    report = Report(text, reporter_ref=f"warga {report_id}")
    reading = PlaceReading(code=place, probability=0.9 if place else 0.0)
    made = make_fingerprint(report_id, report, clean, reading, (("jalan", 0.9),), NOON)
    return replace(made, **changes), ENCODER.encode([clean.normal])[0]  # type: ignore[arg-type]


def take(
    known: DuplicateFinder, fingerprint: Fingerprint, vector: Vector
) -> tuple[Duplicates, str]:
    """What an arrival does."""
    duplicates, incident = known.find(fingerprint, vector)
    known.remember(fingerprint, vector, incident)
    return duplicates, incident


def test_the_first_report_starts_an_incident_of_its_own() -> None:
    duplicates, incident = finder().find(*read(HOLE, "a"))
    assert duplicates.verdict == "none"
    assert duplicates.matches == ()
    assert incident == duplicates.incident_id == new_incident_id("a")


def test_finding_remembers_nothing() -> None:
    known = finder()
    known.find(*read(HOLE, "a"))
    assert len(known) == len(known.index) == 0


def test_an_exact_copy_of_the_same_place_joins() -> None:
    known = finder()
    _, first = take(known, *read(HOLE, "a"))
    duplicates, second = take(known, *read(HOLE, "b"))
    assert (duplicates.verdict, second) == ("duplicate", first)
    assert duplicates.matches[0].report_id == "a"
    assert duplicates.matches[0].probability >= 0.99
    assert "same text" in duplicates.matches[0].evidence


def test_an_exact_copy_of_another_regency_does_not_join() -> None:
    known = finder()
    take(known, *read(HOLE, "a"))
    duplicates, incident = known.find(*read(HOLE, "b", place="51.03.01"))
    assert duplicates.verdict != "duplicate"
    assert incident == new_incident_id("b")


LONG = HOLE + " dan kemarin sore ada pengendara terluka parah karena gelap sekali"


@pytest.mark.parametrize(
    ("one", "other"),
    [("34", "51"), ("34.04", "51"), ("34.04.07", "51"), ("34", "51.03.01"), ("34.04", "34.71")],
)
def test_a_telling_copy_of_another_place_does_not_join(one: str, other: str) -> None:
    known, street = finder(), frozenset({"anggrek"})
    take(known, *read(LONG, "a", place=one, streets=street))
    duplicates, incident = known.find(*read(LONG, "b", place=other, streets=street))
    assert duplicates.verdict != "duplicate"
    assert incident == new_incident_id("b")


@pytest.mark.parametrize("other", [None, "34", "34.04", "34.04.07", "34.04.07.2001"])
def test_a_telling_copy_joins_where_no_place_speaks_against_it(other: str | None) -> None:
    known, street = finder(), frozenset({"anggrek"})
    take(known, *read(LONG, "a", streets=street))
    assert known.find(*read(LONG, "b", place=other, streets=street))[0].verdict == "duplicate"


def test_a_report_that_fits_two_incidents_told_apart_is_for_a_person() -> None:
    known = finder()
    take(known, *read(HOLE, "a"))
    take(known, *read(HOLE, "b"))
    known.reassign({"b": "inc-b", "nobody": "inc-x"})
    known.keep_apart([("inc-b", new_incident_id("a"))])
    duplicates, incident = known.find(*read(HOLE, "c"))
    assert (duplicates.verdict, incident) == ("possible", new_incident_id("c"))
    known.keep_apart([])
    assert known.find(*read(HOLE, "c"))[0].verdict == "duplicate"
    assert known.incident_of("nobody") is None


def test_what_is_similar_is_public() -> None:
    known = finder()
    for visibility in ("secret", "anonymous", "public"):
        take(known, *read(HOLE, visibility, visibility=visibility))
    found = known.similar(*read(HOLE, "draft"), limit=10)
    assert [match.report_id for match in found] == ["public"]
    assert known.similar(*read(HOLE, "draft"), limit=0) == ()


@pytest.mark.parametrize("text", ["tes", "jalan rusak", "mohon bantuannya pak"])
@pytest.mark.parametrize("place", [None, "34.04.07"])
def test_a_generic_copy_never_merges(text: str, place: str | None) -> None:
    known = finder()
    take(known, *read(text, "a", place=place))
    duplicates, incident = known.find(*read(text, "b", place=place))
    assert duplicates.verdict == "none"
    assert incident == new_incident_id("b")


def test_a_generic_copy_of_the_same_reporter_joins() -> None:
    known = finder()
    take(known, *read("jalan rusak", "a", reporter="x"))
    assert known.find(*read("jalan rusak", "b", reporter="x"))[0].verdict == "duplicate"


def test_same_words_about_another_street_are_kept_apart() -> None:
    known = finder()
    take(known, *read(HOLE, "a", streets=frozenset({"anggrek"})))
    other = HOLE.replace("Anggrek", "Kenanga")
    duplicates, _ = known.find(*read(other, "b", streets=frozenset({"kenanga"})))
    assert duplicates.verdict != "duplicate"


def test_a_secret_report_leaves_no_trace_in_another_answer() -> None:
    with_secret, without = finder(), finder()
    take(with_secret, *read(HOLE, "s", visibility="secret"))
    assert with_secret.find(*read(HOLE, "b")) == without.find(*read(HOLE, "b"))
    assert with_secret.burst(*read(HOLE, "b")) == without.burst(*read(HOLE, "b"))
    assert len(with_secret) == 1
    assert len(with_secret.index) == 0


def test_a_secret_report_sees_matches_but_keeps_its_own_incident() -> None:
    known = finder()
    take(known, *read(HOLE, "a"))
    duplicates, incident = known.find(*read(HOLE, "s", visibility="secret"))
    assert duplicates.verdict == "duplicate"
    assert incident == new_incident_id("s")


def test_a_report_that_becomes_secret_leaves_the_index() -> None:
    known = finder()
    take(known, *read(HOLE, "a"))
    known.remember(*read(HOLE, "a", visibility="secret"), new_incident_id("a"))
    assert known.find(*read(HOLE, "b"))[0].matches == ()


def test_forgetting_leaves_nothing() -> None:
    known = finder()
    take(known, *read(HOLE, "a"))
    assert known.forget("a")
    assert not known.forget("a")
    assert known.find(*read(HOLE, "b"))[0].matches == ()
    assert known.incident_of("a") is None


def test_restored_reports_are_found_without_their_vectors() -> None:
    known = finder()
    known.restore([(read(HOLE, "a")[0], "inc-old")])
    assert known.find(*read(HOLE, "b"))[1] == "inc-old"
    assert known.incident_of("a") == "inc-old"


def test_a_report_never_matches_itself() -> None:
    known = finder()
    take(known, *read(HOLE, "a"))
    assert known.find(*read(HOLE, "a"))[0].matches == ()


def test_a_burst_counts_texts_and_reporters_in_time() -> None:
    known = finder()
    for i in range(6):
        take(known, *read(HOLE, f"r{i}"))
    take(known, *read(HOLE, "old", received_at=NOON - timedelta(days=30)))
    burst = known.burst(*read(HOLE, "new"))
    assert (burst.reports, burst.reporters) == (7, 7)


def test_many_that_join_at_once_see_what_each_alone_would_see() -> None:
    draw = np.random.default_rng(3)
    marks = []
    for n in range(3 * NEIGHBOURS):
        fingerprint, _ = read(f"laporan {n} di tempat {n % 7}", f"r{n}", place=None)
        vector = draw.standard_normal(ENCODER.dim).astype(np.float32)
        secret = "secret" if n % 5 == 0 else "public"
        marks.append((replace(fingerprint, visibility=secret), vector / np.linalg.norm(vector)))
    once, singly = finder(), finder()
    half = len(marks) // 2
    together = once.join(marks[:half]) + once.join(marks[half:])
    alone = [found for mark in marks for found in singly.join([mark])]
    seen = [[[c.report_id for c in found] for _, found in told] for told in (together, alone)]
    assert seen[0] == seen[1]
    assert max(map(len, seen[0])) == COMPARED
    assert not {name for names in seen[0] for name in names} & {f"r{n}" for n in range(0, 90, 5)}


def test_a_sender_is_counted_by_day() -> None:
    known = finder()
    for i in range(3):
        take(known, *read(f"{HOLE} ke {i}", f"r{i}", reporter="x"))
    take(known, *read("air mati di blok C", "w", reporter="x"))
    sender = known.sender(read(HOLE, "new", reporter="x")[0])
    assert (sender.reports, sender.copies) == (5, 4)
    assert known.sender(read(HOLE, "n", reporter=None)[0]).reports == 1


def test_verdicts_follow_the_thresholds() -> None:
    thresholds = DuplicateThresholds(0.9, 0.5)
    assert [thresholds.verdict(p) for p in (0.9, 0.89, 0.5, 0.49)] == [
        "duplicate", "possible", "possible", "none",
    ]  # fmt: skip


def test_matches_are_bounded_and_best_first() -> None:
    known = finder()
    for i in range(12):
        take(known, *read(f"{HOLE} {'lagi ' * i}", f"r{i}"))
    matches = known.find(*read(HOLE, "new"))[0].matches
    assert len(matches) == DuplicateThresholds().max_matches
    chances = [match.probability for match in matches]
    assert chances == sorted(chances, reverse=True)


WORDS = ["lubang", "lampu", "mati", "jalan", "anggrek", "got", "mampet", "banjir", "sampah"]


@settings(max_examples=25)
@given(texts=st.lists(st.lists(st.sampled_from(WORDS), min_size=1).map(" ".join), max_size=8))
def test_replaying_gives_the_same_incidents(texts: list[str]) -> None:
    runs = []
    for _ in range(2):
        known = finder()
        reports = (read(text, f"r{i}") for i, text in enumerate(texts))
        runs.append([take(known, *report) for report in reports])
    assert runs[0] == runs[1]


reported = st.tuples(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join),
    st.sampled_from(["public", "anonymous", "secret"]),
    st.sampled_from(["x", "y", "z"]),
)


@settings(max_examples=40)
@given(known=st.lists(reported, max_size=8), draft=reported)
def test_answers_are_as_if_what_is_hidden_were_not_there(
    known: list[tuple[str, str, str]], draft: tuple[str, str, str]
) -> None:
    """A secret report changes no other answer, an anonymous one tells nothing of its sender."""
    everything, open_only, renamed = finder(), finder(), finder()
    for i, (text, visibility, sender) in enumerate(known):
        one = read(text, f"r{i}", visibility=visibility, reporter=sender)
        everything.remember(*one, f"inc-{i}")
        if visibility != "secret":
            open_only.remember(*one, f"inc-{i}")
            other = sender if visibility == "public" else f"another {i}"
            changed = read(text, f"r{i}", visibility=visibility, reporter=other)
            renamed.remember(*changed, f"inc-{i}")
    asked = read(draft[0], "draft", visibility="public", reporter=draft[2])
    assert everything.find(*asked) == open_only.find(*asked) == renamed.find(*asked)
    shown = everything.similar(*asked, limit=20)
    assert shown == open_only.similar(*asked, limit=20) == renamed.similar(*asked, limit=20)
    assert all(known[int(match.report_id[1:])][1] == "public" for match in shown)
