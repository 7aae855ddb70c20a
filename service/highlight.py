"""Where terms and places stand in a masked text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of text; ``kind`` is "", "term" or "place"."""

    text: str
    kind: str = ""


def segments(text: str, *, terms: Iterable[str], places: Iterable[str]) -> list[Segment]:
    """Cut a text at its terms and places; the pieces joined give the text again.

    Places win over terms, longer ones over shorter. Case is ignored; only whole words count.
    """
    kinds = {term.lower(): "term" for term in terms if term.strip()}
    kinds |= {place.lower(): "place" for place in places if place.strip()}
    if not kinds:
        return [Segment(text)] if text else []
    longest_first = sorted(kinds, key=lambda word: (kinds[word] != "place", -len(word)))
    pattern = "|".join(re.escape(word) for word in longest_first)
    pieces = re.split(rf"(?<!\w)({pattern})(?!\w)", text, flags=re.IGNORECASE)
    return [
        Segment(piece, kinds.get(piece.lower(), "") if number % 2 else "")
        for number, piece in enumerate(pieces)
        if piece
    ]
