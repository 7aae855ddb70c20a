"""What is decided becomes training data: how much each label is worth, and for whom it speaks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loop_kit import asking, how, rows, say, send

from pilah.datasets.readers import read_rows
from pilah.datasets.records import LabelledReport
from pilah.models.bundle import Bundle
from pilah.service.app import opened
from pilah.service.cli import main
from pilah.service.fake import FakeEngine
from pilah.service.loop.export import WORTH, Exported, export
from pilah.service.loop.refusing import ask
from pilah.service.loop.representing import Selection
from pilah.service.settings import Settings
from pilah.service.state import Service

DATA = Path(__file__).parent / "data"
NIK = "3404071209900001"
ROAD = "PEKERJAAN UMUM DAN PENATAAN RUANG"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with asking(tmp_path) as service:
        yield service


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
        assert export(connection, file) == Exported(rows=1, judging=1, worth=1.0)
    text = file.read_text("utf-8")
    assert NIK not in text
    row = next(iter(read_rows(file))).content
    assert isinstance(row, LabelledReport)
    assert (row.labels.outcome, row.extra["weight_outcome"]) == ("actionable", "0.7")
    assert row.report.region == "34.04"


@pytest.mark.parametrize(
    ("exported", "told"),
    [
        (Exported(0, 0, 0.0), "0 decided reports, 0 of them can judge"),
        (Exported(9, 0, 0.0), "proved on them: audit sure answers (PILAH_AUDIT_SHARE)"),
        (Exported(900, 800, 390.0), "390 drawn by chance; a larger PILAH_AUDIT_SHARE proves more"),
        (Exported(900, 800, 500.0), "800 of them can judge and prove as much as 500 drawn by"),
    ],
)
def test_an_export_says_what_it_can_prove(exported: Exported, told: str) -> None:
    assert told in str(exported)
    assert ("a larger" in str(exported)) is ("a larger" in told)


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
