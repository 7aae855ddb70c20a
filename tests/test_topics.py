"""Reading the topic heads: what is stated, where it falls back, what goes to the routing table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.datasets.taxonomy import load_taxonomy
from pilah.models.linear import LinearHead
from pilah.models.topics import MASS, MAX_ALTERNATIVES, MAX_ROUTED, TopicReader

if TYPE_CHECKING:
    from pilah.models.linear import FloatArray

MAINS = ("04", "08", "16", "20")
SUBS = ("08.007", "08.010", "16.004", "16.010")
ROAD = "PEKERJAAN UMUM DAN PENATAAN RUANG"


def head(labels: tuple[str, ...], stated: float = 0.5, sure: float = 0.8) -> LinearHead:
    size = len(labels)
    limits = (dict.fromkeys(labels, limit) for limit in (stated, sure))
    weights, bias = np.zeros((size, 1), np.float32), np.zeros(size, np.float32)
    return LinearHead(labels, weights, bias, 1.0, bias, *limits)


def floats(*values: float) -> FloatArray:
    return np.array(values, dtype=np.float32)


READER = TopicReader(head(MAINS), head(SUBS), load_taxonomy())
SUB = floats(0.6, 0.2, 0.15, 0.05)


def test_a_sure_topic_is_stated_with_its_sub_topic() -> None:
    answer = READER.answer(floats(0.02, 0.9, 0.05, 0.03), SUB)
    assert (answer.main, answer.sub, answer.fallback) == (ROAD, "JALAN BERLUBANG", "none")
    assert answer.probability == pytest.approx(0.9 * 0.6 / 0.8)
    names = [a.main for a in answer.alternatives]
    assert names == ["ENERGI DAN SUMBER DAYA ALAM", "KEPENDUDUKAN", "KESEHATAN"]
    assert all(a.sub is None for a in answer.alternatives)


def test_below_its_threshold_the_sub_topic_is_left_out() -> None:
    answer = READER.answer(floats(0.2, 0.6, 0.1, 0.1), SUB)
    assert (answer.main, answer.sub, answer.fallback) == (ROAD, None, "main")
    assert answer.probability == pytest.approx(0.6)


def test_below_its_threshold_no_topic_is_stated() -> None:
    answer = READER.answer(floats(0.2, 0.4, 0.3, 0.1), SUB)
    assert (answer.main, answer.sub, answer.fallback) == (None, None, "null")
    assert answer.probability == pytest.approx(0.4)
    assert answer.alternatives[0].main == ROAD
    assert len(answer.alternatives) == 4


def test_a_main_topic_whose_sub_topics_were_not_learned() -> None:
    answer = READER.answer(floats(0.9, 0.05, 0.03, 0.02), SUB)
    assert (answer.main, answer.sub, answer.fallback) == ("KESEHATAN", None, "main")


@pytest.mark.parametrize(("limit", "fallback"), [(0.9, "none"), (0.9001, "null")])
def test_a_threshold_is_inclusive(limit: float, fallback: str) -> None:
    reader = TopicReader(head(MAINS, float(np.float32(limit))), None, load_taxonomy())
    assert reader.answer(floats(0.04, 0.9, 0.03, 0.03), None).fallback == fallback


def test_own_labels_are_stated_as_they_are() -> None:
    reader = TopicReader(head(("lampu", "jalan")), None, None)
    answer = reader.answer(floats(0.3, 0.7), None)
    assert (answer.main, answer.sub, answer.fallback) == ("jalan", None, "none")
    assert [a.main for a in answer.alternatives] == ["lampu"]
    assert reader.distribution(floats(0.3, 0.7), None) == [
        ("jalan", pytest.approx(0.7)),
        ("lampu", pytest.approx(0.3)),
    ]


def test_sure_is_asked_of_the_likeliest_main_topic() -> None:
    assert READER.sure(floats(0.05, 0.85, 0.05, 0.05))
    assert not READER.sure(floats(0.1, 0.75, 0.1, 0.05))


def test_at_most_so_many_alternatives() -> None:
    many = tuple(f"{n:02}" for n in range(1, 11))
    reader = TopicReader(head(many, 0.0), None, load_taxonomy())
    answer = reader.answer(np.linspace(0.19, 0.01, 10, dtype=np.float32), None)
    assert len(answer.alternatives) == MAX_ALTERNATIVES


@st.composite
def spoken(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    rows = []
    for size in (len(MAINS), len(SUBS)):
        raw = draw(st.lists(st.integers(0, 100), min_size=size, max_size=size))
        total = sum(raw) or 1
        rows.append(floats(*(n / total for n in raw)))
    return rows[0], rows[1]


@settings(max_examples=150)
@given(spoken())
def test_the_distribution_spreads_each_main_topic_over_its_own(
    case: tuple[FloatArray, FloatArray],
) -> None:
    main, sub = case
    found = READER.distribution(main, sub)
    names = [name for name, _ in found]
    assert len(set(names)) == len(names)
    assert all(p >= 0 for _, p in found)
    for label, probability in zip(MAINS, main, strict=True):
        mine = sum(p for name, p in found if name.split(".")[0] == label)
        assert mine == pytest.approx(0.0) or mine == pytest.approx(float(probability), abs=1e-5)
    assert sum(p for _, p in found) >= min(MASS, float(main.sum())) - 1e-5
    assert len({n.split(".")[0] for n in names}) <= MAX_ROUTED


@settings(max_examples=100)
@given(spoken())
def test_nothing_is_stated_below_its_threshold(case: tuple[FloatArray, FloatArray]) -> None:
    answer = READER.answer(*case)
    assert (answer.main is None) == (answer.fallback == "null")
    assert answer.main is None or case[0].max() >= 0.5
    assert answer.sub is None or answer.probability >= 0.5
    assert (answer.sub is not None) == (answer.fallback == "none")
    probabilities = [a.probability for a in answer.alternatives]
    assert probabilities == sorted(probabilities, reverse=True)
