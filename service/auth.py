"""API keys: off when there is none (loopback only); they come from settings and from an admin."""

from __future__ import annotations

from starlette.requests import Request

from pilah.service.accounts.keys import Keyring
from pilah.service.problems import Problem


def client_of(request: Request, keyring: Keyring) -> str:
    """A short, stable name of the caller: a hash of its key, or "" when keys are off.

    Raises:
        Problem: ``unauthorized``.
    """
    return client_of_key(_given(request), keyring)


def client_of_key(given: str, keyring: Keyring) -> str:
    """The caller that a key belongs to, or "" when keys are off.

    Raises:
        Problem: ``unauthorized``.
    """
    if not keyring:
        return ""
    owner = keyring.owner(given)
    if owner is None:
        raise Problem("unauthorized", headers={"WWW-Authenticate": 'Bearer realm="pilah"'})
    return owner


def _given(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("x-api-key", "").strip()
