"""``pilah train``."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from pilah.models.bundle import Bundle
    from pilah.training.config import TrainConfig

_out = Console()
FIXED_STEPS = 6
"""Steps of a training beside its heads: data, n-grams, embedding, routing, incidents, measuring."""
EXPORT_STEP = 1
"""A fine-tuned encoder is exported after its epochs."""
INTERRUPTED = 130
"""Exit code of a command that Ctrl-C stopped, as shells have it."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("train")(train_cli)


def train_cli(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new bundle.")],
    source: Annotated[
        list[Path] | None,
        typer.Argument(metavar="CONFIG or DATA...", help="A .toml, or labelled files, or bawaan."),
    ] = None,
    from_store: Annotated[
        str | None,
        typer.Option("--from-store", help="SQLAlchemy URL: learn what people decided there too."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target", help="Comma list: topic,route,agency,outcome,klasifikasi; default all."
        ),
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

    `bawaan` among the files is the written corpus: it teaches what yours do not label.

    Example: `pilah train riwayat.csv bawaan --map text=isi --map agency=dinas -o kota`

    Example: `pilah train riwayat.csv --target topic --holdout "newest 20%" -o kota`

    Example: `pilah train percobaan.toml -o kota`
    """
    if not source and from_store is None:
        raise InputError("nothing to learn from: give a .toml, data files, or --from-store URL")
    asked = {
        "target": tuple(t.strip() for t in target.split(",")) if target else None,
        "map": mapping(columns) if columns else None,
        "region": region,
        "min_count": min_count,
        "holdout": holdout,
        "encoder": encoder,
        "seed": seed,
    }
    given = {key: value for key, value in asked.items() if value is not None}
    config = _experiment(source or [], output.name, given)
    check_free(output)
    bundle = _trained(config, output, from_store)
    _print_figures(bundle.facts)
    if bundle.facts["bad_rows"]:
        errors.print(f"{bundle.facts['bad_rows']} bad rows left out: see `pilah data check`")
    told = f"bundle {bundle.version} in {output}; card: {output / 'card.md'}"
    _out.print(told, highlight=False)


def _experiment(source: list[Path], name: str, given: dict[str, Any]) -> TrainConfig:
    """The experiment of a file, or of data files alone, with what the flags change."""
    from pilah.training.config import TrainConfig, load_config  # serving never imports training

    tables = [path for path in source if path.suffix == ".toml"]
    if tables and len(source) > 1:
        raise InputError("give one .toml experiment, or data files, not both")
    config = load_config(tables[0]) if tables else TrainConfig(data=tuple(source), name=name)
    return replace(config, **given)


def _trained(config: TrainConfig, output: Path, store: str | None) -> Bundle:
    """Train and save, with a bar; what was done lies beside the output until it is whole.

    Raises:
        typer.Exit: Ctrl-C stopped it.
    """
    from pilah.training.stages import Stages
    from pilah.training.targets import FIELDS
    from pilah.training.train import train

    work = output.with_name(f".{output.name}.work")
    heads = sum(len(FIELDS[t]) for t in config.target)
    epochs = config.finetune.epochs + EXPORT_STEP if config.finetune else 0
    try:
        with TemporaryDirectory() as folder, steps(FIXED_STEPS + heads + epochs) as step:
            if store is not None:
                decided = _decisions(store, Path(folder), config.map)
                config = replace(config, data=(*config.data, decided))
            bundle = train(config, progress=step, checked=_say_findings, stages=Stages(work))
            version = bundle.save(output)
    except KeyboardInterrupt:
        errors.print(f"stopped; the same command goes on from {work}", highlight=False)
        raise typer.Exit(INTERRUPTED) from None
    shutil.rmtree(work, ignore_errors=True)
    return replace(bundle, version=version)


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
