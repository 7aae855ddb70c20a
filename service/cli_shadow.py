"""``pilah shadow``: how a candidate bundle would have answered."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pilah.service.cli_common import settings
from pilah.service.loop.labels import decided_labels
from pilah.service.loop.shadow import summary
from pilah.service.store import Store

app = typer.Typer(no_args_is_help=True, help="A candidate bundle beside the live one.")
_out = Console()


@app.callback()
def root() -> None:
    """A candidate bundle beside the live one."""


@app.command()
def report(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    limit: Annotated[int, typer.Option(help="Differing reports that are listed.", min=0)] = 20,
) -> None:
    """Say how often the candidate differed, in what, and who was right where a person decided.

    Example: `pilah shadow report --limit 50`
    """
    with Store.open(settings().url) as store, store.reading() as connection:
        found = summary(connection, decided_labels(connection), limit=limit)
    if as_json:
        _out.print_json(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        _out.print("nothing compared yet: set PILAH_SHADOW_BUNDLE and serve", highlight=False)
    for pair in found:
        _out.print(
            f"{pair['candidate']} beside {pair['live']}: {pair['compared']:,} compared, "
            f"{pair['differing']:,} differ",
            highlight=False,
        )
        table = Table("field", "differs", "live right", "candidate right", "neither")
        for field, number in pair["by_field"].items():
            judged = pair["judged_by_people"].get(field, {})
            right = (str(judged.get(who, 0)) for who in ("live", "candidate", "neither"))
            table.add_row(field, str(number), *right)
        _out.print(table)
        for row in pair["reports"]:
            parts = (f"{f}: {a} -> {b}" for f, (a, b) in row["differences"].items())
            _out.print(f"{row['report_id']}  {'; '.join(parts)}", highlight=False, markup=False)
        if pair["left_out"]:
            _out.print(f"{pair['left_out']} more; raise --limit", highlight=False)
