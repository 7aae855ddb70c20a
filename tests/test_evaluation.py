"""What an evaluation tells, and its page: every figure from the rows, one file, nothing fetched."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.datasets.readers import read_rows
from pilah.datasets.records import LabelledReport
from pilah.evaluation.asking import AGENCY, BOTH, Said, ask, named
from pilah.evaluation.compare import compare
from pilah.evaluation.evaluate import Result, evaluate
from pilah.evaluation.findings import (
    CURES,
    Finding,
    overconfident,
    promise,
    weak_labels,
    weak_slices,
)
from pilah.evaluation.metrics import ClassScore, coverage, precision_curve
from pilah.evaluation.report import comparison_html, heat, html, write_report
from pilah.evaluation.slices import MIN_ROWS, slices_of
from pilah.evaluation.summary import LARGEST, Summary, summarise
from pilah.models.bundle import Bundle
from pilah.models.triage import Triager

DATA = Path(__file__).parent / "data" / "latihan.jsonl"


@pytest.fixture(scope="module")
def rows() -> list[LabelledReport]:
    found = [r.content for r in read_rows(DATA, {"agency": "dinas"})]
    return [r for r in found if isinstance(r, LabelledReport)]


@pytest.fixture(scope="module")
def result(bundle: Bundle, rows: list[LabelledReport]) -> Result:
    return evaluate(Triager.from_bundle(bundle, service_version="uji"), rows)


def test_every_target_and_the_whole_answer_are_summed_up(
    result: Result, bundle: Bundle, rows: list[LabelledReport]
) -> None:
    assert set(result.summaries) == {*result.targets, AGENCY, BOTH}
    said = ask(Triager.from_bundle(bundle, service_version="uji"), rows).said
    for name, summary in result.summaries.items():
        kept = said[name].right[said[name].known]
        assert summary.accuracy.value == pytest.approx(kept.mean())
        assert summary.accuracy.lower <= summary.accuracy.value <= summary.accuracy.upper
        assert sum(sum(a.values()) for a in summary.matrix.values()) == summary.rows
        diagonal = sum(answers.get(t, 0) for t, answers in summary.matrix.items())
        assert diagonal == kept.sum()
        assert summary.alone.rows == said[name].sure[said[name].known].sum()
        assert sum(n for _, _, n in summary.calibration) == summary.rows
        assert summary.curve[-1] == pytest.approx((1.0, summary.accuracy.value))
    for name, target in result.targets.items():
        assert target.scores.accuracy == pytest.approx(result.summaries[name].accuracy.value)
        assert target.macro_f1.value == pytest.approx(target.scores.macro_f1)
    assert result.agency is not None
    assert result.agency.right == said[AGENCY].right.sum()
    assert result.agency.in_alternatives >= result.agency.right


def spoken(pairs: list[tuple[str, str, float]]) -> Said:
    truth, answer = (np.array([p[i] for p in pairs], dtype=object) for i in (0, 1))
    confidence = np.array([p[2] for p in pairs], dtype=np.float32)
    whole = np.ones(len(pairs), dtype=bool)
    index = np.arange(len(pairs))
    return Said(index, truth, answer, truth == answer, confidence, confidence >= 0.8, whole)


LABEL = st.sampled_from("abc")
PAIRS = st.lists(
    st.tuples(LABEL, LABEL, st.integers(0, 20).map(lambda n: n / 20)), min_size=1, max_size=60
)


@settings(max_examples=80)
@given(PAIRS)
def test_a_summary_equals_counting(pairs: list[tuple[str, str, float]]) -> None:
    found = summarise(spoken(pairs), {})
    alone = [(t, a) for t, a, p in pairs if np.float32(p) >= 0.8]
    assert found.alone.rows == len(alone)
    if found.alone.precision is None:
        assert not alone
    else:
        assert found.alone.precision.value == pytest.approx(np.mean([t == a for t, a in alone]))
    for confusion in found.confusions:
        assert confusion.truth != confusion.answer
        mine = [(t, a) for t, a, _ in pairs if t == confusion.truth]
        assert confusion.rows == mine.count((confusion.truth, confusion.answer))
        assert confusion.share == pytest.approx(confusion.rows / len(mine))
    sizes = [c.rows for c in found.confusions]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) <= LARGEST


@settings(max_examples=60)
@given(PAIRS)
def test_the_curve_passes_through_the_table(pairs: list[tuple[str, str, float]]) -> None:
    """Where the share answered is one of the table's, precision is too."""
    said = spoken(pairs)
    points = dict(precision_curve(said.confidence, said.right, points=1000))
    for level in (0.0, 0.6, 0.9):
        line = coverage(said.confidence, said.right, level)
        if line.precision is not None and line.coverage in points:
            assert points[line.coverage] == pytest.approx(line.precision)
    assert 1.0 in points


def test_a_slice_is_the_same_as_those_rows_alone(
    bundle: Bundle, rows: list[LabelledReport], result: Result
) -> None:
    engine = Triager.from_bundle(bundle, service_version="uji")
    (dimension, values), *_ = [
        (d, v) for d, v in slices_of(rows).items() if any(len(x) < len(rows) for x in v.values())
    ]
    for value, index in values.items():
        alone = evaluate(engine, [rows[i] for i in index]).summaries["outcome"]
        there = result.summaries["outcome"].slices[dimension].get(value)
        if alone.rows < MIN_ROWS:
            assert there is None
        else:
            assert there is not None
            assert (there.rows, there.accuracy) == (alone.rows, alone.accuracy)
            assert there.ece == pytest.approx(alone.ece)


