"""From labelled reports to a bundle: one plain function behind ``pilah train``."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from pilah.datasets.errors import InputError
from pilah.evaluation.evaluate import evaluate
from pilah.models.bundle import Bundle
from pilah.models.features import NgramFeatures, beside
from pilah.models.scoring import DuplicateThresholds
from pilah.models.topics import MAX_KEPT
from pilah.models.triage import Triager
from pilah.training.card import write_card
from pilah.training.data import Prepared, hold_out, prepare
from pilah.training.embedding import embed, make_encoder
from pilah.training.finetune import finetuned
from pilah.training.heads import FittedHead, fit_head, settings_of
from pilah.training.incidents import fit_incidents, inherited
from pilah.training.routing import HeldOut, fit_routing
from pilah.training.stages import Stages
from pilah.training.targets import Target, find_targets, label_set

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from pilah.datasets.splits import Split
    from pilah.models.encoder import LsaEncoder
    from pilah.models.encoders import FolderEncoder
    from pilah.models.pairs import PairScorer
    from pilah.models.reading import Spoken
    from pilah.training.config import TrainConfig
    from pilah.training.pairs import PairFit

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
    run = Run(config, progress, stages or Stages())
    data, seen = run.read(data, targets)
    fitted = {target.name: run.fit(target, seen.matrix, data) for target in targets}
    bundle = run.bundle(data, targets, fitted, seen, own=own)
    if config.holdout:
        progress(f"measuring on {len(cut.test):,} held-out reports")
        held = _measured(bundle, everything.take(cut.test), cut, config.holdout)
        bundle = replace(bundle, facts=bundle.facts | {"holdout": held})
    return write_card(bundle)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the heads read of the rows, shape (n, columns), and what reads it."""

    features: NgramFeatures
    encoder: LsaEncoder | FolderEncoder
    matrix: csr_matrix


@dataclass(frozen=True, slots=True)
class Run:
    """One training: its experiment, who is told of the steps, and where slow ones are kept."""

    config: TrainConfig
    progress: Progress
    stages: Stages

    def read(self, data: Prepared, targets: list[Target]) -> tuple[Prepared, Seen]:
        """The rows, of which those may judge a head that no encoder learned; and their features."""
        config, normals = self.config, [c.normal for c in data.cleans]
        self.progress(f"n-grams of {len(normals):,} reports")
        features = NgramFeatures(config.views, config.min_df, config.max_features or None)
        try:
            matrix = features.fit(normals)
        except ValueError:
            raise InputError("no n-gram stands in enough texts; add rows or lower min_df") from None
        self.progress("embedding")
        encoder: LsaEncoder | FolderEncoder
        if config.finetune:
            encoder, unseen = finetuned(config, data, targets, self.stages, self.progress)
            data = data.judged_by(unseen)
        else:
            encoder = make_encoder(features, matrix, config)
        if config.embedding_weight:
            matrix = beside(matrix, embed(encoder, normals, matrix), config.embedding_weight)
        return data, Seen(features, encoder, matrix)

    def fit(self, target: Target, matrix: csr_matrix, data: Prepared) -> FittedHead:
        """The head of a target."""
        self.progress(f"head {target.name}: {len(set(target.labels))} labels")
        index = target.index
        return fit_head(
            matrix[index],
            target.labels,
            data.groups[index],
            settings_of(self.config),
            worth=target.weights,
            represents=data.represents[index],
            stages=self.stages,
            name=f"head-{target.name}",
        )

    def bundle(
        self,
        data: Prepared,
        targets: list[Target],
        fitted: dict[str, FittedHead],
        seen: Seen,
        *,
        own: bool,
    ) -> Bundle:
        """The heads, and what is fitted on their held-out answers: routing and incidents."""
        config = self.config
        self.progress("routing")
        held_out = {t.name: HeldOut(fitted[t.name], t.index) for t in targets}
        routing = None if own else fit_routing(data, held_out, config.sure_precision)
        self.progress("incidents")
        topics = _spoken(held_out.get("topic_main"), len(data.rows))
        incidents = fit_incidents(data.rows, data.cleans, seen.encoder, topics)
        shipped = None if incidents else inherited(seen.encoder)
        pairs, duplicates = _same_incident(incidents, shipped)
        return Bundle(
            name=config.name,
            features=seen.features,
            encoder=seen.encoder,
            embedding_weight=config.embedding_weight,
            heads={name: f.head for name, f in fitted.items()},
            label_set=label_set({n: f.head.labels for n, f in fitted.items()}, own=own),
            pairs=pairs,
            duplicates=duplicates,
            route_weight=routing.route_weight if routing else 0.0,
            agency_weight=routing.weight if routing else 1.0,
            agency_sure=routing.sure if routing else config.sure_precision,
            facts=_facts(config, data, targets, fitted)
            | ({"incidents": asdict(incidents.metrics)} if incidents else {})
            | ({"incidents_from": shipped.version} if shipped else {})
            | ({"routing": asdict(routing)} if routing else {}),
        )


def _same_incident(
    incidents: PairFit | None, shipped: Bundle | None
) -> tuple[PairScorer | None, DuplicateThresholds]:
    if incidents is not None:
        return incidents.scorer, incidents.thresholds
    if shipped is not None:
        return shipped.pairs, shipped.duplicates
    return None, DuplicateThresholds()


def _spoken(topic: HeldOut | None, rows: int) -> list[Spoken]:
    """The likeliest topics that the head says of each row, fitted without it; else nothing."""
    spoken: list[Spoken] = [()] * rows
    if topic is not None:
        labels = topic.fitted.head.labels
        for i, said in zip(topic.index, topic.fitted.held_out, strict=True):
            best = np.argsort(-said)[:MAX_KEPT]
            spoken[i] = tuple((labels[k], round(float(said[k]), 3)) for k in best)
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
