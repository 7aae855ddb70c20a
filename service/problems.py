"""Errors become HTTP here and nowhere else: RFC 9457 problem+json with stable types.

Details name places and cures; they never quote what a client sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pilah.datasets.errors import ReportError

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of problem: its status, its title, and what a client does about it."""

    status: int
    title: str
    cure: str


KINDS: Mapping[str, Kind] = {
    "json-malformed": Kind(400, "The body is not valid JSON", "send one UTF-8 JSON object"),
    "unauthorized": Kind(
        401, "A valid API key is needed", "send Authorization: Bearer KEY or X-API-Key: KEY"
    ),
    "signed-out": Kind(401, "Nobody is signed in", "sign in at /masuk"),
    "sign-in-failed": Kind(401, "The name or the password is wrong", "try again"),
    "forbidden": Kind(403, "The role does not allow this", "ask an admin for another role"),
    "cross-site": Kind(403, "The form was sent from another site", "open the start page and send"),
    "not-found": Kind(404, "Nothing is here", "see /docs for the addresses"),
    "report-unknown": Kind(404, "No report has this id", "check the id"),
    "incident-unknown": Kind(404, "No incident has this id", "check the id"),
    "proposal-unknown": Kind(404, "No open proposal has this id", "read the proposals again"),
    "route-unknown": Kind(404, "No local route of this number is in force", "read the routes"),
    "method-not-allowed": Kind(405, "This address does not take this method", "see Allow"),
    "request-timeout": Kind(408, "The body did not arrive in time", "send it again"),
    "report-conflict": Kind(
        409, "Another report has this id", "send the report under a new id, or none"
    ),
    "decision-stale": Kind(
        409, "Somebody decided since you read the report", "read the report again, then decide"
    ),
    "agency-refused": Kind(
        409,
        "This agency said that it is not competent for the report",
        "choose another agency, or send taken_back_by when it takes its refusal back",
    ),
    "incident-stale": Kind(
        409, "Somebody acted on the incident since you read it", "read it again, then act"
    ),
    "incident-conflict": Kind(
        409, "The incident is not in a state for this", "read the incident again"
    ),
    "case-claimed": Kind(409, "Somebody else has taken the report", "take another one"),
    "nothing-to-undo": Kind(409, "No decision is left to undo", "read the report again"),
    "opinion-unasked": Kind(
        409,
        "No second opinion of this person is asked for",
        "read /v1/opinions for the reports that wait for one",
    ),
    "body-too-large": Kind(413, "The body is too large", "send fewer reports at a time"),
    "media-type-unsupported": Kind(
        415, "The body must be JSON", "send Content-Type: application/json, UTF-8, not compressed"
    ),
    "report-invalid": Kind(422, "The report is not valid", "mend the fields in errors"),
    "batch-invalid": Kind(422, "The batch is not valid", 'send {"reports": [report, ...]}'),
    "batch-too-large": Kind(422, "The batch has too many reports", "send it in parts"),
    "decision-invalid": Kind(422, "The decision is not valid", "mend the fields in errors"),
    "verdict-invalid": Kind(422, "The verdict is not valid", "mend the fields in errors"),
    "incident-invalid": Kind(
        422, "What was asked of the incident is not valid", "mend the fields in errors"
    ),
    "parameter-invalid": Kind(422, "A parameter is not valid", "mend the parameters in errors"),
    "idempotency-key-reused": Kind(
        422, "The Idempotency-Key was used for another request", "use a new key for a new request"
    ),
    "sign-in-locked": Kind(429, "Too many failed sign-ins", "wait 15 minutes"),
    "internal": Kind(500, "The service failed", "try again; tell the operator the request_id"),
    "overloaded": Kind(503, "Too many requests are in progress", "wait and try again"),
    "not-ready": Kind(503, "The service is not ready", "wait; the operator reads reason"),
    "store-unavailable": Kind(503, "The store cannot be used now", "wait and try again"),
}
"""Every problem type; the path of a type is ``/problems/<slug>``."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong at one place of the request, and the cure."""

    place: str
    problem: str
    cure: str

    def to_dict(self) -> dict[str, str]:
        """The JSON object of ``errors``."""
        return {"place": self.place, "problem": self.problem, "cure": self.cure}


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818 - named as RFC 9457 names it
    """An error with its HTTP form.

    Attributes:
        slug: key of ``KINDS``.
        detail: what happened this time, without any value from the request.
        errors: one entry per wrong field.
        headers: extra response headers.
    """

    slug: str
    detail: str = ""
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """The type of the problem."""
        return KINDS[self.slug]

    def to_dict(self) -> dict[str, Any]:
        """The members of the problem+json object."""
        kind = self.kind
        body: dict[str, Any] = {"type": f"/problems/{self.slug}", "title": kind.title}
        body |= {"status": kind.status, "detail": self.detail or kind.cure}
        if self.errors:
            body["errors"] = [error.to_dict() for error in self.errors]
        return body


def problem_of(error: Exception) -> Problem:
    """The problem that any exception is to a client; unknown ones are ``internal``."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ReportError):
        return Problem("report-invalid", errors=[field_error(error)])
    if isinstance(error, RequestValidationError):
        return Problem("parameter-invalid", errors=[_parameter(e) for e in error.errors()])
    if isinstance(error, HTTPException):
        return _of_status(error)
    if isinstance(error, SQLAlchemyError):
        return Problem("store-unavailable", headers={"Retry-After": "2"})
    return Problem("internal")


def field_error(error: ReportError) -> FieldError:
    """The parts of a ReportError, which never quote the value."""
    return FieldError(error.field, error.problem, error.cure)


def respond(problem: Problem, request_id: str) -> Response:
    """The HTTP response of a problem."""
    body = problem.to_dict() | {"request_id": request_id}
    return Response(
        json.dumps(body, ensure_ascii=False),
        status_code=problem.kind.status,
        media_type=MEDIA_TYPE,
        headers=dict(problem.headers),
    )


def install(app: FastAPI) -> None:
    """Make the app answer every error raised in a handler as a problem."""
    for kind in (Problem, ReportError, RequestValidationError, HTTPException, SQLAlchemyError):
        app.add_exception_handler(kind, _handle)


async def _handle(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    request.state.problem = problem.slug
    return respond(problem, getattr(request.state, "request_id", ""))


def _of_status(error: HTTPException) -> Problem:
    slugs = {404: "not-found", 405: "method-not-allowed"}
    slug = slugs.get(error.status_code)
    if slug is None:
        return Problem("internal", detail=HTTPStatus(error.status_code).phrase)
    return Problem(slug, headers=dict(error.headers or {}))


def _parameter(error: Mapping[str, Any]) -> FieldError:
    """One wrong parameter in pydantic's words, which never quote the value."""
    problem = "is missing" if error["type"] == "missing" else "is not valid"
    return FieldError(str(error["loc"][-1]), problem, str(error["msg"]))
