"""Tells a person which labels came, went or changed their name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilah.service.cli_common import errors

if TYPE_CHECKING:
    from pilah.evaluation.drift import Drift

SHOWN = 8
"""Labels of one kind that are named; the rest is counted."""


def changes(drift: Mapping[str, Drift]) -> dict[str, Any]:
    """The heads whose labels differ, as JSON."""
    return {name: d.to_dict() for name, d in drift.items() if d.changed}


def write_labels(drift: Mapping[str, Drift], folder: Path) -> Path:
    """Write how data and bundle differ into ``labels.json``, and tell what the bundle lacks."""
    for name, d in drift.items():
        _say(f"{name}: labels of the data beside the bundle's", _gone(d))
        if d.new:
            _say(f"{name}: labels of the bundle that no row carries", {"": [str(len(d.new))]})
    path = folder / "labels.json"
    path.write_text(json.dumps(changes(drift), ensure_ascii=False, indent=1) + "\n", "utf-8")
    return path


def say_drift(drift: Mapping[str, Drift]) -> None:
    """Tell how the labels of a bundle differ from those of the live one."""
    for name, d in drift.items():
        _say(f"{name}: labels of the live bundle that are gone", _gone(d))
        _say(f"{name}: new labels", {"": list(d.new)})


def _gone(drift: Drift) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for g in drift.gone:
        text = f"{g.label} -> {g.to}" if g.to else g.label
        told.setdefault(g.fate, []).append(f"{text} ({g.rows} rows)" if g.rows else text)
    return told


def _say(title: str, kinds: Mapping[str, list[str]]) -> None:
    for kind, labels in kinds.items():
        if labels:
            more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
            text = f"{title}{', ' if kind else ''}{kind}: {', '.join(labels[:SHOWN])}{more}"
            errors.print(text, highlight=False, markup=False, soft_wrap=True)
