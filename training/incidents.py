"""Fits the same-incident scorer of a bundle, when the data has enough labelled incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilah.datasets.regions import load_regions
from pilah.models.fingerprint import make_fingerprint
from pilah.models.places import PlaceReader
from pilah.models.word_weights import WordWeights
from pilah.training.pair_sets import HARD_NEGATIVE_OF, Material, training_pairs
from pilah.training.pairs import PairFit, fit_pair_scorer
from pilah.training.retold import retellings

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.models.encoder import Encoder
    from pilah.models.reading import CleanText, Fingerprint

MIN_INCIDENTS = 20
"""Fewer incidents of two or more reports than this fit no scorer."""
UNDATED = datetime(2000, 1, 1, tzinfo=UTC)


def fit_incidents(
    rows: Sequence[LabelledReport],
    cleans: Sequence[CleanText],
    encoder: Encoder,
    topics: Sequence[str | None],
) -> PairFit | None:
    """Fit and measure the pair scorer; None when there are too few incidents to learn from.

    Args:
        rows: labelled reports.
        cleans: their text forms.
        encoder: embeds them, and what is told once more.
        topics: what a head answers for rows that it was not fitted on; None where it says nothing.
    """
    sizes: dict[str, int] = {}
    for row in rows:
        if row.labels.incident:
            sizes[row.labels.incident] = sizes.get(row.labels.incident, 0) + 1
    if sum(n > 1 for n in sizes.values()) < MIN_INCIDENTS:
        return None
    prints = fingerprints(rows, cleans, topics)
    vectors = encoder.encode([clean.normal for clean in cleans])
    words = WordWeights.count(p.words for p in prints)
    chosen = [i for i, row in enumerate(rows) if row.labels.incident or _imitates(row)]
    told = retellings(rows, cleans, prints, encoder, chosen)
    return fit_pair_scorer(training_pairs(Material(rows, prints, vectors, told)), words=words)


def _imitates(row: LabelledReport) -> bool:
    return bool(row.extra.get(HARD_NEGATIVE_OF))


def fingerprints(
    rows: Sequence[LabelledReport],
    cleans: Sequence[CleanText],
    topics: Sequence[str | None],
) -> list[Fingerprint]:
    """Fingerprints as the service makes them, with these topics."""
    regions = load_regions()
    reader = PlaceReader(regions)
    return [
        make_fingerprint(
            row.report.id or str(i),
            row.report,
            clean,
            reader.read(clean.fixed, regions.resolve(row.report.region), row.report.location),
            topic,
            row.report.reported_at or UNDATED,
        )
        for i, (row, clean, topic) in enumerate(zip(rows, cleans, topics, strict=True))
    ]
