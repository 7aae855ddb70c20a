"""Labels that are probably wrong, by confident learning over held-out probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import InputError
from pilah.datasets.taxonomy import load_taxonomy
from pilah.models.features import NgramFeatures
from pilah.training.data import Prepared, prepare
from pilah.training.heads import fit_head, settings_of
from pilah.training.targets import find_targets

if TYPE_CHECKING:
    from pilah.models.linear import FloatArray
    from pilah.training.config import TrainConfig
    from pilah.training.targets import Target

MISSING = 'looking for wrong labels needs cleanlab; run: pip install "cleanlab>=2.7"'


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label that the other rows speak against.

    Attributes:
        target: which of the labels.
        file: name of the file.
        line: of the row, 1-based.
        id: of the report, or None.
        given: the label that the row carries.
        suggested: the likeliest label.
        probability: of the given label, by a model that did not see the row or its near copies.
        suggested_probability: of the suggested one.
    """

    target: str
    file: str
    line: int
    id: str | None
    given: str
    suggested: str
    probability: float
    suggested_probability: float


def find_suspects(
    config: TrainConfig, progress: Callable[[str], object] = lambda _: None
) -> list[Suspect]:
    """Labels of the data that are probably wrong, by target, most suspicious first.

    Heads over n-grams are cross-validated as in training; what they say of rows they did not see is
    compared with the labels by :func:`suspicious`.

    Args:
        config: data, mapping, targets and the settings of the heads.
        progress: told the name of each step.

    Raises:
        InputError: cleanlab is missing, no usable rows, or no target has two labels.
    """
    progress("reading and checking data")
    data = prepare(config)
    _, targets = find_targets(data.rows, config)
    progress(f"n-grams of {len(data.rows):,} reports")
    features = NgramFeatures(config.views, config.min_df, config.max_features or None)
    try:
        matrix = features.fit([c.normal for c in data.cleans])
    except ValueError:
        raise InputError("no n-gram stands in enough texts; add rows or lower min_df") from None
    found = []
    for target in targets:
        progress(f"{target.name}: {len(set(target.labels))} labels")
        index = target.index
        fitted = fit_head(matrix[index], target.labels, data.groups[index], settings_of(config))
        found += _suspects(data, target, fitted.head.labels, fitted.held_out)
    return found


def suspicious(truth: NDArray[np.int64], held_out: FloatArray) -> NDArray[np.int64]:
    """Row numbers of labels that are probably wrong, most suspicious first.

    Confident learning (Northcutt, Jiang & Chuang 2021) as cleanlab has it: a row is off the
    diagonal of the confident joint when its probability of another label is above that label's
    mean; as many are taken as the joint estimates, and ranked by the probability of the given one.

    Args:
        truth: given labels as column numbers, shape (n,).
        held_out: probabilities by models that did not see the row, shape (n, labels).

    Raises:
        InputError: cleanlab is not installed.
    """
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        raise InputError(MISSING) from None
    ranked = find_label_issues(
        truth, held_out.astype(np.float64), return_indices_ranked_by="self_confidence", n_jobs=1
    )
    return np.asarray(ranked, dtype=np.int64)


def _suspects(
    data: Prepared, target: Target, names: Sequence[str], held_out: FloatArray
) -> list[Suspect]:
    number = {name: i for i, name in enumerate(names)}
    truth = np.array([number[label] for label in target.labels], dtype=np.int64)
    found = []
    for i in suspicious(truth, held_out).tolist():
        row, best = int(target.index[i]), int(held_out[i].argmax())
        file, line = data.places[row]
        found.append(
            Suspect(
                target=target.name,
                file=file,
                line=line,
                id=data.rows[row].report.id,
                given=_name(names[truth[i]]),
                suggested=_name(names[best]),
                probability=round(float(held_out[i, truth[i]]), 4),
                suggested_probability=round(float(held_out[i, best]), 4),
            )
        )
    return found


def _name(label: str) -> str:
    topic = load_taxonomy().by_id.get(label)
    return label if topic is None else f"{topic.main} / {topic.sub}" if topic.sub else topic.main
