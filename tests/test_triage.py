"""The one pipeline: thirty fixed reports, the contract's names, and the memory of earlier ones."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.datasets.errors import BundleError, UnknownRegionError
from pilah.datasets.readers import BadRow, Row, read_rows
from pilah.datasets.records import LabelledReport, Labels, Report, parse_report
from pilah.models import batch
from pilah.models.answer import Triage
from pilah.models.batch import Outcome, triage_rows
from pilah.models.compare import compare_pair
from pilah.models.masking import find_personal_data
from pilah.models.triage import Triager

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilah.models.bundle import Bundle
    from pilah.models.reading import Analysis, Answer

GOLD = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "emas.jsonl").read_text("utf-8").splitlines()
]
REPORTS = [parse_report(case["report"]) for case in GOLD]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LUBANG = "Jalan berlubang besar di Jalan Kaliurang KM 9 depan Pasar Gentan, sudah dua minggu."


def fresh(bundle: Bundle, key: bytes = b"") -> Triager:
    return Triager.from_bundle(bundle, service_version="uji", key=key)


@pytest.fixture
def triager(bundle: Bundle) -> Triager:
    return fresh(bundle)


@pytest.fixture(scope="module")
def lasting(bundle: Bundle) -> Triager:
    return fresh(bundle)


def take(triager: Triager, report_id: str, text: str = LUBANG, **fields: Any) -> Answer:  # noqa: ANN401
    """Analyse, settle and remember one report."""
    report = Report(text, **{"region": "34.04", "reported_at": NOON} | fields)
    (analysis,) = triager.analyse([(report_id, report)])
    answer = triager.settle(analysis)
    triager.remember(answer)
    return answer


def answered(triager: Triager, rows: Iterable[Row]) -> list[Triage]:
    found = [outcome.content for outcome in triage_rows(triager, rows)]
    assert all(isinstance(f, Triage) for f in found)
    return [f for f in found if isinstance(f, Triage)]


def as_rows(reports: Iterable[Report]) -> list[Row]:
    return [Row(i, LabelledReport(r, Labels())) for i, r in enumerate(reports, 1)]


@pytest.fixture(scope="module")
def golden(bundle: Bundle) -> list[Triage]:
    return answered(fresh(bundle), as_rows(REPORTS))


def test_the_order_is_kept(golden: list[Triage]) -> None:
    assert [t.report_id for t in golden] == [f"g{n:02}" for n in range(1, 31)]


@pytest.mark.parametrize("number", range(30))
def test_thirty_fixed_reports(golden: list[Triage], number: int) -> None:
    answer, expect = golden[number], GOLD[number]["expect"]
    places = answer.explanation.places
    assert answer.masked_text == expect["masked_text"]
    assert set(expect.get("codes", ())) <= {p.code for p in places}
    assert set(expect.get("kinds", ())) <= {p.kind for p in places}
    assert set(expect.get("reasons", ())) <= set(answer.review.reasons)
    if "missing" in expect:
        assert list(answer.outcome.missing) == expect["missing"]
    if "verdict" in expect:
        assert answer.duplicates.verdict == expect["verdict"]
    if "matches" in expect:
        assert [m.report_id for m in answer.duplicates.matches] == expect["matches"]
    assert {e.kind for e in answer.hoax.evidence} >= set(expect.get("hoax", ()))
    assert answer.hoax.flag == ("hoax_like" in expect.get("reasons", ()))


REASONS = {
    "topic_unknown", "topic_uncertain", "agency_uncertain", "region_unknown", "place_conflict",
    "needs_information", "not_government", "out_of_scope", "prank", "praise_or_question",
    "outcome_uncertain", "chosen_agency_differs", "possible_duplicate", "hoax_like",
}  # fmt: skip


def test_what_every_answer_promises(golden: list[Triage], bundle: Bundle) -> None:
    for answer in golden:
        assert set(answer.review.reasons) <= REASONS
        assert answer.review.needed == bool(answer.review.reasons)
        assert (answer.topic.main is None) == ("topic_unknown" in answer.review.reasons)
        assert answer.agency.name
        for part in (answer.topic, answer.agency, answer.outcome, answer.klasifikasi):
            assert 0 <= part.probability <= 1
        assert answer.versions.bundle == bundle.version
        assert answer.versions.labels == bundle.label_set
        assert bundle.thresholds_version in answer.versions.thresholds
        assert not find_personal_data(answer.masked_text)
        assert all(t.term in answer.masked_text for t in answer.explanation.terms)
        assert all(p.text in answer.masked_text for p in answer.explanation.places)
        assert len(answer.duplicates.matches) <= bundle.duplicates.max_matches


# The names of the contract; beside each the names that were added on purpose.
CONTRACT: dict[str, tuple[set[str], set[str]]] = {
    "": (
        {"report_id", "topic", "agency", "outcome", "klasifikasi", "duplicates", "hoax", "review",
         "explanation", "masked_text", "versions"},
        set(),
    ),
    "topic": ({"main", "sub", "probability", "alternatives"}, {"fallback"}),
    "topic.alternatives": ({"main", "sub", "probability"}, set()),
    "agency": (
        {"name", "government", "level", "probability", "rule", "alternatives"},
        {"ground", "source"},
    ),
    "agency.alternatives": ({"name", "government", "probability"}, {"level", "rule"}),
    "outcome": ({"label", "probability", "missing", "evidence"}, set()),
    "klasifikasi": ({"label", "probability"}, set()),
    "duplicates": ({"verdict", "incident_id", "matches"}, {"recurs_of"}),
    "duplicates.matches": ({"report_id", "probability", "similarity", "evidence"}, set()),
    "hoax": ({"flag", "score", "evidence"}, set()),
    "hoax.evidence": ({"kind", "detail"}, set()),
    "review": ({"needed", "reasons"}, set()),
    "explanation": ({"terms", "places"}, set()),
    "explanation.terms": ({"term", "weight"}, set()),
    "explanation.places": ({"text", "code", "name"}, {"kind", "probability"}),
    "versions": ({"service", "bundle", "labels", "thresholds", "index"}, {"routes"}),
}  # fmt: skip


def objects(value: Any, path: str = "") -> Iterable[tuple[str, dict[str, Any]]]:  # noqa: ANN401
    """Every JSON object of an answer with its path."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from objects(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from objects(inner, path)


