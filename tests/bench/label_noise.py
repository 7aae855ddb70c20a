"""How many planted label errors ``pilah data suspects`` finds, and how much of its list is right.

The training split of the written corpus, which is in the project. A seeded share of the labels is
replaced: ``any`` by a label drawn as often as it occurs, ``near`` by the label that a model, which
did not see the row, takes for the likeliest wrong one. Errors that the corpus has of itself count
as false alarms; ``none`` says how many rows are listed with nothing planted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from common import ROOT, finish, parser, share, table
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pilah.models.features import NgramFeatures
from pilah.models.linear import FloatArray
from pilah.training.config import TrainConfig, load_config
from pilah.training.data import prepare
from pilah.training.heads import FittedHead, fit_head, settings_of
from pilah.training.suspects import suspicious
from pilah.training.targets import Target, find_targets

TARGETS = ("topic_main", "outcome")
RATES = (0.05, 0.1)
SEED = 20_260_501


def planted(
    truth: NDArray[np.int64], rate: float, held_out: FloatArray | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Labels with errors, and where they are, shapes (n,)."""
    draw = np.random.default_rng(SEED)
    wrong = np.zeros(len(truth), dtype=bool)
    wrong[draw.choice(len(truth), round(rate * len(truth)), replace=False)] = True
    noisy = truth.copy()
    for i in np.flatnonzero(wrong):
        others = np.bincount(truth).astype(float) if held_out is None else held_out[i].astype(float)
        others[truth[i]] = 0.0
        likeliest = int(others.argmax())
        noisy[i] = likeliest if held_out is not None else draw.choice(
            len(others), p=others / others.sum()
        )  # fmt: skip
    return noisy, wrong


class Ground:
    """One target of the corpus, its features, and its labels as column numbers."""

    def __init__(
        self, target: Target, matrix: csr_matrix, groups: NDArray[np.int64], config: TrainConfig
    ) -> None:
        self.names = tuple(sorted(set(target.labels)))
        number = {name: i for i, name in enumerate(self.names)}
        self.truth = np.array([number[label] for label in target.labels], dtype=np.int64)
        self._matrix, self._groups = matrix[target.index], groups[target.index]
        self._settings = settings_of(config)

    def fit(self, labels: NDArray[np.int64]) -> FittedHead:
        """A head on these labels; the columns are those of :attr:`names`."""
        names = [self.names[i] for i in labels]
        return fit_head(self._matrix, names, self._groups, self._settings)

    def measure(self, noisy: NDArray[np.int64], wrong: NDArray[np.bool_]) -> dict[str, Any]:
        """What the list is worth when these labels are wrong."""
        listed = suspicious(noisy, self.fit(noisy).held_out)
        first = listed[: int(wrong.sum())]
        return {
            "planted": int(wrong.sum()),
            "listed": len(listed),
            "found": int(wrong[listed].sum()),
            "precision": share(int(wrong[listed].sum()), len(listed)),
            "recall": share(int(wrong[listed].sum()), int(wrong.sum())),
            "precision_of_first": share(int(wrong[first].sum()), len(first)),
        }


def measure(ground: Ground) -> dict[str, Any]:
    """All kinds and shares of noise on one target."""
    nothing = np.zeros(len(ground.truth), dtype=bool)
    plain = ground.fit(ground.truth)
    result: dict[str, Any] = {
        "rows": len(ground.truth),
        "labels": len(ground.names),
        "accuracy": plain.scores.accuracy,
        "none": ground.measure(ground.truth, nothing),
    }
    for rate in RATES:
        for kind, held_out in (("any", None), ("near", plain.held_out)):
            result[f"{kind} {rate:.0%}"] = ground.measure(*planted(ground.truth, rate, held_out))
    return result


def main() -> None:
    """Run it."""
    args = parser(__doc__ or "").parse_args()
    config = load_config(ROOT / "training" / "experiments" / "default.toml")
    config = replace(config, target=("topic", "outcome"))
    data = prepare(config)
    _, targets = find_targets(data.rows, config)
    features = NgramFeatures(config.views, config.min_df, config.max_features or None)
    matrix = features.fit([c.normal for c in data.cleans])
    result = {
        t.name: measure(Ground(t, matrix, data.groups, config))
        for t in targets
        if t.name in TARGETS
    }
    for name, found in result.items():
        title = (
            f"{name}: {found['rows']:,} rows, {found['labels']} labels, held-out accuracy "
            f"{found['accuracy']:.3f}"
        )
        head = ("planted", "listed", "found", "precision", "recall", "precision_of_first")
        rows = [
            (kind, *(figures[h] for h in head))
            for kind, figures in found.items()
            if isinstance(figures, dict)
        ]
        table(title, ("noise", *head), rows)
    finish("label_noise", result, args.output)


if __name__ == "__main__":
    main()
