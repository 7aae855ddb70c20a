"""Incidents that last: what people do to them holds, through later copies and restarts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from incident_kit import LAMP, ROAD, send

from pilah.models.incidents import new_incident_id
from pilah.service.app import create_app
from pilah.service.fake import FakeEngine
from pilah.service.incident_schemas import IncidentOut
from pilah.service.settings import Settings
from pilah.service.testing import expect_problem, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


ME = {"actor": "ani", "reason": "satu lubang"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    app = create_app(Settings(data_dir=tmp_path), FakeEngine.make)
    with served(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


def act(client: httpx.Client, incident: str, kind: str, **fields: object) -> dict[str, Any]:
    answer = client.post(f"/v1/incidents/{incident}/{kind}", json=ME | fields)
    assert answer.status_code == 200, answer.text
    assert IncidentOut.model_validate(answer.json())
    assert answer.json() == client.get(f"/v1/incidents/{incident}").json()
    found: dict[str, Any] = answer.json()
    return found


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


def test_what_contradicts_a_closed_case_is_for_a_person_and_no_hoax(client: httpx.Client) -> None:
    plain = classified(client, "r0", ROAD)
    act(client, "incident-r0", "close", reason="sudah ditambal")
    again = classified(client, "r1", ROAD)
    assert again["duplicates"]["recurs_of"] == "incident-r0"
    assert again["hoax"] == plain["hoax"]
    assert "contradicts_closed" not in again["review"]["reasons"]
    act(client, again["duplicates"]["incident_id"], "close")
    still = classified(client, "r2", f"{ROAD}, masih belum diperbaiki")
    assert still["duplicates"]["recurs_of"] == again["duplicates"]["incident_id"]
    [sign] = still["hoax"]["evidence"]
    assert sign["kind"] == "contradicts_closed"
    assert still["duplicates"]["recurs_of"] in sign["detail"]
    assert (still["hoax"]["flag"], still["hoax"]["score"]) == (False, plain["hoax"]["score"])
    assert still["review"]["needed"]
    assert "contradicts_closed" in still["review"]["reasons"]


def classified(client: httpx.Client, name: str, text: str) -> dict[str, Any]:
    answer = client.post("/v1/classify", json={"id": name, "text": text})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


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