def test_the_heat_map_holds_the_largest_labels(result: Result) -> None:
    summary = result.summaries["topic_main"]
    found = heat(summary)
    assert set(found.labels) == {"04", "08", "16", "20"}
    for label, line in zip(found.labels, found.cells, strict=True):
        assert [n for n, _ in line] == [summary.matrix[label].get(a, 0) for a in found.labels]
        assert sum(share for _, share in line) <= 1 + 1e-9


def test_labels_are_named() -> None:
    assert named("20") == "KEPENDUDUKAN"
    assert named("Dinas Sosial") == "Dinas Sosial"
    assert named("20 + Dinas Sosial") == "KEPENDUDUKAN + Dinas Sosial"


def summed(right: int, rows: int, confidence: float, sure: float = 1.1) -> Summary:
    """Of ``rows`` answers the first ``right`` are right."""
    pairs = [("a", "a" if i < right else "b", confidence) for i in range(rows)]
    said = spoken(pairs)
    return summarise(replace(said, sure=said.confidence >= np.float32(sure)), {})


def test_a_promise_is_kept_broken_or_open() -> None:
    cases = ((990, 1000, True), (800, 1000, False), (90, 100, None))
    for right, rows, good in cases:
        found = promise("x", summed(right, rows, 0.9, sure=0.5), 0.9)
        assert found is not None
        assert found.good is good
        assert "promised 0.90" in found.text
    assert promise("x", summed(5, 10, 0.4), 0.9) is None  # nothing passes alone


def test_only_more_confidence_than_the_interval_allows_is_told() -> None:
    assert overconfident("x", summed(700, 1000, 0.9)) is not None
    assert overconfident("x", summed(7, 10, 0.75)) is None  # ten rows prove nothing
    assert overconfident("x", summed(900, 1000, 0.7)) is None


def test_a_slice_is_told_when_the_others_are_surely_better() -> None:
    pairs = [("a", "a" if i % 10 else "b", 0.8) for i in range(300)]
    pairs += [("a", "a" if i % 2 else "b", 0.8) for i in range(100)]
    parts = {"channel": {"web": np.arange(300), "sms": np.arange(300, 400)}}
    (found,) = weak_slices("x", summarise(spoken(pairs), parts))
    assert "worse where channel is sms: 0.500" in found.text
    assert found.text.endswith("elsewhere 0.900")
    even = {"channel": {"web": np.arange(0, 400, 2), "sms": np.arange(1, 400, 2)}}
    same = [("a", "a" if i // 2 % 2 else "b", 0.8) for i in range(400)]
    assert weak_slices("x", summarise(spoken(same), even)) == []


def test_a_label_that_is_hardly_found_is_told() -> None:
    lost = ClassScore("20", 30, 2, 0.5, 0.03, 0.06)
    found = weak_labels("x", (lost, ClassScore("04", 30, 30, 0.9, 0.9, 0.9)))
    assert found is not None
    assert found.text == "hardly finds KEPENDUDUKAN (F1 0.06, 30 rows)"
    assert weak_labels("x", (replace(lost, support=3),)) is None


class Page(HTMLParser):
    """Collects tags, ids and links; fails on a tag that is not closed where it was opened."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def pages(result: Result, bundle: Bundle, rows: list[LabelledReport]) -> list[str]:
    """The page of one bundle, and that of two."""
    engine = Triager.from_bundle(bundle, service_version="uji")
    other = Triager.from_bundle(replace(bundle, route_weight=0.0), service_version="uji")
    return [html(result), comparison_html(compare(engine, other, rows, resamples=50))]


def test_the_pages_stand_alone_and_can_be_read_by_all(pages: list[str]) -> None:
    for text in pages:
        page = Page(text)
        assert page.open == []
        names = [tag for tag, _ in page.tags]
        assert not {"script", "link", "img", "iframe"} & set(names)
        assert "url(" not in text
        assert "http" not in text
        assert (names.count("h1"), names.count("main")) == (1, 1)
        ids = [a["id"] for _, a in page.tags if "id" in a]
        assert len(ids) == len(set(ids))
        links = [a["href"] for tag, a in page.tags if tag == "a"]
        assert {str(link).removeprefix("#") for link in links} <= set(ids)
        for tag, attributes in page.tags:
            if tag == "svg":
                assert attributes["role"] == "img"
                assert attributes["aria-label"]
            if tag == "th":
                assert attributes["scope"] in ("col", "row", "rowgroup")
        assert names.count("table") == names.count("caption")
        assert "nan" not in re.findall(r"[a-z]+", text)


def test_the_page_says_what_to_do_about_its_findings(result: Result) -> None:
    weak = Finding("labels", "agency", False, "hardly finds X")
    assert CURES["labels"] in html(replace(result, findings=(weak, weak)))
    assert "What to do" not in html(replace(result, findings=()))


def test_the_plots_hold_the_figures(pages: list[str], result: Result) -> None:
    text = pages[0]
    assert text.count("Reliability of ") >= len(result.summaries)
    for name, summary in result.summaries.items():
        assert f'id="{name}"' in text
        assert f"{summary.accuracy.value:.3f}" in text
    curve = re.findall(r'<polyline class="curve" points="([^"]+)"', text)
    assert len(curve) == len(result.summaries)
    for points in curve:
        numbers = [float(x) for pair in points.split() for x in pair.split(",")]
        assert all(0 <= n <= 260 for n in numbers)


def test_the_json_holds_the_whole_matrix(result: Result, tmp_path: Path) -> None:
    metrics, _ = write_report(result, tmp_path)
    stored = json.loads(metrics.read_text("utf-8"))
    assert stored["summaries"]["topic_main"]["matrix"] == result.summaries["topic_main"].matrix
    assert stored["targets"]["topic_main"]["scores"]["rows"] == 120
