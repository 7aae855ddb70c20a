"""Counts of the character n-grams inside words, by way of the words: each is cut up once.

A text's counts are the sum of its words' counts, so the counts of all texts are one product of two
sparse matrices, text by word and word by n-gram. Reports repeat their words twenty times over: this
is several times faster than cutting up text by text, and gives the very same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix


def char_counts(texts: Sequence[str], sizes: tuple[int, int]) -> tuple[list[str], csr_matrix]:
    """N-grams in sorted order, and how often each stands in each text, shape (n, n-grams).

    Args:
        texts: as they are; words are what blanks separate.
        sizes: shortest and longest n-gram, the blanks around a word included, as scikit-learn's
            analyzer ``char_wb`` has it.

    Raises:
        ValueError: no text holds a word.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer(analyzer=str.split, dtype=np.float32)
    stand = words.fit_transform(texts)
    parts = CountVectorizer(
        analyzer="char_wb", ngram_range=sizes, lowercase=False, dtype=np.float32
    )
    counts = csr_matrix(stand @ parts.fit_transform(words.get_feature_names_out()))
    counts.sort_indices()
    return [str(n) for n in parts.get_feature_names_out()], counts
