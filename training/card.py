"""The model card of a bundle, written from its facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pilah.evaluation.thresholds import BORROWED
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

{held}Cross-validated ({folds} folds); near-duplicates and incidents never cross a fold.
Thresholds and the weight of the route head were chosen on these same held-out answers, so coverage
and the agency figure flatter{advice}.{tuned}

{head}
{table}
{routing}{incidents}
## Thresholds

Probabilities: {calibration}; of three ways (see `training/calibration.py`), with or without a
confidence that judges the likeliest label, the likeliest on rows that it was not fitted on.

A label is stated from the probability at which held-out answers proved to be right {stated:.0%} of
the time, and passes without a person from {sure:.0%} (lower end of a one-sided 90 % Wilson
interval). A label borrows the strength of {borrowed} answers from all labels, so that one with few
follows the others.
Below, the answer falls back and says so.

## Rare and uneven labels

Rows are weighted by (rows / (labels x rows of the label)) to the power of {balance:g}: 0 is no
weighting, 1 gives every label the same say. A label with fewer than {min_count} rows is not
learned: such reports get a neighbouring label or, below the threshold, none.

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
        f"heads, and an embedding ({bundle.encoder.version}).",
        rows=facts["rows"],
        bad=facts["bad_rows"],
        files=", ".join(config["data"]),
        fingerprint=facts["data_fingerprint"],
        label_set=bundle.label_set,
        seed=config["seed"],
        environment=", ".join(f"{k} {v}" for k, v in facts["environment"].items()),
        folds=config["folds"],
        held=_held_out(facts.get("holdout")),
        advice="" if "holdout" in facts else ": measure on rows kept apart with `pilah evaluate`",
        tuned=_TUNED if config.get("finetune") else "",
        head=_HEAD,
        table="\n".join(_line(t, s) for t, s in facts["cross_validated"].items()),
        balance=config["balance"],
        min_count=config["min_count"],
        routing=_routing(facts.get("routing")),
        incidents=_incidents(facts),
        calibration=", ".join(f"{t} by {kind}" for t, kind in facts["calibration"].items()),
        borrowed=BORROWED,
        stated=config["stated_precision"],
        sure=config["sure_precision"],
        rare="\n".join(rare) or "Every label had enough rows.",
    )
    return replace(bundle, card=card)


_TUNED = """ The encoder was fine-tuned on
these labels: only rows that it did not learn from judge the heads here."""
_COLUMNS = (
    "target", "rows", "labels", "accuracy", "macro-F1", "top-3", "ECE",
    "share answered at 95 % precision",
)  # fmt: skip
_HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"


def _held_out(facts: dict[str, Any] | None) -> str:
    """The figures of rows that nothing was chosen on; empty when the experiment held none out."""
    if facts is None:
        return ""
    table = "\n".join(_line(t, s) for t, s in facts["targets"].items())
    unknown = sum(s["unknown"] for s in facts["targets"].values())
    text = (
        f"Held out: {facts['rule']}, {facts['rows']:,} rows that neither fit, calibration nor "
        f"thresholds saw; {facts['dropped']:,} rows near to them were left out of training. "
        f"{unknown:,} labels of theirs were not learned and are not in the table.\n\n"
        f"{_HEAD}\n{table}\n\n"
    )
    agency = facts["agency"]
    if agency is None:
        return text
    return (
        f"{text}Agency answer of the whole pipeline: {agency['right']:,} of {agency['rows']:,} "
        f"right; {agency['without_person']:,} passed without a person, "
        f"{agency['without_person_right']:,} of them right.\n\n"
    )


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


def _incidents(facts: dict[str, Any]) -> str:
    metrics, origin = facts.get("incidents"), facts.get("incidents_from")
    if metrics is None:
        scorer = f"that of bundle {origin}" if origin else "not fitted"
        return f"\nToo few incidents were labelled: the same-incident scorer is {scorer}.\n"
    return (
        f"\nSame incident, on {metrics['pairs']:,} held-out pairs: average precision "
        f"{metrics['average_precision']:.3f}, precision at recall 0.8 "
        f"{metrics['precision_at_recall_80']:.3f}.\n"
    )
