"""Reports of which the machine is sure, asked of people: audits, second opinions, agreement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loop_kit import asking, how, rows, say, send

from pilah.service.accounts import audit
from pilah.service.app import opened
from pilah.service.checks import check_decision
from pilah.service.cli import main
from pilah.service.fake import FakeEngine
from pilah.service.loop.export import WORTH
from pilah.service.loop.judging import save_opinion
from pilah.service.loop.live_precision import audited, by_agency, precision
from pilah.service.loop.samples import agreement, drawn, waiting_for_opinion
from pilah.service.problems import Problem
from pilah.service.reads import review_count, review_queue
from pilah.service.settings import Settings
from pilah.service.state import Service
from pilah.training.mix import TRUSTED


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with asking(tmp_path) as service:
        yield service


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
