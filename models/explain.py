"""Which words of a report spoke for the chosen topic."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from pilah.models.answer import Term
from pilah.models.features import Row
from pilah.models.fingerprint import content_words
from pilah.models.text import MAX_CACHED, normalise

if TYPE_CHECKING:
    from collections.abc import Collection

    from pilah.models.features import NgramFeatures
    from pilah.models.linear import FloatArray, LinearHead

MAX_TERMS = 8
_WORD = re.compile(r"[^\s\[\]]+")
_EDGES = ".,;:!?()\"'"


def telling_terms(
    masked: str,
    row: Row,
    features: NgramFeatures,
    head: LinearHead,
    mean: FloatArray,
    label: int,
) -> tuple[Term, ...]:
    """The words, as written, that raised the label's score most against the other labels.

    A word's weight is its own feature value times (weight for the label - mean weight), summed
    over the word and stem views; pairs of words and characters are left out. Words without content
    ("sudah", "karena") may speak too, but tell a reader nothing: they are not shown.

    Args:
        masked: masked text, the words are shown as they stand there.
        row: the report's features.
        features: the n-grams.
        head: the main topic head.
        mean: mean weight over its labels, shape (features,).
        label: index of the chosen label.
    """
    words = dict.fromkeys(m.strip(_EDGES) for m in _WORD.findall(masked))
    columns = {written: features.columns_of(written) for written in words}
    held = _held(row, set(chain.from_iterable(columns.values())))
    lead = head.weights[label, held.columns] - mean[held.columns]
    spoke = np.multiply(held.values, lead, dtype=np.float64)
    gains = dict(zip(held.columns.tolist(), spoke.tolist(), strict=True))
    found: dict[str, float] = {}
    for written, of in columns.items():
        weight = sum(gains.get(column, 0.0) for column in of)
        if weight > 0 and _tells(written):
            found[written] = weight
    best = sorted(found.items(), key=lambda t: -t[1])[:MAX_TERMS]
    return tuple(Term(term, round(weight, 3)) for term, weight in best)


def _held(row: Row, wanted: Collection[int]) -> Row:
    """Those of the wanted columns that a row holds."""
    columns = np.array(sorted(wanted), dtype=np.int32)
    at = np.searchsorted(row.columns, columns)
    at = at[np.append(row.columns, -1)[at] == columns]
    return Row(row.columns[at], row.values[at])


@lru_cache(MAX_CACHED)
def _tells(written: str) -> bool:
    return bool(content_words(normalise(written)))
