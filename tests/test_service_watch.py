"""Probes, metrics, logs, failures and keys."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from pilah.models.reading import Analysis, Answer
from pilah.service import writes
from pilah.service.app import create_app
from pilah.service.fake import FakeEngine, MoodyEngine
from pilah.service.settings import Settings
from pilah.service.testing import expect_problem, served

ROAD = {"text": "Jalan Kaliurang berlubang besar di Sleman", "region": "Sleman"}
NIK = "3404071209900001"
KEY = "kunci-rahasia-untuk-uji"


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


def test_model_and_probes(client: httpx.Client) -> None:
    body = client.get("/v1/model").json()
    assert body["model"]["versions"]["bundle"] == "fake-1"
    assert body["limits"] == {"max_batch": 100, "max_body_bytes": 2_000_000, "max_concurrency": 20}
    assert client.get("/livez").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
    assert client.get("/v1/reports/pilah-readiness").status_code == 404


def test_not_ready_when_inference_fails(
    client: httpx.Client, engine: MoodyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Analysis) -> Answer:
        raise RuntimeError(NIK)

    monkeypatch.setattr(engine, "settle", broken)
    response = client.get("/readyz")
    assert expect_problem(response, "not-ready")["detail"] == "inference failed"
    assert client.get("/livez").status_code == 200


def test_internal_errors_tell_nothing(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = post(client, {"text": "bom meledak " + NIK})
    expect_problem(response, "internal")
    assert NIK not in response.text + caplog.text
    assert "ValueError at" in caplog.text
    assert "fake.py:" in caplog.text


def test_failed_commit_is_forgotten_and_told(
    client: httpx.Client,
    engine: MoodyEngine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OperationalError("INSERT", {"text": NIK}, Exception(NIK))

    with monkeypatch.context() as patch:
        patch.setattr(writes, "save_fingerprint", broken)
        response = post(client, {**ROAD, "id": "F1"})
    expect_problem(response, "store-unavailable")
    assert response.headers["retry-after"]
    assert "F1" not in engine.memory
    assert NIK not in response.text + caplog.text
    assert client.get("/v1/reports/F1").status_code == 404
    assert post(client, {**ROAD, "id": "F1"}).status_code == 200


def test_metrics_count_without_personal_data(client: httpx.Client) -> None:
    post(client, {"text": "Sebarkan " + NIK, "id": "orang-tertentu"})
    post(client, {"reports": [ROAD, {"text": ""}]}, "/v1/classify/batch")
    client.get("/v1/reports/orang-tertentu")
    text = client.get("/metrics").text
    assert 'pilah_requests_total{method="POST",route="/v1/classify",status="200"} 1.0' in text
    assert 'pilah_reports_total{outcome="actionable"} 1.0' in text
    assert 'pilah_reports_total{outcome="refused:report-invalid"} 1.0' in text
    assert 'pilah_review_needed_total{reason="hoax_like"} 1.0' in text
    assert "pilah_review_queue 1.0" in text
    assert "pilah_batch_reports_sum 2.0" in text
    assert "orang-tertentu" not in text


def access_lines(caplog: pytest.LogCaptureFixture, count: int) -> list[str]:
    """The access log; a line may come a moment after its response."""
    end = time.monotonic() + 30
    while True:
        lines = [r.getMessage() for r in caplog.records if r.name == "pilah.access"]
        if len(lines) >= count or time.monotonic() > end:
            return lines
        time.sleep(0.01)


def test_access_log_has_no_personal_data(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        client.get(f"/v1/reports/{NIK}?telepon={NIK}", headers={"x-request-id": "r-1"})
        client.get(f"/{NIK}")
        post(client, {"text": NIK, "id": NIK})
        lines = access_lines(caplog, 3)
    assert len(lines) == 3
    assert "GET /v1/reports/{report_id:path} 404" in lines[0]
    assert lines[0].endswith("id=r-1")
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("httpx")]
    assert NIK not in "".join(ours)


def test_headers(client: httpx.Client) -> None:
    response = client.get("/livez", headers={"x-request-id": "bad id"})
    assert response.headers["x-request-id"] != "bad id"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    assert "server" not in response.headers


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[httpx.Client]:
    settings = Settings(data_dir=tmp_path, api_keys=(KEY, KEY + "-2"))
    app = create_app(settings, FakeEngine.make)
    with served(app) as url, httpx.Client(base_url=url) as client:
        yield client


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer salah"}, {"x-api-key": "é".encode()}, {"authorization": KEY}],
)
def test_keys_are_needed(locked: httpx.Client, headers: dict[str, Any]) -> None:
    for method, path in (("POST", "/v1/classify"), ("GET", "/v1/review"), ("GET", "/v1/model")):
        response = locked.request(method, path, headers=headers)
        expect_problem(response, "unauthorized")
        assert response.headers["www-authenticate"].startswith("Bearer")


def test_keys_open(locked: httpx.Client) -> None:
    assert post(locked, ROAD, authorization=f"Bearer {KEY}").status_code == 200
    assert post(locked, ROAD, **{"x-api-key": KEY}).status_code == 200
    for path in ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/"):
        assert locked.get(path).status_code == 200


def test_idempotency_keys_belong_to_a_caller(locked: httpx.Client) -> None:
    first = post(locked, ROAD, **{"x-api-key": KEY, "idempotency-key": "k"})
    other = post(locked, {"text": "lain"}, **{"x-api-key": KEY + "-2", "idempotency-key": "k"})
    assert (first.status_code, other.status_code) == (200, 200)
