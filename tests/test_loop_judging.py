"""Labels of different worth: what teaches a head, and what may judge it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pilah.datasets.records import LabelledReport, Labels, Report
from pilah.training.config import TrainConfig
from pilah.training.heads import HeadSettings, fit_head
from pilah.training.mix import judging, represented
from pilah.training.train import train

DATA = Path(__file__).parent / "data"


def test_training_honours_the_weights() -> None:
    """Eight labels that are worth a tenth do not outvote four that are worth ten times as much."""
    place = [0] * 12 + [1] * 30 + [2] * 30
    labels = ["b"] * 8 + ["a"] * 4 + ["a"] * 30 + ["b"] * 30
    features = csr_matrix(np.eye(3, dtype=np.float32)[place])
    worth = np.array([0.1] * 8 + [1.0] * 64)
    said = []
    for weights in (worth, None):
        fitted = fit_head(
            features, labels, np.arange(72), HeadSettings(strength=1.0), worth=weights
        )
        said.append(fitted.head.labels[int(fitted.head.scores(features[:1]).argmax())])
        assert fitted.held_out.shape == (72, 2)
        assert fitted.scores.rows == (64 if weights is worth else 72)  # only they judge the head
    assert said == ["a", "b"]


@pytest.mark.parametrize("column", ["worth", "represents"])
def test_where_hardly_a_row_may_judge_nothing_is_sure(column: str) -> None:
    labels = ["a", "b"] * 200
    features = csr_matrix(np.eye(2, dtype=np.float32)[[0, 1] * 200])
    few = np.array([1.0] * 49 + [0.1 if column == "worth" else 0.0] * 351)
    for weights, sure in ((np.ones(400), True), (few, False)):
        fitted = fit_head(
            features, labels, np.arange(400), HeadSettings(strength=1.0), **{column: weights}
        )
        assert all((limit < 1) is sure for limit in fitted.head.sure.values())


def test_rows_judge_for_all_they_stand_for() -> None:
    """A machine that is right of what passed and wrong of what waited: 900 of 1,000 passed."""
    passed, waited = np.repeat([1.0, 0.0], [90, 100]), 1.0
    labels = ["a"] * 45 + ["b"] * 45 + ["a", "b"] * 50
    place = [0] * 45 + [1] * 45 + [2] * 100
    features = csr_matrix(np.eye(3, dtype=np.float32)[place])
    represents = np.where(passed > 0, 10.0, waited)
    accuracy = [
        fit_head(
            features, labels, np.arange(190), HeadSettings(strength=1.0), represents=weights
        ).scores.accuracy
        for weights in (None, represents)
    ]
    assert accuracy[0] < 0.8
    assert accuracy[1] > 0.9


def test_a_source_counts_for_the_rows_it_is_worth() -> None:
    """One file of 100 alike and one of 50 and ten that stand for ten each: 21.4 rows."""
    plain = [LabelledReport(Report("jalan"), Labels())] * 100
    assert represented(plain).tolist() == [1.0] * 100
    few = [replace(plain[0], extra={"represents": x}) for x in ["1"] * 50 + ["10"] * 10 + ["0"]]
    found = represented(few)
    assert found.sum() == pytest.approx(150**2 / (50 + 10 * 100))
    assert found[50] == pytest.approx(10 * found[0])
    assert found[-1] == 0


def test_who_may_judge() -> None:
    nods, nobody = np.full(60, 0.3), np.zeros(60)
    assert judging(nods, np.ones(60)) is None
    assert judging(np.ones(60), nobody) is None
    enough = judging(np.repeat([1.0, 0.3], [50, 10]), np.full(60, 2.0))
    assert enough is not None
    assert enough.tolist() == [2.0] * 50 + [0.0] * 10
    assert judging(np.ones(3), np.ones(3)) is not None  # all there are


@pytest.mark.parametrize(
    ("column", "cure"),
    [
        ({"weight_outcome": 0}, "weight_outcome: must be a number above 0"),
        ({"represents": -1}, "represents: must be a number of 0 or more"),
        ({"represents": "banyak"}, "represents: must be a number of 0 or more"),
    ],
)
def test_a_weight_that_is_none_is_refused(
    tmp_path: Path, column: dict[str, object], cure: str
) -> None:
    file = tmp_path / "a.jsonl"
    lines = (DATA / "latihan.jsonl").read_text("utf-8").splitlines()
    file.write_text("\n".join(json.dumps(json.loads(x) | column) for x in lines))
    with pytest.raises(Exception, match=cure):
        train(TrainConfig(data=(file,), target=("outcome",), min_df=1, dim=8))
