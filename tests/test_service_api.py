"""Taking reports in over a real socket, with the fake engine."""

import json
import re
import shlex
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from pilah.service.app import create_app
from pilah.service.fake import MoodyEngine
from pilah.service.schemas import BatchOut, ReportOut, TriageOut
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


def curls() -> Iterator[list[str]]:
    """The words of every ``curl`` that a page shows, pages in the order in which they are read."""
    root = Path(__file__).parent.parent
    for page in ("README.md", "README.id.md", "docs/api.md", "docs/loop.md"):
        shown = re.findall(r"^ {4}curl -s ((?:.*\\\n)*.+)", (root / page).read_text("utf-8"), re.M)
        yield from (shlex.split(line.replace("\\\n", " ")) for line in shown)


def test_the_examples_of_the_pages_work_one_after_the_other(client: httpx.Client) -> None:
    examples = list(curls())
    assert len(examples) >= 8
    for url, *options in examples:
        path = url.removeprefix("http://127.0.0.1:8000")
        given = list(zip(options[::2], options[1::2], strict=True))
        headers = dict(value.split(": ", 1) for flag, value in given if flag == "-H")
        body = next((value for flag, value in given if flag == "-d"), None)
        method = "GET" if body is None else "POST"
        answer = client.request(method, path, content=body, headers=headers)
        assert answer.is_success, (url, body, answer.text)


def post(
    client: httpx.Client, body: object, path: str = "/v1/classify", **headers: str
) -> httpx.Response:
    return client.post(path, json=body, headers=headers)


def test_classify_answers_the_contract(client: httpx.Client) -> None:
    response = post(client, {**ROAD, "id": "A1"})
    assert response.status_code == 200
    triage = TriageOut.model_validate(response.json())
    assert triage.report_id == "A1"
    assert triage.duplicates.incident_id == "incident-A1"
    assert response.json().keys() == TriageOut.model_fields.keys()


def test_answer_is_readable_after_it_was_given(client: httpx.Client) -> None:
    triage = post(client, ROAD).json()
    found = client.get(f"/v1/reports/{triage['report_id']}")
    report = ReportOut.model_validate(found.json())
    assert found.json()["suggestion"] == triage
    assert report.decisions == []


def test_ids_with_slashes_and_spaces_are_found(client: httpx.Client) -> None:
    name = "LAPOR/2026/no 1?#%"
    assert post(client, {**ROAD, "id": name}).status_code == 200
    quoted = httpx.QueryParams({"x": name})["x"]
    path = "/v1/reports/" + "".join(f"%{b:02X}" for b in quoted.encode())
    assert client.get(path).json()["report_id"] == name


def test_copies_find_each_other(client: httpx.Client) -> None:
    first = post(client, ROAD).json()
    second = post(client, ROAD).json()
    assert second["duplicates"]["verdict"] == "duplicate"
    assert second["duplicates"]["incident_id"] == first["duplicates"]["incident_id"]


def test_concurrent_copies_make_one_incident(client: httpx.Client) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: post(client, ROAD).json(), range(12)))
    assert len({a["duplicates"]["incident_id"] for a in answers}) == 1
    assert sorted(len(a["duplicates"]["matches"]) for a in answers) == list(range(12))


def test_same_id_same_report_gives_the_stored_answer(
    client: httpx.Client, engine: MoodyEngine
) -> None:
    first = post(client, {**ROAD, "id": "A1"})
    again = post(client, {**ROAD, "id": "A1", "unknown_field": 1})
    assert again.status_code == 200
    assert again.json() == first.json()
    assert len(engine.memory) == 1


def test_same_id_other_report_is_a_conflict(client: httpx.Client) -> None:
    post(client, {**ROAD, "id": "A1"})
    body = expect_problem(post(client, {"text": "lain sama sekali", "id": "A1"}), "report-conflict")
    assert "lain" not in json.dumps(body)


