"""Training from a tiny data set to a bundle, and measuring it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from pilah.datasets.agencies import load_agencies, load_units
from pilah.datasets.errors import InputError
from pilah.datasets.readers import read_rows
from pilah.datasets.records import LabelledReport, Labels, Report
from pilah.datasets.regions import load_regions
from pilah.datasets.routing_table import load_routing
from pilah.datasets.taxonomy import load_taxonomy
from pilah.evaluation.asking import same_body
from pilah.evaluation.evaluate import evaluate
from pilah.evaluation.report import html, write_report
from pilah.models.bundle import Bundle
from pilah.models.registry import shipped_bundle
from pilah.models.routing import Router
from pilah.models.text import read_text
from pilah.models.triage import Triager
from pilah.training import heads, incidents
from pilah.training.config import TrainConfig
from pilah.training.data import prepare
from pilah.training.heads import HeadSettings, fit_head
from pilah.training.train import train

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parent / "data" / "latihan.jsonl"
ROWS = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]
SMALL = TrainConfig(encoder="lsa", data=(DATA,), name="kecil", min_df=1, dim=32)
FAST = replace(SMALL, views=("word",), dim=4)


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), "utf-8")
    return path


def kept() -> list[LabelledReport]:
    contents = [row.content for row in read_rows(DATA)]
    return [c for c in contents if isinstance(c, LabelledReport)]


def triager(bundle: Bundle) -> Triager:
    return Triager.from_bundle(bundle, service_version="uji")


def test_the_data_set_is_what_these_tests_need() -> None:
    assert len(ROWS) == len(kept()) == 120
    assert len({r["topic_main"] for r in ROWS}) == 4
    assert sum("incident" in r for r in ROWS) == 16


def test_training_twice_gives_the_same_version(bundle_folder: Path, tmp_path: Path) -> None:
    assert train(SMALL).save(tmp_path / "lagi") == Bundle.load(bundle_folder).version


def test_folds_fitted_side_by_side_give_the_same_head(monkeypatch: pytest.MonkeyPatch) -> None:
    one = train(replace(FAST, target=("outcome",))).heads["outcome"]
    monkeypatch.setattr(heads, "WORTH_PROCESSES", 0)
    two = train(replace(FAST, target=("outcome",))).heads["outcome"]
    assert (one.scale, one.stated, one.sure) == (two.scale, two.stated, two.sure)


def test_another_seed_or_setting_gives_another_version(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [{}, {"seed": 1}, {"strength": 1.0}, {"balance": 0.0}]
    versions = {train(replace(FAST, **c)).save(tmp_path / str(i)) for i, c in enumerate(changes)}
    assert len(versions) == len(changes)


def test_what_a_bundle_learned_stands_in_its_facts_and_card(bundle: Bundle) -> None:
    assert set(bundle.heads) >= {"topic_main", "topic_sub", "outcome", "klasifikasi"}
    assert bundle.heads["topic_main"].labels == ("04", "08", "16", "20")
    assert bundle.label_set.startswith("sp4n-")
    facts = bundle.facts
    assert (facts["rows"], facts["bad_rows"], facts["unknown_regions"]) == (120, 0, 0)
    assert facts["not_learned"]["topic_sub"] == {"08.018": 4}
    assert facts["not_learned"]["outcome"] == {"prank": 3}
    assert facts["cross_validated"]["topic_main"]["accuracy"] > 0.8
    assert facts["config"]["data"] == ["latihan.jsonl"]
    for wanted in ("kecil", bundle.version, "08.018 (4)", "prank (3)", "latihan.jsonl"):
        assert wanted in bundle.card
    assert "{" not in bundle.card


def test_bad_rows_and_unknown_regions_are_counted(tmp_path: Path) -> None:
    spoilt = [{**r, "region": "Negeri Dongeng"} for r in ROWS[:3]]
    path = write(tmp_path / "d.jsonl", [*ROWS[3:], *spoilt, "{", {"text": ""}])
    facts = train(replace(FAST, data=(path,))).facts
    assert (facts["rows"], facts["bad_rows"], facts["unknown_regions"]) == (120, 2, 3)


def test_the_default_region_fills_what_is_missing(tmp_path: Path) -> None:
    rows = [{"text": "a"}, {"text": "b", "region": "51.03"}]
    path = write(tmp_path / "d.jsonl", rows)
    config = replace(FAST, data=(path,), region="34.04")
    assert [r.report.region for r in prepare(config).rows] == ["34.04", "51.03"]


def test_near_duplicates_and_incidents_share_a_group(tmp_path: Path) -> None:
    rows = [
        {"text": "lampu jalan mati di depan pasar"},
        {"text": "Lampu jalan mati di depan pasar!"},
        {"text": "air keruh sejak kemarin", "incident": "i"},
        {"text": "keran kami berbau", "incident": "i"},
        {"text": "antrean panjang sekali", "hard_negative_of": "i"},
        {"text": "sampah menumpuk"},
    ]
    path = write(tmp_path / "d.jsonl", rows)
    assert prepare(replace(FAST, data=(path,))).groups.tolist() == [0, 0, 2, 2, 2, 5]


def own_rows() -> list[dict[str, str]]:
    return [
        {"isi": r["text"], "jenis": r["topic_main"].split()[0].title(), "dinas": r["dinas"]}
        for r in ROWS
    ]


OWN_MAP = {"text": "isi", "topic_main": "jenis", "agency": "dinas"}


def test_a_citys_own_labels_and_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "kota.jsonl", own_rows())
    config = replace(SMALL, data=(path,), map=OWN_MAP, region="Kota Surabaya")
    bundle = train(config)
    assert bundle.label_set.startswith("own-")
    assert set(bundle.heads) == {"topic_main", "agency"}
    assert bundle.heads["topic_main"].labels == ("Energi", "Kependudukan", "Kesehatan", "Pekerjaan")
    assert "Dinas Kesehatan" in bundle.heads["agency"].labels
    engine = triager(bundle)
    (read,) = engine.analyse([("1", Report("kartu keluarga belum terbit sejak bulan lalu"))])
    assert (read.draft.topic.main, read.draft.topic.sub) == ("Kependudukan", None)
    agency = read.draft.agency
    assert (agency.name, agency.source, agency.government) == ("Dukcapil", "learned", None)
    result = evaluate(engine, labelled(path))
    assert result.agency is not None
    assert result.agency.right / result.agency.rows > 0.8
    assert set(result.targets) == {"topic_main", "agency"}


def labelled(path: Path) -> list[LabelledReport]:
    found = (row.content for row in read_rows(path, OWN_MAP))
    return [c for c in found if isinstance(c, LabelledReport)]


def routed_rows() -> list[dict[str, str]]:
    """The rows with the body that the table names for their labels: level, unit and agency."""
    router = Router(load_routing(), load_agencies(), load_units(), load_regions())
    found = []
    for row in ROWS:
        topic = load_taxonomy().find(row["topic_main"], row["topic_sub"])
        code = load_regions().resolve(row["region"])
        assert topic is not None
        assert code is not None
        rule = router.rule(topic.id, router.cues(read_text(row["text"]).normal), code.code)
        name, _, _ = router.body(rule.level, rule.target, code.code)
        found.append({**row, "level": rule.level, "unit": rule.target, "agency": name})
    return found


def test_a_route_head_speaks_beside_the_table(tmp_path: Path) -> None:
    rows = routed_rows()
    path = write(tmp_path / "d.jsonl", rows)
    bundle = train(replace(SMALL, data=(path,), target=("topic", "route")))
    assert "bumn:pln" in bundle.heads["route"].labels
    fit = bundle.facts["routing"]
    assert (fit["rows"], fit["route_weight"]) == (120, bundle.route_weight)
    assert fit["accuracy"] > 0.8
    assert bundle.agency_sure == fit["sure"]
    engine = triager(replace(bundle, route_weight=0.5))
    (read,) = engine.analyse(
        [("1", Report("PLN padam sejak pukul sembilan malam", region="51.03"))]
    )
    assert (read.draft.agency.name, read.draft.agency.source) == ("PT PLN (Persero)", "both")
    alone = triager(replace(bundle, route_weight=1.0))
    (read,) = alone.analyse([("1", Report("PLN padam sejak pukul sembilan malam", region="51.03"))])
    assert read.draft.agency.name == "PT PLN (Persero)"
    kept_rows = [r.content for r in read_rows(path)]
    result = evaluate(engine, [c for c in kept_rows if isinstance(c, LabelledReport)])
    assert result.targets["route"].scores.accuracy > 0.9
    assert result.agency is not None
    assert result.agency.right / result.agency.rows > 0.9
    assert result.agency.in_alternatives >= result.agency.right


def test_a_unit_that_left_the_tables_is_passed_over(tmp_path: Path) -> None:
    rows = [{**r, "unit": "dinas_lama"} if r["unit"] == "pupr" else r for r in routed_rows()]
    config = replace(FAST, data=(write(tmp_path / "d.jsonl", rows),), target=("topic", "route"))
    bundle = replace(train(config), route_weight=0.9)
    assert "kabkota:dinas_lama" in bundle.heads["route"].labels
    (read,) = triager(bundle).analyse([("1", Report("jalan berlubang besar", region="51.03"))])
    assert read.draft.agency.name


def test_offices_are_the_same_with_and_without_their_place() -> None:
    names = load_units()
    for code in (c for c in load_regions().by_code if len(c) == 5):
        for family in ("desa", "kelurahan", "kecamatan"):
            office = names.name(family, code)
            assert same_body(f"{office} Sukamaju", office)
    assert same_body("DINAS SOSIAL", "Dinas Sosial")
    assert not same_body("Dinas Sosial Sukamaju", "Dinas Sosial")
    assert not same_body(None, "Dinas Sosial")


def test_the_version_of_own_labels_follows_the_labels(tmp_path: Path) -> None:
    rows = own_rows()
    config = replace(FAST, map=OWN_MAP)
    first = train(replace(config, data=(write(tmp_path / "a.jsonl", rows),)))
    again = train(replace(config, data=(write(tmp_path / "b.jsonl", rows[::-1]),)))
    renamed = [{**r, "dinas": r["dinas"].replace("Dukcapil", "Disdukcapil")} for r in rows]
    other = train(replace(config, data=(write(tmp_path / "c.jsonl", renamed),)))
    assert first.label_set == again.label_set != other.label_set


def test_one_strange_topic_does_not_make_a_label_set_of_ones_own(tmp_path: Path) -> None:
    path = write(tmp_path / "d.jsonl", [*ROWS, {"text": "salah ketik", "topic_main": "KESEHATTAN"}])
    bundle = train(replace(FAST, data=(path,)))
    assert bundle.label_set.startswith("sp4n-")
    assert bundle.facts["not_learned"]["topic_main"] == {"KESEHATTAN": 1}


def test_a_retired_topic_is_never_learned(tmp_path: Path) -> None:
    old = [
        {"text": f"bantuan masa pandemi belum saya terima bulan {i}", "topic_main": "CORONA VIRUS"}
        for i in range(30)
    ]
    bundle = train(replace(FAST, data=(write(tmp_path / "d.jsonl", [*ROWS, *old]),)))
    assert "02" not in bundle.heads["topic_main"].labels


@pytest.mark.parametrize("target", ["topic", "outcome", "klasifikasi"])
def test_one_target_alone(target: str) -> None:
    bundle = train(replace(FAST, target=(target,)))
    assert {name.split("_")[0] for name in bundle.heads} == {target}
    (read,) = triager(bundle).analyse([("1", Report("jalan berlubang di depan pasar"))])
    assert read.draft.masked_text


def test_more_than_one_file(tmp_path: Path) -> None:
    paths = (write(tmp_path / "a.jsonl", ROWS[:60]), write(tmp_path / "b.jsonl", ROWS[60:]))
    assert train(replace(FAST, data=paths)).facts["rows"] == 120


def few(count: int, each: int = 1) -> list[dict[str, str]]:
    return [{"text": ROWS[i // each]["text"], "agency": "AB"[i // each % 2]} for i in range(count)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no usable row in 1 file"),
        (["{"], "no usable row in 1 file.*1 bad rows"),
        (few(1), "has two labels with 5 rows each; check --map, or lower min_count"),
        ([{"text": r["text"]} for r in ROWS], "has two labels with 5 rows each"),
        ([{"text": "sama persis", "agency": "AB"[i % 2]} for i in range(20)], "near-duplicates"),
    ],
)
def test_data_that_cannot_be_learned_from_says_why(
    tmp_path: Path, rows: list[Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        train(replace(FAST, data=(write(tmp_path / "d.jsonl", rows),)))


@pytest.mark.parametrize("rows", [few(4), few(9), few(20, each=10), few(30, each=5)])
def test_very_little_data_still_gives_a_bundle(tmp_path: Path, rows: list[Any]) -> None:
    config = replace(FAST, data=(write(tmp_path / "d.jsonl", rows),), min_count=2)
    head = train(config).heads["agency"]
    assert head.labels == ("A", "B")
    assert np.isfinite(head.weights).all()
    assert np.isfinite([head.scale, *head.shift]).all()


@settings(max_examples=8)
@given(seed=st.integers(0, 1000), count=st.integers(12, 60), labels=st.integers(2, 4))
def test_held_out_probabilities_come_from_other_groups(seed: int, count: int, labels: int) -> None:
    """A feature that marks its own group alone cannot help its held-out rows."""
    draw = np.random.default_rng(seed)
    group = np.arange(count) // 3
    truth = draw.integers(0, labels, count // 3 + 1)[group]
    if len(set(truth.tolist())) < 2:
        truth[:3] = 1 - truth[:3].clip(0, 1)
    marks = np.zeros((count, count), np.float32)
    marks[np.arange(count), group] = 1.0
    names = [str(t) for t in truth]
    fitted = fit_head(csr_matrix(marks), names, group.astype(np.int64), HeadSettings())
    assert fitted.held_out.shape == (count, len(fitted.head.labels))
    assert fitted.held_out.sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    seen = fitted.head.probabilities(csr_matrix(marks)).argmax(axis=1)
    right = np.array([fitted.head.labels[i] for i in seen]) == np.array(names)
    held = np.array([fitted.head.labels[i] for i in fitted.held_out.argmax(axis=1)])
    assert right.mean() >= (held == np.array(names)).mean()


def test_incidents_are_fitted_when_there_are_enough(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bundle.pairs is None
    assert "not fitted" in bundle.card
    monkeypatch.setattr(incidents, "MIN_INCIDENTS", 8)
    fitted = train(FAST)
    assert fitted.pairs is not None
    assert fitted.facts["incidents"]["pairs"] > 0
    assert 0 < fitted.duplicates.possible <= fitted.duplicates.duplicate <= 1
    assert "Same incident, on" in fitted.card


def test_without_incidents_the_shipped_scorer_serves() -> None:
    shipped = Bundle.load(shipped_bundle())
    assert shipped.pairs is not None
    own = train(replace(FAST, encoder="pilah-mini", target=("outcome",)))
    assert own.pairs is not None
    assert own.pairs.to_dict() == shipped.pairs.to_dict()
    assert own.duplicates == shipped.duplicates
    assert own.facts["incidents_from"] == shipped.version
    assert f"scorer is that of bundle {shipped.version}" in own.card
    assert "scorer is not fitted" in train(FAST).card  # another encoder, other vectors


def test_evaluating_a_bundle(bundle: Bundle, tmp_path: Path) -> None:
    done: list[int] = []
    rows = kept()
    strange = LabelledReport(Report("entah apa ini"), Labels(topic_main="AGAMA", agency="PLN"))
    result = evaluate(triager(bundle), [*rows, strange], done.append)
    assert sum(done) == result.rows == 121
    assert result.bundle == bundle.version
    topic = result.targets["topic_main"]
    assert topic.scores.accuracy > 0.9  # it was trained on these rows
    assert topic.unknown == {"01": 1}
    assert topic.scores.rows == 120
    assert result.agency is not None
    assert result.agency.rows == 1
    metrics, page = write_report(result, tmp_path / "hasil")
    stored = json.loads(metrics.read_text("utf-8"))
    assert stored["targets"]["topic_main"]["scores"]["rows"] == 120
    text = page.read_text("utf-8")
    assert text == html(result)
    assert "PEKERJAAN UMUM" in text
    assert "http" not in text.replace("http://www.w3.org", "")


def test_evaluating_nothing_is_refused(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="no row to measure on"):
        evaluate(triager(bundle), [])
    with pytest.raises(InputError, match="no row has a label that this bundle predicts"):
        evaluate(triager(bundle), [LabelledReport(Report("tanpa label"), Labels())])


def test_the_page_escapes_labels(bundle: Bundle) -> None:
    rows = [LabelledReport(Report("x"), Labels(outcome="actionable", topic_main="<b>&"))]
    page = html(evaluate(triager(bundle), rows))
    assert "<b>&" not in page


def test_progress_names_the_steps() -> None:
    said: list[str] = []
    tell: Callable[[str], object] = said.append
    train(FAST, tell)
    assert any("head topic_main: 4 labels" in s for s in said)
    assert said[-1] == "incidents"
