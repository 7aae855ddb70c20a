"""How the ablation is told: tables on the screen, and those of ``docs/benchmarks.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from common import ROOT, console, table
from corpus_report import markdown

PAGE = ROOT / "docs" / "benchmarks.md"
MARK = re.compile(r"(<!-- ablation -->\n).*?(<!-- /ablation -->)", re.DOTALL)
FIGURES = ("accuracy", "macro_f1", "ece", "log_loss", "coverage_at_95", "alone", "right_alone")
HEAD = (
    "accuracy", "macro-F1", "ECE", "log loss", "coverage at 95 %", "alone", "right alone",
    "accuracy, difference", "macro-F1, difference",
)  # fmt: skip


def show(title: str, result: Mapping[str, Any]) -> None:
    """Print the tables of one ground."""
    for target, found in result.items():
        about = f"{title}: {target}, {found['classes']} classes, {found['rows']:,} rows"
        for kind in ("variant", "calibration"):
            table(about, (kind, *HEAD), _lines(found, kind))


def write_docs(result: Mapping[str, Any]) -> None:
    """Write the part between the marks of ``docs/benchmarks.md`` anew."""
    parts = []
    for title, targets in result.items():
        for target, found in targets.items():
            parts.append(
                f"**{title}: `{target}`**, {found['classes']} classes, fitted on "
                f"{found['fitted_on']:,} and measured on {found['rows']:,} rows."
            )
            parts.append(markdown(("the head reads", *HEAD), _lines(found, "variant")))
            chosen = f"calibration (chosen on held-out rows: {found['calibration']})"
            parts.append(markdown((chosen, *HEAD), _lines(found, "calibration")))
    text = PAGE.read_text("utf-8")
    mark = MARK.search(text)
    if mark is None:
        raise SystemExit(f"{PAGE.relative_to(ROOT)}: no <!-- ablation --> marks")
    body = "\n\n".join(parts)
    PAGE.write_text(
        f"{text[: mark.start()]}{mark[1]}\n{body}\n\n{mark[2]}{text[mark.end() :]}", "utf-8"
    )
    console.print(f"{PAGE.relative_to(ROOT)}: written")


def _lines(found: Mapping[str, Any], kind: str) -> list[tuple[object, ...]]:
    return [
        (
            x[kind],
            *(x[f] for f in FIGURES),
            *(_told(x[g]) for g in ("accuracy_gap", "macro_f1_gap")),
        )
        for x in found[f"{kind}s"]
    ]


def _told(gap: Mapping[str, float]) -> str:
    if gap["lower"] == gap["upper"] == 0:
        return "-"
    sure = "**" if gap["lower"] > 0 or gap["upper"] < 0 else ""
    return f"{sure}{gap['difference']:+.3f}{sure} ({gap['lower']:+.3f} to {gap['upper']:+.3f})"
