"""``pilah serve`` and ``pilah index``."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pilah.datasets.errors import InputError
from pilah.models.bundle import Bundle
from pilah.models.index import VectorIndex
from pilah.models.registry import Registry
from pilah.models.triage import Triager
from pilah.service.cli_common import claim_base, errors, progress
from pilah.service.lockfile import only_process
from pilah.service.secret import installation_key
from pilah.service.settings import Settings
from pilah.service.version import service_version

index = typer.Typer(no_args_is_help=True, help="The duplicate index against the store.")
_out = Console()
INDEX = "index"
"""Folder of the duplicate index inside the data folder."""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(serve)


def engine(settings: Settings) -> Triager:
    """The real engine for the service: the live bundle, with this installation's secret."""
    folder = Registry(settings.data_dir / "bundles").path(settings.bundle or None)
    key = installation_key(settings.data_dir)
    return Triager.from_bundle(
        Bundle.load(folder),
        service_version=service_version(),
        key=key,
        index_folder=settings.data_dir / INDEX,
        claims=claim_base(settings.claims),
    )


def serve(
    host: Annotated[str | None, typer.Option(help="Address; else PILAH_HOST, 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; else PILAH_PORT, 8000.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Else PILAH_DATA_DIR, which other commands read; var/.")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Serve example reports out of a folder that is dropped.")
    ] = False,
) -> None:
    """Start the HTTP service with its start page; settings come from PILAH_* variables.

    Example: `pilah serve --port 8080`

    Example: `pilah serve --demo`
    """
    from pilah.service.app import serve as run

    if demo:
        if data_dir is not None or os.environ.get("PILAH_DATABASE_URL"):
            cure = "leave --data-dir and PILAH_DATABASE_URL out"
            raise InputError(f"--demo: has a folder of its own; {cure}")
        with tempfile.TemporaryDirectory(prefix="pilah-demo-") as folder:
            _fill(Path(folder), host, port)
            serve(host, port, Path(folder))
        return
    changes = {"PILAH_HOST": host, "PILAH_PORT": port, "PILAH_DATA_DIR": data_dir}
    environ = os.environ | {k: str(v) for k, v in changes.items() if v is not None}
    for name, meant in Settings.misspelt(environ).items():
        errors.print(f"{name}: no such setting, ignored; did you mean {meant}?", highlight=False)
    chosen = Settings.from_environment(environ)
    errors.print(f"Pilah: http://{chosen.host}:{chosen.port}/", highlight=False)
    run(chosen, engine)


def _fill(folder: Path, host: str | None, port: int | None) -> None:
    """Put the example reports into a data folder, and say who may sign in."""
    from pilah.service.app import opened
    from pilah.service.loop.demo import REPORTS, USER, fill

    chosen = Settings(data_dir=folder, audit_share=0.2)
    with opened(chosen, engine) as service, progress("contoh", REPORTS) as tick:
        password = fill(service, tick)
    address = f"http://{host or '127.0.0.1'}:{port or 8000}/indikator"
    errors.print(f"demo: {address}, sign in as {USER} with {password}", highlight=False)


@index.command()
def verify() -> None:
    """Compare the saved index with the store; exit code 1 when they disagree.

    Stop the service first: it saves the index when it stops, and repairs it when it starts.

    Example: `pilah index verify`
    """
    from pilah.service.index_check import compare_index

    found = compare_index(Settings.from_environment(os.environ), INDEX)
    _out.print(
        f"{found.stored:,} stored, {found.indexed:,} indexed: {found.missing:,} missing, "
        f"{found.stray:,} stray, {found.different:,} different",
        highlight=False,
    )
    if not found.agrees:
        errors.print("run `pilah index rebuild`", highlight=False)
        raise typer.Exit(1)


@index.command()
def rebuild() -> None:
    """Build the index anew from the store, and save it. Stop the service first.

    Example: `pilah index rebuild`
    """
    from pilah.service.app import opened

    chosen = Settings.from_environment(os.environ)
    with only_process(chosen.data_dir):  # not under a running service
        shutil.rmtree(chosen.data_dir / INDEX, ignore_errors=True)
    with errors.status("..."), opened(chosen, engine):
        pass
    saved = VectorIndex.load(chosen.data_dir / INDEX)
    _out.print(f"{len(saved):,} reports indexed by {saved.version}", highlight=False)
