"""``pilah claims``: look at a file of circulated claims before the service reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pilah.datasets.claims import joined, read_claims, shipped_claims
from pilah.models.claims import ClaimBase
from pilah.models.fingerprint import content_words
from pilah.models.text import read_text
from pilah.service.cli_common import errors

_out = Console(highlight=False, soft_wrap=True)
SHOWN = 20
"""Bad rows of one file that are listed; the rest is counted."""

Files = Annotated[
    list[Path] | None, typer.Argument(metavar="[FILE]...", help=".csv, .jsonl, .xml, .rss or .atom")
]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("claims")(claims_cli)


def claims_cli(
    files: Files = None,
    text: Annotated[str | None, typer.Option(help="Which claim does this text resemble?")] = None,
) -> None:
    """Read files of circulated claims, name their bad rows, and try them on a text.

    What passes here is what PILAH_CLAIMS may name. Exit code 1 when a row is bad.

    Example: `pilah claims cekfakta.rss klaim.csv --text "beras plastik membal kalau dibola"`
    """
    parts, bad = [shipped_claims()], 0
    for path in files or ():
        found = read_claims(path)
        parts.append(found.claims)
        bad += len(found.bad)
        _out.print(f"{path}: {len(found.claims):,} claims, {found.true:,} true ones left out")
        for row in found.bad[:SHOWN]:
            errors.print(f"{path}:{row.line}: {row.field}: {row.problem}; {row.cure}")
        if len(found.bad) > SHOWN:
            errors.print(f"{path}: {len(found.bad) - SHOWN} more bad rows")
    base = ClaimBase(joined(parts))
    _out.print(f"{len(base):,} claims with the shipped ones")
    if text:
        _out.print(_answer(base, text))
    if bad:
        raise typer.Exit(1)


def _answer(base: ClaimBase, text: str) -> str:
    match = base.closest(content_words(read_text(text).normal))
    if match is None:
        return "tidak mirip klaim mana pun"
    claim = match.claim
    return (
        f"{match.resemblance:.2f} {claim.id} ({claim.verdict}) {claim.claim} {claim.link}".strip()
    )
