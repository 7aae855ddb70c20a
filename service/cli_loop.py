"""``pilah data export``, ``pilah data agreement`` and ``pilah drift``: what the store teaches."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pilah.models.bundle import Bundle
from pilah.service.cli_common import errors, registry, settings
from pilah.service.loop.drift import Drift, look_for_drift, save_report
from pilah.service.loop.export import export
from pilah.service.loop.facts import WIB
from pilah.service.loop.samples import agreement
from pilah.service.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_out = Console()
StoreOption = Annotated[
    str | None, typer.Option("--store", help="SQLAlchemy URL; default: the service's database.")
]


def add_to(app: typer.Typer, data: typer.Typer) -> None:
    """Register the commands."""
    data.command("export")(export_cli)
    data.command("agreement")(agreement_cli)
    app.command("drift")(drift_cli)


def export_cli(
    output: Annotated[Path, typer.Option("-o", "--output", help="JSONL in the contract's fields.")],
    store: StoreOption = None,
    secret: Annotated[
        bool, typer.Option("--include-secret", help="Secret reports too; they are left out else.")
    ] = False,
) -> None:
    """Write what people decided as training data: masked texts, weights, provenance.

    Example: `pilah data export -o keputusan.jsonl`
    """
    with _reading(store) as connection, errors.status("..."):
        found = export(connection, output, secret=secret)
    _out.print(f"{output}: {found}", highlight=False, soft_wrap=True)


def agreement_cli(
    store: StoreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Say how far moderators agree on the reports that two of them labelled: kappa.

    Example: `pilah data agreement --json`
    """
    with _reading(store) as connection:
        found = agreement(connection)
    if as_json:
        _out.print_json(json.dumps(found, default=_plain, ensure_ascii=False))
        return
    table = Table("field", "reports", "people", "agree", "by chance", "kappa")
    for field, a in found["fields"].items():
        shares = (f"{x:.3f}" if x is not None else "-" for x in (a.observed, a.expected, a.kappa))
        table.add_row(field, str(a.reports), str(a.raters), *shares)
    _out.print(table)


def drift_cli(
    days: Annotated[int, typer.Option(help="Length of the latest window.", min=1)] = 7,
    reference_days: Annotated[int, typer.Option(help="Length of the window before.", min=1)] = 28,
    store: StoreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Compare what came in lately with before; exit code 1 when a retrain is proposed.

    For cron. The report is also kept in the data folder, and the service shows it at /metrics.

    Example: `pilah drift --days 7 --reference-days 28`
    """
    chosen = settings()
    bundle = Bundle.load(registry().path(chosen.bundle or None))
    promise = float(bundle.facts.get("config", {}).get("sure_precision", 0.9))
    today = datetime.now(UTC).astimezone(WIB).date()
    with _reading(store) as connection:
        found = look_for_drift(
            connection, today, days=days, reference_days=reference_days, promise=promise
        )
    save_report(found, chosen.data_dir)
    if as_json:
        _out.print_json(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        _print(found)
    if found.reasons:
        raise typer.Exit(1)


@contextmanager
def _reading(url: str | None) -> Iterator[Connection]:
    with Store.open(url or settings().url) as store, store.reading() as connection:
        yield connection


def _print(found: Drift) -> None:
    for name, window in (("reference", found.reference), ("latest", found.latest)):
        text = f"{name}: {window.first} to {window.last}, {window.reports:,} reports"
        left = f", the newest {window.read:,} read" if window.read < window.reports else ""
        _out.print(text + left, highlight=False)
    table = Table("what", "PSI", "p", "drifted", "moved most")
    for name, s in found.shifts.items():
        moved = "; ".join(f"{x} {a:.0%} -> {b:.0%}" for x, (a, b) in [*s.moved.items()][:2])
        table.add_row(name, f"{s.psi:.3f}", f"{s.p_value:.3f}", "yes" if s.drifted else "", moved)
    w = found.words
    new = ", ".join(w.new)
    drifted = "yes" if w.drifted else ""
    table.add_row("unknown words", f"{w.before:.1%} -> {w.now:.1%}", "", drifted, new)
    _out.print(table)
    p = found.precision
    if p["audited"]:
        share = f"{p['value']:.1%} ({p['lower']:.1%} to {p['upper']:.1%})"
        _out.print(
            f"audited {p['audited']}: {share} right, promised {found.promise:.0%}", highlight=False
        )
    else:
        _out.print("no answer audited: set PILAH_AUDIT_SHARE", highlight=False)
    _out.print(
        "retrain: " + ("; ".join(found.reasons) if found.reasons else "no reason"), highlight=False
    )


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
