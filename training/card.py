"""The model card of a bundle, written from its facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pilah.models.bundle import Bundle

_CARD = """# Bundle {name} ({{version}})

{purpose}

| | |
|---|---|
| rows | {rows:,} ({bad} unreadable rows left out) |
| data | {files} |
| data fingerprint | `{fingerprint}` |
| label set | `{label_set}` |
| seed | {seed} |
| environment | {environment} |

## Held-out figures

Cross-validated ({folds} folds); near-duplicates and incidents never cross a fold.
Calibration, thresholds and the weight of the route head were chosen on these same held-out answers,
so ECE, coverage and the agency figure flatter: measure on rows kept apart with `pilah evaluate`.

| target | rows | labels | accuracy | macro-F1 | top-3 | ECE | share answered at 95 % precision |
|---|---|---|---|---|---|---|---|
{table}
{routing}{incidents}
## Thresholds

A label is stated from the probability at which held-out answers were right {stated:.0%} of the
time, and passes without a person from {sure:.0%}. Below, the answer falls back and says so.

## Not learned

{rare}

## Limits

Figures hold for reports like the training data. Measure on your own history with `pilah evaluate`
before relying on them. The bundle proposes; a person decides.
"""


def write_card(bundle: Bundle) -> Bundle:
    """The same bundle with its card; the version is filled in when it is saved."""
    facts = bundle.facts
    config = facts["config"]
    rare = [
        f"- {target}: {', '.join(f'{label} ({n})' for label, n in labels.items())}"
        for target, labels in facts["not_learned"].items()
        if labels
    ]
    card = _CARD.format(
        name=bundle.name,
        purpose="Triage of Indonesian citizen reports: n-gram features with calibrated linear "
        "heads, and an LSA embedding.",
        rows=facts["rows"],
        bad=facts["bad_rows"],
        files=", ".join(config["data"]),
        fingerprint=facts["data_fingerprint"],
        label_set=bundle.label_set,
        seed=config["seed"],
        environment=", ".join(f"{k} {v}" for k, v in facts["environment"].items()),
        folds=config["folds"],
        table="\n".join(_line(t, s) for t, s in facts["cross_validated"].items()),
        routing=_routing(facts.get("routing")),
        incidents=_incidents(facts.get("incidents")),
        stated=config["stated_precision"],
        sure=config["sure_precision"],
        rare="\n".join(rare) or "Every label had enough rows.",
    )
    return replace(bundle, card=card)


def _line(target: str, scores: dict[str, Any]) -> str:
    return (
        f"| {target} | {scores['rows']:,} | {scores['classes']} | {scores['accuracy']:.3f} "
        f"| {scores['macro_f1']:.3f} | {scores['top3']:.3f} | {scores['ece']:.3f} "
        f"| {scores['coverage_at_95']:.3f} |"
    )


def _routing(facts: dict[str, Any] | None) -> str:
    if facts is None:
        return ""
    return (
        f"\nThe unit named by topic, place and routing table is right for {facts['accuracy']:.3f} "
        f"of {facts['rows']:,} rows with a labelled unit (topics held out); answers from "
        f"{facts['sure']:.2f} on pass without a person.\n"
    )


def _incidents(metrics: dict[str, Any] | None) -> str:
    if metrics is None:
        return "\nNo incidents were labelled: the same-incident scorer is not fitted.\n"
    return (
        f"\nSame incident, on {metrics['pairs']:,} held-out pairs: average precision "
        f"{metrics['average_precision']:.3f}, precision at recall 0.8 "
        f"{metrics['precision_at_recall_80']:.3f}.\n"
    )
