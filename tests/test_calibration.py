"""Probabilities that hold: the likeliest calibration, fitted and measured on other rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pilah.models.answer import Agency
from pilah.models.bundle import Bundle
from pilah.models.linear import Confidence, Curves, LinearHead, calibrated
from pilah.training.calibration import (
    KINDS,
    MIN_ROWS,
    fit_calibration,
    isotonic,
    loss,
    shifts,
    temperature,
)
from pilah.training.confidence import fit_confidence

LABELS = 4
ROWS = 3000


def drawn(
    seed: int, spoken: NDArray[np.float32], scores: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scores, and labels drawn with the probabilities that are the truth."""
    draw = np.random.default_rng(seed)
    truth = np.array([draw.choice(LABELS, p=p / p.sum()) for p in spoken.astype(float)])
    return scores, truth


def raw(seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 1.5, (ROWS, LABELS)).astype(np.float32)


ZERO = np.zeros(LABELS, np.float32)


def test_a_temperature_is_found_again() -> None:
    scores = raw(1)
    _, truth = drawn(2, calibrated(scores, 0.5, ZERO), scores)
    found = temperature(scores, truth)
    assert found.scale == pytest.approx(0.5, rel=0.15)
    assert not found.shift.any()


def test_shifts_are_found_again() -> None:
    scores, shift = raw(3), np.array([1.0, -1.0, 0.0, 0.0], np.float32)
    _, truth = drawn(4, calibrated(scores, 1.0, shift), scores)
    found = shifts(scores, truth)
    assert found.shift[0] - found.shift[1] == pytest.approx(2.0, abs=0.3)
    chosen, _ = fit_calibration(scores, truth, np.arange(ROWS), 0)
    assert chosen.kind == "shifts"


def test_what_no_softmax_can_say_is_learned_by_steps() -> None:
    """Above one half the first label is a toss-up, however high its score."""
    scores = raw(5)
    spoken = calibrated(scores, 1.0, ZERO)
    spoken[:, 0] = np.where(spoken[:, 0] > 0.5, 0.5, spoken[:, 0] / 8)
    _, truth = drawn(6, spoken, scores)
    chosen, held_out = fit_calibration(scores, truth, np.arange(ROWS), 0)
    assert chosen.kind == "isotonic"
    assert loss(held_out, truth) < loss(temperature(scores, truth)(scores), truth)
    confidence, right = held_out.max(axis=1), held_out.argmax(axis=1) == truth
    assert confidence.mean() == pytest.approx(right.mean(), abs=0.02)


def test_rows_are_spoken_of_by_a_fit_that_did_not_see_their_group() -> None:
    """Labels drawn at random, each in two copies: a fit that saw a copy would know the other."""
    draw = np.random.default_rng(7)
    scores = np.repeat(draw.normal(0, 1, (60, LABELS)).astype(np.float32), 2, axis=0)
    truth = np.repeat(draw.integers(0, LABELS, 60), 2)
    _, held_out = fit_calibration(scores, truth, np.repeat(np.arange(60), 2), 0)
    seen = min(loss(fit(scores, truth)(scores), truth) for fit in KINDS.values())
    assert loss(held_out, truth) > seen


def test_a_rare_label_keeps_the_temperature() -> None:
    scores = raw(8)
    truth = np.where(np.arange(ROWS) < MIN_ROWS - 1, 3, np.arange(ROWS) % 3)
    found = isotonic(scores, truth)
    assert found.curves is not None
    assert found.curves.knots[3] == 2
    assert found.curves.x[-2:].tolist() == found.curves.y[-2:].tolist() == [0.0, 1.0]


@settings(max_examples=60)
@given(seed=st.integers(0, 1000), labels=st.integers(2, 6))
def test_curves_are_linear_between_their_knots(seed: int, labels: int) -> None:
    draw = np.random.default_rng(seed)
    curves = [
        (np.sort(draw.random(n)), np.sort(draw.random(n))) for n in draw.integers(1, 6, labels)
    ]
    spoken = draw.dirichlet(np.ones(labels), 9).astype(np.float32)
    spoken[0] = np.eye(labels, dtype=np.float32)[0]
    found = Curves.join(curves)(spoken)
    wanted = np.stack([np.interp(spoken[:, i], *c) for i, c in enumerate(curves)], axis=1)
    wanted = np.maximum(wanted, 1e-6 + 0.01 * spoken)
    np.testing.assert_allclose(found, wanted / wanted.sum(axis=1, keepdims=True), atol=1e-4)


def test_labels_keep_their_order_where_the_curves_end_at_nothing() -> None:
    spoken = np.array([[0.1, 0.6, 0.05, 0.25]], np.float32)
    found = Curves.join([((0.0, 0.3, 1.0), (0.0, 0.0, 1.0))] * 4)(spoken)
    assert found[0].argsort().tolist() == spoken[0].argsort().tolist()


