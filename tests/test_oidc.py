"""Signing in through a provider: the real code against a small provider on loopback."""

from __future__ import annotations

import base64
import hashlib
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from pilah.service.accounts import audit, users
from pilah.service.accounts.users import NewUser
from pilah.service.app import create_app
from pilah.service.fake import FakeEngine
from pilah.service.settings import Settings, SettingsError
from pilah.service.testing import served

SITI = "siti@slemankab.example"
SECRET = "rahasia-klien"  # noqa: S105 - of a provider that lives as long as a test


class Provider:
    """Says of everybody what ``claims`` say; checks client, redirect address and PKCE.

    Attributes:
        lies: changes of the token's claims, e.g. another nonce.
        key: what it signs with; ``shown`` is what it publishes.
    """

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {"email": SITI, "email_verified": True}
        self.lies: dict[str, Any] = {}
        self.key = self.shown = RSAKey.generate_key(2048, parameters={"kid": "1"})
        self.codes: dict[str, dict[str, str]] = {}
        self.url = ""
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self.describe)
        self.app.get("/authorize")(self.authorize)
        self.app.post("/token")(self.token)
        self.app.get("/jwks")(self.jwks)

    def describe(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == "pilah"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self.codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}")

    async def token(self, request: Request) -> Response:
        sent = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        asked = self.codes.pop(sent["code"])
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        basic = base64.b64encode(f"pilah:{SECRET}".encode()).decode()
        assert request.headers["authorization"] == f"Basic {basic}"
        assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert asked["redirect_uri"] == sent["redirect_uri"]
        now = int(time.time())
        told = {"iss": self.url, "aud": "pilah", "sub": "7", "iat": now, "exp": now + 60}
        told |= {"nonce": asked["nonce"]} | self.claims | self.lies
        token = jwt.encode({"alg": "RS256", "kid": "1"}, told, self.key)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def jwks(self) -> dict[str, Any]:
        return {"keys": [self.shown.as_dict(private=False)]}


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider()
    with served(found.app) as url:
        found.url = url
        yield found


@pytest.fixture
def client(tmp_path: Path, provider: Provider) -> Iterator[httpx.Client]:
    settings = Settings(
        data_dir=tmp_path,
        oidc_issuer=provider.url,
        oidc_client_id="pilah",
        oidc_client_secret=SECRET,
    )
    app = create_app(settings, FakeEngine.make)
    with served(app) as url, httpx.Client(base_url=url, follow_redirects=True) as client:
        with app.state.service.intake.store.writing() as connection:
            users.add_user(connection, NewUser(SITI, "supervisor", "Siti"), by="test")
        client.store = app.state.service.intake.store  # type: ignore[attr-defined]
        yield client


def test_a_known_user_is_let_in(client: httpx.Client) -> None:
    assert "Masuk dengan akun instansi" in client.get("/masuk").text
    page = client.get("/masuk/oidc")
    assert page.status_code == 200
    assert urlsplit(str(page.url)).path == "/meja"
    assert "Siti" in page.text
    store = client.store  # type: ignore[attr-defined]
    with store.reading() as connection:
        last = audit.entries(connection, limit=1)[0]
    assert (last.action, last.detail) == ("session.begun", {"by": "oidc"})


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "lain@slemankab.example"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": ["a"]},
        {"email": ""},
    ],
)
def test_nobody_else_is_let_in(
    client: httpx.Client, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    assert client.get("/masuk/oidc").status_code == 401
    assert urlsplit(str(client.get("/meja").url)).path == "/masuk"


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"exp": 1_000_000_000, "iat": 999_999_999},
    ],
)
def test_a_token_that_lies_is_refused(
    client: httpx.Client, provider: Provider, lies: dict[str, Any]
) -> None:
    provider.lies = lies
    assert client.get("/masuk/oidc").status_code == 401


def test_a_token_of_another_signer_is_refused(client: httpx.Client, provider: Provider) -> None:
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "1"})
    assert client.get("/masuk/oidc").status_code == 401


def test_an_answer_that_nobody_asked_for_is_refused(client: httpx.Client) -> None:
    assert client.get("/masuk/oidc/kembali?code=x&state=y").status_code == 401
    assert client.get("/masuk/oidc/kembali?error=access_denied").status_code == 401


@pytest.mark.parametrize(
    ("issuer", "client_id", "match"),
    [
        ("http://login.example", "pilah", "PILAH_OIDC_ISSUER"),
        ("login.example", "pilah", "PILAH_OIDC_ISSUER"),
        ("https://login.example", "", "PILAH_OIDC_CLIENT_ID"),
    ],
)
def test_wrong_settings_are_refused(issuer: str, client_id: str, match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        Settings(oidc_issuer=issuer, oidc_client_id=client_id)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "authlib.integrations.starlette_client", None)
    settings = Settings(oidc_issuer="https://login.example", oidc_client_id="pilah")
    with pytest.raises(SettingsError, match=r"pip install 'pilah\[oidc\]'"):
        create_app(settings, FakeEngine.make)
