"""From labelled reports to a bundle: one plain function behind ``pilah train``."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD

from pilah.datasets.errors import InputError, UnknownRegionError
from pilah.datasets.near import groups
from pilah.datasets.readers import BadRow, read_rows, with_defaults
from pilah.datasets.regions import load_regions
from pilah.datasets.taxonomy import load_taxonomy
from pilah.models.bundle import Bundle
from pilah.models.encoder import LsaEncoder
from pilah.models.features import NgramFeatures
from pilah.models.incidents import DuplicateThresholds
from pilah.models.text import read_text
from pilah.training.card import write_card
from pilah.training.heads import FittedHead, HeadSettings, fit_head
from pilah.training.incidents import fit_incidents
from pilah.training.routing import HeldOut, fit_routing

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from pilah.datasets.records import LabelledReport
    from pilah.models.reading import CleanText
    from pilah.training.config import TrainConfig

Progress = Callable[[str], object]
"""Called with the name of each step as it starts."""
FIELDS = {
    "topic": ("topic_main", "topic_sub"),
    "route": ("route",),
    "agency": ("agency",),
    "outcome": ("outcome",),
    "klasifikasi": ("klasifikasi",),
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """Labelled reports, read.

    Attributes:
        rows: the good rows.
        cleans: their text forms.
        groups: rows with one number never lie on both sides of a split, shape (n,).
        bad: rows that could not be read.
    """

    rows: list[LabelledReport]
    cleans: list[CleanText]
    groups: NDArray[np.int64]
    bad: list[BadRow]


@dataclass(frozen=True, slots=True)
class Target:
    """One head to fit: which rows, their labels, and labels too rare to learn."""

    name: str
    index: NDArray[np.int64]
    labels: list[str]
    rare: dict[str, int] = field(default_factory=dict)


def train(config: TrainConfig, progress: Progress = lambda _: None) -> Bundle:
    """Fit a bundle as the experiment says.

    Same data, settings and library versions give the same bundle version on one machine.

    Args:
        config: the experiment; ``config.data`` names at least one file.
        progress: told the name of each step.

    Raises:
        InputError: no usable rows, or no target has two labels.
    """
    progress("membaca data / reading data")
    data = prepare(config)
    own, targets = _targets(data.rows, config)
    progress(f"n-grams of {len(data.rows):,} reports")
    features = NgramFeatures(config.views, config.min_df, config.max_features or None)
    try:
        matrix = features.fit([c.normal for c in data.cleans])
    except ValueError:
        raise InputError("no n-gram stands in enough texts; add rows or lower min_df") from None
    progress("embedding")
    encoder = _encoder(features, matrix, config)
    fitted: dict[str, FittedHead] = {}
    for target in targets:
        progress(f"head {target.name}: {len(set(target.labels))} labels")
        fitted[target.name] = _fit(target, matrix, data.groups, config)
    progress("routing")
    held_out = {t.name: HeldOut(fitted[t.name], t.index) for t in targets}
    routing = None if own else fit_routing(data.rows, data.cleans, held_out, config.sure_precision)
    progress("incidents")
    incidents = fit_incidents(data.rows, data.cleans, encoder.project(matrix))
    facts = _facts(config, data, targets, fitted)
    bundle = Bundle(
        name=config.name,
        features=features,
        encoder=encoder,
        heads={name: f.head for name, f in fitted.items()},
        label_set=_label_set(fitted, own=own),
        pairs=incidents.scorer if incidents else None,
        duplicates=incidents.thresholds if incidents else DuplicateThresholds(),
        route_weight=routing.route_weight if routing else 0.0,
        agency_weight=routing.weight if routing else 1.0,
        agency_sure=routing.sure if routing else _agency_sure(fitted, config),
        facts=facts
        | ({"incidents": asdict(incidents.metrics)} if incidents else {})
        | ({"routing": asdict(routing)} if routing else {}),
    )
    return write_card(bundle)


def prepare(config: TrainConfig) -> Prepared:
    """Read and normalise the data, and find what must stay on one side of a split.

    Raises:
        InputError: there is no good row.
    """
    good, bad = [], []
    for path in config.data:
        for row in read_rows(path, config.map):
            if isinstance(row.content, BadRow):
                bad.append(row.content)
            else:
                good.append(_placed(with_defaults(row.content, region=config.region or None)))
    if not good:
        raise InputError(f"no usable row in {len(config.data)} file(s), {len(bad)} bad rows")
    cleans = [read_text(r.report.full_text) for r in good]
    incidents = [r.labels.incident or r.extra.get("hard_negative_of") for r in good]
    group = groups([c.normal or "-" for c in cleans], (incidents,))
    return Prepared(good, cleans, group, bad)


def _placed(row: LabelledReport) -> LabelledReport:
    """The row without a region that is in no table: its text and labels are worth learning."""
    try:
        load_regions().resolve(row.report.region)
    except UnknownRegionError:
        extra = {**row.extra, "region": str(row.report.region)}
        return replace(row, report=replace(row.report, region=None), extra=extra)
    return row


def _encoder(features: NgramFeatures, matrix: csr_matrix, config: TrainConfig) -> LsaEncoder:
    dim = min(config.dim, min(matrix.shape) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # texts that are all the same
        svd = TruncatedSVD(dim, random_state=config.seed).fit(matrix)
    return LsaEncoder(features, np.ascontiguousarray(svd.components_.T, dtype=np.float32))


def _targets(rows: Sequence[LabelledReport], config: TrainConfig) -> tuple[bool, list[Target]]:
    """The heads to fit; True when most topics are a city's own, not SP4N's."""
    mains = Counter(r.labels.topic_main for r in rows if r.labels.topic_main)
    strange = {m: n for m, n in sorted(mains.items()) if load_taxonomy().find(m) is None}
    own = bool(strange) and 2 * sum(strange.values()) >= mains.total()
    found = []
    for name in (n for t in config.target for n in FIELDS[t]):
        if name == "topic_sub" and own:
            continue
        labels = [_label(r, name, own=own) for r in rows]
        count = Counter(x for x in labels if x is not None)
        learned = {x for x, n in count.items() if n >= config.min_count}
        if len(learned) < 2:
            continue
        index = np.array([i for i, x in enumerate(labels) if x in learned], dtype=np.int64)
        rare = {x: n for x, n in sorted(count.items()) if x not in learned}
        rare |= strange if name == "topic_main" and not own else {}
        found.append(Target(name, index, [str(labels[i]) for i in index], rare))
    if not found:
        raise InputError(
            f"none of {', '.join(config.target)} has two labels with {config.min_count} rows each; "
            "check --map, or lower min_count"
        )
    return own, found


def _label(row: LabelledReport, name: str, *, own: bool) -> str | None:
    """The label of one row; SP4N topics become ids, only living ones are learned."""
    labels = row.labels
    if name == "route":
        level, unit = row.extra.get("level"), row.extra.get("unit")
        return f"{level}:{unit}" if level and unit else None
    if not name.startswith("topic") or own:
        value: str | None = getattr(labels, name)
        return value
    if labels.topic_main is None or (name == "topic_sub" and labels.topic_sub is None):
        return None
    sub = labels.topic_sub if name == "topic_sub" else None
    topic = load_taxonomy().find(labels.topic_main, sub)
    return topic.id if topic is not None and topic.status == "living" else None


def _fit(
    target: Target, matrix: csr_matrix, group: NDArray[np.int64], config: TrainConfig
) -> FittedHead:
    settings = HeadSettings(
        strength=config.strength,
        balance=config.balance,
        folds=config.folds,
        stated_precision=config.stated_precision,
        sure_precision=config.sure_precision,
        seed=config.seed,
    )
    return fit_head(matrix[target.index], target.labels, group[target.index], settings)


def _agency_sure(fitted: dict[str, FittedHead], config: TrainConfig) -> float:
    """Without rules the head's own held-out answers give the threshold."""
    if "agency" not in fitted:
        return config.sure_precision
    limits = fitted["agency"].head.sure.values()
    return sorted(limits)[len(limits) // 2]


def _label_set(fitted: dict[str, FittedHead], *, own: bool) -> str:
    if not own:
        return load_taxonomy().version
    names = json.dumps({n: f.head.labels for n, f in sorted(fitted.items())}, ensure_ascii=False)
    return "own-" + hashlib.sha256(names.encode()).hexdigest()[:8]


def _facts(
    config: TrainConfig,
    data: Prepared,
    targets: list[Target],
    fitted: dict[str, FittedHead],
) -> dict[str, Any]:
    rows = json.dumps(
        [(c.normal, asdict(r.labels)) for c, r in zip(data.cleans, data.rows, strict=True)]
    )
    rare = {t.name: t.rare for t in targets}
    return {
        "config": config.facts(),
        "rows": len(data.rows),
        "bad_rows": len(data.bad),
        "unknown_regions": sum("region" in r.extra for r in data.rows),
        "data_fingerprint": hashlib.sha256(rows.encode()).hexdigest()[:16],
        "environment": {
            "python": platform.python_version(),
            **{p: version(p) for p in ("numpy", "scipy", "scikit-learn", "PySastrawi")},
        },
        "cross_validated": {n: asdict(f.scores) for n, f in fitted.items()},
        "not_learned": rare,
    }
