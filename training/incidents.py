"""Fits the same-incident scorer of a bundle, when the data has enough labelled incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilah.datasets.regions import load_regions
from pilah.models.fingerprint import make_fingerprint
from pilah.models.pair_features import WordWeights
from pilah.models.places import PlaceReader
from pilah.training.pairs import PairFit, fit_pair_scorer, training_pairs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pilah.datasets.records import LabelledReport
    from pilah.models.reading import CleanText, Fingerprint

MIN_INCIDENTS = 20
"""Fewer incidents of two or more reports than this fit no scorer."""
UNDATED = datetime(2000, 1, 1, tzinfo=UTC)


def fit_incidents(
    rows: Sequence[LabelledReport], cleans: Sequence[CleanText], vectors: NDArray[np.float32]
) -> PairFit | None:
    """Fit and measure the pair scorer; None when there are too few incidents to learn from.

    Args:
        rows: labelled reports.
        cleans: their text forms.
        vectors: their embeddings, shape (len(rows), dim).
    """
    sizes: dict[str, int] = {}
    for row in rows:
        if row.labels.incident:
            sizes[row.labels.incident] = sizes.get(row.labels.incident, 0) + 1
    if sum(n > 1 for n in sizes.values()) < MIN_INCIDENTS:
        return None
    prints = fingerprints(rows, cleans)
    words = WordWeights.count(p.words for p in prints)
    return fit_pair_scorer(training_pairs(rows, vectors), prints, vectors, words=words)


def fingerprints(rows: Sequence[LabelledReport], cleans: Sequence[CleanText]) -> list[Fingerprint]:
    """Fingerprints as the service makes them, but with the labelled topic."""
    regions = load_regions()
    reader = PlaceReader(regions)
    return [
        make_fingerprint(
            row.report.id or str(i),
            row.report,
            clean,
            reader.read(clean.fixed, regions.resolve(row.report.region), row.report.location),
            row.labels.topic_main,
            row.report.reported_at or UNDATED,
        )
        for i, (row, clean) in enumerate(zip(rows, cleans, strict=True))
    ]
