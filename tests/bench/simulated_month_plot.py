"""What the runs of a simulated month show: five days at a time, means over seeds, an SVG."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from common import share, table

from pilah.evaluation.intervals import wilson

LENGTH = 5
"""Days that are counted together."""
COLORS = ("#0b5c4a", "#b3541e", "#2b4a8b", "#7a7a7a")
LEFT, WIDTH, BOTTOM, HEIGHT = 60, 480, 250, 220
LATER = ("alone", "right", "agency")
KEYS = ("alone", "precision", "agency_accuracy")


def weeks(days: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures of each five days, with the Wilson interval of the precision."""
    found = []
    for start in range(0, len(days), LENGTH):
        part = days[start : start + LENGTH]
        total = {k: sum(d[k] for d in part) for k in part[0] if k not in ("day", "seconds")}
        precision = wilson(total["right"], total["judged"])
        found.append({
            "days": f"{part[0]['day']}-{part[-1]['day']}",
            "alone": share(total["alone"], total["reports"]),
            "precision": precision.value if total["judged"] else None,
            "lower": precision.lower, "upper": precision.upper,
            "agency_accuracy": share(total["all_right"], total["all_judged"]),
            "second_looks": total["second_looks"],
            "decided_by_then": part[-1]["decided"],
        })  # fmt: skip
    return found


def shown(files: Sequence[Path], plot: Path | None) -> None:
    """Print one table a kind of run, mean and spread over its seeds, and draw them all."""
    kinds: dict[str, list[list[dict[str, Any]]]] = defaultdict(list)
    later: dict[str, list[list[dict[str, float]]]] = defaultdict(list)
    for file in files:
        run = json.loads(file.read_text("utf-8"))
        name = run["stream"] if run["stream"] == "written" else f"{run['stream']} {run['year']}"
        name += "" if run["weighted"] else ", unweighted"
        name += ", hidden nods" if run["hidden_nods"] else ""
        kinds[name].append(run["weeks"])
        later[name].append(run["later"])
    means = {name: _means(runs) for name, runs in kinds.items()}
    for name, lines in means.items():
        head = ("days", "alone", "right of those", "agency", "second looks", "decided by then")
        cells = [
            (w["days"], *(_spoken(*w[key]) for key in KEYS), *(round(x) for x in w["counts"]))
            for w in lines
        ]
        table(f"{name}: {len(kinds[name])} seeds, mean (spread)", head, cells)
        cells = [
            (
                int(parts[0]["after"]),
                *(mean(p[k] for p in parts) for k in ("alone", "right", "agency")),
            )
            for parts in zip(*later[name], strict=True)
        ]
        head = ("after days", "alone", "right of those", "agency")
        table(f"{name}: the same later reports, asked of the bundles", head, cells)
    if plot is not None:
        plot.write_text(_svg(means), encoding="utf-8")


def _means(runs: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    found = []
    for parts in zip(*runs, strict=True):
        values = {key: [w[key] for w in parts if w[key] is not None] for key in KEYS}
        spread = {k: (mean(v), stdev(v) if len(v) > 1 else 0.0) for k, v in values.items() if v}
        counts = [mean(w[key] for w in parts) for key in ("second_looks", "decided_by_then")]
        found.append({"days": parts[0]["days"], **spread, "counts": counts})
    return found


def _spoken(value: float, spread: float) -> str:
    return f"{value:.3f} ({spread:.3f})" if spread else f"{value:.3f}"


def _svg(runs: dict[str, list[dict[str, Any]]]) -> str:
    """Share routed without a person (line) and its precision (dots), five days each."""
    last = next(iter(runs.values()))
    step = WIDTH / max(1, len(last) - 1)
    height = 290 + 18 * len(runs)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {height}" font-size="12" '
        f'font-family="sans-serif"><rect width="640" height="{height}" fill="#fff"/>'
    ]
    for value in (0, 0.25, 0.5, 0.75, 1):
        y = BOTTOM - HEIGHT * value
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y}" y2="{y}" stroke="#ddd"/>'
                     f'<text x="52" y="{y + 4}" text-anchor="end">{value:.0%}</text>')  # fmt: skip
    parts += [
        f'<text x="{LEFT + i * step:.0f}" y="268" text-anchor="middle">{w["days"]}</text>'
        for i, w in enumerate(last)
    ]
    for place, (name, lines) in enumerate(runs.items()):
        parts.append(_curve(name, lines, step, COLORS[place % len(COLORS)], 290 + 18 * place))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _curve(name: str, lines: list[dict[str, Any]], step: float, color: str, y: int) -> str:
    def at(number: int, value: float) -> tuple[str, str]:
        return f"{LEFT + number * step:.0f}", f"{BOTTOM - HEIGHT * value:.0f}"

    points = " ".join(",".join(at(i, w["alone"][0])) for i, w in enumerate(lines))
    dots = []
    for i, w in enumerate(lines):
        if "precision" in w:
            x, top = at(i, w["precision"][0])
            dots.append(f'<circle cx="{x}" cy="{top}" r="4" fill="{color}"/>')
    return (
        f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'
        + "".join(dots)
        + f'<text x="{LEFT}" y="{y}" fill="{color}">{name}: line = routed alone, '
        "dots = right of them</text>"
    )
