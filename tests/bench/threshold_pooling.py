"""How much strength a label's threshold should borrow from all labels.

Heads on word n-grams learn the agencies of a city from stretches of its reports of 2022, in order
of their dates, and are asked the 1,500 reports that follow. With nothing borrowed a label with few
answers proves nothing; with everything borrowed a bad label hides behind the good ones. The choice
was made on these figures; 2023 takes no part.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
from common import TRAIN, data_file, finish, labelled, parser, table
from numpy.typing import NDArray

from pilah.datasets.near import groups
from pilah.evaluation import thresholds
from pilah.models.features import NgramFeatures
from pilah.models.text import read_text
from pilah.training.heads import HeadSettings, fit_head
from pilah.training.stages import Stages

TRIED = (1, 50, 100, 200, 400, 1_000_000)
SIZES = (400, 800, 2000, 4000)
STARTS = (0, 800, 1600, 2400)
ASKED = 1500
LEAST = 20
"""An agency with fewer answers that pass alone is not judged by itself."""
SETTINGS = HeadSettings(folds=3)
HEAD = ("rows", "borrowed", "alone", "right of those", "below the promise")


class City:
    """Its reports of a year, read."""

    def __init__(self, file: Path, stages: Stages) -> None:
        """Read them, oldest first; the n-grams know all texts, the heads will not."""
        rows = labelled(file, {"agency": "agency_group", "reported_at": "date"})
        rows.sort(key=lambda r: str(r.report.reported_at))
        texts = [read_text(r.report.full_text).normal for r in rows]
        self.stages = stages
        self.labels = np.array([str(r.labels.agency) for r in rows], dtype=object)
        self.matrix = NgramFeatures(("word",), 2, None).fit(texts)
        self.groups = groups([t or "-" for t in texts])

    def trial(self, start: int, size: int, borrowed: int) -> tuple[float, float, float]:
        """Share that passes alone, its precision, and how far its agencies miss the promise."""
        learn, ask = slice(start, start + size), slice(start + size, start + size + ASKED)
        names, count = np.unique(self.labels[learn], return_counts=True)
        rows = np.flatnonzero(np.isin(self.labels[learn], names[count >= 10])) + start
        parts = self.matrix[rows], self.labels[rows].tolist(), self.groups[rows], SETTINGS
        with patch.object(thresholds, "BORROWED", borrowed):
            head = fit_head(*parts, stages=self.stages).head
        spoken = head.probabilities(self.matrix[ask])
        answer = np.array(head.labels, dtype=object)[spoken.argmax(axis=1)]
        alone = spoken.max(axis=1) >= np.array([head.sure[a] for a in answer])
        right = answer == self.labels[ask]
        missing = _missing(answer[alone], right[alone])
        return float(alone.mean()), float(right[alone].mean()) if alone.any() else 1.0, missing


def _missing(answer: NDArray[np.object_], right: NDArray[np.bool_]) -> float:
    """Mean over the answers of how far the precision of their agency lies below the promise."""
    gaps = 0.0
    for name in set(answer):
        mine = right[answer == name]
        if len(mine) >= LEAST:
            gaps += max(0.0, SETTINGS.sure_precision - float(mine.mean())) * len(mine)
    return gaps / max(1, len(answer))


def main() -> None:
    """Run it."""
    args = parser(__doc__ or "").parse_args()
    lines = []
    with TemporaryDirectory() as name:
        city = City(data_file(args.data, TRAIN), Stages(Path(name)))
        for size, borrowed in product(SIZES, TRIED):
            trials = [city.trial(start, size, borrowed) for start in STARTS]
            lines.append((size, borrowed, *(float(x) for x in np.mean(trials, axis=0))))
    table("thresholds that borrow, promise 0.9, mean of four stretches", HEAD, lines)
    finish(
        "threshold_pooling",
        {"lines": [dict(zip(HEAD, x, strict=True)) for x in lines]},
        args.output,
    )


if __name__ == "__main__":
    main()
