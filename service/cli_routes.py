"""``pilah routes``: the operator's own routing rows."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pilah.service.cli_common import settings
from pilah.service.loop.routes import Why, history, retire_route
from pilah.service.store import Store

app = typer.Typer(no_args_is_help=True, help="The operator's own routing rows.")
_out = Console()


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as JSON.")] = False,
) -> None:
    """List every change of the local rows, oldest first; a row holds until it is retired.

    Example: `pilah routes list`
    """
    with Store.open(settings().url) as store, store.reading() as connection:
        changes = history(connection)
    if as_json:
        _out.print_json(json.dumps(changes, ensure_ascii=False))
        return
    retired = {change["route"] for change in changes if change["action"] == "retire"}
    table = Table("number", "action", "topic", "words", "region", "target", "by", "state")
    for c in changes:
        if c["action"] == "retire":
            cells = ("", "", "", f"lokal-{c['route']}")
        else:
            r = c["route"]
            cells = (r["topic"], ", ".join(r["terms"]), r["region"], f"{r['level']}:{r['target']}")
        state = "retired" if c["number"] in retired else ""
        table.add_row(str(c["number"]), c["action"], *cells, c["actor"], state)
    _out.print(table)


@app.command()
def retire(
    number: Annotated[int, typer.Argument(help="Number of the row.")],
    actor: Annotated[str, typer.Option(help="Who takes it out; kept in the history.")],
    reason: Annotated[str, typer.Option(help="Kept in the history.")] = "",
) -> None:
    """Take a local row out of force; a running service follows at its next start.

    Example: `pilah routes retire 7 --actor budi --reason "unit pindah"`
    """
    with Store.open(settings().url) as store, store.writing() as connection:
        retire_route(connection, number, Why(actor, reason or None))
    _out.print(f"lokal-{number} is retired", highlight=False)
