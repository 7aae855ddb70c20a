"""Signing in through an identity provider (OpenID Connect, code flow with PKCE), as an option.

The provider says who somebody is; who may do what stays in the store: only a user that an admin
added, under the name that the configured claim gives, is let in.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from pilah.service.accounts import audit, users
from pilah.service.accounts.guard import PageRoute
from pilah.service.accounts.sessions import Session
from pilah.service.accounts.signin import begin_session, signed_in
from pilah.service.problems import Problem
from pilah.service.settings import Settings, SettingsError, is_loopback
from pilah.service.state import service_of

if TYPE_CHECKING:
    from authlib.integrations.starlette_client import OAuth

FLOW_SECONDS = 600
"""How long somebody may take at the provider."""
BACK = "/masuk/oidc/kembali"
"""The address that the provider leads back to; register it there."""


def install(app: FastAPI, settings: Settings) -> None:
    """Add the two addresses when a provider is configured.

    Raises:
        SettingsError: a provider is configured, and the extra ``oidc`` is not installed.
    """
    if not settings.oidc_issuer:
        return
    try:
        from authlib.integrations.starlette_client import OAuth
        from starlette.middleware.sessions import SessionMiddleware
    except ModuleNotFoundError as error:
        raise SettingsError(
            "PILAH_OIDC_ISSUER: needs more libraries; run pip install 'pilah[oidc]'"
        ) from error
    oauth = OAuth()
    oauth.register(
        "provider",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret or None,
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
    )
    app.add_middleware(  # holds state, nonce and PKCE verifier while somebody is at the provider
        SessionMiddleware,
        secret_key=secrets.token_urlsafe(32),
        session_cookie="pilah_oidc",
        path="/masuk/oidc",
        max_age=FLOW_SECONDS,
        same_site="lax",
        https_only=not is_loopback(settings.host),
    )
    app.include_router(_router(oauth, settings))


def _router(oauth: OAuth, settings: Settings) -> APIRouter:
    router = APIRouter(include_in_schema=False, route_class=PageRoute)

    @router.get("/masuk/oidc")
    async def leave(request: Request) -> Response:
        """To the provider."""
        target = str(request.url.replace(path=BACK, query=""))
        response: Response = await oauth.provider.authorize_redirect(request, target)
        return response

    @router.get(BACK)
    async def come_back(request: Request) -> Response:
        """From the provider: its signed token is checked, then a session begins."""
        try:
            token = await oauth.provider.authorize_access_token(request)
        except Exception as error:  # noqa: BLE001 - whatever is wrong, nobody is let in
            await run_sync(_note, request, type(error).__name__)
            raise Problem("sign-in-failed") from None
        name = _name(token.get("userinfo") or {}, settings.oidc_claim)
        session = await run_sync(_begin, request, name)
        return signed_in(request, session, "")

    return router


def _name(claims: Mapping[str, Any], claim: str) -> str:
    """The sign-in name that the provider vouches for, or ""."""
    if claim == "email" and claims.get("email_verified") is not True:
        return ""
    value = claims.get(claim)
    return value if isinstance(value, str) else ""


def _begin(request: Request, name: str) -> Session:
    store = service_of(request).intake.store
    with store.reading() as connection:
        found = users.find_user(connection, name) if name else None
    if found is None:
        _note(request, "unknown")
        raise Problem("sign-in-failed")
    with store.writing() as connection:
        return begin_session(connection, request, found[0], how="oidc")


def _note(request: Request, reason: str) -> None:
    with service_of(request).intake.store.writing() as connection:
        audit.record(connection, "", "sign_in.failed", detail={"by": "oidc", "reason": reason})
