"""Fits the same-incident scorer of a bundle, when the data has enough labelled incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilah.datasets.regions import load_regions
from pilah.models.bundle import Bundle
from pilah.models.encoder import LsaEncoder
from pilah.models.fingerprint import hash_word, make_fingerprint, written_words
from pilah.models.places import PlaceReader
from pilah.models.rarity import Rarity
from pilah.models.regional import in_indonesian
from pilah.models.registry import shipped_bundle
from pilah.models.word_weights import WordWeights
from pilah.training.pair_sets import Material, training_pairs
from pilah.training.pairs import PairFit, fit_pair_scorer
from pilah.training.tellings import ReadReports, tellings

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.models.encoder import Encoder
    from pilah.models.reading import CleanText, Fingerprint, PlaceReading, Spoken

MIN_INCIDENTS = 20
"""Fewer incidents of two or more reports than this fit no scorer."""
NAMED = 0.01
"""Share of the texts that the name of a region is held to stand in."""
UNDATED = datetime(2000, 1, 1, tzinfo=UTC)


def fit_incidents(
    rows: Sequence[LabelledReport],
    cleans: Sequence[CleanText],
    encoder: Encoder,
    topics: Sequence[Spoken],
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
    reader = PlaceReader(load_regions())
    places = [_place(reader, row, clean) for row, clean in zip(rows, cleans, strict=True)]
    prints = fingerprints(rows, cleans, places, topics)
    vectors = encoder.encode([in_indonesian(clean.normal) for clean in cleans])
    words = WordWeights.count(p.words for p in prints)
    written = written_counts(prints, places)
    reports = ReadReports(rows, cleans, places, prints, Rarity(written))
    pairs = training_pairs(Material(rows, prints, vectors, tellings(reports, encoder)))
    return fit_pair_scorer(pairs, words=words, written=written)


def inherited(encoder: Encoder) -> Bundle | None:
    """The shipped bundle, whose scorer serves one that learned of no incidents.

    None where its scorer was fitted on vectors of another encoder, or where it has none.
    """
    if isinstance(encoder, LsaEncoder):
        return None
    shipped = Bundle.load(shipped_bundle())
    fits = shipped.pairs is not None and shipped.encoder.version == encoder.version
    return shipped if fits else None


def written_counts(prints: Sequence[Fingerprint], places: Sequence[PlaceReading]) -> WordWeights:
    """In how many texts each written word stands; names of regions in one of a hundred at least.

    A corpus of the whole country names each village once. The reports of a city name its own all
    the time, so that to share one tells little.
    """
    found = WordWeights.count(fingerprint.written for fingerprint in prints)
    named = (part.text for place in places for part in place.found if part.code)
    names = {hash_word(word) for text in named for word in written_words(text)}
    least = int(NAMED * found.total)
    often = {word: max(least, found.counts.get(word, 0)) for word in names}
    return WordWeights(found.total, {**found.counts, **often})


def _place(reader: PlaceReader, row: LabelledReport, clean: CleanText) -> PlaceReading:
    given = load_regions().resolve(row.report.region)
    return reader.read(clean.fixed, given, row.report.location)


def fingerprints(
    rows: Sequence[LabelledReport],
    cleans: Sequence[CleanText],
    places: Sequence[PlaceReading],
    topics: Sequence[Spoken],
) -> list[Fingerprint]:
    """Fingerprints as the service makes them, with these topics."""
    return [
        make_fingerprint(
            row.report.id or str(i), row.report, clean, place, topic,
            row.report.reported_at or UNDATED,
        )
        for i, (row, clean, place, topic) in enumerate(
            zip(rows, cleans, places, topics, strict=True)
        )
    ]  # fmt: skip
