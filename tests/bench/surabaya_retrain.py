"""The retraining path: a city's own history of 2022 makes a bundle, the next half-year measures it.

The functions behind ``pilah train`` and ``pilah evaluate`` do the work; nothing is tuned on 2023.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from common import TEST, TRAIN, data_file, engine, finish, labelled, parser, share, table
from sklearn.svm import LinearSVC

from pilah.datasets.records import LabelledReport
from pilah.evaluation.evaluate import AgencyResult, evaluate
from pilah.models.bundle import Bundle
from pilah.models.text import read_text
from pilah.training.config import TrainConfig
from pilah.training.train import train

MIN_COUNT = 20
PRECISION = 0.95
"""What answers that no person looks at must prove on held-out reports of 2022."""
RUNS = {
    "agency": ("agency", {"agency": "agency_group"}),
    "topic": ("topic_main", {"topic_main": "topic"}),
}
"""``--target`` -> the head it makes, and ``--map``."""
BASELINES = {
    "agency": {"accuracy": 0.789, "macro_f1": 0.564, "ece": 0.089, "coverage_at_95": 0.545},
    "topic": {"accuracy": 0.708, "macro_f1": 0.546, "ece": 0.126, "coverage_at_95": 0.386},
}
"""TF-IDF word 1-2 and char_wb 2-5, LinearSVC C=0.5, sigmoid calibration (3-fold); the same rows."""
FIGURES = ("accuracy", "macro_f1", "top3", "ece", "log_loss", "coverage_at_95")


def retrain(target: str, data: Path, test: Path) -> dict[str, Any]:
    """Train on one file, save, load and measure on the other."""
    head, mapping = RUNS[target]
    config = TrainConfig(
        data=(data,), name=f"surabaya-{target}", target=(target,), map=mapping,
        min_count=MIN_COUNT, sure_precision=PRECISION,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / target
        start = time.perf_counter()
        version = train(config).save(folder)
        seconds = time.perf_counter() - start
        size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        bundle = Bundle.load(folder)
        measured = evaluate(engine(bundle), labelled(test, mapping))
        one_fit = fit_seconds(bundle, head, labelled(data, mapping))
    result, alone = measured.targets[head], measured.summaries[head].alone
    scores = asdict(result.scores)
    return {
        "bundle": version,
        "rows": scores["rows"],
        "classes": scores["classes"],
        **{figure: scores[figure] for figure in FIGURES},
        "rows_of_unlearned_labels": sum(result.unknown.values()),
        "alone_at_95": {
            "coverage": alone.coverage.value,
            "precision": alone.precision.value if alone.precision else None,
        },
        "without_person": without_person(measured.agency) if target == "agency" else None,
        "levels": scores["table"],
        "seconds": seconds,
        "seconds_in_fits_of_linear_svc": seconds / one_fit,
        "megabytes": size / 1e6,
        "baseline": BASELINES[target],
    }


def fit_seconds(bundle: Bundle, head: str, rows: list[LabelledReport]) -> float:
    """Time of one fit of scikit-learn's LinearSVC on the features of the bundle, one process."""
    learned = set(bundle.heads[head].labels)
    kept = [r for r in rows if getattr(r.labels, head) in learned]
    features, _ = bundle.read([read_text(r.report.full_text).normal for r in kept])
    start = time.perf_counter()
    LinearSVC(C=0.5).fit(features, [getattr(r.labels, head) for r in kept])
    return time.perf_counter() - start


def without_person(agency: AgencyResult | None) -> dict[str, float] | None:
    """Share of all rows, unlearned labels too, whose agency is sure; and how many of them right."""
    if agency is None:
        return None
    alone = agency.without_person
    precision = share(agency.without_person_right, alone)
    return {"coverage": share(alone, agency.rows), "precision": precision}


def main() -> None:
    """Run it."""
    args = parser(__doc__ or "").parse_args()
    data, test = (data_file(args.data, name) for name in (TRAIN, TEST))
    result = {target: retrain(target, data, test) for target in RUNS}
    show(result)
    finish("surabaya_retrain", result, args.output)


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    for target, found in result.items():
        title = (
            f"{target}: {found['classes']} classes, {found['rows']:,} rows, "
            f"{found['seconds']:.0f} s, {found['megabytes']:.1f} MB"
        )
        rows = [(f, found[f], found["baseline"].get(f, "-")) for f in FIGURES]
        alone = found["without_person"] or {}
        rows += [(f"without a person: {k}", v, "-") for k, v in alone.items()]
        sure = found["alone_at_95"]
        rows += [(f"threshold for 0.95 of 2022: {k}", v or 0.0, "-") for k, v in sure.items()]
        rows += [("time in fits of LinearSVC", found["seconds_in_fits_of_linear_svc"], "-")]
        table(title, ("figure", "Pilah", "TF-IDF + SVC, calibrated"), rows)


if __name__ == "__main__":
    main()