@pytest.mark.parametrize(
    ("content", "slug"),
    [
        (b"", "json-malformed"),
        (b"{", "json-malformed"),
        (b'{"text": "\xff\xfe"}', "json-malformed"),
        (b'{"text": NaN}', "json-malformed"),
        (b'{"location": {"lat": 1' + b"0" * 400 + b', "lon": 0}, "text": "x"}', "json-malformed"),
        (b"[" * 100_000, "json-malformed"),
        (b"[]", "report-invalid"),
        (b"null", "report-invalid"),
        (b'"text"', "report-invalid"),
        (b"{}", "report-invalid"),
        (b'{"text": ""}', "report-invalid"),
        (b'{"text": "  \\n "}', "report-invalid"),
        (b'{"text": 5}', "report-invalid"),
        (b'{"text": ["a"]}', "report-invalid"),
        (b'{"text": "a\\u0000b"}', "report-invalid"),
        (b'{"text": "\\ud800"}', "report-invalid"),
        (b'{"text": "x", "id": "a\\u0001"}', "report-invalid"),
        (b'{"text": "x", "id": "\\ud800"}', "report-invalid"),
        (b'{"text": "x", "region": {"\\ud800": "y"}}', "report-invalid"),
        (b'{"text": "x", "visibility": "semua"}', "report-invalid"),
        (b'{"text": "x", "visibility": []}', "report-invalid"),
        (b'{"text": "x", "location": {"lat": 91, "lon": 0}}', "report-invalid"),
        (b'{"text": "x", "location": {"lat": 1e999, "lon": 0}}', "report-invalid"),
        (b'{"text": "x", "reported_at": "kemarin"}', "report-invalid"),
        (b'{"text": "x", "reported_at": {}}', "report-invalid"),
        (b'{"text": "x", "title": true}', "report-invalid"),
        (b'{"text": "x", "channel": "' + b"a" * 501 + b'"}', "report-invalid"),
        (b'{"text": "' + b"a" * 20_001 + b'"}', "report-invalid"),
        (b'{"text": "' + b"a" * 1_000_000 + b'"}', "report-invalid"),
    ],
)  # fmt: skip
def test_malformed_reports_are_refused(client: httpx.Client, content: bytes, slug: str) -> None:
    headers = {"content-type": "application/json"}
    expect_problem(client.post("/v1/classify", content=content, headers=headers), slug)


def test_a_byte_order_mark_is_passed_over(client: httpx.Client) -> None:
    content = b"\xef\xbb\xbf" + json.dumps(ROAD).encode()
    headers = {"content-type": "application/json"}
    assert client.post("/v1/classify", content=content, headers=headers).status_code == 200


def test_control_characters_in_a_text_are_taken(client: httpx.Client) -> None:
    answer = post(client, {"text": "jalan\x01rusak\x1b[31m\u202e‮ dan\x7f lain"})
    assert answer.status_code == 200


def test_every_wrong_field_is_named_and_no_value_quoted(client: httpx.Client) -> None:
    wrong = {"text": 1, "visibility": NIK, "location": {"lat": NIK, "lon": 0}, "title": {NIK: 1}}
    response = post(client, wrong)
    places = [error["place"] for error in expect_problem(response, "report-invalid")["errors"]]
    assert sorted(places) == ["location.lat", "text", "title", "visibility"]
    assert NIK not in response.text


def test_engine_may_refuse_a_report(client: httpx.Client) -> None:
    body = expect_problem(post(client, {**ROAD, "region": "Atlantis"}), "report-invalid")
    assert body["errors"][0]["place"] == "region"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
def test_other_media_types_are_refused(client: httpx.Client, kind: str) -> None:
    response = client.post("/v1/classify", content=b"{}", headers={"content-type": kind})
    expect_problem(response, "media-type-unsupported")


def test_compressed_bodies_are_refused(client: httpx.Client) -> None:
    expect_problem(post(client, ROAD, **{"content-encoding": "gzip"}), "media-type-unsupported")


@pytest.mark.parametrize("chunked", [True, False])
def test_body_limit(client: httpx.Client, chunked: bool) -> None:
    big = b'{"text": "' + b"a" * 3_000_000 + b'"}'
    content = (big[i : i + 65_536] for i in range(0, len(big), 65_536)) if chunked else big
    headers = {"content-type": "application/json"}
    try:
        response = client.post("/v1/classify", content=content, headers=headers)
    except httpx.WriteError:  # the server may hang up while we still send
        return
    expect_problem(response, "body-too-large")