def test_low_scores_for_all_labels_are_learned_to_mean_little() -> None:
    """A softmax cannot see it: half of the rows have the same gaps, lower scores, random labels."""
    scores = np.vstack([raw(10), raw(11) - 5])
    truth = drawn(12, calibrated(scores, 2.0, ZERO), scores)[1]
    truth[ROWS:] = np.random.default_rng(13).integers(0, LABELS, ROWS)
    chosen, held_out = fit_calibration(scores, truth, np.arange(2 * ROWS), 0)
    assert chosen.kind.endswith("and confidence")
    spoken = chosen(scores)
    assert (spoken.argmax(axis=1) == held_out.argmax(axis=1)).mean() > 0.95
    right = (spoken.argmax(axis=1) == truth)[ROWS:].mean()
    plain = replace(chosen, confidence=None)(scores)
    with_it, without = (abs(p[ROWS:].max(axis=1).mean() - right) for p in (spoken, plain))
    assert with_it < without / 2


def test_answers_that_are_all_right_teach_no_confidence() -> None:
    scores = raw(14)[:40]
    spoken = calibrated(scores, 1.0, ZERO)
    assert fit_confidence(scores, spoken, spoken.argmax(axis=1), np.ones(40)) is None
    wrong = (spoken.argmax(axis=1) + 1) % LABELS
    assert fit_confidence(scores, spoken, wrong, np.ones(40)) is None


@settings(max_examples=60)
@given(seed=st.integers(0, 1000), labels=st.integers(2, 6), bias=st.floats(-30, 30))
def test_a_confidence_keeps_answer_and_order(seed: int, labels: int, bias: float) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.normal(0, 3, (9, labels)).astype(np.float32)
    spoken = calibrated(scores, 1.0, np.zeros(labels, np.float32))
    spoken[0] = np.eye(labels, dtype=np.float32)[0]
    judge = Confidence(draw.normal(0, 1, 3), np.full(labels, bias, np.float32))
    told = judge(scores, spoken)
    assert told.sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert (told.argmax(axis=1) == spoken.argmax(axis=1)).all()
    others = np.sort(spoken, axis=1)[1:, :-1]
    np.testing.assert_allclose(
        np.sort(told, axis=1)[1:, :-1] * others.sum(axis=1, keepdims=True),
        others * (1 - told.max(axis=1)[1:, None]),
        atol=1e-3,
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_gives_probabilities(kind: str) -> None:
    scores = raw(9)[:50]
    truth = np.arange(50) % 2
    spoken = KINDS[kind](scores, truth)(scores * 100)
    assert np.isfinite(spoken).all()
    assert spoken.sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def curve_of(size: int) -> Curves:
    """Curves that lower the first label and leave the others."""
    plain = ([0.0, 1.0], [0.0, 1.0])
    return Curves.join([([0.2, 0.5, 0.9], [0.05, 0.05, 0.4]), *[plain] * (size - 1)])


def test_curves_survive_the_bundle(bundle: Bundle, tmp_path: Path) -> None:
    head = bundle.heads["topic_main"]
    bent = replace(head, curves=curve_of(len(head.labels)))
    full = replace(bundle, heads=bundle.heads | {"topic_main": bent})
    assert full.save(tmp_path / "b") != bundle.version
    again = Bundle.load(tmp_path / "b")
    assert again.heads["outcome"].curves is None
    rows = bundle.features.transform(["jalan berlubang besar", "lampu jalan mati"])
    first, second, third = (
        b.heads["topic_main"].probabilities(rows) for b in (again, full, bundle)
    )
    np.testing.assert_allclose(first, second, atol=1e-3)
    assert not np.allclose(second, third, atol=1e-2)


def test_a_confidence_survives_the_bundle(bundle: Bundle, tmp_path: Path) -> None:
    head = bundle.heads["topic_main"]
    judge = Confidence(np.array([0.5, 1, -1], np.float32), np.zeros(len(head.labels), np.float32))
    full = replace(bundle, heads={"topic_main": replace(head, confidence=judge)})
    assert full.save(tmp_path / "b") != bundle.version
    again = Bundle.load(tmp_path / "b").heads["topic_main"].confidence
    assert again is not None
    assert again.slopes.tolist() == judge.slopes.tolist()
    assert again.bias.tolist() == judge.bias.tolist()


def test_an_agency_that_a_head_alone_named_has_its_own_limit(bundle: Bundle) -> None:
    zeros = np.zeros(2, np.float32)
    limits = {"Dukcapil": 0.6, "PUPR": 0.95}
    head = LinearHead(("Dukcapil", "PUPR"), np.zeros((2, 1)), zeros, 1.0, zeros, limits, limits)
    own = replace(bundle, heads={"agency": head}, agency_weight=1.0, agency_sure=0.8)
    learned = Agency("PUPR", None, None, 0.9, None, source="learned")
    assert own.agency_limit(learned) == 0.95
    assert own.agency_limit(replace(learned, source="table")) == 0.8
    assert replace(own, agency_weight=0.5).agency_limit(learned) == 0.8
