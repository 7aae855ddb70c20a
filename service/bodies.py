"""Reading request bodies: limited while they stream, in time, UTF-8 JSON only."""

from __future__ import annotations

import json
from email.message import Message
from typing import Any, NoReturn

import anyio
from starlette.requests import ClientDisconnect, Request

from pilah.service.problems import Problem

BODY_SECONDS = 30.0
"""How long a client may take to send its body."""
MAX_INTEGER_DIGITS = 18
"""Longest accepted integer in a body; no field of the contract needs a longer one."""


async def read_json(request: Request, *, limit: int) -> Any:  # noqa: ANN401 - any JSON value
    """The body as a JSON value.

    Raises:
        Problem: ``media-type-unsupported``, ``body-too-large``, ``request-timeout`` or
            ``json-malformed``.
    """
    require_type(request, "application/json")
    return parse_json(await read_body(request, limit=limit))


def require_type(request: Request, wanted: str) -> None:
    """Refuse another media type, another charset than UTF-8, and compressed bodies."""
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    charset = str(message.get_param("charset", "utf-8")).lower()
    plain = request.headers.get("content-encoding", "identity").lower() == "identity"
    if message.get_content_type() != wanted or charset not in ("utf-8", "utf8") or not plain:
        raise Problem("media-type-unsupported")


async def read_body(request: Request, *, limit: int) -> bytes:
    """The whole body; gives up as soon as it is known to be longer than ``limit`` bytes."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > limit:
        _too_large(limit)
    parts = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for part in request.stream():
                parts += part
                if len(parts) > limit:
                    _too_large(limit)
    except (TimeoutError, ClientDisconnect):
        raise Problem("request-timeout", headers={"Connection": "close"}) from None
    return bytes(parts)


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Strict JSON: UTF-8 (a byte order mark is passed over), no NaN, no endless integers."""
    try:
        text = body.decode("utf-8-sig")
        return json.loads(text, parse_int=_integer, parse_constant=_no_constant)
    except UnicodeDecodeError:
        detail = "the body is not UTF-8; send UTF-8"
    except json.JSONDecodeError as error:
        detail = f"the JSON breaks at line {error.lineno}, column {error.colno}"
    except ValueError as error:
        detail = str(error)
    except RecursionError:
        detail = "the JSON is nested too deeply"
    raise Problem("json-malformed", detail=detail)


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_INTEGER_DIGITS:
        raise ValueError(f"an integer has more than {MAX_INTEGER_DIGITS} digits")
    return int(digits)


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _too_large(limit: int) -> NoReturn:
    detail = f"the body is larger than {limit:,} bytes; send fewer reports at a time"
    raise Problem("body-too-large", detail=detail, headers={"Connection": "close"})
