"""Reading reports and incidents, deciding, the queue, and what stays hidden."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pilah.service.app import create_app
from pilah.service.fake import MoodyEngine
from pilah.service.incident_schemas import IncidentOut
from pilah.service.schemas import QueueOut, ReportOut
from pilah.service.settings import Settings
from pilah.service.testing import expect_problem, served

ROAD = {"text": "Jalan Kaliurang berlubang besar di Sleman", "region": "Sleman"}
NIK = "3404071209900001"


@pytest.fixture
def engine() -> MoodyEngine:
    return MoodyEngine()


@pytest.fixture
def client(tmp_path: Path, engine: MoodyEngine) -> Iterator[httpx.Client]:
    settings = Settings(
        data_dir=tmp_path, max_body_bytes=2_000_000, max_batch=100, max_concurrency=20
    )
    app = create_app(settings, lambda _: engine)
    with served(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


def post(
    client: httpx.Client, body: object, path: str = "/v1/classify", **headers: str
) -> httpx.Response:
    return client.post(path, json=body, headers=headers)


def test_secret_reports_are_shielded(client: httpx.Client) -> None:
    words = "Jalan Mawar Sleman tempat pungli bapak Kumbakarna"
    secret = post(client, {"text": words, "id": "S1", "visibility": "secret"}).json()
    assert secret["masked_text"] == words
    public = post(client, {"text": words, "id": "P1"}).json()
    assert public["duplicates"]["matches"][0]["evidence"] == ["laporan rahasia"]
    note = {"actor": "m", "note": "Kumbakarna"}
    post(client, note, "/v1/reports/S1/decision")
    report = client.get("/v1/reports/S1")
    assert report.json()["suggestion"]["masked_text"] is None
    assert report.json()["suggestion"]["explanation"] == {"terms": [], "places": []}
    incident = client.get("/v1/incidents/incident-S1")
    members = {m["report_id"]: m for m in incident.json()["members"]}
    assert members["S1"] == members["S1"] | {"masked_text": None, "topic": None, "agency": None}
    assert members["P1"]["masked_text"] == words
    for response in (report, client.get("/v1/review"), client.get("/v1/reports/P1")):
        assert "kata yang sama" not in response.text
    assert "Kumbakarna" not in report.text + client.get("/v1/review").text


def test_raw_text_title_and_reporter_never_come_back(client: httpx.Client) -> None:
    raw = {"text": f"Jalan rusak, NIK {NIK}", "id": "N1", "reporter_ref": "ref-77"}
    raw |= {"title": f"telepon {NIK}", "region": "Kampung Rahasia", "visibility": "anonymous"}
    answers = [post(client, raw)]
    answers += [client.get(p) for p in ("/v1/reports/N1", "/v1/incidents/incident-N1")]
    answers += [client.get("/v1/review"), client.get("/metrics")]
    for response in answers:
        for word in (NIK, "ref-77", "Kampung Rahasia"):
            assert word not in response.text


def test_incident_counts(client: httpx.Client) -> None:
    for n, visibility in enumerate(("public", "secret", "anonymous", "public")):
        post(client, {**ROAD, "id": f"I{n}", "visibility": visibility})
    incident = IncidentOut.model_validate(client.get("/v1/incidents/incident-I0").json())
    assert incident.counts == {"public": 2, "secret": 1, "anonymous": 1}
    assert incident.count == len(incident.members) == 4
    assert incident.created_from == "I0"
    assert (incident.first_received_at or "") < (incident.last_received_at or "")


def test_decisions_are_appended_and_keep_the_suggestion(client: httpx.Client) -> None:
    triage = post(client, {"text": "tidak jelas", "id": "D1"}).json()
    path = "/v1/reports/D1/decision"
    first = post(client, {"actor": "budi", "outcome": "prank", "after": 0}, path)
    assert first.status_code == 201
    second = post(client, {"actor": "ani", "agency": "Dinas A", "note": "catatan"}, path)
    report = ReportOut.model_validate(second.json())
    assert [d.labels for d in report.decisions] == [{"outcome": "prank"}, {"agency": "Dinas A"}]
    assert [d.number for d in report.decisions] == [1, 2]
    assert client.get("/v1/reports/D1").json()["suggestion"] == triage
    expect_problem(post(client, {"actor": "edi", "after": 1}, path), "decision-stale")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "actor"),
        ({"actor": " "}, "actor"),
        ({"actor": 5}, "actor"),
        ({"actor": "a\nb"}, "actor"),
        ({"actor": "a" * 501}, "actor"),
        ({"actor": "a", "outcome": "lain"}, "outcome"),
        ({"actor": "a", "hoax": "mungkin"}, "hoax"),
        ({"actor": "a", "look": "sekilas"}, "look"),
        ({"actor": "a", "look": []}, "look"),
        ({"actor": "a", "action": "archive", "reason": ["prank"]}, "reason"),
        ({"actor": "a", "note": 7}, "note"),
        ({"actor": "a", "note": "x" * 4_001}, "note"),
        ({"actor": "a", "after": -1}, "after"),
        ({"actor": "a", "after": True}, "after"),
        ({"actor": "a", "topik": "x"}, ""),
        ({"actor": "a", "incident": "tak ada"}, "incident"),
        ([], ""),
    ],
)
def test_wrong_decisions(client: httpx.Client, body: object, place: str) -> None:
    post(client, {**ROAD, "id": "D2"})
    found = expect_problem(post(client, body, "/v1/reports/D2/decision"), "decision-invalid")
    assert [error["place"] for error in found["errors"]] == [place]


def test_decision_about_nobody(client: httpx.Client) -> None:
    expect_problem(post(client, {"actor": "a"}, "/v1/reports/nobody/decision"), "report-unknown")


def test_decision_with_idempotency_key_is_taken_once(client: httpx.Client) -> None:
    post(client, {**ROAD, "id": "D3"})
    path, headers = "/v1/reports/D3/decision", {"idempotency-key": "d"}
    answers = [post(client, {"actor": "a"}, path, **headers) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert len(client.get("/v1/reports/D3").json()["decisions"]) == 1


def test_unmerge_and_merge_teach_the_engine(client: httpx.Client, engine: MoodyEngine) -> None:
    for name in ("M1", "M2"):
        post(client, {**ROAD, "id": name})
    path = "/v1/reports/M2/decision"
    apart = post(client, {"actor": "a", "incident": "new"}, path).json()
    assert apart["incident_id"] not in ("incident-M1", "new")
    assert apart["decisions"][0]["labels"]["incident"] == apart["incident_id"]
    assert engine.memory["M2"][1] == apart["incident_id"]
    assert client.get("/v1/incidents/incident-M1").json()["count"] == 1
    back = post(client, {"actor": "a", "incident": "incident-M1"}, path).json()
    assert back["incident_id"] == engine.memory["M2"][1] == "incident-M1"
    empty = client.get(f"/v1/incidents/{apart['incident_id']}").json()
    assert (empty["count"], empty["first_received_at"]) == (0, None)


def test_review_queue_pages_filters_and_empties(client: httpx.Client) -> None:
    for n in range(5):
        post(client, {"text": f"Sebarkan kabar nomor {n}", "id": f"Q{n}"})
    post(client, {"text": "halo apa kabar", "id": "Q5"})
    post(client, {**ROAD, "id": "sure"})
    first = QueueOut.model_validate(client.get("/v1/review", params={"limit": 4}).json())
    assert (first.count, [i.report_id for i in first.items]) == (6, ["Q0", "Q1", "Q2", "Q3"])
    rest = client.get("/v1/review", params={"limit": 4, "after": first.next}).json()
    assert ([i["report_id"] for i in rest["items"]], rest["next"]) == (["Q4", "Q5"], None)
    hoax = client.get("/v1/review", params={"reason": "hoax_like"}).json()
    assert hoax["count"] == 5
    post(client, {"actor": "a"}, "/v1/reports/Q0/decision")
    assert client.get("/v1/review").json()["count"] == 5


@pytest.mark.parametrize(
    ("query", "cure"),
    [
        ("limit=0", "greater than or equal to 1"),
        ("limit=201", "less than or equal to 200"),
        ("limit=x", "valid integer"),
        ("after=-1", "greater than or equal to 0"),
        (f"reason={NIK}", "use one of topic_unknown, "),
    ],
)
def test_wrong_parameters(client: httpx.Client, query: str, cure: str) -> None:
    response = client.get(f"/v1/review?{query}")
    (error,) = expect_problem(response, "parameter-invalid")["errors"]
    assert error["place"] == query.partition("=")[0]
    assert cure in error["cure"]
    assert NIK not in response.text
