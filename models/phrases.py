"""Which of many phrases stand in a text, in one pass whatever their number."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

import ahocorasick

Mark = TypeVar("Mark", bound=Hashable)


class PhraseFinder(Generic[Mark]):
    """Finds substrings (Aho and Corasick 1975); several phrases may carry the same mark."""

    def __init__(self, phrases: Iterable[tuple[str, Mark]]) -> None:
        """Build the automaton from (phrase, mark) pairs."""
        marks: dict[str, set[Mark]] = {}
        for phrase, mark in phrases:
            marks.setdefault(phrase, set()).add(mark)
        self._automaton = ahocorasick.Automaton()
        for phrase, found in marks.items():
            self._automaton.add_word(phrase, found)
        self._automaton.make_automaton()

    def marks(self, text: str) -> set[Mark]:
        """Marks of all phrases that stand anywhere in the text, word boundaries or not."""
        if not len(self._automaton):
            return set()
        return {mark for _, marks in self._automaton.iter(text) for mark in marks}
