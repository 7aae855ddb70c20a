"""The version of the service."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def service_version() -> str:
    """Version of the installed distribution; "0+unknown" when it runs from bare sources."""
    try:
        return version("pilah")
    except PackageNotFoundError:
        return "0+unknown"
