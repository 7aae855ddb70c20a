"""Incidents last through restarts, together, and what is hidden stays hidden before sending."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from incident_kit import ACT, LAMP, ROAD, members, send, take

from pilah.datasets.records import Report
from pilah.models.incidents import new_incident_id
from pilah.models.triage import Triager
from pilah.service import incidents
from pilah.service.app import create_app, opened
from pilah.service.fake import FakeEngine
from pilah.service.incident_schemas import SimilarOut
from pilah.service.settings import Settings
from pilah.service.testing import expect_problem, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pilah.models.bundle import Bundle
    from pilah.models.reading import Analysis
    from pilah.service.state import Service


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


@settings(max_examples=15)
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


def test_concurrent_copies_are_one_incident_of_the_real_engine(
    tmp_path: Path, bundle: Bundle
) -> None:
    hole = "Lubang besar di Jalan Anggrek KM 5 depan toko cat Makmur, dua motor jatuh tadi malam"

    def make(_: Settings) -> Triager:
        return Triager.from_bundle(bundle, service_version="test", key=b"k")

    with opened(Settings(data_dir=tmp_path), make) as service, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: take(service, f"r{n}", hole, region="34.04.07"), range(16)))
    assert len({answer["incident_id"] for answer in found}) == 1
    assert sum(answer["verdict"] == "none" for answer in found) == 1
