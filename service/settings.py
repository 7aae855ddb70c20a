"""Settings of the service, read from environment variables that start with ``PILAH_``."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from pilah.datasets.errors import PilahError

MIN_KEY_LENGTH = 16
"""Shortest accepted API key, in characters."""


class SettingsError(PilahError):
    """A setting is wrong; the message names the variable and the cure."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the service runs. Every field is an environment variable ``PILAH_<FIELD>``.

    Attributes:
        data_dir: folder of the lock file and of the default database; holds personal data.
        database_url: of SQLite or PostgreSQL, as SQLAlchemy writes it; empty means
            ``pilah.sqlite3`` in ``data_dir``.
        bundle: name or folder of the model bundle; empty means the live one.
        claims: files of circulated claims that are added to the shipped ones.
        gold: labelled reports that ``pilah bundle promote`` compares on; empty means none.
        host: address to listen on.
        port: TCP port to listen on; 0 lets the system choose.
        api_keys: accepted keys; none means open, which is allowed on loopback only.
        max_body_bytes: largest accepted request body, in bytes.
        max_batch: most reports in one batch.
        max_concurrency: most POST requests in progress; more are answered 503.
        session_minutes: how long a signed-in person may rest before signing in again.
        audit_share: share of the sure answers that a person is asked to check.
        overlap_share: share of the decided reports that a second person labels too.
        overruled_share: share of the decisions against a likely suggestion, as above.
        informative_share: informative reports in the queue for each that waits anyway.
        shadow_bundle: a candidate that answers beside the live bundle; empty: none.
        oidc_issuer: address of an OpenID Connect provider; empty means passwords only.
        oidc_client_id: what the provider knows this service as.
        oidc_client_secret: its secret there, if the provider gave one.
        oidc_claim: claim that holds the sign-in name; ``email`` must be verified.
    """

    data_dir: Path = Path("var")
    database_url: str = field(default="", repr=False)
    bundle: str = ""
    gold: str = ""
    claims: tuple[Path, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    max_body_bytes: int = 4 * 1024 * 1024
    max_batch: int = 256
    max_concurrency: int = 32
    session_minutes: int = 60
    audit_share: float = 0.02
    overlap_share: float = 0.02
    overruled_share: float = 0.0
    informative_share: float = 0.0
    shadow_bundle: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)
    oidc_claim: str = "email"

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            SettingsError: a value is out of range, or the service would be open to a network.
        """
        _within("PILAH_PORT", self.port, 0, 65_535)
        _within("PILAH_MAX_BODY_BYTES", self.max_body_bytes, 1_024, 1_073_741_824)
        _within("PILAH_MAX_BATCH", self.max_batch, 1, 10_000)
        _within("PILAH_MAX_CONCURRENCY", self.max_concurrency, 1, 10_000)
        _within("PILAH_SESSION_MINUTES", self.session_minutes, 1, 720)
        for name in ("audit_share", "overlap_share", "overruled_share", "informative_share"):
            _is_share(f"PILAH_{name.upper()}", getattr(self, name))
        _check_keys(self.api_keys)
        _check_provider(self.oidc_issuer, self.oidc_client_id)
        if not self.api_keys and not is_loopback(self.host):
            raise SettingsError(
                "PILAH_HOST: an address other than loopback needs API keys; "
                "set PILAH_API_KEYS (make one: python -c 'import secrets; "
                "print(secrets.token_urlsafe(32))') or use PILAH_HOST=127.0.0.1"
            )

    @staticmethod
    def misspelt(environ: Mapping[str, str]) -> dict[str, str]:
        """Variables that look like a setting and are none, each with the setting it is like."""
        known = [f"PILAH_{f.name.upper()}" for f in fields(Settings)]
        names = sorted(name for name in environ if name.startswith("PILAH_") and name not in known)
        like = {name: get_close_matches(name, known, n=1, cutoff=0.8) for name in names}
        return {name: near[0] for name, near in like.items() if near}

    @property
    def url(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'pilah.sqlite3'}"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read ``PILAH_*``; absent or empty variables keep their default.

        Raises:
            SettingsError: a value is not a number, or is refused by the checks.
        """
        default = cls()
        keys = environ.get("PILAH_API_KEYS", "").split(",")
        return cls(
            data_dir=Path(environ.get("PILAH_DATA_DIR") or default.data_dir),
            database_url=environ.get("PILAH_DATABASE_URL") or default.database_url,
            bundle=environ.get("PILAH_BUNDLE") or default.bundle,
            claims=_paths(environ.get("PILAH_CLAIMS", "")),
            gold=environ.get("PILAH_GOLD") or default.gold,
            host=environ.get("PILAH_HOST") or default.host,
            port=_number(environ, "PILAH_PORT", default.port),
            api_keys=tuple(key.strip() for key in keys if key.strip()),
            max_body_bytes=_number(environ, "PILAH_MAX_BODY_BYTES", default.max_body_bytes),
            max_batch=_number(environ, "PILAH_MAX_BATCH", default.max_batch),
            max_concurrency=_number(environ, "PILAH_MAX_CONCURRENCY", default.max_concurrency),
            session_minutes=_number(environ, "PILAH_SESSION_MINUTES", default.session_minutes),
            audit_share=_share(environ, "PILAH_AUDIT_SHARE", default.audit_share),
            overlap_share=_share(environ, "PILAH_OVERLAP_SHARE", default.overlap_share),
            overruled_share=_share(environ, "PILAH_OVERRULED_SHARE", default.overruled_share),
            informative_share=_share(environ, "PILAH_INFORMATIVE_SHARE", default.informative_share),
            shadow_bundle=environ.get("PILAH_SHADOW_BUNDLE") or default.shadow_bundle,
            oidc_issuer=environ.get("PILAH_OIDC_ISSUER", "").strip(),
            oidc_client_id=environ.get("PILAH_OIDC_CLIENT_ID", "").strip(),
            oidc_client_secret=environ.get("PILAH_OIDC_CLIENT_SECRET", "").strip(),
            oidc_claim=environ.get("PILAH_OIDC_CLAIM") or default.oidc_claim,
        )


def _paths(value: str) -> tuple[Path, ...]:
    return tuple(Path(part.strip()) for part in value.split(os.pathsep) if part.strip())


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    raw = environ.get(name, "").strip()
    try:
        return int(raw) if raw else default
    except ValueError:
        raise SettingsError(f"{name}: is not a whole number; set e.g. {name}={default}") from None


def _is_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise SettingsError(f"{name}: is {value}; use a share from 0 to 1, e.g. {name}=0.02")


def _share(environ: Mapping[str, str], name: str, default: float) -> float:
    raw = environ.get(name, "").strip()
    try:
        return float(raw) if raw else default
    except ValueError:
        raise SettingsError(f"{name}: is not a number; set e.g. {name}={default}") from None


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise SettingsError(f"{name}: is {value:,}; use a number from {low:,} to {high:,}")


def _check_provider(issuer: str, client_id: str) -> None:
    if not issuer:
        return
    parts = urlsplit(issuer)
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not safe or not parts.hostname:
        raise SettingsError("PILAH_OIDC_ISSUER: is not an https address; use the provider's issuer")
    if not client_id:
        raise SettingsError("PILAH_OIDC_CLIENT_ID: is missing; register this service there")


def _check_keys(keys: tuple[str, ...]) -> None:
    for number, key in enumerate(keys, start=1):
        if len(key) < MIN_KEY_LENGTH or not key.isascii() or not key.isprintable():
            raise SettingsError(
                f"PILAH_API_KEYS: key {number} is shorter than {MIN_KEY_LENGTH} characters or not "
                "plain ASCII; make one: "
                "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