def test_names_are_those_of_the_contract(golden: list[Triage]) -> None:
    seen = set()
    for answer in golden:
        stored = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
        for path, found in objects(stored):
            wanted, added = CONTRACT[path]
            assert set(found) == wanted | added, path
            seen.add(path)
        assert stored["duplicates"]["verdict"] in ("duplicate", "possible", "none")
        assert stored["agency"]["level"] in ("national", "bumn", "provinsi", "kabkota", "desa")
    assert seen == set(CONTRACT)


def compared(analysis: Analysis) -> tuple[Any, ...]:
    print_ = replace(analysis.fingerprint, received_at=NOON)
    return asdict(analysis.draft), print_, analysis.clean, analysis.place, analysis.vector.tolist()


def test_a_batch_equals_one_by_one(triager: Triager) -> None:
    items = [(f"r{i}", report) for i, report in enumerate(REPORTS)]
    together = triager.analyse(items)
    assert [a.report_id for a in together] == [i for i, _ in items]
    for item, analysis in zip(items, together, strict=True):
        (alone,) = triager.analyse([item])
        assert compared(alone) == compared(analysis)
    assert triager.analyse([]) == []


def test_answers_do_not_depend_on_the_size_of_a_chunk(
    golden: list[Triage], bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (1, 7):
        monkeypatch.setattr(batch, "CHUNK", size)
        assert answered(fresh(bundle), as_rows(REPORTS)) == golden


def test_the_same_reports_give_the_same_answers(golden: list[Triage], bundle: Bundle) -> None:
    assert answered(fresh(bundle), as_rows(REPORTS)) == golden


def test_copies_within_a_batch_share_an_incident(triager: Triager) -> None:
    report = Report(LUBANG, region="34.04", reported_at=NOON)
    first, second, third = answered(triager, as_rows([report, report, report]))
    assert first.duplicates.verdict == "none"
    assert second.duplicates.verdict == third.duplicates.verdict == "duplicate"
    incidents = {t.duplicates.incident_id for t in (first, second, third)}
    assert len(incidents) == 1
    assert [m.report_id for m in second.duplicates.matches] == ["line-1"]
    assert {m.report_id for m in third.duplicates.matches} == {"line-1", "line-2"}
    assert all(m.evidence for m in third.duplicates.matches)


def test_bad_rows_keep_their_place(triager: Triager, tmp_path: Path) -> None:
    lines = [
        {"id": "a", "text": "lampu mati sejak kemarin"},
        {"id": "b", "text": ""},
        {"id": "c", "text": "air mati", "region": "Negeri Dongeng"},
        {"id": "a", "text": "id yang sama"},
        {"text": "tanpa id"},
        {"id": "line-5", "text": "id yang bertabrakan"},
        {"id": "d", "text": "air keruh sejak kemarin"},
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    found: list[Outcome] = list(triage_rows(triager, read_rows(path), region="34.04"))
    assert [o.line for o in found] == list(range(1, 8))
    told = [
        (o.content.line, o.content.field) if isinstance(o.content, BadRow) else o.content.report_id
        for o in found
    ]
    assert told == ["a", (2, "text"), (3, "region"), (4, "id"), "line-5", (6, "id"), "d"]
    repeated = found[3].content
    assert isinstance(repeated, BadRow)
    assert repeated.problem == "repeats the id of line 1"
    last = found[-1].content
    assert isinstance(last, Triage)
    assert last.agency.government == "Pemerintah Kabupaten Sleman"


def test_an_unknown_region_is_an_error_with_a_cure(triager: Triager) -> None:
    with pytest.raises(UnknownRegionError, match=r"region: is not in the table.*34\.04"):
        triager.analyse([("1", Report("air mati", region="Kabupaten Slemann"))])


def test_settling_remembers_nothing(triager: Triager) -> None:
    (analysis,) = triager.analyse([("1", Report(LUBANG, region="34.04", reported_at=NOON))])
    assert triager.settle(analysis).triage == triager.settle(analysis).triage
    again = replace(analysis, report_id="2")
    assert triager.settle(again).triage.duplicates.verdict == "none"


def test_a_forgotten_report_is_no_match(triager: Triager) -> None:
    take(triager, "1")
    assert take(triager, "2").triage.duplicates.matches[0].report_id == "1"
    triager.forget("1")
    triager.forget("tidak pernah ada")
    assert [m.report_id for m in take(triager, "3").triage.duplicates.matches] == ["2"]
    triager.forget("2")
    triager.forget("3")
    assert take(triager, "4").triage.duplicates.verdict == "none"


def test_a_restored_memory_answers_as_before(bundle: Bundle) -> None:
    one, two = fresh(bundle, b"rahasia"), fresh(bundle, b"rahasia")
    stored = []
    for i, report in enumerate(REPORTS):
        (analysis,) = one.analyse([(f"r{i}", report)])
        answer = one.settle(analysis)
        one.remember(answer)
        stored.append((answer.fingerprint, answer.vector, answer.incident_id))
    two.restore(stored)
    assert len(two.finder) == len(one.finder) == len(REPORTS)
    for report in REPORTS:
        (analysis,) = one.analyse([("baru", report)])
        assert one.settle(analysis) == two.settle(analysis)


def test_a_secret_report_shows_in_nobodys_answer(triager: Triager) -> None:
    secret = take(triager, "rahasia-1", visibility="secret", reporter_ref="w")
    for i, fields in enumerate([{}, {"reporter_ref": "w"}, {"visibility": "secret"}]):
        answer = take(triager, f"p{i}", **fields)
        assert "rahasia-1" not in json.dumps(answer.triage.to_dict())
        assert answer.incident_id != secret.incident_id
    seen = take(triager, "rahasia-2", visibility="secret")
    assert {m.report_id for m in seen.triage.duplicates.matches} == {"p0", "p1"}
    assert seen.triage.duplicates.verdict == "duplicate"
    assert seen.incident_id not in {secret.incident_id, *(f"inc-{i}" for i in "012")}


def test_an_anonymous_report_is_compared_as_any_other(triager: Triager) -> None:
    take(triager, "1", visibility="anonymous")
    assert take(triager, "2").triage.duplicates.matches[0].report_id == "1"


def test_persons_are_kept_as_keyed_hashes_only(bundle: Bundle) -> None:
    prints = [
        take(fresh(bundle, key), "1", reporter_ref="warga-77").fingerprint
        for key in (b"kunci satu", b"kunci dua")
    ]
    assert prints[0].reporter != prints[1].reporter
    assert all("warga-77" not in repr(p) for p in prints)
    assert all("lubang" not in repr(p).lower() for p in prints)


def test_the_choice_of_the_reporter_is_compared_with_ours(triager: Triager) -> None:
    gas = "Gas elpiji 3 kg langka di semua pangkalan sejak Lebaran."
    for chosen, differs in [
        ("Pertamina", False),
        ("PT PERTAMINA (Persero)", False),
        ("Bank Indonesia", True),
        ("Dinas Antah", True),
    ]:
        answer = take(triager, chosen, gas, chosen_agency=chosen)
        assert ("chosen_agency_differs" in answer.triage.review.reasons) == differs


def test_the_title_is_read_and_masked(triager: Triager) -> None:
    answer = take(triager, "1", "sudah lama sekali", title="Jalan berlubang, hp 081234567890")
    assert answer.triage.masked_text == "Jalan berlubang, hp [TELEPON]\nsudah lama sekali"
    assert answer.triage.topic.main == "PEKERJAAN UMUM DAN PENATAAN RUANG"


def test_comparing_two_reports_changes_no_memory(triager: Triager) -> None:
    road = Report(LUBANG, region="34.04", reported_at=NOON)
    copy = replace(road, text=LUBANG.replace("besar", "menganga"))
    other = Report("Air mati sejak kemarin.", region="51.03", reported_at=NOON)
    same, apart = compare_pair(triager, road, copy), compare_pair(triager, road, other)
    assert (same.verdict, apart.verdict) == ("duplicate", "none")
    assert same.probability > 0.9 > 0.1 > apart.probability
    assert same.evidence
    assert compare_pair(triager, copy, road).probability == pytest.approx(same.probability)
    assert len(triager.finder) == 0


def test_a_bundle_of_another_taxonomy_is_refused(bundle: Bundle) -> None:
    head = bundle.heads["topic_main"]
    strange = replace(head, labels=("04", "08", "16", "99"))
    with pytest.raises(BundleError, match=r"topic 99, which taxonomy\.csv lacks; retire topics"):
        fresh(replace(bundle, heads={"topic_main": strange}))


LONG = (
    "a-",
    "0812-",
    "1 ",
    "x\n",
    "rt 1/rw 2 ",
    "desa sukamaju ",
    "kec. ",
    "http://",
    "a@",
    "jln2 ",
)


@pytest.mark.parametrize("piece", LONG)
def test_the_longest_text_is_read_in_time(lasting: Triager, piece: str) -> None:
    text = (piece * 20_000)[:20_000].strip()
    start = time.thread_time()  # what this thread worked, however busy the machine is
    lasting.analyse([("1", Report(text, region="34.04"))])
    assert time.thread_time() - start < 5  # some tenths of a second, unless a pattern backtracks


def test_describe_tells_what_answers(triager: Triager, bundle: Bundle) -> None:
    told = triager.describe()
    assert told["name"] == "kecil"
    assert told["labels"] == {name: len(head.labels) for name, head in bundle.heads.items()}
    assert told["vectors"] == bundle.marks


PIECES = st.sampled_from(
    ["jalan", "rusak", "Sleman", "RT 03", "3404071203900001", "0812 3456 7890", "!!!", "a@b.co",
     "\n", "\u202e", "😡", "kec. Depok", "http://x.id", "İ", "123", "km 5", "sejak", "[NIK]"]
)  # fmt: skip
CHARS = st.characters(codec="utf-8", exclude_characters="\x00")
TEXTS = st.lists(PIECES | st.text(CHARS, max_size=5), min_size=1, max_size=12).map(" ".join)


@settings(max_examples=40)
@given(TEXTS.filter(lambda t: t.strip()))
def test_any_text_gets_an_answer_without_personal_data(lasting: Triager, text: str) -> None:
    answer = take(lasting, "1", text).triage
    assert not find_personal_data(answer.masked_text)
    json.dumps(answer.to_dict(), allow_nan=False).encode()
    assert np.isfinite(answer.topic.probability)
