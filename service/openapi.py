"""The OpenAPI document: bodies and problems by reference, security, one stable order."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pilah.service.incident_schemas import ActIn, MergeIn, SplitIn
from pilah.service.loop.schemas import RetirementIn, VerdictIn
from pilah.service.problems import KINDS, MEDIA_TYPE
from pilah.service.request_schemas import BatchIn, DecisionIn, ReportIn
from pilah.service.schemas import ProblemOut

_REF = "#/components/schemas/{model}"
_EXTRA: tuple[type[BaseModel], ...] = (
    ReportIn,
    BatchIn,
    DecisionIn,
    ActIn,
    MergeIn,
    SplitIn,
    ProblemOut,
    VerdictIn,
    RetirementIn,
)
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """The ``openapi_extra`` of a handler that reads its JSON body itself."""
    schema = {"$ref": _REF.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


Responses = dict[int | str, dict[str, Any]]


def responses(model: type[BaseModel], *slugs: str, status: int = 200) -> Responses:
    """The ``responses`` of a handler: its good answer and its problems."""
    return {status: {"model": model}, **problems(*slugs)}


def problems(*slugs: str) -> Responses:
    """The problems of a handler, grouped by status."""
    grouped: dict[int, list[str]] = defaultdict(list)
    for slug in sorted((*slugs, "parameter-invalid", "internal")):
        grouped[KINDS[slug].status].append(slug)
    content = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model=ProblemOut.__name__)}}}
    return {
        status: {"description": " / ".join(dict.fromkeys(names)), "content": content}
        for status, names in sorted(grouped.items())
    }


def document(app: FastAPI) -> dict[str, Any]:
    """The document of an app, the same each time."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    _, extra = models_json_schema([(m, "validation") for m in _EXTRA], ref_template=_REF)
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {}) | extra["$defs"]
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = _SECURITY
    for path, operations in made["paths"].items():
        if path.startswith("/v1/"):
            for operation in operations.values():
                operation["security"] = [{}, {"bearer": []}, {"header": []}]
    return made
