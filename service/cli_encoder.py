"""``pilah encoder``: train an encoder from plain text and pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilah.service.cli_common import errors


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("encoder")(encoder_cli)


def encoder_cli(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A .toml of an encoder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new encoder.")],
    data: Annotated[Path, typer.Option(help="Folder that the files of CONFIG lie below.")],
    work: Annotated[
        Path, typer.Option(help="What is done already; a stopped run goes on from there.")
    ] = Path("var/encoder"),
) -> None:
    """Train an encoder: word pieces, vectors, similarity, export. Needs the train extra.

    Example: `pilah encoder training/pretrain/pilah-mini.toml --data ../data -o pilah-mini`
    Then: `pilah train riwayat.csv --encoder pilah-mini -o kota`
    """
    from pilah.training.pretrain.build import build_encoder
    from pilah.training.pretrain.config import load_encoder_config

    folder = build_encoder(
        load_encoder_config(config), output, data=data, work=work,
        progress=lambda step: errors.print(f"{step} …", highlight=False),
    )  # fmt: skip
    errors.print(f"encoder {folder.version} in {output}", highlight=False)
