"""What the store teaches: exported decisions, agreement, audits, drift, informative reports."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sqlalchemy import text as sql

from pilah.datasets.readers import read_rows
from pilah.datasets.records import LabelledReport, Labels, Report
from pilah.models.bundle import Bundle
from pilah.service.accounts import audit
from pilah.service.api import take_one
from pilah.service.app import opened
from pilah.service.checks import check_decision
from pilah.service.cli import main
from pilah.service.deciding import decide
from pilah.service.fake import FakeEngine
from pilah.service.loop.drift import last_report, look_for_drift
from pilah.service.loop.export import WORTH, Exported, export, training_rows
from pilah.service.loop.facts import doubt, week_of
from pilah.service.loop.informative import most_informative, spread
from pilah.service.loop.judging import save_opinion
from pilah.service.loop.live_precision import audited, by_agency, precision
from pilah.service.loop.refusing import ask
from pilah.service.loop.representing import Selection
from pilah.service.loop.samples import agreement, drawn, waiting_for_opinion
from pilah.service.problems import Problem
from pilah.service.reads import review_count, review_queue
from pilah.service.settings import Settings
from pilah.service.state import Service
from pilah.training.config import TrainConfig
from pilah.training.heads import HeadSettings, fit_head
from pilah.training.mix import TRUSTED, judging, represented
from pilah.training.train import train

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parent / "data"
NIK = "3404071209900001"
ROAD = "PEKERJAAN UMUM DAN PENATAAN RUANG"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = Settings(
        data_dir=tmp_path, audit_share=1.0, overlap_share=1.0, informative_share=0.0
    )
    with opened(settings, FakeEngine.make) as service:
        yield service


def send(service: Service, name: str, text: str = "jalan rusak", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    body = {"id": name, "text": f"{text} {name}", **fields}
    triage: dict[str, Any] = json.loads(take_one(service, body, None).body)
    return triage


def say(service: Service, name: str, **fields: Any) -> None:  # noqa: ANN401
    decision, after = check_decision(name, {"actor": "mimi", **fields})
    decide(service.intake, decision, after=after)


def rows(service: Service, **options: bool) -> dict[str, dict[str, Any]]:
    with service.intake.store.reading() as connection:
        return {row["id"]: row for row in training_rows(connection, **options)}


def how(row: dict[str, Any]) -> dict[str, str]:
    return {name: part["how"] for name, part in row["provenance"].items()}


def test_a_change_is_worth_more_than_a_nod(service: Service) -> None:
    for name in ("E1", "E2", "E3", "E4", "E5"):
        send(service, name)
    say(service, "E1", agency="Dinas Perhubungan", topic_main=ROAD, look="read")
    say(service, "E2", look="unread")
    say(service, "E3")
    say(service, "E4", agency="Dinas PU", look="blind")
    found = rows(service)
    assert set(found) == {"E1", "E2", "E3", "E4"}
    assert how(found["E1"]) == {"agency": "changed", "topic_main": "confirmed"}
    assert set(how(found["E2"]).values()) == {"unread"}
    assert set(how(found["E3"]).values()) == {"unsaid"}
    assert how(found["E4"]) == {"agency": "blind"}
    weights = [found[n]["weight_agency"] for n in ("E1", "E4", "E3", "E2")]
    assert weights == [1.0, 1.0, WORTH["unsaid"], WORTH["unread"]]
    assert WORTH["unread"] < WORTH["unsaid"] < WORTH["confirmed"] < WORTH["changed"]
    assert found["E1"]["weight_topic_main"] == WORTH["confirmed"]
    assert (found["E1"]["level"], found["E1"]["unit"]) == ("kabkota", "dishub")
    part = found["E1"]["provenance"]["agency"]
    assert part | {"at": ""} == {
        "how": "changed", "worth": 1.0, "by": "mimi", "role": None, "at": "", "decision": 1,
        "look": "read", "bundle": "fake-1", "routes": "bawaan",
    }  # fmt: skip


def test_decided_reports_stand_for_those_nobody_saw(tmp_path: Path) -> None:
    """Of ten sure reports the two audited stand for five each; three of four waiting for 4/3."""
    with opened(Settings(data_dir=tmp_path, audit_share=0.0), FakeEngine.make) as service:
        for n in range(10):
            send(service, f"S{n}")
        for n in range(4):
            send(service, f"W{n}", "tidak jelas")
        for n in range(3):
            say(service, f"W{n}", agency="Dinas A", look="read")
        assert {r["represents"] for r in rows(service).values()} == {0.0}  # nothing was audited
        with service.intake.transaction() as transaction:
            for name in ("S0", "S1", "S2", "S3"):
                ask(transaction.connection, name, "audit")
            ask(transaction.connection, "S4", "informative")
        say(service, "S0", refused_by="Dinas PU")  # drawn, then sent back: still a fair draw
        say(service, "S0", agency="Dinas A", look="read")
        say(service, "S1", look="blind")
        say(service, "S2", look="unread")
        say(service, "S3", agency="Dinas A")  # the client does not say how it was looked at
        say(service, "S4", look="read")
        say(service, "S5", refused_by="Dinas PU")
        say(service, "S5", agency="Dinas A", look="read")
        say(service, "S6", agency="Dinas A", look="read")
        found = {n: (r["selection"], r["represents"]) for n, r in rows(service).items()}
    assert found == {
        "S0": ("audit", 5.0), "S1": ("audit", 5.0), "S2": ("audit", 0.0), "S3": ("audit", 0.0),
        "S4": ("informative", 0.0), "S5": ("refused", 0.0), "S6": ("opened", 0.0),
        **{f"W{n}": ("waited", 1.3333) for n in range(3)},
    }  # fmt: skip


def test_secret_reports_are_not_stood_for(service: Service) -> None:
    for n in range(4):
        send(service, f"B{n}", visibility="secret" if n % 2 else "public")
    say(service, "B0", look="read")
    say(service, "B1", look="read")
    assert rows(service)["B0"]["represents"] == 2.0
    assert rows(service, secret=True)["B1"]["represents"] == 2.0


@given(
    st.lists(st.booleans(), min_size=1, max_size=300),
    st.sampled_from([0.1, 0.3, 1.0]),
    st.integers(0, 2**32 - 1),
)
def test_the_weights_add_up_to_all_reports(sure: list[bool], share: float, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a draw, not a secret
    names = [f"L{n}" for n in range(len(sure))]
    audited = [n for n, x in zip(names, sure, strict=True) if x and chance.random() < share]
    waited = [n for n, x in zip(names, sure, strict=True) if not x]
    chosen = Selection(frozenset(waited), sum(sure), dict.fromkeys(audited, "audit"))
    seen = [*audited, *(n for n in waited if chance.random() < 0.7)]
    stands = chosen.represents(chosen.of(n) for n in seen)
    total = sum(stands[chosen.of(n)] for n in seen) if stands else 0.0
    unknown = bool(sum(sure)) and not audited
    missing = len(waited) if not any(n in waited for n in seen) else 0
    assert total == pytest.approx(0 if unknown else len(sure) - missing)


def test_later_decisions_and_undo_count_and_refused_reports_wait(service: Service) -> None:
    for name in ("F1", "F2", "F3", "F4"):
        send(service, name)
    say(service, "F1", agency="Dinas A")
    say(service, "F1", agency="Dinas B")
    say(service, "F2", outcome="prank")
    say(service, "F2", action="undo")
    say(service, "F3", refused_by="Dinas PU")
    say(service, "F4", refused_by="Dinas PU")
    say(service, "F4")
    found = rows(service)
    assert set(found) == {"F1", "F4"}
    assert found["F1"]["agency"] == "Dinas B"
    assert found["F4"]["agency"] == "Dinas Perhubungan"  # the offer that was confirmed
    assert how(found["F4"])["agency"] == "unsaid"


def test_the_export_is_masked_and_leaves_secrets_out(service: Service, tmp_path: Path) -> None:
    send(service, "G1", f"jalan rusak, NIK {NIK}", title=f"telp {NIK}", region="34.04")
    send(service, "G2", "jalan rahasia", visibility="secret")
    for name in ("G1", "G2"):
        say(service, name, outcome="actionable", look="read")
    assert set(rows(service)) == {"G1"}
    assert set(rows(service, secret=True)) == {"G1", "G2"}
    file = tmp_path / "keputusan.jsonl"
    with service.intake.store.reading() as connection:
        assert export(connection, file) == Exported(rows=1, judging=1)
    text = file.read_text("utf-8")
    assert NIK not in text
    row = next(iter(read_rows(file))).content
    assert isinstance(row, LabelledReport)
    assert (row.labels.outcome, row.extra["weight_outcome"]) == ("actionable", "0.7")
    assert row.report.region == "34.04"


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


def test_train_from_store(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for n in range(12):
        send(service, f"T{n}", "jalan lubang" if n % 2 else "got mampet bau")
        say(service, f"T{n}", agency="Dinas PU" if n % 2 else "Dinas Kebersihan", look="read")
    target = tmp_path / "bundel"
    url = service.settings.url
    monkeypatch.setattr(
        "sys.argv",
        ["pilah", "train", str(DATA / "latihan.jsonl"), "--from-store", url, "--map",
         "agency=dinas", "--target", "agency", "-o", str(target)],
    )  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code, capsys.readouterr().err
    assert "store: 12 decided reports, 12 of them can judge" in capsys.readouterr().err
    head = Bundle.load(target).heads["agency"]
    assert {"Dinas PU", "Dinas Kebersihan", "Dinas Jalan"} <= set(head.labels)


@given(st.text(min_size=1, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_a_draw_is_lasting_and_larger_shares_hold_smaller_ones(
    name: str, one: float, two: float
) -> None:
    small, large = sorted((one, two))
    assert drawn("audit", name, small) <= drawn("audit", name, large)
    assert drawn("audit", name, 1.0)
    assert not drawn("audit", name, 0.0)


def test_the_share_of_a_draw_is_kept() -> None:
    found = sum(drawn("audit", f"LAPOR-{n}", 0.1) for n in range(10_000))
    assert 900 < found < 1_100


def test_audits_measure_the_answers_nobody_looks_at(service: Service) -> None:
    for n in range(12):
        send(service, f"A{n}")
    with service.intake.store.reading() as connection:
        assert review_count(connection, reason="audit") == 12
        queue = review_queue(connection, reason=None, after=0, limit=5)
        assert queue[0].why == ("audit",)
        assert queue[0].triage["review"]["needed"] is False
    for n in range(8):
        say(service, f"A{n}", look="read")
    say(service, "A8", agency="Dinas Perhubungan", look="read")
    say(service, "A9", refused_by="Dinas PU")
    say(service, "A10", look="unread")
    with service.intake.store.reading() as connection:
        found = audited(connection)
        assert review_count(connection, reason="audit") == 1
    assert sorted(a.report_id for a in found if not a.right) == ["A8", "A9"]
    number, share = precision(found)
    assert number == 10
    assert share is not None
    assert share.value == 0.8
    assert share.lower < 0.8 < share.upper
    worst = by_agency(found, promise=0.99)[0]
    assert (worst["agency"], worst["audited"], worst["kept"]) == ("Dinas PU", 10, False)
    assert by_agency(found[:3], promise=0.99)[0]["kept"] is None


def test_an_undone_audit_does_not_count(service: Service) -> None:
    send(service, "U1")
    say(service, "U1", agency="Dinas Z", look="read")
    say(service, "U1", action="undo")
    with service.intake.store.reading() as connection:
        assert audited(connection) == []


def test_agreement_of_two_people(service: Service) -> None:
    for n in range(12):
        send(service, f"O{n}")
        say(service, f"O{n}", agency="A" if n % 2 else "B", outcome="actionable")
    with service.intake.store.reading() as connection:
        items = waiting_for_opinion(connection, "budi", limit=50)
        assert waiting_for_opinion(connection, "mimi", limit=50) == []
    assert [item["report_id"] for item in items] == [f"O{n}" for n in range(12)]
    assert set(items[0]) == {"report_id", "visibility", "received_at", "masked_text"}
    for n in range(12):
        body = {"actor": "budi", "agency": "A" if n % 2 or n == 0 else "B"}
        decision, _ = check_decision(f"O{n}", body)
        save_opinion(service.intake, decision)
        with pytest.raises(Problem) as refused:
            save_opinion(service.intake, decision)
        assert refused.value.slug == "opinion-unasked"
    with service.intake.store.reading() as connection:
        found = agreement(connection)
        assert waiting_for_opinion(connection, "ani", limit=50) == []
        logged = audit.entries(connection, limit=99, subject="O1")
    opinion, decision = logged
    assert (opinion.actor, opinion.action) == ("budi", "opinion.given")
    assert opinion.detail == {"labels": {"agency": "A"}}
    assert decision.action == "decision.label"
    assert found["reports"] == 12
    assert found["fields"]["agency"].observed == pytest.approx(11 / 12)
    assert found["fields"]["outcome"].reports == 0
    assert [p["people"] for p in found["pairs"]] == [["budi", "mimi"]]
    assert found["pairs"][0]["agreement"].kappa == pytest.approx(0.8333, abs=1e-3)


def test_a_contradicted_nod_is_worth_no_more(service: Service) -> None:
    send(service, "W1")
    say(service, "W1", look="unread")
    save_opinion(service.intake, check_decision("W1", {"actor": "budi", "agency": "Lain"})[0])
    assert rows(service)["W1"]["weight_agency"] == WORTH["unread"]


def test_a_likely_suggestion_is_not_overruled_by_one_person(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, overlap_share=0.0, overruled_share=1.0)
    with opened(settings, FakeEngine.make) as service:
        for name in ("V1", "V2", "V3", "V4"):
            send(service, name)
        say(service, "V1", agency="Dinas A", look="read")
        say(service, "V2", agency="Dinas A", look="read")
        say(service, "V3", look="read")
        say(service, "V4", agency="Dinas PU", outcome="prank", look="read")
        with service.intake.store.reading() as connection:
            asked = waiting_for_opinion(connection, "budi", limit=9)
        assert [item["report_id"] for item in asked] == ["V1", "V2"]
        for name, agency in (("V1", "Dinas A"), ("V2", "Dinas PU")):
            second = check_decision(name, {"actor": "budi", "agency": agency})[0]
            save_opinion(service.intake, second)
        found = rows(service)
        with service.intake.store.reading() as connection:
            assert agreement(connection)["reports"] == 0  # these were not drawn by chance
    assert (how(found["V1"])["agency"], found["V1"]["weight_agency"]) == ("changed", 1.0)
    assert (how(found["V2"])["agency"], found["V2"]["weight_agency"]) == ("disputed", 0.3)
    assert found["V2"]["agency"] == "Dinas A"  # the decision stands
    assert WORTH["disputed"] < TRUSTED


def test_margins_make_the_doubt() -> None:
    triage = FakeEngine().analyse([("a", Report("jalan rusak"))])[0].draft.to_dict()
    assert doubt(triage) == pytest.approx(1 - 0.65)
    assert week_of("2026-11-22") == "2026-11-16"


def test_a_diverse_choice_takes_the_farthest() -> None:
    vectors = np.array([[1, 0], [0.99, 0.14], [0.9, 0.43], [0, 1]], dtype=np.float32)
    assert spread(vectors, 2) == [0, 3]
    assert sorted(spread(vectors, 9)) == [0, 1, 2, 3]


def test_informative_reports_join_the_queue(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, audit_share=0.0, overlap_share=0.0, informative_share=0.2
    )
    with opened(settings, FakeEngine.make) as service:
        for n in range(60):
            send(service, f"Q{n}", "tidak jelas" if n % 2 else "jalan rusak")
        send(service, "rahasia", "jalan gang", visibility="secret")
        with service.intake.store.reading() as connection:
            waiting = review_queue(connection, reason="informative", after=0, limit=50)
            again = most_informative(connection, 5)
        assert len(waiting) == int(0.2 * 25)  # the queue is topped up at the 50th report
        assert all(m.why == ("informative",) for m in waiting)
        assert not {m.report_id for m in waiting} & set(again)
        assert "rahasia" not in most_of(service)


def most_of(service: Service) -> list[str]:
    with service.intake.store.reading() as connection:
        return most_informative(connection, 200)


def test_drift_of_a_week_that_is_different(service: Service) -> None:
    today = datetime.now(UTC).date()
    for n in range(60):
        send(service, f"D{n}", "jalan rusak aspal")
    older = (today - timedelta(days=9)).isoformat()
    with service.intake.store.writing() as connection:
        connection.execute(sql("UPDATE facts SET day = :older"), {"older": older})
    for n in range(60):
        send(service, f"N{n}", "gempa tenda pengungsi", visibility="secret" if n % 2 else "public")
    with service.intake.store.reading() as connection:
        found = look_for_drift(
            connection, today + timedelta(days=1), days=7, reference_days=28, promise=0.9
        )
    assert (found.reference.reports, found.latest.reports) == (60, 60)
    assert found.shifts["topic"].drifted
    assert found.words.drifted
    assert found.words.new["gempa"] == 30  # words of secret reports are not read
    assert any(reason.startswith("topic: PSI") for reason in found.reasons)
    assert found.to_dict()["retrain"] is True
    quiet = replace(found, reasons=())
    assert quiet.to_dict()["retrain"] is False


def test_a_broken_promise_proposes_a_retrain(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    bundle_folder: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr("pilah.models.registry.shipped_bundle", lambda: bundle_folder)
    monkeypatch.setenv("PILAH_DATA_DIR", str(service.settings.data_dir))
    for n in range(12):
        send(service, f"P{n}")
        say(service, f"P{n}", agency="Dinas Z" if n < 6 else "Dinas PU", look="read")
    monkeypatch.setattr("sys.argv", ["pilah", "drift", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert found["retrain"] is True
    assert [reason.split(":")[0] for reason in found["reasons"]] == [
        "precision", "precision of Dinas PU (Pemerintah Kabupaten Sleman)"
    ]  # fmt: skip
    service.metrics.saw_drift(found)
    assert service.metrics.registry.get_sample_value("pilah_retrain_proposed") == 1


def test_the_drift_command_reports_and_keeps_its_report(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    bundle_folder: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr("pilah.models.registry.shipped_bundle", lambda: bundle_folder)
    monkeypatch.setenv("PILAH_DATA_DIR", str(service.settings.data_dir))
    send(service, "K1")
    monkeypatch.setattr("sys.argv", ["pilah", "drift", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    found = json.loads(capsys.readouterr().out)
    assert (found["latest"]["reports"], found["retrain"], found["promise"]) == (1, False, 0.9)
    kept = json.loads((service.settings.data_dir / "drift.json").read_text("utf-8"))
    assert kept == found
    monkeypatch.setattr("sys.argv", ["pilah", "drift"])
    with pytest.raises(SystemExit):
        main()
    assert "retrain: no reason" in capsys.readouterr().out
    service.metrics.saw_drift(last_report(service.settings.data_dir) or {})
    assert service.metrics.registry.get_sample_value("pilah_retrain_proposed") == 0
    assert service.metrics.registry.get_sample_value("pilah_drift_psi", {"what": "topic"}) == 0
    (service.settings.data_dir / "drift.json").write_text("{")
    assert last_report(service.settings.data_dir) is None


def test_agreement_and_export_commands(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv("PILAH_DATA_DIR", str(service.settings.data_dir))
    send(service, "C1")
    say(service, "C1", agency="Dinas X")
    for args, told in (
        (["data", "agreement"], "kappa"),
        (["data", "agreement", "--json"], '"fields"'),
        (
            ["data", "export", "-o", str(tmp_path / "k.jsonl")],
            "1 decided reports, 0 of them can judge; no threshold is proved",
        ),
    ):
        monkeypatch.setattr("sys.argv", ["pilah", *args])
        with pytest.raises(SystemExit):
            main()
        assert told in capsys.readouterr().out.replace("\n", " ")
