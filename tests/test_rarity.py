"""How rare written words are among what is remembered, and who is compared first."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.models.pairs import plain_scorer
from pilah.models.rarity import Rarity, Texts
from pilah.models.scoring import DuplicateThresholds, PairJudge
from pilah.models.word_weights import WordWeights

texts_of_words = st.lists(st.frozensets(st.integers(0, 40)), max_size=12)


def laid(texts: list[frozenset[int]]) -> Texts:
    words = [word for text in texts for word in sorted(text)]
    ends = np.cumsum([0, *map(len, texts)])
    return Texts(np.array(words, dtype=np.uint32), np.asarray(ends, dtype=np.int64))


def heard(texts: list[frozenset[int]]) -> Rarity:
    rarity = Rarity()
    rarity.add(laid(texts))
    return rarity


def test_a_word_in_one_text_tells_most_and_one_in_many_nothing() -> None:
    rarity = heard([frozenset({1, 2, 3}), *([frozenset({1, 2})] * 9), *([frozenset({1})] * 90)])
    weights = rarity.weights(np.array([1, 2, 3, 4], dtype=np.uint32))
    assert weights.tolist() == pytest.approx([0, 0, 1, 1])
    ten = 1 - 2 * math.log(5) / math.log(101)
    assert heard([frozenset({7})] * 5 + [frozenset({8})] * 96).sum([7]) == pytest.approx(ten)


def test_the_written_corpus_comes_first() -> None:
    rarity = Rarity(WordWeights.count([frozenset({1})] * 50 + [frozenset({2})] * 50))
    assert rarity.sum([1]) == 0
    assert rarity.sum([3]) == 1


@given(kept=texts_of_words, gone=texts_of_words)
def test_what_is_taken_back_leaves_no_trace(
    kept: list[frozenset[int]], gone: list[frozenset[int]]
) -> None:
    rarity = heard(kept)
    before = rarity.weights(np.arange(41, dtype=np.uint32))
    rarity.add(laid(gone))
    rarity.add(laid(gone), -1)
    assert np.array_equal(rarity.weights(np.arange(41, dtype=np.uint32)), before)


@given(one=st.frozensets(st.integers(0, 40)), others=texts_of_words)
def test_many_at_once_are_compared_as_one_by_one(
    one: frozenset[int], others: list[frozenset[int]]
) -> None:
    rarity = heard([*others, one])
    found = rarity.compare(one, laid(others))
    alike = [len(one & other) / max(1, len(one | other)) for other in others]
    assert found.likeness() == pytest.approx(alike)
    for n, other in enumerate(others):
        assert found.pair(n) == pytest.approx(rarity.pair(one, other))
        assert found.overlap()[n] == pytest.approx(rarity.pair(one, other).overlap)


def test_the_first_look_likes_those_that_share_rare_words() -> None:
    rarity, one = heard([frozenset({9})] * 80), frozenset({1, 2, 3, 9})
    found = rarity.compare(one, laid([frozenset({9}), frozenset({1, 2, 9}), frozenset({1})]))
    judge = PairJudge(plain_scorer(), DuplicateThresholds())
    liked = judge.liked(np.full(3, 0.5), found)
    assert liked[0] < liked[2] < liked[1]
