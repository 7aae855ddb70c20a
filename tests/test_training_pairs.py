"""Pairs to learn from, and the scorer that learns from them."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.datasets.records import LabelledReport, Labels, Report
from pilah.models.answer import PlaceFound
from pilah.models.encoder import HashEncoder
from pilah.models.fingerprint import hash_word, make_fingerprint
from pilah.models.pair_features import FEATURES
from pilah.models.pairs import plain_scorer
from pilah.models.rarity import Rarity
from pilah.models.reading import PlaceReading, Vector
from pilah.models.text import read_text
from pilah.training.incidents import written_counts
from pilah.training.pair_sets import Material, Pair, training_pairs
from pilah.training.pairs import (
    FITTED,
    MIX,
    PRECISION_TARGET,
    SHOWN_FROM,
    PairFit,
    find_thresholds,
    fit_pair_scorer,
    is_against,
    mixed_weights,
    served_weights,
)
from pilah.training.retold import REMINDERS, beside, moved, reminded, retold
from pilah.training.tellings import AGAIN, HARD_NEGATIVE_OF, ReadReports, tellings

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MATTERS = ("lampu jalan mati", "got mampet", "jalan berlubang", "sampah menumpuk", "pohon tumbang")
STREETS = ("anggrek", "kenanga", "melati", "mawar", "dahlia", "flamboyan")


def row(text: str, incident: str | None = None, imitates: str | None = None) -> LabelledReport:
    extra = {HARD_NEGATIVE_OF: imitates} if imitates else {}
    return LabelledReport(Report(text), Labels(incident=incident), extra)


def corpus() -> list[LabelledReport]:
    rows = []
    for matter in MATTERS:
        for street, other in pairwise(STREETS):
            key = f"{matter} {street}"
            rows.append(row(f"{matter} di jalan {street} sejak kemarin", key))
            rows.append(row(f"mohon ditangani, {matter} dekat ujung jalan {street}", key))
            rows.append(row(f"{matter} di jalan {other} sejak kemarin", imitates=key))
    return rows


def read(rows: list[LabelledReport]) -> tuple[ReadReports, Vector]:
    cleans = [read_text(one.report.text) for one in rows]
    places, made = [], []
    for i, (one, clean) in enumerate(zip(rows, cleans, strict=True)):
        street = clean.normal.split("jalan ")[-1].split()[0]
        told = PlaceFound(f"jalan {street}", None, street, "street", 1.0)
        place = PlaceReading("34.04", 0.9, found=(told,), streets=frozenset({street}))
        places.append(place)
        topics = tuple((matter, 0.9) for matter in MATTERS if matter in one.report.text)
        moment = NOON + timedelta(days=i % 7)
        made.append(make_fingerprint(f"r{i}", one.report, clean, place, topics, moment))
    rarity = Rarity(written_counts(made, places))
    reports = ReadReports(rows, cleans, places, made, rarity)
    return reports, HashEncoder().encode([clean.normal for clean in cleans])


def material(rows: list[LabelledReport]) -> Material:
    reports, vectors = read(rows)
    return Material(rows, reports.prints, vectors, tellings(reports, HashEncoder()))


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return training_pairs(material(corpus()))


def test_pairs_of_every_kind(pairs: list[Pair]) -> None:
    count = {kind: sum(p.kind == kind for p in pairs) for kind in {p.kind for p in pairs}}
    assert count["same"] == 25
    assert count["hard"] == 50
    assert count["retold"] == count["reminded"] == 75
    assert min(count["beside"], count["neighbour"]) > 50
    assert count["moved"] == sum(count.get(kind, 0) for kind in ("random", "topic")) > 100
    assert all(p.same == (p.kind == "same" or p.kind in AGAIN) for p in pairs)


def test_pairs_depend_on_the_seed_alone() -> None:
    known = material(corpus())
    assert training_pairs(known, seed=3) == training_pairs(known, seed=3)
    assert training_pairs(known, seed=3) != training_pairs(known, seed=4)


def test_strangers_never_share_an_incident(pairs: list[Pair]) -> None:
    assert all((p.groups[0] == p.groups[1]) == (p.same or p.kind == "hard") for p in pairs)


def test_a_moved_stranger_comes_to_the_same_district(pairs: list[Pair]) -> None:
    moved = [p for p in pairs if p.kind == "moved"]
    assert all((p.a.place or "-")[:8] == (p.b.place or "")[:8] for p in moved)
    assert 0 < sum(p.a.place == p.b.place for p in moved) < len(moved)
    assert {len(p.a.place or "") for p in moved} == {5, 13}
    assert {len(p.b.place or "") for p in moved if len(p.a.place or "") == 5} == {5}


def test_time_between_is_of_a_year_for_strangers_and_of_months_for_a_retelling(
    pairs: list[Pair],
) -> None:
    def longest(kind: str) -> float:
        found = (p for p in pairs if p.kind == kind)
        return max((p.b.received_at - p.a.received_at) / timedelta(days=1) for p in found)

    assert longest("moved") > 200
    assert longest("retold") <= 120


@given(text=st.text(alphabet="ab c", min_size=1, max_size=80), seed=st.integers(0, 99))
def test_a_retelling_holds_only_words_of_the_report_and_of_a_reminder(text: str, seed: int) -> None:
    known = {*text.split(), "lain", *(word for line in REMINDERS for word in line.split())}
    source = random.Random(seed)  # noqa: S311
    assert set(retold(text, "lain", source).split()) <= known


def test_a_reminder_keeps_words_of_the_report_and_no_telling_word_of_the_other() -> None:
    text, other = "lampu mati di jalan Kenanga 12", "lampu padam depan Excelso sejak rabu"
    told = reminded(text, other, lambda word: word[0].isupper(), random.Random(3))  # noqa: S311
    known = {*text.split(), *other.split(), *(word for line in REMINDERS for word in line.split())}
    assert set(told.split()) <= known - {"Excelso"}


def test_a_neighbour_names_the_same_village_and_one_beside_the_same_street() -> None:
    source = random.Random(0)  # noqa: S311
    assert moved("got mampet di Kedungmulyo", ["Kedungmulyo"], ["Sinduadi"], source) == (
        "got mampet di Sinduadi"
    )
    assert moved("got mampet di Kedungmulyo", ["Kedungmulyo"], [], source).endswith("Kedungmulyo")
    told = beside("pohon tumbang", ["jalan kenanga"], source).split()
    assert sorted(told) == sorted(["pohon", "tumbang", "di", "jalan", "kenanga"])
    assert told[told.index("di") + 1] == "jalan"


def test_names_of_regions_are_held_to_be_frequent() -> None:
    reports, _ = read([row(f"got mampet {i} di jalan anggrek") for i in range(300)])
    named = PlaceFound("Sinduadi", "34.04.13", "Sinduadi", "village", 1.0)
    places = [replace(reports.places[0], found=(named,)), *reports.places[1:]]
    counts = written_counts(reports.prints, places).counts
    assert counts[hash_word("sinduadi")] == 3
    assert counts[hash_word("anggrek")] == 300
    assert counts[hash_word("299")] == 1


def test_each_kind_has_its_share_of_the_fit(pairs: list[Pair]) -> None:
    weight = mixed_weights(pairs)
    kinds = np.array([pair.kind for pair in pairs])
    assert weight.mean() == pytest.approx(1)
    ratio = weight[kinds == "neighbour"].sum() / weight[kinds == "reminded"].sum()
    assert ratio == pytest.approx(MIX["neighbour"] / MIX["reminded"])


@pytest.fixture(scope="module")
def fitted(pairs: list[Pair]) -> PairFit:
    return fit_pair_scorer(pairs)


def test_a_learnable_set_is_learned(fitted: PairFit) -> None:
    metrics = fitted.metrics
    assert metrics.positives == 25
    assert metrics.hard_average_precision > 0.9
    assert metrics.average_precision > 5 * metrics.positives / metrics.pairs


def test_no_evidence_changes_its_sense(fitted: PairFit) -> None:
    for name, weight in zip(FITTED, fitted.scorer.weights, strict=True):
        assert (weight <= 0) if is_against(name) else (weight >= 0), name


def test_unseen_evidence_keeps_its_weight_by_hand(fitted: PairFit) -> None:
    case = FITTED.index("same_case")
    slope = fitted.scorer.weights[case] / fitted.scorer.scale[case]
    assert slope > 0.2 * plain_scorer().weights[FEATURES.index("same_case")]


def test_thresholds_keep_what_they_promise(pairs: list[Pair]) -> None:
    source = np.random.default_rng(0)
    same = np.array([p.same for p in pairs])
    close = same | np.array([p.kind == "hard" for p in pairs])
    probability = source.uniform(0, 0.5, len(pairs)) + 0.5 * close + 0.1 * same
    found = find_thresholds(pairs, probability)
    weight = served_weights(pairs)
    sure = probability >= found.duplicate
    assert found.possible == SHOWN_FROM < found.duplicate < 1
    assert weight[sure & same].sum() / weight[sure].sum() >= PRECISION_TARGET


def test_no_threshold_reaches_the_target_when_nothing_is_told_apart(pairs: list[Pair]) -> None:
    found = find_thresholds(pairs, np.full(len(pairs), 0.5))
    assert found.duplicate == 1


def test_the_fit_is_reproducible(pairs: list[Pair], fitted: PairFit) -> None:
    again = fit_pair_scorer([replace(pair) for pair in pairs])
    assert again.scorer.weights == fitted.scorer.weights
    assert again.thresholds == fitted.thresholds
