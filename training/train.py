"""From labelled reports to a bundle: one plain function behind ``pilah train``."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pilah.datasets.errors import InputError
from pilah.evaluation.evaluate import evaluate
from pilah.models.bundle import Bundle
from pilah.models.features import NgramFeatures, beside
from pilah.models.scoring import DuplicateThresholds
from pilah.models.triage import Triager
from pilah.training.card import write_card
from pilah.training.data import Prepared, hold_out, prepare
from pilah.training.embedding import embed, make_encoder
from pilah.training.heads import FittedHead, fit_head, settings_of
from pilah.training.incidents import fit_incidents
from pilah.training.routing import HeldOut, fit_routing
from pilah.training.stages import Stages
from pilah.training.targets import Target, find_targets, label_set

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from pilah.datasets.splits import Split
    from pilah.training.config import TrainConfig

AGENCY_FIGURES = ("rows", "right", "without_person", "without_person_right")
Progress = Callable[[str], object]
"""Called with the name of each step as it starts."""


def train(
    config: TrainConfig,
    progress: Progress = lambda _: None,
    checked: Callable[[dict[str, int]], object] = lambda _: None,
    stages: Stages | None = None,
) -> Bundle:
    """Fit a bundle as the experiment says.

    Same data, settings and library versions give the same bundle version on one machine.

    Args:
        config: the experiment; ``config.data`` names at least one file.
        progress: told the name of each step.
        checked: told before anything is fitted what ``pilah data check`` finds: kind -> how often.
        stages: where slow steps are kept, so that a training that is cut off can go on.

    Raises:
        InputError: no usable rows, or no target has two labels.
    """
    progress("reading and checking data")
    everything = prepare(config)
    checked(everything.findings)
    cut = hold_out(everything, config)
    data = everything.take(cut.train)
    own, targets = find_targets(data.rows, config)
    progress(f"n-grams of {len(data.rows):,} reports")
    features = NgramFeatures(config.views, config.min_df, config.max_features or None)
    try:
        matrix = features.fit([c.normal for c in data.cleans])
    except ValueError:
        raise InputError("no n-gram stands in enough texts; add rows or lower min_df") from None
    progress("embedding")
    encoder = make_encoder(features, matrix, config)
    if config.embedding_weight:
        vectors = embed(encoder, [c.normal for c in data.cleans], matrix)
        matrix = beside(matrix, vectors, config.embedding_weight)
    fitted: dict[str, FittedHead] = {}
    for target in targets:
        progress(f"head {target.name}: {len(set(target.labels))} labels")
        fitted[target.name] = _fit(target, matrix, data, config, stages)
    progress("routing")
    held_out = {t.name: HeldOut(fitted[t.name], t.index) for t in targets}
    routing = None if own else fit_routing(data, held_out, config.sure_precision)
    progress("incidents")
    topics = _spoken(held_out.get("topic_main"), len(data.rows))
    incidents = fit_incidents(data.rows, data.cleans, encoder, topics)
    facts = _facts(config, data, targets, fitted)
    bundle = Bundle(
        name=config.name,
        features=features,
        encoder=encoder,
        embedding_weight=config.embedding_weight,
        heads={name: f.head for name, f in fitted.items()},
        label_set=label_set({n: f.head.labels for n, f in fitted.items()}, own=own),
        pairs=incidents.scorer if incidents else None,
        duplicates=incidents.thresholds if incidents else DuplicateThresholds(),
        route_weight=routing.route_weight if routing else 0.0,
        agency_weight=routing.weight if routing else 1.0,
        agency_sure=routing.sure if routing else config.sure_precision,
        facts=facts
        | ({"incidents": asdict(incidents.metrics)} if incidents else {})
        | ({"routing": asdict(routing)} if routing else {}),
    )
    if config.holdout:
        progress(f"measuring on {len(cut.test):,} held-out reports")
        held = _measured(bundle, everything.take(cut.test), cut, config.holdout)
        bundle = replace(bundle, facts=bundle.facts | {"holdout": held})
    return write_card(bundle)


def _fit(
    target: Target,
    matrix: csr_matrix,
    data: Prepared,
    config: TrainConfig,
    stages: Stages | None,
) -> FittedHead:
    index, name = target.index, f"head-{target.name}"
    return fit_head(
        matrix[index],
        target.labels,
        data.groups[index],
        settings_of(config),
        worth=target.weights,
        represents=data.represents[index],
        stages=stages,
        name=name,
    )


def _spoken(topic: HeldOut | None, rows: int) -> list[str | None]:
    """The topic that the head says of each row, fitted without it; None for other rows."""
    spoken: list[str | None] = [None] * rows
    if topic is not None:
        best = topic.fitted.held_out.argmax(axis=1)
        for i, label in zip(topic.index, best, strict=True):
            spoken[i] = topic.fitted.head.labels[label]
    return spoken


def _measured(bundle: Bundle, data: Prepared, cut: Split, rule: str) -> dict[str, Any]:
    """Figures of the finished bundle on the rows that nothing before has seen."""
    found = evaluate(Triager.from_bundle(bundle, service_version="training"), data.rows)
    targets = {
        name: asdict(result.scores) | {"unknown": sum(result.unknown.values())}
        for name, result in found.targets.items()
    }
    return {
        "rule": rule,
        "rows": len(cut.test),
        "dropped": len(cut.dropped),
        "targets": targets,
        "agency": {k: getattr(found.agency, k) for k in AGENCY_FIGURES} if found.agency else None,
    }


def _facts(
    config: TrainConfig,
    data: Prepared,
    targets: list[Target],
    fitted: dict[str, FittedHead],
) -> dict[str, Any]:
    return {
        "config": config.facts(),
        "rows": len(data.rows),
        "bad_rows": data.bad,
        "check": data.findings,
        "unknown_regions": sum("region" in r.extra for r in data.rows),
        "data_fingerprint": data.fingerprint,
        "environment": {
            "python": platform.python_version(),
            **{p: version(p) for p in ("numpy", "scipy", "scikit-learn", "PySastrawi")},
        },
        "calibration": {n: f.calibration for n, f in fitted.items()},
        "cross_validated": {n: asdict(f.scores) for n, f in fitted.items()},
        "not_learned": {t.name: t.rare for t in targets},
    }
