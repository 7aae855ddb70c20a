"""Metrics against brute force, thresholds that keep their promise, splits that do not leak."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import binomtest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, log_loss, precision_recall_fscore_support

from pilah.datasets import near
from pilah.datasets.errors import InputError
from pilah.datasets.near import BLOCK, NEAR, groups, joined, near_pairs
from pilah.datasets.splits import Split, group_split, time_split
from pilah.evaluation.metrics import (
    LEVELS,
    calibration_curve,
    calibration_error,
    coverage,
    coverage_at,
    macro_f1,
    score,
)
from pilah.evaluation.thresholds import BORROWED, NEVER, lower_bound, threshold, thresholds

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = ("a", "b", "c", "d")


@st.composite
def answers(draw: st.DrawFn) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Probabilities (n, 4), rows summing to one and with ties among them, and the truth."""
    n = draw(st.integers(1, 40))
    raw = draw(hnp.arrays(np.float32, (n, 4), elements=st.integers(1, 9).map(float)))
    truth = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 3)))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True), np.float32), truth


def told(
    probabilities: NDArray[np.float32], truth: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Confidence of each answer, and whether it is right."""
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == truth


@settings(max_examples=80)
@given(answers())
def test_scores_equal_scikit_learn(
    case: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    probabilities, truth = case
    predicted = probabilities.argmax(axis=1)
    found = score(probabilities, truth, LABELS)
    assert (found.rows, found.classes) == (len(truth), len(set(truth.tolist())))
    assert found.accuracy == pytest.approx(accuracy_score(truth, predicted))
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    wanted = log_loss(truth, exact, labels=range(4))
    assert found.log_loss == pytest.approx(wanted, abs=1e-5)
    occur = sorted({*truth.tolist(), *predicted.tolist()})
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=occur, zero_division=0
    )
    assert found.macro_f1 == pytest.approx(f1.mean())
    by_label = {c.label: c for c in found.per_class}
    assert list(by_label) == [
        c.label for c in sorted(by_label.values(), key=lambda c: (-c.support, c.label))
    ]
    for i, label in enumerate(occur):
        mine = by_label.pop(LABELS[label])
        assert (mine.precision, mine.recall, mine.f1) == pytest.approx(
            (precision[i], recall[i], f1[i])
        )
        assert (mine.support, mine.predicted) == (support[i], (predicted == label).sum())
    assert not by_label


@settings(max_examples=80)
@given(answers(), st.sampled_from([*LEVELS, 0.25, 0.5]))
def test_coverage_and_top3_equal_brute_force(
    case: tuple[NDArray[np.float32], NDArray[np.int64]], level: float
) -> None:
    probabilities, truth = case
    pairs = list(zip(probabilities, truth, strict=True))
    kept = [int(p.argmax()) == t for p, t in pairs if p.max() >= np.float32(level)]
    found = coverage(*told(probabilities, truth), level)
    assert found.coverage == pytest.approx(len(kept) / len(pairs))
    assert found.precision == (pytest.approx(sum(kept) / len(kept)) if kept else None)
    top3 = score(probabilities, truth, LABELS).top3
    surely = np.mean([(p >= p[t]).sum() <= 3 for p, t in pairs])
    maybe = np.mean([(p > p[t]).sum() < 3 for p, t in pairs])
    assert surely <= top3 <= maybe  # equal probabilities may come in any order


@settings(max_examples=80)
@given(answers(), st.sampled_from([0.5, 0.75, 0.95]))
def test_coverage_at_a_precision_is_the_largest_prefix(
    case: tuple[NDArray[np.float32], NDArray[np.int64]], target: float
) -> None:
    probabilities, truth = case
    order = sorted(range(len(truth)), key=lambda i: -probabilities[i].max())
    right = [int(probabilities[i].argmax()) == truth[i] for i in order]
    reached = [n for n in range(1, len(right) + 1) if sum(right[:n]) / n >= target]
    wanted = max(reached, default=0) / len(right)
    assert coverage_at(*told(probabilities, truth), target) == pytest.approx(wanted)


def test_hand_values() -> None:
    probabilities = np.array(
        [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]], dtype=np.float32
    )  # fmt: skip
    truth = np.array([0, 1, 1, 0])
    found = score(probabilities, truth, ("ya", "tidak"))
    assert found.accuracy == 0.75
    assert found.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert found.top3 == 1.0
    assert found.ece == pytest.approx((0.1 + 0.8 + 0.3 + 0.4) / 4, abs=1e-6)
    assert found.coverage_at_95 == 0.25
    assert [(c.level, c.coverage) for c in found.table][:3] == [(0.6, 1.0), (0.7, 0.75), (0.8, 0.5)]
    assert found.table[-1].precision is None
    curve = [(0.6, 1.0, 1), (0.7, 1.0, 1), (0.8, 0.0, 1), (0.9, 1.0, 1)]
    for point, wanted in zip(calibration_curve(*told(probabilities, truth)), curve, strict=True):
        assert point == pytest.approx(wanted, abs=1e-6)


def test_a_label_that_the_model_does_not_know_is_never_right() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]], dtype=np.float32)
    found = score(probabilities, np.array([0, -1]), ("a", "b"))
    assert (found.accuracy, found.top3) == (0.5, 0.5)
    assert found.log_loss == pytest.approx((-np.log(0.9) - np.log(1e-9)) / 2, rel=1e-5)


@settings(max_examples=80)
@given(answers(), st.data())
def test_a_row_that_stands_for_three_counts_as_three(
    case: tuple[NDArray[np.float32], NDArray[np.int64]], data: st.DataObject
) -> None:
    probabilities, truth = case
    several = st.lists(st.integers(1, 4), min_size=len(truth), max_size=len(truth))
    times = np.array(data.draw(several))
    found = score(probabilities, truth, LABELS, times.astype(np.float64))
    wanted = score(probabilities.repeat(times, axis=0), truth.repeat(times), LABELS)
    for name in ("accuracy", "macro_f1", "top3", "ece", "log_loss", "coverage_at_95"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=1e-6)
    assert found.table == tuple(pytest.approx(line) for line in wanted.table)
    assert found.rows == len(truth)


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="no rows to score"):
        score(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), ("a", "b"))


@settings(max_examples=60)
@given(answers())
def test_calibration_error_is_small_for_honest_and_bounded_for_any(
    case: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    probabilities, truth = case
    assert 0 <= calibration_error(*told(probabilities, truth)) <= 1
    sure = np.eye(4, dtype=np.float32)[truth]
    assert calibration_error(*told(sure, truth)) == pytest.approx(0.0)
    assert macro_f1(truth, truth) == 1.0
    assert sum(n for _, _, n in calibration_curve(*told(probabilities, truth))) == len(truth)


GRID = st.integers(0, 20).map(lambda n: n / 20)
HELD_OUT = st.lists(st.tuples(GRID, st.booleans()), max_size=60)


def wilson(right: int, rows: int) -> float:
    """The lower end of the two-sided 80 % interval is that of the one-sided 90 % one."""
    return float(binomtest(right, rows).proportion_ci(0.8, method="wilson").low)


@given(st.integers(1, 500), st.data())
def test_the_lower_bound_is_wilsons(rows: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, rows))
    (found,) = lower_bound(np.array([right]), np.array([rows]))
    assert found == pytest.approx(wilson(right, rows), abs=1e-9)
    assert found <= right / rows


@settings(max_examples=200)
@given(HELD_OUT, st.sampled_from([0.5, 0.75, 0.9, 1.0]))
def test_a_threshold_keeps_its_promise_and_is_the_lowest_that_does(
    held_out: list[tuple[float, bool]], target: float
) -> None:
    """Many answers share one confidence here: all of them stand above the threshold or none."""
    confidence = np.array([c for c, _ in held_out], dtype=np.float32)
    right = np.array([r for _, r in held_out], dtype=bool)
    found = threshold(confidence, right, target)

    def precision(limit: float) -> float:
        kept = right[confidence >= limit]
        return wilson(int(kept.sum()), len(kept)) if len(kept) else 0.0

    reachable = [float(c) for c in confidence if precision(float(c)) >= target]
    assert found == (min(reachable) if reachable else NEVER)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 400),
    target=st.sampled_from([0.6, 0.75, 0.9]),
)
def test_each_label_keeps_the_promise_with_what_it_borrows(
    seed: int, n: int, target: float
) -> None:
    draw = np.random.default_rng(seed)
    probabilities = draw.dirichlet(np.full(3, 0.4), n).astype(np.float32)
    noise = draw.random(n) < 0.3
    truth = np.where(noise, draw.integers(0, 3, n), probabilities.argmax(axis=1))
    found = thresholds(probabilities, truth, ("a", "b", "c"), target)
    confidence, answer = probabilities.max(axis=1), probabilities.argmax(axis=1)

    def bound(label: int, limit: float) -> float:
        kept = confidence >= limit
        right, mine = (answer == truth)[kept], (answer == label)[kept]
        rows = min(BORROWED, len(right))
        borrowed = right.mean() * rows
        (low,) = lower_bound(np.array([right[mine].sum() + borrowed]), mine.sum() + rows)
        return float(low)

    for i, label in enumerate("abc"):
        reached = [float(c) for c in confidence if bound(i, float(c)) >= target - 1e-12]
        assert found[label] == (min(reached) if reached else NEVER)


def test_labels_with_few_answers_follow_the_others() -> None:
    """A tenth of the answers of the large label is wrong below 0.9; the small ones have six."""
    confidence = np.array([0.95] * 300 + [0.85] * 300 + [0.9] * 3 + [0.85] * 3, np.float32)
    answer = np.array([0] * 600 + [1] * 6)
    probabilities = np.where(answer[:, None] == np.arange(3), confidence[:, None], 0.0)
    truth = np.where(np.arange(606) % 10 == 3, 2, answer)
    truth[:300] = 0
    found = thresholds(probabilities.astype(np.float32), truth, ("besar", "kecil", "tiada"), 0.92)
    assert found == {
        "besar": pytest.approx(0.85), "kecil": pytest.approx(0.9), "tiada": pytest.approx(0.9)
    }  # fmt: skip


def test_a_label_that_is_bad_is_not_covered_by_the_others() -> None:
    answer = np.array([0] * 600 + [1] * 60)
    probabilities = np.where(answer[:, None] == np.arange(2), 0.9, 0.1).astype(np.float32)
    truth = np.where(np.arange(660) >= 630, 0, answer)  # half of the small label's are wrong
    assert thresholds(probabilities, truth, ("baik", "buruk"), 0.9) == {
        "baik": pytest.approx(0.9), "buruk": NEVER
    }  # fmt: skip


def test_few_right_answers_prove_little() -> None:
    confidence, right = np.full(20, 0.9, np.float32), np.ones(20, dtype=bool)
    assert threshold(confidence, right, 0.9) == pytest.approx(0.9)
    assert threshold(confidence, right, 0.95) == NEVER


WORDS = st.sampled_from(["jalan", "rusak", "lampu", "mati", "air", "pasar", "kemarin", "sejak"])
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), min_size=1, max_size=25)


@settings(max_examples=40)
@given(TEXTS, st.sampled_from([0.5, NEAR]), st.sampled_from([0.02, 0.2, 0.5, 1.0]))
def test_near_pairs_equal_brute_force(texts: list[str], limit: float, common: float) -> None:
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5))
    rows = vectorizer.fit_transform(texts).toarray()
    cosine = rows @ rows.T
    wanted = {
        (i, j) for i in range(len(texts)) for j in range(i + 1, len(texts)) if cosine[i, j] >= limit
    }
    edge = {(i, j) for i in range(len(texts)) for j in range(i) if abs(cosine[i, j] - limit) < 1e-5}
    assume(not edge)
    with patch.object(near, "COMMON", common):  # from all n-grams being common to none
        found = list(near_pairs(texts, limit))
    assert {(i, j) for i, j, _ in found} == wanted
    assert len(found) == len(wanted)
    assert all(c == pytest.approx(cosine[i, j], abs=1e-4) for i, j, c in found)


def test_near_pairs_go_over_block_borders() -> None:
    texts = [f"laporan nomor {i * 7919} tentang hal {i * 104729}" for i in range(BLOCK + 40)]
    texts[BLOCK + 39] = texts[3]
    done: list[int] = []
    assert (3, BLOCK + 39) in {(i, j) for i, j, _ in near_pairs(texts, 0.999, tick=done.append)}
    assert sum(done) == len(texts)
    assert list(near_pairs(["satu"])) == []
    assert list(near_pairs([])) == []


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(
    st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))))))  # fmt: skip
def test_joined_gives_the_connected_parts(case: tuple[int, list[tuple[int, int]]]) -> None:
    size, pairs = case
    reach = np.eye(size, dtype=bool)
    for a, b in pairs:
        reach[a, b] = reach[b, a] = True
    for _ in range(size):
        reach = reach @ reach
    found = joined(size, iter(pairs))
    assert ((found[:, None] == found[None, :]) == reach).all()
    assert all(found[g] == g <= i for i, g in enumerate(found))


def test_groups_join_by_text_and_by_key() -> None:
    road = "jalan rusak di pasar"
    texts = [road, road.title(), "air mati", "lampu padam", "got mampet"]
    found = groups(texts, ([None, None, "x", "x", None], ["k", None, None, None, "k"]))
    assert found.tolist() == [0, 0, 2, 2, 0]


def crossing(split: Split, texts: list[str], keys: list[str | None]) -> list[tuple[int, int]]:
    """Pairs, one on each side, that are nearly the same or carry one key."""
    group = groups(texts, (keys,))
    return [(a, b) for a in split.train for b in split.test if group[a] == group[b]]


@settings(max_examples=60)
@given(TEXTS.filter(lambda t: len(t) > 1), st.data())
def test_no_near_duplicate_crosses_a_split(texts: list[str], data: st.DataObject) -> None:
    n = len(texts)
    keys = data.draw(st.lists(st.sampled_from([None, None, "x", "y"]), min_size=n, max_size=n))
    days = data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))
    share = data.draw(st.sampled_from([0.1, 0.2, 0.5]))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(days=d) for d in days]
    by_time = time_split(texts, moments, (keys,), share=share)
    by_group = group_split(texts, (keys,), share=share, seed=data.draw(st.integers(0, 9)))
    for split in (by_time, by_group):
        assert crossing(split, texts, keys) == []
        sides = np.concatenate([split.train, split.test, split.dropped])
        assert sorted(sides.tolist()) == list(range(n))
        assert len(split.test) >= 1
    assert len(by_time.test) == max(1, round(share * n))
    newest = min(days[i] for i in by_time.test)
    assert all(days[i] <= newest for i in (*by_time.train, *by_time.dropped))
    group = groups(texts, (keys,))
    assert set(group[by_time.dropped]) <= set(group[by_time.test])
    assert len(by_group.dropped) == 0


def test_a_time_split_needs_times() -> None:
    with pytest.raises(InputError, match="reported_at in every row; use --by group"):
        time_split(["a", "b"], [datetime(2026, 1, 1, tzinfo=UTC), None])


def test_a_group_split_is_the_same_for_one_seed() -> None:
    texts = [f"laporan {i * 7919} hal {i * 31}" for i in range(40)]
    one, two = (group_split(texts, seed=3).test.tolist() for _ in range(2))
    assert one == two != group_split(texts, seed=4).test.tolist()
    assert len(one) == pytest.approx(8, abs=2)
