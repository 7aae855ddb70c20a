"""``pilah serve`` and ``pilah index``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pilah.models.bundle import Bundle
from pilah.models.registry import Registry
from pilah.models.triage import Triager
from pilah.service.cli_common import errors
from pilah.service.secret import installation_key
from pilah.service.settings import Settings
from pilah.service.version import service_version

index = typer.Typer(no_args_is_help=True, help="The duplicate index against the store.")
_out = Console()


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(serve)


def engine(settings: Settings) -> Triager:
    """The real engine for the service: the live bundle, with this installation's secret."""
    folder = Registry(settings.data_dir / "bundles").path(settings.bundle or None)
    key = installation_key(settings.data_dir)
    return Triager.from_bundle(Bundle.load(folder), service_version=service_version(), key=key)


def serve(
    host: Annotated[str | None, typer.Option(help="Address; else PILAH_HOST, 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; else PILAH_PORT, 8000.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Database, bundles, secret; else PILAH_DATA_DIR, var/.")
    ] = None,
) -> None:
    """Start the HTTP service with its start page; settings come from PILAH_* variables.

    Example: `pilah serve --port 8080`
    """
    from pilah.service.app import serve as run

    changes = {"PILAH_HOST": host, "PILAH_PORT": port, "PILAH_DATA_DIR": data_dir}
    environ = os.environ | {k: str(v) for k, v in changes.items() if v is not None}
    chosen = Settings.from_environment(environ)
    errors.print(f"Pilah: http://{chosen.host}:{chosen.port}/", highlight=False)
    run(chosen, engine)
