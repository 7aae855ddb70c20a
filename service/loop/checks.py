"""From a JSON body to a verdict, with every wrong field named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pilah.service.problems import FieldError, Problem

Model = TypeVar("Model", bound=BaseModel)


def check(model: type[Model], body: object) -> Model:
    """The body as the model.

    Raises:
        Problem: ``verdict-invalid`` with one entry per wrong field; values are not quoted.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        errors = [
            FieldError(_place(e), e["type"].replace("_", " "), "see /docs")
            for e in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise Problem("verdict-invalid", errors=errors) from None


def _place(error: Mapping[str, Any]) -> str:
    """Where it is wrong; the name of an unknown field came from the client and is not repeated."""
    parts = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    return ".".join(map(str, parts))
