"""Evidence of a pair: agreement, conflict, symmetry, and the scorer over it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.datasets.errors import BundleError
from pilah.datasets.records import Report
from pilah.datasets.tables import read_table
from pilah.models.fingerprint import content_words, hash_word, make_fingerprint, problems_in
from pilah.models.pair_features import (
    FEATURES,
    PairFeatures,
    kilometres,
    pair_features,
)
from pilah.models.pairs import PairScorer, evidence, plain_scorer
from pilah.models.reading import Fingerprint, PlaceReading
from pilah.models.regional import in_indonesian
from pilah.models.text import read_text
from pilah.models.word_weights import PLAIN, WordWeights
from pilah.service.match_words import MATCH_WORDS, match_words

REGIONAL = [row for _, row in read_table("regional_words.csv", ("word", "indonesian", "language"))]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def fingerprint(text: str, report_id: str = "r1", **changes: object) -> Fingerprint:
    place = PlaceReading(code=None, probability=0.0)
    made = make_fingerprint(report_id, Report(text), read_text(text), place, (), NOON)
    return replace(made, **changes)  # type: ignore[arg-type]


LAMP = fingerprint("lampu jalan di Jl. Melati mati tiga malam", streets=frozenset({"melati"}))


def test_a_fingerprint_keeps_no_readable_text() -> None:
    report = Report("Lampu jalan depan rumah pak Wiryo mati", reporter_ref="wiryo-77")
    clean = read_text(report.text)
    made = make_fingerprint("r1", report, clean, PlaceReading(None, 0.0), (), NOON)
    kept = repr(made).lower()
    assert "wiryo" not in kept
    assert "lampu" not in kept
    assert made.problems == {"street_light"}
    assert made.names == {hash_word("wiryo")}


def test_the_key_changes_the_hash_of_a_person() -> None:
    report = Report("Jalan rusak di depan pasar", reporter_ref="warga-1")
    clean, place = read_text(report.text), PlaceReading(None, 0.0)
    one, other = (
        make_fingerprint("r1", report, clean, place, (), NOON, key=key) for key in (b"a", b"b")
    )
    assert one.reporter != other.reporter
    assert one.words == other.words


def test_hash_words_are_stable() -> None:
    assert hash_word("lampu") == 1445288193


def test_content_words_leave_out_stop_words_and_labels() -> None:
    words = content_words(read_text("Mohon pak, lampunya mati. Hubungi 081234567890").normal)
    assert "lampu" in words
    assert "mohon" not in words
    assert not any("[" in word or "telepon" in word for word in words)


def test_problems_need_whole_words() -> None:
    assert "cable" not in problems_in("kabelisasi")
    assert "drain" in problems_in("selokannya mampet")


def test_regional_words_meet_indonesian_ones() -> None:
    one = fingerprint("lampune dalan peteng wingi bengi")
    other = fingerprint("lampu jalan gelap kemarin malam")
    assert one.words == other.words
    assert in_indonesian("aia sumua kariang") == "air sumur kering"


def test_no_indonesian_word_is_translated_on() -> None:
    assert {row["indonesian"] for row in REGIONAL} == {
        in_indonesian(row["indonesian"]) for row in REGIONAL
    }
    assert len({row["word"] for row in REGIONAL}) == len(REGIONAL)


def test_every_phrase_of_a_problem_is_found_as_it_was_written() -> None:
    rows = [row for _, row in read_table("problems.csv", ("slug", "phrases"))]
    told = [(row["slug"], phrase) for row in rows for phrase in row["phrases"].split("|")]
    assert [pair for pair in told if pair[0] not in fingerprint(pair[1]).problems] == []


def test_people_who_introduce_themselves_differ() -> None:
    one = fingerprint("Saya Wiryo, duda, belum pernah mendapat bantuan")
    other = fingerprint("Nama saya Kustinah, janda. Saya belum pernah mendapat bantuan")
    assert pair_features(one, other, 0.9).other_sender
    assert pair_features(one, other, 0.9).differs
    again = fingerprint("saya Wiryo Saputro lagi, Saya Mohon bantuan")
    assert not pair_features(one, again, 0.9).other_sender


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Selamat malam, saya Wiryo dari RT 3", {"wiryo"}),
        ("dengan hormat saya Wiryo", {"wiryo"}),
        ("NAMA SAYA WIRYO, BANTUAN BELUM TURUN", {"wiryo"}),
        ("lampu di depan rumah saya Tirtoadi mati", set()),
        ("suami saya TKI. saya PNS, anak saya Sarwendah", set()),
    ],
)
def test_what_somebody_has_or_is_introduces_nobody(text: str, names: set[str]) -> None:
    assert fingerprint(text).senders == frozenset(map(hash_word, names))


def test_another_relative_is_another_case() -> None:
    one, other = fingerprint("KTP anak saya belum jadi"), fingerprint("KTP ibu saya belum jadi")
    assert pair_features(one, other, 0.9).other_kin
    assert pair_features(one, other, 0.9).differs
    assert not pair_features(one, fingerprint("anak kedua saya sakit"), 0.9).other_kin


@pytest.mark.parametrize(
    ("ours", "theirs", "same", "other"),
    [
        ({"34.04.07"}, {"34.04.07.2001"}, 1.0, 0.0),
        ({"34.04.07", "34.04.08"}, {"34.04.07", "34.04.09"}, 1.0, 1.0),
        ({"34.04.07"}, {"34.04.09"}, 0.0, 1.0),
        (set(), {"34.04.09"}, 0.0, 0.0),
    ],
)
def test_districts_that_the_texts_name(
    ours: set[str], theirs: set[str], same: float, other: float
) -> None:
    one, two = (replace(LAMP, regions=frozenset(codes)) for codes in (ours, theirs))
    features = pair_features(one, two, 0.9)
    assert (features.same_region, features.other_region) == (same, other)


def test_lanes_blocks_and_days_differ() -> None:
    one = fingerprint("lampu blok a mati sejak tanggal 4", streets=frozenset({"melati", "gang 3"}))
    other = replace(
        fingerprint("lampu blok b mati sejak tanggal 21"), streets=frozenset({"melati", "gang 5"})
    )
    features = pair_features(one, other, 0.9)
    assert features.same_street
    assert features.other_lane
    assert features.swapped_date > 0


def test_topics_agree_by_their_probabilities() -> None:
    one = replace(LAMP, topics=((1, 0.5), (2, 0.5)))
    other = replace(LAMP, topics=((2, 0.5), (1, 0.5)))
    assert pair_features(one, other, 0.9).topic_likeness == pytest.approx(1.0)
    assert pair_features(one, LAMP, 0.9).topic_likeness == 0.0


def test_another_street_is_a_conflict() -> None:
    other = replace(LAMP, report_id="r2", streets=frozenset({"mawar"}))
    features = pair_features(LAMP, other, 0.9)
    assert (features.same_street, features.other_street, features.conflict) == (0, 1, 1)
    assert "different street" in evidence(features)


def test_evidence_names_only_the_deepest_place() -> None:
    placed = replace(LAMP, place="34.04.07.2001")
    phrases = evidence(pair_features(placed, placed, 0.9))
    assert "same village" in phrases
    assert not {"same district", "same regency"} & set(phrases)
    phrases = evidence(pair_features(placed, replace(LAMP, place="51.03.01.2001"), 0.9))
    assert "different regency" in phrases
    assert not {"different village", "different district"} & set(phrases)


def test_unlike_places_in_like_texts_are_swapped() -> None:
    one = fingerprint("lampu jalan mati di kampung sawah sejak senin malam")
    two = fingerprint("lampu jalan mati di kampung melayu sejak senin malam", "r2")
    swapped, copied = pair_features(one, two, 0.9), pair_features(one, one, 0.9)
    assert swapped.swapped_spots > copied.swapped_spots == 0
    assert "alike but for the place" in evidence(swapped)
    assert plain_scorer().probability(swapped) < plain_scorer().probability(copied)


def test_names_that_are_no_words_are_things() -> None:
    made = fingerprint("parkir liar depan warung Excelso di kampung Karangmojo, mohon ditertibkan")
    assert made.things == {hash_word("excelso"), hash_word("karangmojo")}


def test_what_both_tell_of_place_and_matter() -> None:
    one = fingerprint("lampu padam di Karangmojo")
    two = fingerprint("Karangmojo lampunya padam lagi", "r2")
    other = fingerprint("Karangmojo butuh vaksin anjing", "r3")
    assert pair_features(one, two, 0).place_and_matter > 0
    assert pair_features(one, other, 0).shared_told > 0
    assert pair_features(one, other, 0).place_and_matter == 0


@pytest.mark.parametrize(
    ("one", "two", "differs"),
    [
        (
            "pohon di jalan mawar perlu dipangkas",
            "pohon di jalan mawar perlu dipangkas lagi",
            False,
        ),
        ("tebang pohon di dusun kedungmulyo wetan", "tebang pohon di dusun karangmojo kidul", True),
        ("pipa bocor rt 3", "selokan mampet rt 3", True),
        ("ada 3 lubang", "ada 5 lubang", True),
    ],
)
def test_what_each_tells_alone_makes_a_pair_differ(one: str, two: str, *, differs: bool) -> None:
    assert pair_features(fingerprint(one), fingerprint(two, "r2"), 0.9).differs == differs


def test_another_matter_at_one_place_makes_a_pair_differ() -> None:
    one = fingerprint("mohon karung untuk kerja bakti RW 3 Karangmojo, salam Wiryo", topic="sampah")
    other = fingerprint("tambah cermin cembung RW 3 Karangmojo, salam Wiryo", "r2", topic="rambu")
    assert pair_features(one, other, 0.9).differs
    assert not pair_features(one, replace(other, topic="sampah"), 0.9).differs
    copied = fingerprint("karung untuk kerja bakti RW 3 Karangmojo", "r3", topic="rambu")
    assert not pair_features(one, copied, 0.9).differs


def test_an_unknown_street_is_no_conflict() -> None:
    features = pair_features(LAMP, replace(LAMP, streets=frozenset()), 0.9)
    assert (features.same_street, features.other_street) == (0, 0)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("34.04.07.2001", "34.04.07.2001", ("same_village", "same_district", "same_regency")),
        ("34.04.07.2001", "34.04.07.2002", ("other_village", "same_district", "same_regency")),
        ("34.04.07", "34.04.08", ("other_district", "same_regency")),
        ("34.04.07", "34.04", ("same_regency",)),
        ("34.04.07", "34.71", ("other_regency",)),
        ("34.04", None, ()),
        ("34", "34.04", ()),
    ],
)
def test_places_agree_level_by_level(a: str, b: str | None, expected: tuple[str, ...]) -> None:
    features = pair_features(replace(LAMP, place=a), replace(LAMP, place=b), 0.5)
    names = [f"{w}_{level}" for w in ("same", "other") for level in LEVELS]
    assert {n for n in names if getattr(features, n)} == set(expected)


LEVELS = ("village", "district", "regency")


@pytest.mark.parametrize(
    ("ours", "theirs", "same", "other"),
    [("12", "12,5", 1, 0), ("12", "14", 0, 1), ("12", "dua belas", 0, 1)],
)
def test_kilometre_posts_have_a_tolerance(ours: str, theirs: str, same: int, other: int) -> None:
    a, b = (replace(LAMP, numbers={"km": (value,)}) for value in (ours, theirs))
    features = pair_features(a, b, 0.5)
    assert (features.same_km, features.other_km) == (same, other)


def test_landmarks_agree_by_containment_of_two_words() -> None:
    a = replace(LAMP, landmarks=frozenset({"pasar tlogorejo"}))
    for name, same in (("pasar tlogorejo lama", 1), ("pasar", 0), ("pasar godean", 0)):
        assert pair_features(a, replace(LAMP, landmarks=frozenset({name})), 0).same_landmark == same


def test_an_anonymous_reporter_is_never_named_as_the_same() -> None:
    a, b = (replace(LAMP, reporter="x", visibility=v) for v in ("public", "anonymous"))
    assert pair_features(a, a, 0.5).same_reporter == 1
    assert pair_features(a, b, 0.5).same_reporter == 0
    assert "same reporter" not in evidence(pair_features(a, b, 0.5))


@pytest.mark.parametrize(
    ("days", "phrase"), [(0.2, "same day"), (1, "1 day apart"), (20, "20 days apart")]
)
def test_time_between_is_told(days: float, phrase: str) -> None:
    later = replace(LAMP, received_at=NOON + timedelta(days=days))
    assert phrase in evidence(pair_features(LAMP, later, 0.5))


def test_distance_of_two_cities() -> None:
    assert kilometres((-7.80, 110.37), (-6.21, 106.85)) == pytest.approx(427, abs=5)
    near, far = replace(LAMP, lat=-7.80, lon=110.37), replace(LAMP, lat=-6.21, lon=106.85)
    assert pair_features(near, far, 0.5).log_km == pytest.approx(math.log1p(427), abs=0.02)
    assert pair_features(near, near, 0.5).near == 1


texts = st.lists(
    st.sampled_from(
        [
            "lampu",
            "mati",
            "jalan",
            "rusak",
            "rt",
            "3",
            "km",
            "5",
            "juni",
            "ktp",
            "saya",
            "pak",
            "budi",
            "pasar",
        ]
    ),
    min_size=1,
).map(" ".join)


@given(one=texts, two=texts, cosine=st.floats(-1, 1))
def test_features_are_symmetric_and_finite(one: str, two: str, cosine: float) -> None:
    a, b = fingerprint(one), fingerprint(two, "r2")
    features = pair_features(a, b, cosine)
    assert features == pair_features(b, a, cosine)
    assert all(map(math.isfinite, features.array()))
    assert 0 <= plain_scorer().probability(features) <= 1


@given(documents=st.lists(st.frozensets(st.integers(0, 9)), max_size=20))
def test_word_weights_survive_json_and_stay_in_bounds(documents: list[frozenset[int]]) -> None:
    weights = WordWeights.count(documents)
    again = WordWeights.from_dict(json.loads(json.dumps(weights.to_dict())))
    assert again.total == weights.total == len(documents)
    assert all(0 <= again.weight(word) <= 1 for word in range(11))


def test_rare_words_weigh_more() -> None:
    weights = WordWeights.count([frozenset({1, 2}), frozenset({1})])
    assert weights.weight(2) > weights.weight(1)
    assert PLAIN.weight(1) == 1


def test_conflict_lowers_and_agreement_raises() -> None:
    scorer = plain_scorer()
    middle = PairFeatures(cosine=0.6, overlap=0.4, containment=0.6, same_district=1)
    score = scorer.probability(middle)
    for name in FEATURES:
        changed = scorer.probability(middle._replace(**{name: 1.0}))
        if name.startswith(("same_", "shared_")):
            assert changed >= score
        if name.startswith(("other_", "swapped_", "left_")):
            assert changed <= score


def test_a_scorer_survives_json() -> None:
    scorer = plain_scorer()
    assert PairScorer.from_dict(json.loads(json.dumps(scorer.to_dict()))) == scorer


@pytest.mark.parametrize(
    "change", [{"names": ["cosine"]}, {"scale": [0.0] * len(FEATURES)}, {"weights": None}]
)
def test_a_scorer_of_other_features_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BundleError, match="train the bundle again"):
        PairScorer.from_dict(plain_scorer().to_dict() | change)


def test_every_piece_of_evidence_has_indonesian_words() -> None:
    shown = PairFeatures(*(1.0 for _ in FEATURES))
    beside = shown._replace(exact_copy=0.0, same_village=0.0, other_regency=0.0, log_days=0.0)
    farther = beside._replace(other_district=0.0, same_district=0.0, other_problem=0.0)
    said = {*evidence(shown), *evidence(beside), *evidence(farther)}
    assert set(MATCH_WORDS) - said <= {"same regency", "different village"}
    assert {line for line in said if match_words(line) == line} == set()
    assert match_words("2 days apart") == "selisih 2 hari"
    assert match_words("1.7 km apart") == "berjarak 1,7 km"
