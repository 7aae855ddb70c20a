"""Comparing bundles: intervals that hold, pairs that match, slices that lose no row."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from pilah.datasets.errors import InputError
from pilah.datasets.readers import read_rows
from pilah.datasets.records import LabelledReport, Labels, Report
from pilah.datasets.tables import read_table
from pilah.evaluation.asking import AGENCY, BOTH, Said, ask
from pilah.evaluation.compare import compare, difference, incident_groups
from pilah.evaluation.intervals import (
    f1_parts,
    macro_f1_of,
    percentile,
    resampled_sums,
    wilson,
)
from pilah.evaluation.language import language_of
from pilah.evaluation.slices import LONGER, UNKNOWN, informality, length, slices_of
from pilah.models.bundle import Bundle
from pilah.models.triage import Triager

DATA = Path(__file__).parent / "data" / "latihan.jsonl"


@pytest.fixture(scope="module")
def rows() -> list[LabelledReport]:
    """The tiny training set, with an agency and a channel for some."""
    found = [r.content for r in read_rows(DATA)]
    kept = [r for r in found if isinstance(r, LabelledReport)]
    return [
        replace(r, labels=replace(r.labels, agency="Dinas Kesehatan" if i % 3 else None))
        for i, r in enumerate(kept)
    ]


def triager(bundle: Bundle) -> Triager:
    return Triager.from_bundle(bundle, service_version="uji")


def spoilt(bundle: Bundle, target: str) -> Bundle:
    """The same bundle with one head that always gives its last label."""
    head = bundle.heads[target]
    shift = np.zeros_like(head.shift)
    shift[-1] = 100.0
    return replace(
        bundle, heads={**bundle.heads, target: replace(head, shift=shift)}, version="rusak"
    )


def said(right: list[bool], answer: list[str] | None = None) -> Said:
    n = len(right)
    truth = np.array(["a"] * n, dtype=object)
    hit = np.array(right, dtype=bool)
    return Said(
        rows=np.arange(n),
        truth=truth,
        answer=np.array(answer or ["a" if r else "b" for r in right], dtype=object),
        right=hit,
        confidence=np.full(n, 0.5, np.float32),
        sure=hit,
        known=np.ones(n, dtype=bool),
    )


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=50))
def test_a_difference_is_what_the_rows_say(pairs: list[tuple[bool, bool]]) -> None:
    one, two = said([a for a, _ in pairs]), said([b for _, b in pairs])
    found = difference(one, two, np.arange(len(pairs)), resamples=200)
    assert found.accuracy.difference == pytest.approx(np.mean([b - a for a, b in pairs]))
    assert found.accuracy.lower <= found.accuracy.upper
    assert found.wins - found.losses == sum(b - a for a, b in pairs)
    back = difference(two, one, np.arange(len(pairs)), resamples=200)
    assert (back.wins, back.losses) == (found.losses, found.wins)
    assert back.accuracy.lower == pytest.approx(-found.accuracy.upper)
    assert back.p_value == pytest.approx(found.p_value)


def test_the_interval_is_that_of_the_normal_law_on_many_rows() -> None:
    draw = np.random.default_rng(1)
    a, b = draw.random(2000) < 0.7, draw.random(2000) < 0.75
    found = difference(said(a.tolist()), said(b.tolist()), np.arange(2000))
    gap = b.astype(float) - a
    error = gap.std() / np.sqrt(2000)
    assert found.accuracy.lower == pytest.approx(gap.mean() - 1.96 * error, abs=0.003)
    assert found.accuracy.upper == pytest.approx(gap.mean() + 1.96 * error, abs=0.003)
    assert found.p_value < 0.05 or found.accuracy.lower <= 0


def test_rows_of_one_incident_are_one_witness() -> None:
    """Ten copies of the same twenty rows tell no more than the twenty."""
    draw = np.random.default_rng(2)
    a, b = (draw.random(20) < p for p in (0.5, 0.6))
    once = difference(said(a.tolist()), said(b.tolist()), np.arange(20))
    copies = said(np.tile(a, 10).tolist()), said(np.tile(b, 10).tolist())
    grouped = difference(*copies, np.tile(np.arange(20), 10))
    alone = difference(*copies, np.arange(200))
    assert grouped.accuracy == once.accuracy
    assert alone.accuracy.upper - alone.accuracy.lower < 0.5 * (
        once.accuracy.upper - once.accuracy.lower
    )


def test_incidents_share_a_number() -> None:
    names = ["x", None, "x", "y", None]
    found = incident_groups([LabelledReport(Report("a"), Labels(incident=n)) for n in names])
    assert found.tolist() == [0, 1, 0, 3, 4]


def test_wilson_hand_values() -> None:
    found = wilson(8, 10)
    assert (found.value, found.lower, found.upper) == pytest.approx((0.8, 0.490, 0.943), abs=1e-3)
    assert (wilson(0, 0).lower, wilson(0, 0).upper) == (0.0, 1.0)
    assert wilson(5, 5).upper == 1.0


@given(rows=st.integers(1, 500), data=st.data())
def test_wilson_is_that_of_scipy(rows: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, rows))
    low, high = binomtest(right, rows).proportion_ci(0.95, method="wilson")
    found = wilson(right, rows)
    assert (found.lower, found.upper) == pytest.approx((low, high), abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_macro_f1_from_sums_equals_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, answer = np.array([t for t, _ in pairs]), np.array([a for _, a in pairs])
    parts = f1_parts(truth, answer, 4)
    wanted = f1_score(truth, answer, average="macro", zero_division=0)
    assert macro_f1_of(parts.sum(axis=0)[None])[0] == pytest.approx(wanted)
    every_row = resampled_sums(parts, np.zeros(len(pairs), np.int64), resamples=3)
    assert macro_f1_of(every_row) == pytest.approx(np.full(3, wanted))


def test_a_percentile_interval_holds_95_of_100() -> None:
    found = percentile(0.5, np.linspace(0, 1, 1001))
    assert (found.lower, found.upper) == pytest.approx((0.025, 0.975))


def test_a_bundle_is_level_with_itself(bundle: Bundle, rows: list[LabelledReport]) -> None:
    done: list[int] = []
    found = compare(triager(bundle), triager(bundle), rows, done.append, resamples=50)
    assert sum(done) == 2 * len(rows)
    assert (found.a, found.b, found.rows) == (bundle.version, bundle.version, len(rows))
    assert {"topic_main", "outcome", AGENCY, BOTH} <= set(found.targets)
    for target in found.targets.values():
        assert (target.accuracy.difference, target.accuracy.lower) == (0.0, 0.0)
        assert (target.wins, target.losses, target.p_value) == (0, 0, 1.0)
    assert set(found.macro_f1) == set(found.targets) - {BOTH}
    assert (found.only_a, found.only_b) == ((), ())
    assert json.loads(json.dumps(found.to_dict()))["rows"] == len(rows)


def test_a_spoilt_head_loses_where_it_was_spoilt(
    bundle: Bundle, rows: list[LabelledReport]
) -> None:
    found = compare(triager(bundle), triager(spoilt(bundle, "topic_main")), rows, resamples=200)
    topic = found.targets["topic_main"]
    assert topic.accuracy.upper < 0
    assert topic.losses > topic.wins
    assert topic.p_value < 0.001
    assert found.macro_f1["topic_main"].upper < 0
    assert found.targets["outcome"].accuracy.difference == 0
    short = found.slices["topic_main"]["length"]
    assert sum(d.rows for d in short.values()) <= topic.rows
    assert all(d.accuracy.difference <= 0 for d in short.values())


def test_a_label_that_one_side_forgot_counts_against_it(
    bundle: Bundle, rows: list[LabelledReport]
) -> None:
    """The rows of a label that neither knows do not count; of one that B lost, they do."""
    head = bundle.heads["topic_main"]
    kept = np.array([label != "20" for label in head.labels])
    fewer = replace(
        head,
        labels=tuple(label for label in head.labels if label != "20"),
        weights=head.weights[kept],
        bias=head.bias[kept],
        shift=head.shift[kept],
        curves=None,
    )
    small = replace(bundle, heads={"topic_main": fewer})
    both = compare(triager(small), triager(small), rows, resamples=50).targets["topic_main"]
    lost = compare(triager(bundle), triager(small), rows, resamples=50).targets["topic_main"]
    forgotten = sum(r.labels.topic_main == "KEPENDUDUKAN" for r in rows)
    assert forgotten > 0
    assert lost.rows - both.rows == forgotten
    assert lost.accuracy.b * lost.rows == pytest.approx(both.accuracy.b * both.rows)
    assert lost.losses > 0


def test_a_head_that_one_side_lacks_is_named(bundle: Bundle, rows: list[LabelledReport]) -> None:
    heads = {n: h for n, h in bundle.heads.items() if n != "outcome"}
    found = compare(triager(bundle), triager(replace(bundle, heads=heads)), rows, resamples=50)
    assert found.only_a == ("outcome",)
    assert "outcome" not in found.targets


def test_nothing_to_compare_is_refused(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="no row to compare on"):
        compare(triager(bundle), triager(bundle), [])
    with pytest.raises(InputError, match="no target that both bundles answer has labels here"):
        compare(triager(bundle), triager(bundle), [LabelledReport(Report("x"), Labels())])


def test_both_is_right_where_topic_and_agency_are(
    bundle: Bundle, rows: list[LabelledReport]
) -> None:
    asked = ask(triager(bundle), rows)
    topic, agency, both = (asked.said[n] for n in ("topic_main", AGENCY, BOTH))
    right = set(topic.rows[topic.right]) & set(agency.rows[agency.right])
    assert set(both.rows[both.right]) == right
    assert set(both.rows) == set(topic.rows) & set(agency.rows)


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("Jalan di depan pasar rusak", "no informal word"),
        ("yg rusak " + "jalan " * 30, "up to 5 %"),
        ("jalan yg rusak di depan pasar itu belum diperbaiki", "5 to 15 %"),
        ("jln yg rusak blm diperbaiki", "over 15 %"),
        ("123 !!", "no informal word"),
    ],
)
def test_informality_is_the_share_of_slang(text: str, band: str) -> None:
    assert informality(text) == band


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("lampu dalan mati wis seminggu", "id or unclear"),
        ("Lampune mati wis suwe, bengi ora ketok", "jv"),
        ("lampu pareum ti kamari, teu acan didangdosan", "su"),
        ("Lampu padam, alah tigo hari indak ado nan datang", "min"),
        ("lampunye kagak nyala aye udeh lapor", "bew"),
        ("titiang nunas tulung, yening dados mangkin", "ban"),
        ("Lampu jalan di depan rumah kami padam sejak kemarin", "id or unclear"),
        ("", "id or unclear"),
    ],
)
def test_a_regional_language_needs_two_of_its_words(text: str, language: str) -> None:
    assert language_of(text) == language


def test_no_word_tells_two_languages() -> None:
    words = [row["word"] for _, row in read_table("language_words.csv", ("word", "language"))]
    assert len(words) == len(set(words))
    assert words == [w.lower() for w in words]


def test_lengths() -> None:
    assert [length("kata " * n) for n in (1, 10, 11, 80)] == [
        "1-10 words", "1-10 words", "11-20 words", "41-80 words",
    ]  # fmt: skip
    assert length("kata " * 81) == LONGER


def test_slices_hold_every_row_once_where_they_are_large() -> None:
    report = Report("air mati", region="34.04", channel="sms")
    found = slices_of(
        [LabelledReport(report, Labels(), {"language": "jv"})] * 30
        + [LabelledReport(replace(report, region=None, channel=None), Labels())] * 25
        + [LabelledReport(replace(report, channel="web"), Labels())]
    )
    assert set(found) == {"province", "length", "informality", "language", "channel"}
    provinces = {name: len(index) for name, index in found["province"].items()}
    assert provinces == {"Daerah Istimewa Yogyakarta": 31, UNKNOWN: 25}
    assert list(found["channel"]) == ["sms", UNKNOWN]
    assert found["language"]["jv"].tolist() == list(range(30))
    months = slices_of(
        [LabelledReport(replace(report, reported_at=datetime(2026, m, 1, tzinfo=UTC)), Labels())
         for m in (11, 2) for _ in range(20 + m)]
    )["month"]  # fmt: skip
    assert list(months) == ["2026-02", "2026-11"]
    read = slices_of([LabelledReport(report, Labels())] * 25)
    assert len(read["language, read from the text"]["id or unclear"]) == 25
