"""N-gram features and linear heads: what they compute, and as they were after a save."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from texts_kit import NORMALS, UNSEEN

from pilah.datasets.chargrams import char_counts
from pilah.models.features import VIEWS, NgramFeatures
from pilah.models.linear import LinearHead, calibrated, dequantise, quantise

if TYPE_CHECKING:
    pass


@pytest.mark.parametrize("views", [VIEWS, ("word",), ("char", "word")])
def test_features_come_back_the_same(views: tuple[str, ...]) -> None:
    features = NgramFeatures(views, min_df=1)
    fitted = features.fit(NORMALS)
    assert fitted.shape == (len(NORMALS), features.size)
    again = NgramFeatures.restore(*features.state())
    assert (again.views, again.size) == (views, features.size)
    assert again.words() == features.words()
    assert again.state()[0] == features.state()[0]
    for texts in (NORMALS, UNSEEN):
        one, two = features.transform(texts), again.transform(texts)
        assert one.dtype == two.dtype == np.float32
        np.testing.assert_allclose(one.toarray(), two.toarray(), atol=1e-6)
    np.testing.assert_allclose(features.transform(NORMALS).toarray(), fitted.toarray(), atol=1e-6)


@settings(max_examples=60)
@given(st.lists(st.text(alphabet="ab1-[]?! \u00e9", max_size=30), min_size=1, max_size=4))
def test_features_are_those_that_scikit_learn_makes(texts: list[str]) -> None:
    features = NgramFeatures(("word", "char"), min_df=1)
    fitted = features.fit([*NORMALS, *texts])
    made = features.transform([*NORMALS, *texts])
    assert abs(made - fitted).max() < 1e-6
    assert made.has_sorted_indices


def test_each_view_has_length_one_and_words_know_their_column() -> None:
    features = NgramFeatures(min_df=1)
    rows = features.fit(NORMALS)
    assert np.square(rows.toarray()).sum(axis=1) == pytest.approx(3.0)
    words = features.words()
    row = features.transform(["berlubang"]).toarray()[0]
    assert row[words["word:berlubang"]] > 0
    assert row[words["stem:lubang"]] > 0
    assert "word:jalan berlubang" not in words


def test_limits_of_the_vocabulary() -> None:
    rare = NgramFeatures(("word",), min_df=2)
    rare.fit(NORMALS)
    assert "word:keruh" not in rare.words()
    few = NgramFeatures(("word",), min_df=1, max_features=3)
    assert few.fit(NORMALS).shape[1] == 3


TOKENS = st.text("abé ?-1", min_size=1, max_size=7)


@settings(max_examples=60)
@given(st.lists(TOKENS, min_size=1, max_size=6), st.sampled_from([(2, 5), (3, 5), (1, 2)]))
def test_counting_by_way_of_the_words_changes_no_count(
    texts: list[str], sizes: tuple[int, int]
) -> None:
    assume(any(t.strip() for t in texts))
    plain = CountVectorizer(analyzer="char_wb", ngram_range=sizes, lowercase=False)
    wanted = plain.fit_transform(texts).toarray()
    names, counts = char_counts(texts, sizes)
    assert names == list(plain.get_feature_names_out())
    assert (counts.toarray() == wanted).all()


def test_characters_obey_the_limits_of_the_vocabulary() -> None:
    wanted = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True, lowercase=False
    )
    values = wanted.fit_transform(NORMALS)
    features = NgramFeatures(("char",), min_df=2)
    np.testing.assert_allclose(features.fit(NORMALS).toarray(), values.toarray(), atol=1e-6)
    assert features.state()[0]["char"] == list(wanted.get_feature_names_out())
    few = NgramFeatures(("char",), min_df=1, max_features=2)
    few.fit(["aa ba", "aa ca", "a"])
    assert few.state()[0]["char"] == [" a", "a "]
    with pytest.raises(ValueError, match="no n-gram"):
        NgramFeatures(("char",), min_df=9).fit(NORMALS)


@settings(max_examples=60)
@given(seed=st.integers(0, 1000), rows=st.integers(1, 5), columns=st.integers(1, 30))
def test_quantising_loses_at_most_half_a_step(seed: int, rows: int, columns: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    weights[0] = 0.0
    values, scale = quantise(weights)
    assert values.dtype == np.int8
    error = np.abs(dequantise(values, scale) - weights)
    assert (error <= scale[:, None] * 0.501 + 1e-7).all()


def test_calibration_keeps_the_order_and_sums_to_one() -> None:
    scores = np.array([[1.0, 0.0, -1.0], [0.0, 5.0, 0.0]], np.float32)
    shift = np.zeros(3, np.float32)
    soft, sharp = calibrated(scores, 0.5, shift), calibrated(scores, 4.0, shift)
    assert soft.sum(axis=1) == pytest.approx(1.0)
    assert (sharp.max(axis=1) > soft.max(axis=1)).all()
    assert (soft.argmax(axis=1) == scores.argmax(axis=1)).all()
    moved = calibrated(scores, 0.5, np.array([0.0, 0.0, 9.0], np.float32))
    assert moved[0].argmax() == 2


def test_a_head_of_two_labels_has_two_columns() -> None:
    head = LinearHead(
        ("a", "b"),
        np.eye(2, 3, dtype=np.float32),
        np.zeros(2, np.float32),
        1.0,
        np.zeros(2, np.float32),
        {"a": 0.5, "b": 0.5},
        {"a": 0.9, "b": 0.9},
    )
    assert head.probabilities(np.eye(3, dtype=np.float32)).shape == (3, 2)
