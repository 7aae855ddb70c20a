"""API keys: off when none is set (loopback only), else compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from starlette.requests import Request

from pilah.service.problems import Problem


def client_of(request: Request, keys: Sequence[str]) -> str:
    """A short, stable name of the caller: a hash of its key, or "" when keys are off.

    Raises:
        Problem: ``unauthorized``.
    """
    if not keys:
        return ""
    return client_of_key(_given(request), keys)


def client_of_key(given: str, keys: Sequence[str]) -> str:
    """The caller that a key belongs to; every key is compared, so that time tells nothing.

    Raises:
        Problem: ``unauthorized``.
    """
    attempt = given.encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(attempt, key.encode()) for key in keys]
    if not any(matches):
        raise Problem("unauthorized", headers={"WWW-Authenticate": 'Bearer realm="pilah"'})
    return hashlib.sha256(attempt).hexdigest()[:16]


def _given(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("x-api-key", "").strip()
