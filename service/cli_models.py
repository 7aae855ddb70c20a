"""``pilah train``."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console

from pilah.datasets.errors import InputError
from pilah.models.bundle import check_free
from pilah.service.cli_common import (
    MapOption,
    RegionOption,
    errors,
    mapping,
    steps,
)
from pilah.service.loop.export import export
from pilah.service.store import Store

_out = Console()
FIXED_STEPS = 6
"""Steps of a training beside its heads: data, n-grams, embedding, routing, incidents, measuring."""
INTERRUPTED = 130
"""Exit code of a command that Ctrl-C stopped, as shells have it."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("train")(train_cli)


def train_cli(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new bundle.")],
    source: Annotated[
        list[Path] | None,
        typer.Argument(metavar="CONFIG or DATA...", help="A .toml, or labelled files"),
    ] = None,
    from_store: Annotated[
        str | None,
        typer.Option("--from-store", help="SQLAlchemy URL: learn what people decided there too."),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Comma list: topic,agency,outcome,klasifikasi")
    ] = None,
    columns: MapOption = None,
    region: RegionOption = None,
    min_count: Annotated[
        int | None, typer.Option("--min-count", help="Rows a label needs to be learned.")
    ] = None,
    holdout: Annotated[
        str | None,
        typer.Option(help="Rows kept for the card's figures: 'newest 20%', 'random 20%', a date."),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="lsa, pilah-mini, or a folder or name of a sentence-transformers model."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of everything random.")] = None,
) -> None:
    """Train a bundle from one TOML experiment, labelled files, or decisions; writes its card.

    Ctrl-C leaves no half bundle; the same command goes on where it stopped, to the same bundle.

    Example: `pilah train riwayat.csv --target agency --map text=isi --map agency=dinas -o kota`

    Example: `pilah train riwayat.csv --target topic --holdout "newest 20%" -o kota`

    Example: `pilah train percobaan.toml -o kota`
    """
    from pilah.training.config import TrainConfig, load_config  # serving never imports training
    from pilah.training.stages import Stages
    from pilah.training.targets import FIELDS
    from pilah.training.train import train

    source = source or []
    if not source and from_store is None:
        raise InputError("nothing to learn from: give a .toml, data files, or --from-store URL")
    tables = [p for p in source if p.suffix == ".toml"]
    if tables and len(source) > 1:
        raise InputError("give one .toml experiment, or data files, not both")
    config = load_config(tables[0]) if tables else TrainConfig(data=tuple(source))
    changes: dict[str, object] = {} if tables else {"name": output.name}
    changes |= {"target": tuple(t.strip() for t in target.split(","))} if target else {}
    changes |= {"map": mapping(columns)} if columns else {}
    changes |= {"region": region} if region else {}
    changes |= {"min_count": min_count} if min_count is not None else {}
    changes |= {"holdout": holdout} if holdout is not None else {}
    changes |= {"encoder": encoder} if encoder else {}
    changes |= {"seed": seed} if seed is not None else {}
    check_free(output)
    wanted = replace(config, **changes)  # type: ignore[arg-type]
    work = output.with_name(f".{output.name}.work")
    try:
        with (
            TemporaryDirectory() as folder,
            steps(FIXED_STEPS + sum(len(FIELDS[t]) for t in wanted.target)) as step,
        ):
            if from_store is not None:
                decided = _decisions(from_store, Path(folder), wanted.map)
                wanted = replace(wanted, data=(*wanted.data, decided))
            bundle = train(wanted, progress=step, checked=_say_findings, stages=Stages(work))
            version = bundle.save(output)
    except KeyboardInterrupt:
        errors.print(f"stopped; the same command goes on from {work}", highlight=False)
        raise typer.Exit(INTERRUPTED) from None
    shutil.rmtree(work, ignore_errors=True)
    _print_figures(bundle.facts)
    if bundle.facts["bad_rows"]:
        errors.print(f"{bundle.facts['bad_rows']} bad rows left out: see `pilah data check`")
    _out.print(f"bundle {version} in {output}; card: {output / 'card.md'}", highlight=False)


def _decisions(url: str, folder: Path, columns: dict[str, str]) -> Path:
    """A file of what people decided in a store, under the column names of the other files."""
    file = folder / "keputusan.jsonl"
    with Store.open(url) as store, store.reading() as connection:
        found = export(connection, file, columns=columns)
    errors.print(f"store: {found}", highlight=False, soft_wrap=True)
    return file


def _say_findings(findings: dict[str, int]) -> None:
    if findings:
        found = ", ".join(f"{count:,} x {kind}" for kind, count in findings.items())
        errors.print(f"check: {found}; `pilah data check` shows them", highlight=False)
    else:
        errors.print("check: nothing found", highlight=False)


def _print_figures(facts: dict[str, Any]) -> None:
    held = facts.get("holdout")
    kind = f"held out: {held['rule']}" if held else "cross-validated"
    for name, scores in (held["targets"] if held else facts["cross_validated"]).items():
        figures = f"accuracy {scores['accuracy']:.3f}, macro-F1 {scores['macro_f1']:.3f}"
        _out.print(f"{name}: {figures} ({kind}, {scores['rows']:,} rows)", highlight=False)
