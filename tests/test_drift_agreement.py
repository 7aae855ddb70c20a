"""Drift and agreement: against hand computations, and properties of the measures."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from pilah.evaluation.agreement import cohen, fleiss
from pilah.evaluation.shift import OTHER, binned, shift, words

LABELS = st.lists(st.sampled_from("abc"), min_size=2, max_size=40)


@given(LABELS, st.randoms(use_true_random=False))
def test_cohen_is_that_of_scikit_learn(left: list[str], chance: random.Random) -> None:
    right = [chance.choice([x, "a"]) for x in left]
    ours = cohen(list(zip(left, right, strict=True))).kappa
    if len({*left, *right}) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(cohen_kappa_score(left, right))


def test_fleiss_of_the_textbook() -> None:
    """Fleiss (1971) as worked in many books: 10 subjects, 14 raters, 5 categories, kappa 0.210."""
    rows = (
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    )  # fmt: skip
    given_labels = [[str(i) for i, n in enumerate(row) for _ in range(n)] for row in rows]
    found = fleiss(given_labels, 14)
    assert found.kappa == pytest.approx(0.210, abs=0.001)
    assert found.observed == pytest.approx(0.378, abs=0.001)
    assert found.expected == pytest.approx(0.213, abs=0.001)


def test_agreement_that_says_nothing_is_none() -> None:
    assert fleiss([["a"], ["b"]], 2).kappa is None
    assert fleiss([["a", "a"], ["a", "a"]], 2).kappa is None
    assert cohen([]).kappa is None
    assert fleiss([["a", "a"], ["b", "b"]], 2).kappa == 1.0


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 500), min_size=2))
def test_the_same_mix_is_no_shift(counts: dict[str, int]) -> None:
    same = shift(counts, counts)
    assert same.psi == pytest.approx(0.0, abs=1e-12)
    assert not same.drifted


def test_a_real_shift_is_seen_and_a_small_window_is_not_believed() -> None:
    seen = shift({"jalan": 800, "banjir": 200}, {"jalan": 400, "banjir": 600})
    assert seen.drifted
    assert seen.moved["banjir"] == (0.2, 0.6)
    few = shift({"jalan": 8, "banjir": 2}, {"jalan": 2, "banjir": 3})
    assert few.psi > 0.25
    assert not few.drifted


@given(st.integers(0, 2**32 - 1))
def test_chance_alone_rarely_drifts(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a draw, not a secret
    labels = [f"t{i}" for i in range(20)]
    before = dict.fromkeys(labels, 0)
    now = dict(before)
    for counts, rows in ((before, 400), (now, 100)):
        for _ in range(rows):
            counts[chance.choice(labels)] += 1
    assert shift(before, now).p_value > 1e-6


def test_rare_labels_are_counted_together() -> None:
    before = {"umum": 990} | {f"jarang{i}": 1 for i in range(10)}
    found = shift(before, {"umum": 990})
    assert set(found.moved) <= {"umum", OTHER}


def test_windows_without_reports_say_nothing() -> None:
    assert shift({}, {"a": 3}).p_value == 1.0
    assert words([], []).drifted is False


def test_new_words_are_found() -> None:
    usual = [frozenset({"jalan", "rusak", f"kampung{i % 20}"}) for i in range(100)]
    assert not words(usual, usual[:30]).drifted
    found = words(usual, [frozenset({"jalan", "gempa", "tenda", f"k{i}"}) for i in range(10)])
    assert found.drifted
    assert found.before == 0.0
    assert found.new == {"gempa": 10, "tenda": 10}


def test_confidence_is_binned() -> None:
    assert binned([0.0, 0.05, 0.95, 1.0]) == {"0.0": 2, "0.9": 2}
