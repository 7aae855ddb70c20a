"""Pairs to learn from, and the scorer that learns from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from pilah.datasets.records import LabelledReport, Labels, Report
from pilah.models.encoder import HashEncoder
from pilah.models.fingerprint import make_fingerprint
from pilah.models.pair_features import FEATURES
from pilah.models.pairs import plain_scorer
from pilah.models.reading import Fingerprint, PlaceReading, Vector
from pilah.models.text import read_text
from pilah.training.pairs import (
    AGAINST,
    FREE,
    HARD_NEGATIVE_OF,
    Pair,
    PairFit,
    fit_pair_scorer,
    training_pairs,
)

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


def read(rows: list[LabelledReport]) -> tuple[list[Fingerprint], Vector]:
    made, normals = [], []
    for i, one in enumerate(rows):
        clean = read_text(one.report.text)
        street = clean.normal.split("jalan ")[-1].split()[0]
        place = PlaceReading("34.04.07", 0.9, streets=frozenset({street}))
        moment = NOON + timedelta(days=i % 7)
        made.append(make_fingerprint(f"r{i}", one.report, clean, place, None, moment))
        normals.append(clean.normal)
    return made, HashEncoder().encode(normals)


def test_pairs_of_every_kind_each_once() -> None:
    rows = corpus()
    pairs = training_pairs(rows, read(rows)[1])
    kinds = {kind: [p for p in pairs if p.kind == kind] for kind in {p.kind for p in pairs}}
    assert set(kinds) == {"same", "hard", "near", "random", "moved"}
    assert len(kinds["same"]) == 25
    assert len(kinds["hard"]) == 50
    assert len({(p.a, p.b) for p in pairs if p.kind != "moved"}) == len(pairs) - len(kinds["moved"])
    assert all(p.a < p.b and p.same == (p.kind == "same") for p in pairs)


def test_pairs_depend_on_the_seed_alone() -> None:
    rows = corpus()
    assert training_pairs(rows, seed=3) == training_pairs(rows, seed=3)
    assert training_pairs(rows, seed=3) != training_pairs(rows, seed=4)


def test_strangers_never_share_an_incident() -> None:
    pairs = training_pairs(corpus(), other=20)
    assert all(p.groups[0] != p.groups[1] for p in pairs if p.kind in ("random", "moved"))


@pytest.fixture(scope="module")
def fitted() -> tuple[list[Pair], PairFit]:
    rows = corpus()
    fingerprints, vectors = read(rows)
    pairs = training_pairs(rows, vectors)
    return pairs, fit_pair_scorer(pairs, fingerprints, vectors)


def test_a_learnable_set_is_learned(fitted: tuple[list[Pair], PairFit]) -> None:
    metrics = fitted[1].metrics
    assert metrics.hard_average_precision > 0.9
    assert metrics.positives == 25
    assert metrics.average_precision > 5 * metrics.positives / metrics.pairs


def test_no_evidence_changes_its_sense(fitted: tuple[list[Pair], PairFit]) -> None:
    scorer = fitted[1].scorer
    for name, weight in zip(FEATURES, scorer.weights, strict=True):
        if name in FREE:
            continue
        against = name.startswith("other_") or name in AGAINST
        assert (weight <= 0) if against else (weight >= 0), name


def test_unseen_evidence_keeps_its_weight_by_hand(fitted: tuple[list[Pair], PairFit]) -> None:
    scorer = fitted[1].scorer
    case = FEATURES.index("same_case")
    assert scorer.weights[case] > 0.2 * plain_scorer().weights[case]


def test_thresholds_are_in_order(fitted: tuple[list[Pair], PairFit]) -> None:
    thresholds = fitted[1].thresholds
    assert 0 <= thresholds.possible <= thresholds.duplicate <= 1


def test_the_fit_is_reproducible(fitted: tuple[list[Pair], PairFit]) -> None:
    rows = corpus()
    fingerprints, vectors = read(rows)
    shuffled = [replace(f) for f in fingerprints]
    again = fit_pair_scorer(training_pairs(rows, vectors), shuffled, vectors)
    assert np.allclose(again.scorer.weights, fitted[1].scorer.weights)
