"""The OpenAPI document: committed, true to what the service answers, and robust to anything."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, checks
from schemathesis.specs.openapi import checks as openapi_checks

from pilah.service.app import create_app, openapi_document
from pilah.service.fake import FakeEngine
from pilah.service.settings import Settings
from pilah.service.testing import served

COMMITTED = Path(__file__).parent / "contract" / "openapi.json"
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.unsupported_method,
]

schema = schemathesis.openapi.from_dict(openapi_document())


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("contract")
    app = create_app(Settings(data_dir=folder, max_batch=20), FakeEngine.make)
    with served(app) as url:
        yield url


def test_committed_document_is_the_apps() -> None:
    """When this fails on purpose: ``make openapi``, and look at the difference."""
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    made = json.loads(json.dumps(openapi_document()))
    committed["info"].pop("version")
    made["info"].pop("version")
    assert made == committed


def test_document_has_every_address_of_the_contract() -> None:
    addresses = {
        f"{method.upper()} {path}"
        for path, operations in openapi_document()["paths"].items()
        for method in operations
    }
    assert addresses == {
        "POST /v1/classify",
        "POST /v1/classify/batch",
        "GET /v1/reports/{report_id}",
        "GET /v1/incidents/{incident_id}",
        "POST /v1/reports/{report_id}/decision",
        "POST /v1/incidents/{incident_id}/merge",
        "POST /v1/incidents/{incident_id}/split",
        "POST /v1/incidents/{incident_id}/close",
        "POST /v1/incidents/{incident_id}/reopen",
        "POST /v1/incidents/{incident_id}/undo",
        "POST /v1/similar",
        "GET /v1/review",
        "GET /v1/model",
        "GET /v1/routes",
        "GET /v1/indicators",
        "GET /v1/opinions",
        "POST /v1/opinions/{report_id}",
        "GET /v1/routes/proposals",
        "POST /v1/routes/proposals/{proposal_id}",
        "POST /v1/routes/{number}/retire",
        "GET /livez",
        "GET /readyz",
        "GET /metrics",
    }


@schema.parametrize()
@settings(
    max_examples=40,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_any_request_gets_a_documented_answer(case: Case[Any], url: str) -> None:
    case.call_and_validate(base_url=url, checks=CHECKS)
