"""Incidents that last: what people do to them holds, through later copies and restarts."""

from __future__ import annotations

import dataclasses
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.datasets.records import Report
from pilah.models.incidents import new_incident_id
from pilah.service import incidents
from pilah.service.app import create_app, opened
from pilah.service.fake import FakeEngine
from pilah.service.incident_views import incident_body
from pilah.service.incidents import Act
from pilah.service.intake import make_item
from pilah.service.schemas import IncidentOut, SimilarOut
from pilah.service.settings import Settings
from pilah.service.testing import expect_problem, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pilah.models.reading import Analysis
    from pilah.service.state import Service

ROAD = "Jalan Kaliurang berlubang besar di Sleman"
LAMP = "Lampu taman padam semua malam ini"
ME = {"actor": "ani", "reason": "satu lubang"}
ACT = Act("ani", "satu lubang")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    app = create_app(Settings(data_dir=tmp_path), FakeEngine.make)
    with served(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def service(tmp_path: Path, engine: FakeEngine) -> Iterator[Service]:
    with opened(Settings(data_dir=tmp_path), lambda _: engine) as service:
        yield service


def send(client: httpx.Client, name: str, text: str = ROAD, **fields: object) -> dict[str, Any]:
    answer = client.post("/v1/classify", json={"id": name, "text": text, **fields})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()["duplicates"]
    return found


def act(client: httpx.Client, incident: str, kind: str, **fields: object) -> dict[str, Any]:
    answer = client.post(f"/v1/incidents/{incident}/{kind}", json=ME | fields)
    assert answer.status_code == 200, answer.text
    assert IncidentOut.model_validate(answer.json())
    assert answer.json() == client.get(f"/v1/incidents/{incident}").json()
    found: dict[str, Any] = answer.json()
    return found


def take(service: Service, name: str, text: str = ROAD, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    item = make_item(Report(text, id=name, **fields), claim=None)
    reply = service.intake.take([item], lambda outcomes: outcomes[0].triage)  # type: ignore[union-attr]
    found: dict[str, Any] = json.loads(reply.body)["duplicates"]
    return found


def members(service: Service, incident: str) -> list[str]:
    with service.intake.store.reading() as connection:
        return [m["report_id"] for m in incident_body(connection, incident)["members"]]


# ---- over HTTP


def test_an_incident_tells_how_it_stands(client: httpx.Client) -> None:
    for n, sender in enumerate(("x", "x", "y", None)):
        send(client, f"r{n}", reporter_ref=sender)
    send(client, "r4", reporter_ref="z", visibility="anonymous")
    found = client.get("/v1/incidents/incident-r0").json()
    assert (found["status"], found["topic"]) == ("open", "PEKERJAAN UMUM DAN PENATAAN RUANG")
    assert found["citizens"] == {"known": 2, "unknown_reports": 2, "at_least": 2, "at_most": 4}
    assert found["history"] == found["apart_from"] == found["recurred_as"] == []


def test_merged_incidents_stay_one(client: httpx.Client) -> None:
    send(client, "r0")
    send(client, "r1", LAMP)
    merged = act(client, "incident-r0", "merge", incidents=["incident-r1"])
    assert [m["report_id"] for m in merged["members"]] == ["r0", "r1"]
    gone = client.get("/v1/incidents/incident-r1").json()
    assert (gone["status"], gone["merged_into"], gone["count"]) == ("merged", "incident-r0", 0)
    assert gone["history"] == merged["history"]
    assert send(client, "r2", LAMP)["incident_id"] == "incident-r0"


def test_history_says_who_when_why_before_and_after(client: httpx.Client) -> None:
    send(client, "r0")
    send(client, "r1", LAMP)
    [event] = act(client, "incident-r0", "merge", incidents=["incident-r1"])["history"]
    state = {"status": "open", "closed_at": None, "merged_into": None}
    assert (event["number"], event["kind"], event["undoes"]) == (1, "merge", None)
    assert (event["actor"], event["reason"]) == ("ani", "satu lubang")
    assert datetime.fromisoformat(event["happened_at"]).tzinfo is not None
    assert event["before"] == {
        "incidents": {"incident-r0": state, "incident-r1": state},
        "reports": {"r1": "incident-r1"},
    }
    after = state | {"status": "merged", "merged_into": "incident-r0"}
    assert event["after"]["incidents"] == {"incident-r0": state, "incident-r1": after}
    assert event["after"]["reports"] == {"r1": "incident-r0"}


def test_a_split_holds_against_later_copies(client: httpx.Client) -> None:
    for n in range(3):
        send(client, f"r{n}")
    left = act(client, "incident-r0", "split", reports=["r1"])
    fresh = new_incident_id("r1")
    assert [m["report_id"] for m in left["members"]] == ["r0", "r2"]
    assert left["apart_from"] == [fresh]
    taken = client.get(f"/v1/incidents/{fresh}").json()
    assert [m["report_id"] for m in taken["members"]] == ["r1"]
    assert taken["apart_from"] == ["incident-r0"]


def test_an_undone_merge_gives_everything_back_and_is_remembered(client: httpx.Client) -> None:
    send(client, "r0")
    send(client, "r1", LAMP)
    act(client, "incident-r0", "merge", incidents=["incident-r1"])
    send(client, "r2")
    back = act(client, "incident-r0", "undo")
    assert [m["report_id"] for m in back["members"]] == ["r0", "r2"]
    assert back["apart_from"] == ["incident-r1"]
    assert [(e["kind"], e["undoes"]) for e in back["history"]] == [("merge", None), ("undo", 1)]
    assert client.get("/v1/incidents/incident-r1").json()["status"] == "open"
    nothing = client.post("/v1/incidents/incident-r0/undo", json=ME)
    expect_problem(nothing, "incident-conflict")


def test_an_undone_split_is_forgotten(client: httpx.Client) -> None:
    for n in range(2):
        send(client, f"r{n}")
    act(client, "incident-r0", "split", reports=["r1"])
    back = act(client, "incident-r0", "undo")
    assert (back["count"], back["apart_from"]) == (2, [])
    fresh = client.get(f"/v1/incidents/{new_incident_id('r1')}").json()
    assert (fresh["status"], fresh["merged_into"]) == ("merged", "incident-r0")


def test_only_the_latest_act_can_be_undone(client: httpx.Client) -> None:
    for n, text in enumerate((ROAD, LAMP)):
        send(client, f"r{n}", text)
    act(client, "incident-r0", "merge", incidents=["incident-r1"])
    act(client, "incident-r0", "close")
    late = client.post("/v1/incidents/incident-r1/undo", json=ME)
    expect_problem(late, "incident-conflict")
    assert act(client, "incident-r0", "undo")["status"] == "open"
    assert act(client, "incident-r1", "undo")["status"] == "open"


def test_what_comes_back_after_closing_is_a_linked_new_incident(client: httpx.Client) -> None:
    send(client, "r0")
    closed = act(client, "incident-r0", "close")
    assert (closed["status"], closed["closed_at"] is None) == ("closed", False)
    again = send(client, "r1")
    fresh = new_incident_id("r1")
    assert (again["verdict"], again["recurs_of"]) == ("none", "incident-r0")
    assert (again["incident_id"], again["matches"][0]["report_id"]) == (fresh, "r0")
    third = send(client, "r2")
    assert (third["verdict"], third["incident_id"]) == ("duplicate", fresh)
    assert client.get("/v1/incidents/incident-r0").json()["recurred_as"] == [fresh]
    assert client.get(f"/v1/incidents/{fresh}").json()["recurs_of"] == "incident-r0"


def test_what_happened_before_the_closing_belongs_to_the_closed(client: httpx.Client) -> None:
    send(client, "r0")
    act(client, "incident-r0", "close")
    assert act(client, "incident-r0", "reopen")["status"] == "open"
    assert send(client, "r1")["incident_id"] == "incident-r0"


def test_merging_open_work_into_a_closed_incident_opens_it(client: httpx.Client) -> None:
    send(client, "r0")
    send(client, "r1", LAMP)
    act(client, "incident-r0", "close")
    merged = act(client, "incident-r0", "merge", incidents=["incident-r1"])
    assert merged["status"] == "open"
    assert act(client, "incident-r0", "undo")["status"] == "closed"


@pytest.mark.parametrize(
    ("kind", "body", "slug"),
    [
        ("merge", {"incidents": ["nobody"]}, "incident-invalid"),
        ("merge", {"incidents": ["incident-r0"]}, "incident-invalid"),
        ("merge", {"incidents": []}, "incident-invalid"),
        ("merge", {"incidents": "incident-r1"}, "incident-invalid"),
        ("merge", {"incidents": ["incident-r1"], "note": "x"}, "incident-invalid"),
        ("merge", {"incidents": ["incident-r1"], "reason": " "}, "incident-invalid"),
        ("merge", {"incidents": ["incident-r1"], "actor": None}, "incident-invalid"),
        ("merge", {"incidents": ["incident-r1"], "after": 1}, "incident-stale"),
        ("split", {"reports": ["r0"]}, "incident-invalid"),
        ("split", {"reports": ["r0", "r1"]}, "incident-invalid"),
        ("close", {"reports": ["r0"]}, "incident-invalid"),
        ("reopen", {}, "incident-conflict"),
        ("undo", {}, "incident-conflict"),
    ],
)
def test_acts_that_make_no_sense_are_refused(
    client: httpx.Client, kind: str, body: dict[str, object], slug: str
) -> None:
    send(client, "r0")
    send(client, "r1", LAMP)
    before = client.get("/v1/incidents/incident-r0").json()
    expect_problem(client.post(f"/v1/incidents/incident-r0/{kind}", json=ME | body), slug)
    assert client.get("/v1/incidents/incident-r0").json() == before


def test_acts_on_nobody_and_on_merged_ones_are_refused(client: httpx.Client) -> None:
    expect_problem(client.post("/v1/incidents/nobody/close", json=ME), "incident-unknown")
    send(client, "r0")
    send(client, "r1", LAMP)
    act(client, "incident-r0", "merge", incidents=["incident-r1"])
    expect_problem(client.post("/v1/incidents/incident-r1/close", json=ME), "incident-conflict")


def test_an_act_with_an_idempotency_key_is_done_once(client: httpx.Client) -> None:
    send(client, "r0")
    headers = {"idempotency-key": "c"}
    url = "/v1/incidents/incident-r0/close"
    answers = [client.post(url, json=ME, headers=headers) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert len(answers[0].json()["history"]) == 1


def test_a_decision_about_a_report_stands_in_the_history(client: httpx.Client) -> None:
    for n in range(2):
        send(client, f"r{n}")
    body = {"actor": "budi", "incident": "new", "note": "lubang lain"}
    moved = client.post("/v1/reports/r1/decision", json=body).json()
    found = client.get("/v1/incidents/incident-r0").json()
    assert [(e["kind"], e["reason"]) for e in found["history"]] == [("move", "lubang lain")]
    assert found["apart_from"] == [moved["incident_id"]]


# ---- before sending


def test_a_draft_sees_what_is_known_and_leaves_no_trace(client: httpx.Client) -> None:
    send(client, "r0")
    send(client, "r1", f"{ROAD} sekali")
    send(client, "r2", LAMP)
    answer = client.post("/v1/similar", json={"text": ROAD})
    [found] = SimilarOut.model_validate(answer.json()).incidents
    assert (found.incident_id, found.reports, found.status) == ("incident-r0", 2, "open")
    assert found.masked_text == ROAD
    assert send(client, "r3")["matches"][0]["report_id"] == "r0"
    assert client.get("/v1/incidents/incident-r0").json()["count"] == 3
    expect_problem(client.post("/v1/similar", json={"text": ""}), "report-invalid")


@settings(max_examples=15, deadline=None)
@given(
    hidden=st.lists(
        st.tuples(st.sampled_from([ROAD, LAMP]), st.sampled_from(["anonymous", "secret"])),
        max_size=4,
    )
)
def test_hidden_reports_change_nothing_before_sending(
    tmp_path_factory: pytest.TempPathFactory, hidden: list[tuple[str, str]]
) -> None:
    answers = []
    for added in ([], hidden):
        folder = tmp_path_factory.mktemp("similar")
        with opened(Settings(data_dir=folder), FakeEngine.make) as service:
            take(service, "r0")
            for n, (text, visibility) in enumerate(added):
                take(service, f"h{n}", text, visibility=visibility)
            found = [incidents_shown(service, text) for text in (ROAD, LAMP)]
        answers.append(found)
    assert answers[0] == answers[1]


def incidents_shown(service: Service, text: str) -> list[dict[str, Any]]:
    from pilah.service.similar import similar

    shown: list[dict[str, Any]] = similar(service.intake, Report(text))["incidents"]
    for one in shown:  # moments differ from run to run
        del one["first_received_at"], one["last_received_at"]
    return shown


# ---- through restarts and together


def test_what_people_did_is_there_after_a_restart(tmp_path: Path) -> None:
    engine = FakeEngine()
    with opened(Settings(data_dir=tmp_path), lambda _: engine) as service:
        for name, text in (("r0", ROAD), ("r1", ROAD), ("r2", LAMP)):
            take(service, name, text)
        incidents.split(service.intake, "incident-r0", ["r1"], ACT)
        incidents.merge(service.intake, "incident-r0", ["incident-r2"], ACT)
        pairs = [tuple(sorted(("incident-r0", new_incident_id("r1"))))]
        assert engine.apart == pairs
    engine = FakeEngine()
    with opened(Settings(data_dir=tmp_path), lambda _: engine) as service:
        assert engine.apart == pairs
        assert {n: home for n, (_, home) in engine.memory.items()} == {
            "r0": "incident-r0",
            "r1": new_incident_id("r1"),
            "r2": "incident-r0",
        }
        assert take(service, "r3", LAMP)["incident_id"] == "incident-r0"


def test_a_merge_of_merged_incidents_leads_to_the_last(service: Service) -> None:
    for n, text in enumerate((ROAD, LAMP, "Got mampet bau sekali")):
        take(service, f"r{n}", text)
    incidents.merge(service.intake, "incident-r1", ["incident-r2"], ACT)
    incidents.merge(service.intake, "incident-r0", ["incident-r1"], ACT)
    assert take(service, "r3", "Got mampet bau sekali")["incident_id"] == "incident-r0"
    assert members(service, "incident-r0") == ["r0", "r1", "r2", "r3"]


class Dated(FakeEngine):
    """Knows when a report says that it happened."""

    def analyse(self, items: Sequence[tuple[str, Report]]) -> list[Analysis]:
        return [dated(analysis) for analysis in super().analyse(items)]


def dated(analysis: Analysis) -> Analysis:
    moment = analysis.report.reported_at or datetime.now(UTC)
    fingerprint = dataclasses.replace(analysis.fingerprint, received_at=moment)
    return dataclasses.replace(analysis, fingerprint=fingerprint)


def test_a_report_dated_before_the_closing_joins_the_closed(tmp_path: Path) -> None:
    with opened(Settings(data_dir=tmp_path), Dated.make) as service:
        take(service, "r0")
        incidents.close(service.intake, "incident-r0", ACT)
        before = datetime.now(UTC) - timedelta(days=1)
        assert take(service, "r1", reported_at=before)["incident_id"] == "incident-r0"
        assert take(service, "r2")["recurs_of"] == "incident-r0"


def test_a_recurrence_merged_back_is_not_followed_for_ever(service: Service) -> None:
    take(service, "r0")
    incidents.close(service.intake, "incident-r0", ACT)
    again = take(service, "r1")["incident_id"]
    incidents.merge(service.intake, "incident-r0", [again], ACT)
    incidents.close(service.intake, "incident-r0", ACT)
    third = take(service, "r2")
    assert (third["recurs_of"], third["incident_id"]) == ("incident-r0", new_incident_id("r2"))


def test_concurrent_arrivals_and_acts_lose_nothing(service: Service, engine: FakeEngine) -> None:
    """Copies that arrive together are one incident; acts among them leave a whole state."""
    take(service, "road")
    take(service, "lamp", LAMP)
    merged = threading.Event()

    def work(n: int) -> None:
        take(service, f"r{n}", ROAD if n % 2 else LAMP)
        if n == 10:
            incidents.merge(service.intake, "incident-road", ["incident-lamp"], ACT)
            merged.set()
        if n == 20 and merged.wait(30):
            incidents.undo(service.intake, "incident-road", ACT)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(32)))
    road, lamp = members(service, "incident-road"), members(service, "incident-lamp")
    assert sorted(road + lamp) == sorted(["road", "lamp", *(f"r{n}" for n in range(32))])
    assert {f"r{n}" for n in range(1, 32, 2)} <= set(road)
    told = {name: home for name, (_, home) in engine.memory.items()}
    assert told == dict.fromkeys(road, "incident-road") | dict.fromkeys(lamp, "incident-lamp")
