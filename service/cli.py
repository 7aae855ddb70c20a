"""The command line: parses, calls a plain function, prints.

Every command has ``--help`` with an example. Errors that Pilah raises on purpose become one line
on stderr and exit code 2; a batch with bad rows ends with exit code 1.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from pilah.datasets.errors import PilahError
from pilah.service import cli_files, cli_incidents
from pilah.service.version import service_version

OF_FILES = {
    "classify": cli_files.add_to,
    "compare": cli_files.add_to,
    "incidents": cli_incidents.add_to,
}
"""Commands that read a file and need neither the service nor its store."""


@cache
def command_line(asked: str = "") -> typer.Typer:
    """All commands, or only those that stand beside one of :data:`OF_FILES`.

    Such a command then starts in half the time, and so does each of its processes: the rest alone
    imports a web framework and a database toolkit.

    Args:
        asked: one of :data:`OF_FILES`; anything else means all.
    """
    app = typer.Typer(
        name="pilah",
        help="Open triage of Indonesian citizen reports.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(root)
    OF_FILES.get(asked, _add_all)(app)
    return app


def _add_all(app: typer.Typer) -> None:
    from pilah.service import (
        cli_accounts,
        cli_bundle,
        cli_claims,
        cli_data,
        cli_encoder,
        cli_evaluate,
        cli_loop,
        cli_models,
        cli_routes,
        cli_service,
        cli_shadow,
    )

    cli_files.add_to(app)
    cli_incidents.add_to(app)
    cli_service.add_to(app)
    cli_models.add_to(app)
    cli_encoder.add_to(app)
    cli_claims.add_to(app)
    cli_evaluate.add_to(app)
    cli_loop.add_to(app, cli_data.app)
    app.add_typer(cli_data.app, name="data")
    app.add_typer(cli_bundle.app, name="bundle")
    app.add_typer(cli_service.index, name="index")
    app.add_typer(cli_accounts.users, name="users")
    app.add_typer(cli_accounts.audit, name="audit")
    app.add_typer(cli_routes.app, name="routes")
    app.add_typer(cli_shadow.app, name="shadow")


def root(
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    """Open triage of Indonesian citizen reports."""
    if version:
        print(service_version())
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    try:
        command_line(next((name for name in sys.argv[1:2] if name in OF_FILES), ""))()
    except PilahError as error:
        _say(str(error))
    except OSError as error:  # a folder that is not there, a full disk, no permission
        _say(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _say(message: str) -> NoReturn:
    text = Text.assemble(("pilah: ", "bold red"), message)
    Console(stderr=True).print(text, soft_wrap=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
