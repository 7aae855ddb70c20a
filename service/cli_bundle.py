"""``pilah bundle``: which bundle is live, and changing it."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pilah.datasets.errors import BundleError, InputError
from pilah.datasets.readers import BadRow, read_rows
from pilah.evaluation.compare import compare
from pilah.evaluation.drift import bundle_drift, data_drift
from pilah.evaluation.gate import TOLERANCE, losses, unanswered
from pilah.models.bundle import Bundle
from pilah.models.registry import SHIPPED
from pilah.service.cli_common import (
    MapOption,
    errors,
    mapping,
    progress,
    registry,
    settings,
    triager,
)
from pilah.service.cli_drift import changes, say_drift

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.evaluation.compare import Comparison

app = typer.Typer(no_args_is_help=True, help="Which bundle is live, and changing it.")
_out = Console()

LEARN_ALL = (
    "\ntrain it with `bawaan` beside your files: the written corpus teaches what they do not"
)

ReasonOption = Annotated[str, typer.Option("--reason", help="Kept in the history.")]


@app.command("list")
def list_() -> None:
    """List the bundles of this installation; `*` marks the live one.

    Example: `pilah bundle list`
    """
    known = registry()
    live = known.live()
    table = Table("", "version", "name", "label set", "rows")
    for version in [SHIPPED, *known.versions()]:
        mark = "*" if version == live else ""
        try:
            loaded = Bundle.load(known.path(version))
        except BundleError as error:  # one that is damaged must not hide the others
            table.add_row(mark, version, str(error), "-", "-")
            continue
        rows = f"{loaded.facts.get('rows', 0):,}"
        label = f"{version} ({loaded.version})" if version == SHIPPED else version
        table.add_row(mark, label, loaded.name, loaded.label_set, rows)
    _out.print(table)


@app.command()
def show(name: Annotated[str | None, typer.Argument(help="Default: the live one.")] = None) -> None:
    """Print a bundle's card.

    Example: `pilah bundle show`
    """
    _out.print(Bundle.load(registry().path(name)).card, markup=False, highlight=False)


@app.command()
def history(
    as_json: Annotated[bool, typer.Option("--json", help="With the figures, as JSON.")] = False,
) -> None:
    """Show every promotion and rollback: when, who, what, why.

    Example: `pilah bundle history`
    """
    entries = registry().history()
    if as_json:
        _out.print_json(json.dumps(entries, ensure_ascii=False))
        return
    table = Table("at", "by", "action", "version", "reason")
    for entry in entries:
        action = f"{entry['action']} (forced)" if entry.get("forced") else entry["action"]
        table.add_row(entry["at"], entry.get("by", "-"), action, entry["version"], entry["reason"])
    _out.print(table)


@app.command()
def promote(
    name: Annotated[str, typer.Argument(help="Folder or version of the bundle.")],
    against: Annotated[
        Path | None,
        typer.Option(help="Labelled reports to compare on; default: PILAH_GOLD, if set."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="Accuracy that a target may lose.", min=0.0, max=1.0)
    ] = TOLERANCE,
    force: Annotated[bool, typer.Option("--force", help="Even if it loses.")] = False,
    reason: ReasonOption = "",
    columns: MapOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print comparison and label drift as JSON.")
    ] = False,
) -> None:
    """Make a bundle live, unless it loses to the live one; a running service takes it in seconds.

    Both answer the same labelled reports. When the new one is worse by more than the tolerance, or
    does not answer what the live one answers, nothing changes (exit code 2), unless it is forced
    with a reason. Who, when, why and the figures stand in `pilah bundle history`.

    Example: `pilah bundle promote ./kota --against emas.jsonl --reason "riwayat 2025"`

    Example: `pilah bundle promote ./kota --against emas.jsonl --force --reason "label baru"`
    """
    if force and not reason.strip():
        raise InputError('--force needs a reason: --reason "..."')
    known = registry()
    live, fresh = (Bundle.load(known.path(n)) for n in (None, name))
    drift = bundle_drift(live, fresh)
    facts: dict[str, Any] = {"labels": changes(drift)}
    gold = against or (Path(settings().gold) if settings().gold else None)
    lost = unanswered(live, fresh)
    if gold is None:
        errors.print(
            "not compared with the live bundle: give --against FILE or set PILAH_GOLD",
            highlight=False,
        )
    else:
        rows = _gold(gold, mapping(columns))
        comparison = _compared(name, rows)
        lost = tuple(dict.fromkeys((*losses(comparison, tolerance), *lost)))
        facts |= {"set": gold.name, "tolerance": tolerance, "figures": figures(comparison)}
        facts |= {"set_labels": changes(data_drift(fresh, rows)), "lost": list(lost)}
        _say_gaps(comparison)
    say_drift(drift)
    if lost and not force:
        if as_json:
            _out.print_json(json.dumps({"live": live.version, **facts}, ensure_ascii=False))
        raise BundleError(
            f"{fresh.version} loses to the live {live.version}:\n  "
            + "\n  ".join(lost)
            + (LEARN_ALL if unanswered(live, fresh) else "")
            + '\nkept the live one; --force --reason "..." promotes it all the same'
        )
    version = known.promote(name, reason, by=_who(), forced=bool(lost), **facts)
    if as_json:
        _out.print_json(json.dumps({"live": version, **facts}, ensure_ascii=False))
    else:
        _out.print(f"live: {version}", highlight=False)


@app.command()
def rollback(reason: ReasonOption = "") -> None:
    """Make the bundle live that was live before; a running service takes it within seconds.

    Example: `pilah bundle rollback --reason "salah rute"`
    """
    _out.print(f"live: {registry().rollback(reason, by=_who())}", highlight=False)


def figures(comparison: Comparison) -> dict[str, dict[str, float]]:
    """What the history keeps of a comparison: accuracy of each target, before and after."""
    return {
        name: {"rows": d.rows, "live": round(d.accuracy.a, 4), "new": round(d.accuracy.b, 4)}
        for name, d in comparison.targets.items()
    }


def _gold(path: Path, columns: Mapping[str, str]) -> list[LabelledReport]:
    """The rows of a gold set; a bad one is an error, for it is meant to be right."""
    rows = [row.content for row in read_rows(path, columns)]
    for row in rows:
        if isinstance(row, BadRow):
            raise InputError(f"{path}, line {row.line}: {row.field} {row.problem}; {row.cure}")
    return [row for row in rows if not isinstance(row, BadRow)]


def _compared(name: str, rows: list[LabelledReport]) -> Comparison:
    live, fresh = triager(registry().live()), triager(name)
    with progress("laporan", 2 * len(rows)) as tick:
        return compare(live, fresh, rows, tick)


def _who() -> str:
    """The person at the keyboard, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return "-"


def _say_gaps(comparison: Comparison) -> None:
    for name, d in comparison.targets.items():
        gap = d.accuracy
        errors.print(
            f"{name}: accuracy {gap.a:.3f} -> {gap.b:.3f} ({d.rows:,} rows)", highlight=False
        )