def test_slow_body_is_given_up(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilah.service.bodies.BODY_SECONDS", 0.2)

    def slow() -> Iterator[bytes]:
        yield b"{"
        threading.Event().wait(1)
        yield b"}"

    headers = {"content-type": "application/json"}
    expect_problem(client.post("/v1/classify", content=slow(), headers=headers), "request-timeout")


def test_unknown_addresses_and_methods(client: httpx.Client) -> None:
    expect_problem(client.get("/v1/nothing"), "not-found")
    expect_problem(client.get("/problems/nothing"), "not-found")
    body = client.put("/v1/classify")
    expect_problem(body, "method-not-allowed")
    assert body.headers["allow"] == "POST"
    expect_problem(client.get("/v1/reports/nobody"), "report-unknown")
    expect_problem(client.get("/v1/reports/a%00b"), "report-unknown")
    expect_problem(client.get("/v1/incidents/nobody"), "incident-unknown")


def test_batch_keeps_order_and_isolates_errors(client: httpx.Client) -> None:
    rows = [
        {**ROAD, "id": "B0"},
        {"text": ""},
        {**ROAD, "id": "B2"},
        {"text": "bom meledak " + NIK},
        {"text": "macet total " + NIK},
        "not an object",
        {**ROAD, "id": "B0"},
        {**ROAD, "id": "B0", "title": "lain"},
        {"text": "x", "region": "Atlantis"},
    ]
    response = post(client, {"reports": rows}, "/v1/classify/batch")
    results = response.json()["results"]
    assert BatchOut.model_validate(response.json())
    assert [r["index"] for r in results] == list(range(len(rows)))
    assert [
        r["triage"]["report_id"] if "triage" in r else r["problem"]["type"] for r in results
    ] == [
        "B0",
        "/problems/report-invalid",
        "B2",
        "/problems/internal",
        "/problems/internal",
        "/problems/report-invalid",
        "B0",
        "/problems/report-conflict",
        "/problems/report-invalid",
    ]
    assert results[2]["triage"]["duplicates"]["incident_id"] == "incident-B0"
    assert NIK not in response.text


def test_batch_limits(client: httpx.Client) -> None:
    path = "/v1/classify/batch"
    expect_problem(post(client, {"reports": [ROAD] * 101}, path), "batch-too-large")
    expect_problem(post(client, {"reports": []}, path), "batch-invalid")
    expect_problem(post(client, {"reports": {}}, path), "batch-invalid")
    expect_problem(post(client, [], path), "batch-invalid")
    assert len(post(client, {"reports": [ROAD] * 100}, path).json()["results"]) == 100


def test_idempotency_key_repeats_the_answer(client: httpx.Client, engine: MoodyEngine) -> None:
    first = post(client, ROAD, **{"idempotency-key": "k1"})
    again = post(client, ROAD, **{"idempotency-key": "k1"})
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(engine.memory) == 1
    other = post(client, {"text": "lain"}, **{"idempotency-key": "k1"})
    expect_problem(other, "idempotency-key-reused")
    batch = post(client, {"reports": [ROAD]}, "/v1/classify/batch", **{"idempotency-key": "k1"})
    expect_problem(batch, "idempotency-key-reused")


def test_idempotency_key_under_concurrency(client: httpx.Client, engine: MoodyEngine) -> None:
    def send(_: int) -> httpx.Response:
        rows = {"reports": [ROAD] * 3}
        return post(client, rows, "/v1/classify/batch", **{"idempotency-key": "k2"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {a.content for a in answers} == {answers[0].content}
    assert len(engine.memory) == 3


def test_failed_request_does_not_burn_its_key(client: httpx.Client) -> None:
    expect_problem(post(client, {"text": ""}, **{"idempotency-key": "k3"}), "report-invalid")
    assert post(client, ROAD, **{"idempotency-key": "k3"}).status_code == 200


@pytest.mark.parametrize("key", [b"", b"a b", "é".encode(), b"x" * 256])
def test_bad_idempotency_keys(client: httpx.Client, key: bytes) -> None:
    response = client.post("/v1/classify", json=ROAD, headers={b"idempotency-key": key})
    expect_problem(response, "parameter-invalid")


def test_overload_is_said(client: httpx.Client, engine: MoodyEngine) -> None:
    engine.gate.clear()
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(post, client, {"text": f"tunggu {n}"}) for n in range(20)]
        for _ in range(20):
            assert engine.entered.acquire(timeout=20)
        refused = post(client, ROAD)
        assert client.get("/livez").status_code == 200
        engine.gate.set()
        assert all(w.result().status_code == 200 for w in waiting)
    expect_problem(refused, "overloaded")
    assert refused.headers["retry-after"] == "1"
    assert post(client, ROAD).status_code == 200
