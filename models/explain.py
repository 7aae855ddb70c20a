"""Which words of a report spoke for the chosen topic."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilah.models.answer import Term
from pilah.models.fingerprint import content_words
from pilah.models.text import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilah.models.features import NgramFeatures
    from pilah.models.linear import FloatArray, LinearHead

MAX_TERMS = 8
_WORD = re.compile(r"[^\s\[\]]+")
_EDGES = ".,;:!?()\"'"


def telling_terms(
    masked: str,
    values: Mapping[int, float],
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
        values: the report's features, column -> value.
        features: the n-grams.
        head: the main topic head.
        mean: mean weight over its labels, shape (features,).
        label: index of the chosen label.
    """
    found: dict[str, float] = {}
    for written in dict.fromkeys(m.strip(_EDGES) for m in _WORD.findall(masked)):
        columns = values.keys() & features.columns_of(written)
        weight = sum(values[c] * float(head.weights[label, c] - mean[c]) for c in sorted(columns))
        if weight > 0 and content_words(normalise(written)):
            found[written] = weight
    best = sorted(found.items(), key=lambda t: -t[1])[:MAX_TERMS]
    return tuple(Term(term, round(weight, 3)) for term, weight in best)
