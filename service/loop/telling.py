"""Which words tell refused reports from the others: short terms for a routing row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from pilah.models.fingerprint import words_of as stop_words
from pilah.models.text import normalise

MAX_TERMS = 3
MIN_SHARE = 0.6
"""The terms together must stand in this share of the refused texts."""
MAX_OTHER = 0.1
"""No term may stand in more than this share of the texts that were not refused."""
MIN_LETTERS = 3


def words_of(masked: str) -> frozenset[str]:
    """The words of a masked text as routing cues are matched; labels such as [NIK] are no words."""
    plain = re.sub(r"\[[^\]]*\]", " ", masked)
    return frozenset(w for w in normalise(plain).split() if w.isalpha() and len(w) >= MIN_LETTERS)


def telling_words(refused: Sequence[frozenset[str]], kept: Sequence[frozenset[str]]) -> list[str]:
    """Up to three words that stand in most refused texts and in hardly any other.

    Greedy set cover over the words with content that stand in at least two refused texts.

    Args:
        refused: words of each refused text.
        kept: words of each text of the same topic and agency that was not refused.

    Returns:
        An empty list when no such words cover enough of the refused texts.
    """
    seen = Counter(word for words in refused for word in words)
    other = Counter(word for words in kept for word in words)
    common = stop_words("stop")
    usable = {
        word
        for word, number in seen.items()
        if number >= 2 and other[word] <= MAX_OTHER * len(kept) and word not in common
    }
    chosen: list[str] = []
    left = list(refused)
    while left and len(chosen) < MAX_TERMS:
        gain = Counter(w for words in left for w in words & usable)
        if not gain:
            break
        best = max(gain, key=lambda w: (gain[w], seen[w], -other[w], w))
        chosen.append(best)
        left = [words for words in left if best not in words]
    covered = len(refused) - len(left)
    return chosen if refused and covered >= MIN_SHARE * len(refused) else []
