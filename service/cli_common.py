"""What several commands share: options, progress bars, building the engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from pilah.datasets.claims import joined, read_claims, shipped_claims
from pilah.datasets.errors import InputError
from pilah.models.bundle import Bundle
from pilah.models.claims import ClaimBase, shipped_base
from pilah.models.registry import Registry
from pilah.models.triage import Triager
from pilah.service.settings import Settings
from pilah.service.version import service_version

errors = Console(stderr=True)
"""Where progress and messages go; results go to stdout or to the file that was named."""

BundleOption = Annotated[
    str | None, typer.Option("--bundle", help="Version, name or folder of a bundle; default: live.")
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="FIELD=COLUMN: the file's column for a field. May be repeated. "
        "Dates that are not ISO 8601: reported_at=COLUMN:%d/%m/%Y.",
    ),
]
RegionOption = Annotated[
    str | None, typer.Option("--region", help='Region of rows without one, e.g. "Kota Surabaya".')
]
FormatOption = Annotated[
    str | None, typer.Option("--format", help="`sp4n` knows the columns of SP4N-LAPOR! exports.")
]


def mapping(pairs: list[str] | None) -> dict[str, str]:
    """``["text=isi"]`` as a dictionary.

    Raises:
        InputError: an item without ``=``.
    """
    found: dict[str, str] = {}
    for pair in pairs or []:
        name, equals, column = pair.partition("=")
        if not equals or not name or not column:
            raise InputError(f"--map {pair}: write FIELD=COLUMN, e.g. --map text=isi_laporan")
        if name.strip() in found:
            raise InputError(f"--map {pair}: {name.strip()} was mapped before; give it once")
        found[name.strip()] = column.strip()
    return found


def spare(source: Path, output: Path | None) -> None:
    """Refuse to write over the file that is read.

    Raises:
        InputError: both are the same file.
    """
    if output is not None and output.exists() and output.samefile(source):
        raise InputError(f"{output}: is the input itself; name another output")


def is_sp4n(name: str | None) -> bool:
    """Whether ``--format`` asks for SP4N's columns.

    Raises:
        InputError: another format was named.
    """
    if name not in (None, "sp4n"):
        raise InputError(f"--format {name}: unknown; use sp4n")
    return name == "sp4n"


def settings() -> Settings:
    """The service's settings from the environment."""
    return Settings.from_environment(os.environ)


def registry() -> Registry:
    """The bundles of this installation."""
    return Registry(settings().data_dir / "bundles")


def triager(bundle: str | None) -> Triager:
    """An engine with an empty memory for a bundle."""
    loaded = Bundle.load(registry().path(bundle or settings().bundle or None))
    return Triager.from_bundle(
        loaded, service_version=service_version(), claims=claim_base(settings().claims)
    )


def claim_base(files: Sequence[Path]) -> ClaimBase:
    """The shipped claims and those of files; bad rows are counted on stderr.

    Raises:
        FileFormatError: a file cannot be read at all.
    """
    parts = [shipped_claims()]
    for path in files:
        found = read_claims(path)
        if found.bad:
            errors.print(f"{path}: {len(found.bad)} bad row(s); see `pilah claims {path}`")
        parts.append(found.claims)
    return ClaimBase(joined(parts)) if files else shipped_base()


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; yields a function that takes the number of items done."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def steps(most: int) -> Iterator[Callable[[str], None]]:
    """A bar over at most so many steps; yields a function that takes the name of the next one."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("", total=most, completed=-1)
        yield lambda name: bar.update(task, advance=1, description=name)
