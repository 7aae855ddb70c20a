"""``pilah users`` and ``pilah audit``. They work beside a running service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from pilah.service.accounts import audit as audit_log
from pilah.service.accounts import audited
from pilah.service.accounts import users as people
from pilah.service.accounts.audited import Compared
from pilah.service.accounts.users import NewUser
from pilah.service.cli_common import errors, settings
from pilah.service.store import Store

users = typer.Typer(no_args_is_help=True, help="Who may sign in to the pages.")
audit = typer.Typer(no_args_is_help=True, help="The log of who changed what.")
BY = "cli"
"""The actor in the audit log of what the command line does."""
MOST_TOLD = 20
"""Wrong decisions of one kind that are named; the rest is counted."""
_out = Console()

Name = Annotated[str, typer.Argument(help="Sign-in name.")]


@users.command()
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="moderator, supervisor, analyst or admin.")],
    government: Annotated[
        str | None, typer.Option(help="Body of a moderator, as routes name it.")
    ] = None,
    display: Annotated[str, typer.Option(help="How pages call the person.")] = "",
    oidc: Annotated[
        bool, typer.Option("--oidc", help="No password: only the identity provider lets it in.")
    ] = False,
) -> None:
    """Add a user; the password is asked for, never given on the command line.

    Example: `pilah users add siti --role admin`
    """
    password = None if oidc else _ask_password()
    with _writing() as connection:
        user = people.add_user(
            connection, NewUser(name, role, display, government, password), by=BY
        )
    _out.print(f"added {user.name}, {user.role}", highlight=False)


@users.command("list")
def show() -> None:
    """Print every user.

    Example: `pilah users list`
    """
    with Store.open(settings().url) as store, store.reading() as connection:
        accounts = people.list_users(connection)
    table = Table("name", "role", "government", "active", "password")
    for account in accounts:
        user = account.user
        table.add_row(
            user.name,
            user.role,
            user.government or "",
            "yes" if account.active else "no",
            "yes" if account.has_password else "no",
        )
    _out.print(table)


@users.command()
def password(name: Name) -> None:
    """Give a user another password, asked for; its sessions end.

    Example: `pilah users password siti`
    """
    given = _ask_password()
    with _writing() as connection:
        people.set_password(connection, name, given, by=BY)


@users.command()
def disable(name: Name) -> None:
    """Shut a user out; its sessions end, its history stays.

    Example: `pilah users disable siti`
    """
    with _writing() as connection:
        people.set_active(connection, name, active=False, by=BY)


@users.command()
def enable(name: Name) -> None:
    """Let a user in again.

    Example: `pilah users enable siti`
    """
    with _writing() as connection:
        people.set_active(connection, name, active=True, by=BY)


@audit.command()
def verify(
    head: Annotated[
        str | None, typer.Option(help="Hash noted earlier, which must still be in the chain.")
    ] = None,
) -> None:
    """Check the audit log's hash chain, and the decisions against it; exit code 1 when they fail.

    Note the head it prints somewhere else: rows cut off at the end show only against it.

    Example: `pilah audit verify`
    """
    with Store.open(settings().url) as store, store.reading() as connection:
        found = audit_log.verify(connection, head)
        compared = audited.compare(connection)
    _out.print(f"{found.rows:,} rows, head {found.head}", highlight=False, soft_wrap=True)
    if found.broken_at is not None:
        errors.print(f"row {found.broken_at:,} was changed, or rows before it are missing")
    if found.has_head is False:
        errors.print("the given head is not in the chain: rows were cut off or replaced")
    _tell(compared)
    if found.broken_at is not None or found.has_head is False or not compared.holds:
        raise typer.Exit(1)


def _tell(found: Compared) -> None:
    older = f", {found.older:,} of them older than the log" if found.older else ""
    _out.print(f"{found.decisions:,} decisions{older}", highlight=False)
    for wrong, names in (
        ("is not what was logged", found.changed),
        ("was logged and is gone", found.missing),
        ("was never logged", found.unlogged),
    ):
        for report_id, number in names[:MOST_TOLD]:
            errors.print(f"decision {number} about {report_id} {wrong}")
        if len(names) > MOST_TOLD:
            errors.print(f"and {len(names) - MOST_TOLD:,} more")


@contextmanager
def _writing() -> Iterator[Connection]:
    with Store.open(settings().url) as store, store.writing() as connection:
        yield connection


def _ask_password() -> str:
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer
