"""What each part of the text models earns: the same head without it, and with something else.

Two grounds. A city's own history: fitted on January to September 2022, measured on October to
December 2022; the reports of 2023 stay an untouched test. The written corpus: fitted on its
training split, measured on its dev split. Every line of the tables is one entry of ``VARIANTS``, or
of ``FORMS`` in ``calibrations.py``; an encoder is measured by adding a line.

    .venv/bin/python tests/bench/ablation.py -o var/bench/ablation.json --docs    # everything
    .venv/bin/python tests/bench/ablation.py --ground city --variant LSA          # some lines
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from unittest.mock import patch

import calibrations
import numpy as np
from ablation_parts import places, time_folds
from ablation_tables import show, write_docs
from common import ROOT, TRAIN, console, data_file, finish, labelled, parser, share
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.decomposition import TruncatedSVD

from pilah.datasets.near import groups
from pilah.datasets.records import LabelledReport
from pilah.evaluation.asking import Said, given_label
from pilah.evaluation.compare import Gap, difference, macro_f1_gap
from pilah.evaluation.metrics import score
from pilah.evaluation.thresholds import threshold
from pilah.models import text as texts
from pilah.models.encoder import Encoder, LsaEncoder
from pilah.models.encoder_folder import BUNDLED
from pilah.models.encoders import load_encoder
from pilah.models.features import VIEWS, NgramFeatures
from pilah.models.text import read_text
from pilah.training import heads
from pilah.training.config import load_config
from pilah.training.heads import FittedHead, HeadSettings, fit_head

LATER = datetime(2022, 10, 1, tzinfo=UTC)
CONFIG = load_config(ROOT / "training" / "experiments" / "default.toml")
MIN_COUNT = 20
"""Rows that a label of the city needs, as in ``surabaya_retrain.py``."""
TARGET = 0.95
"""Precision target of the threshold that is chosen on held-out answers of the fitting part."""

Builder = Callable[[NgramFeatures, csr_matrix], Encoder]
"""Makes an encoder from fitted n-grams and their features; one that is ready ignores both."""


def lsa(features: NgramFeatures, matrix: csr_matrix) -> Encoder:
    """The embedding that bundles carry for duplicates: LSA over the n-grams."""
    svd = TruncatedSVD(CONFIG.dim, random_state=CONFIG.seed).fit(matrix)
    return LsaEncoder(features, np.ascontiguousarray(svd.components_.T, dtype=np.float32))


def mini(features: NgramFeatures, matrix: csr_matrix) -> Encoder:  # noqa: ARG001
    """The encoder that ships."""
    return load_encoder(BUNDLED)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to read a text.

    Attributes:
        name: line of the table.
        views: n-gram views.
        form: key of :data:`FORMS`.
        encoder: makes an encoder whose vectors the head reads too.
        weight: factor on those vectors; 1 lets them speak as loudly as one view of n-grams.
        ngrams: whether the head reads the n-grams, or the vectors alone.
        place: factor on the kecamatan and the kelurahan that the city gave (one column each).
        by_time: held-out answers come from folds that are spans of time, not drawn.
    """

    name: str
    views: tuple[str, ...] = VIEWS
    form: str = "normal"
    encoder: Builder | None = None
    weight: float = 1.0
    ngrams: bool = True
    place: float = 0.0
    by_time: bool = False


VARIANTS = (
    Variant("as shipped: word, stem, char"),
    Variant("without stems (Sastrawi)", views=("word", "char")),
    Variant("without characters", views=("word", "stem")),
    Variant("without words", views=("stem", "char")),
    Variant("words alone", views=("word",)),
    Variant("characters alone", views=("char",)),
    Variant("without the slang table", form="no slang"),
    Variant("without normalisation", form="lower case"),
    Variant("words alone, without normalisation", views=("word",), form="lower case"),
    Variant("with the LSA embedding beside", encoder=lsa),
    Variant("the LSA embedding alone", encoder=lsa, ngrams=False),
    Variant("with pilah-mini beside", encoder=mini),
    Variant("with pilah-mini beside at half weight", encoder=mini, weight=0.5),
    Variant("pilah-mini alone", encoder=mini, ngrams=False),
    Variant("with kecamatan and kelurahan at half weight", place=0.5),
    Variant("calibrated on folds of time", by_time=True),
)
"""The first one is what the others are compared with."""


def normal(raw: str) -> str:
    """What the models read."""
    return read_text(raw).normal


def lower(raw: str) -> str:
    """Words and numbers in lower case: nothing repaired, masked, expanded or cut."""
    return " ".join(re.findall(r"\w+", raw.lower()))


def no_slang() -> AbstractContextManager[object]:
    """Normalisation with an empty slang table."""
    return patch.object(texts, "slang", dict)


FORMS: dict[str, tuple[Callable[[str], str], Callable[[], AbstractContextManager[object]]]] = {
    "normal": (normal, nullcontext),
    "no slang": (normal, no_slang),
    "lower case": (lower, nullcontext),
}
"""Form of the text -> the function that makes it, and what holds meanwhile."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Rows to fit on and rows to measure on.

    Attributes:
        name: title of the table.
        fit: rows of the fitting part.
        ask: rows that are measured.
        targets: name in the table -> label of a row.
        min_count: rows a label needs.
        max_features: n-grams a view keeps; None keeps all.
    """

    name: str
    fit: list[LabelledReport]
    ask: list[LabelledReport]
    targets: dict[str, Callable[[LabelledReport], str | None]]
    min_count: int
    max_features: int | None


def own(field: str, row: LabelledReport) -> str | None:
    """A city's own label."""
    return row.extra.get(field)


def written(name: str, row: LabelledReport) -> str | None:
    """A label of the written corpus, as the bundle names it."""
    return given_label(row, name, own=False)


def city(rows: Sequence[LabelledReport]) -> Ground:
    """Surabaya inside 2022."""
    late = [r.report.reported_at is not None and r.report.reported_at >= LATER for r in rows]
    parts = [[r for r, x in zip(rows, late, strict=True) if x is side] for side in (False, True)]
    targets = {name: partial(own, name) for name in ("agency_group", "topic")}
    return Ground(
        "Surabaya, January to September 2022 to October to December",
        parts[0],
        parts[1],
        targets,
        20,
        None,
    )


def corpus() -> Ground:
    """The written corpus, train to dev."""
    folder = ROOT / "datasets" / "data" / "corpus"
    parts = [labelled(folder / f"{name}.jsonl") for name in ("train", "dev")]
    targets = {name: partial(written, name) for name in ("route", "topic_main")}
    limit = CONFIG.max_features or None
    return Ground(
        "Written corpus, train to dev", parts[0], parts[1], targets, CONFIG.min_count, limit
    )


@dataclass(frozen=True, slots=True)
class Task:
    """One target of a ground: row numbers and labels of both parts (learned labels only)."""

    fit: NDArray[np.int64]
    labels: list[str]
    ask: NDArray[np.int64]
    truth: list[str]


def task(ground: Ground, label: Callable[[LabelledReport], str | None]) -> Task:
    """The rows of a target whose label has enough rows in the fitting part."""
    given, later = ([label(r) for r in part] for part in (ground.fit, ground.ask))
    count = Counter(x for x in given if x is not None)
    learned = {x for x, n in count.items() if n >= ground.min_count}
    fit, ask = ([i for i, x in enumerate(part) if x in learned] for part in (given, later))
    return Task(
        np.array(fit), [str(given[i]) for i in fit], np.array(ask), [str(later[i]) for i in ask]
    )


@dataclass(frozen=True, slots=True)
class Read:
    """Both parts as features, and the groups that no fold may cut."""

    fit: csr_matrix
    ask: csr_matrix
    groups: NDArray[np.int64]


def read(ground: Ground, variant: Variant) -> Read:
    """Texts of both parts in the variant's form, as the variant's features."""
    make, meanwhile = FORMS[variant.form]
    texts._word.cache_clear()
    with meanwhile():
        fit, ask = ([make(r.report.full_text) for r in part] for part in (ground.fit, ground.ask))
    texts._word.cache_clear()
    ngrams = NgramFeatures(variant.views, CONFIG.min_df, ground.max_features)
    fitted = ngrams.fit(fit)
    parts = [[fitted, ngrams.transform(ask)]] if variant.ngrams else []
    if variant.encoder is not None:
        encoder = variant.encoder(ngrams, fitted)
        vectors = (encoder.encode(side) * np.float32(variant.weight) for side in (fit, ask))
        parts.append([csr_matrix(side) for side in vectors])
    if variant.place:
        parts.append(places(ground.fit, ground.ask, variant.place))
    sides = [hstack(side, format="csr", dtype=np.float32) for side in zip(*parts, strict=True)]
    incidents = [r.labels.incident or r.extra.get("hard_negative_of") for r in ground.fit]
    return Read(sides[0], sides[1], groups([x or "-" for x in fit], (incidents,)))


@dataclass(frozen=True, slots=True)
class Trial:
    """A fitted head, and the raw scores it was calibrated on.

    Attributes:
        fitted: head and its held-out probabilities.
        raw: raw scores of the measured rows, shape (n, labels).
        calibrated_on: arguments of ``fit_calibration``: raw held-out scores, truth, groups, seed.
    """

    fitted: FittedHead
    raw: NDArray[np.float32]
    calibrated_on: tuple[Any, ...]


def attempt(
    seen: Read, wanted: Task, meanwhile: AbstractContextManager[object] | None = None
) -> Trial:
    """Fit the head that a bundle would get from these features."""
    settings = HeadSettings(**{f.name: getattr(CONFIG, f.name) for f in fields(HeadSettings)})
    spying = patch.object(heads, "fit_calibration", wraps=heads.fit_calibration)
    with spying as spied, meanwhile or nullcontext():
        fitted = fit_head(seen.fit[wanted.fit], wanted.labels, seen.groups[wanted.fit], settings)
    return Trial(fitted, fitted.head.scores(seen.ask[wanted.ask]), spied.call_args.args)


def figures(
    labels: tuple[str, ...], wanted: Task, inside: NDArray[np.float32], spoken: NDArray[np.float32]
) -> tuple[dict[str, Any], Said]:
    """All figures of one line, and what was said row by row.

    Args:
        labels: in column order.
        wanted: the target.
        inside: held-out probabilities of the fitting part, for the threshold, shape (n, labels).
        spoken: probabilities of the measured rows, shape (m, labels).
    """
    truth, fitted_truth = _columns(labels, wanted.truth), _columns(labels, wanted.labels)
    found = score(spoken, truth, labels)
    limit = threshold(inside.max(axis=1), inside.argmax(axis=1) == fitted_truth, TARGET)
    answer, confidence = spoken.argmax(axis=1), spoken.max(axis=1)
    right, alone = answer == truth, confidence >= limit
    named = np.array(labels, dtype=object)
    known = np.ones(len(truth), dtype=bool)
    said = Said(wanted.ask, named[truth], named[answer], right, confidence, alone, known)
    return {
        "accuracy": found.accuracy,
        "macro_f1": found.macro_f1,
        "ece": found.ece,
        "log_loss": found.log_loss,
        "coverage_at_95": found.coverage_at_95,
        "alone": share(int(alone.sum()), len(alone)),
        "right_alone": share(int((alone & right).sum()), int(alone.sum())),
    }, said


def ablate(ground: Ground, variants: Sequence[Variant]) -> dict[str, Any]:
    """The variants, and all calibrations of the first one, for every target of a ground."""
    tasks = {name: task(ground, label) for name, label in ground.targets.items()}
    found: dict[str, Any] = {
        name: {"rows": len(t.ask), "classes": len(set(t.labels)), "fitted_on": len(t.fit)}
        for name, t in tasks.items()
    }
    base: dict[str, Said] = {}
    for variant in variants:
        seen = read(ground, variant)
        for name, wanted in tasks.items():
            trial = attempt(seen, wanted, _folded(ground, variant, wanted))
            head = trial.fitted.head
            spoken = head.probabilities(seen.ask[wanted.ask])
            line, said = figures(head.labels, wanted, trial.fitted.held_out, spoken)
            if variant is variants[0]:
                base[name] = said
                found[name]["calibration"] = trial.fitted.calibration
                found[name]["calibrations"] = calibrated(trial, wanted, said)
            told = f"accuracy {line['accuracy']:.3f}, macro-F1 {line['macro_f1']:.3f}"
            console.print(f"{ground.name}, {name}: {variant.name}: {told}")
            line = {"variant": variant.name, **line, **_gaps(base[name], said)}
            found[name].setdefault("variants", []).append(line)
    return found


def calibrated(trial: Trial, wanted: Task, base: Said) -> list[dict[str, Any]]:
    """The same scores under every calibration, each fitted on the held-out answers."""
    found = []
    for name in calibrations.FORMS:
        calibrate, inside = calibrations.cross_fitted(name, *trial.calibrated_on)
        line, said = figures(trial.fitted.head.labels, wanted, inside, calibrate(trial.raw))
        found.append({"calibration": f"{name} alone", **line, **_gaps(base, said)})
    return found


def _folded(
    ground: Ground, variant: Variant, wanted: Task
) -> AbstractContextManager[object] | None:
    moments = [ground.fit[i].report.reported_at for i in wanted.fit]
    if not variant.by_time or not all(moments):
        return None
    stamps = np.array([m.timestamp() for m in moments if m is not None])
    return patch.object(heads, "_folds", time_folds(stamps, CONFIG.folds))


def _columns(labels: tuple[str, ...], names: Sequence[str]) -> NDArray[np.int64]:
    number = {label: i for i, label in enumerate(labels)}
    return np.array([number[name] for name in names], dtype=np.int64)


def _gaps(first: Said, said: Said) -> dict[str, Any]:
    rows = np.arange(int(first.rows.max()) + 1)
    gaps: dict[str, Gap] = {
        "accuracy_gap": difference(first, said, rows).accuracy,
        "macro_f1_gap": macro_f1_gap(first, said, rows),
    }
    return {name: asdict(gap) for name, gap in gaps.items()}


def main() -> None:
    """Run it."""
    arguments = parser(__doc__ or "")
    arguments.formatter_class = argparse.RawDescriptionHelpFormatter
    arguments.add_argument("--ground", choices=("city", "corpus"), help="default: both")
    arguments.add_argument(
        "--variant", action="append", help="only the first line and those whose name holds this"
    )
    arguments.add_argument("--target", help="only this target, e.g. topic")
    arguments.add_argument("--docs", action="store_true", help="write docs/benchmarks.md anew")
    args = arguments.parse_args()
    parts = args.variant or [""]
    chosen = [v for v in VARIANTS[1:] if any(part in v.name for part in parts)]
    grounds = []
    if args.ground != "corpus":
        grounds.append(city(labelled(data_file(args.data, TRAIN), {"reported_at": "date"})))
    if args.ground != "city":
        grounds.append(corpus())
    result = {}
    for ground in grounds:
        if args.target:
            kept = {n: label for n, label in ground.targets.items() if n == args.target}
            ground = replace(ground, targets=kept)
        result[ground.name] = ablate(ground, [VARIANTS[0], *chosen])
        show(ground.name, result[ground.name])
    finish("ablation", result, args.output)
    if args.docs:
        write_docs(result)


if __name__ == "__main__":
    main()
