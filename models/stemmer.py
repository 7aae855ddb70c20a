"""Sastrawi's stemmer, which leaves out the rules that cannot apply to a word.

Sastrawi tries some forty rules for prefixes in a row, up to three times a word. Each is a pattern,
and most begin with a letter: without those of other letters the roots are the same, and found in a
fraction of the time. Words are new all the time, for most are misspelt, so no cache holds them all.
"""

from __future__ import annotations

from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
from Sastrawi.Stemmer.Context.Context import Context
from Sastrawi.Stemmer.Stemmer import Stemmer

if TYPE_CHECKING:
    from collections.abc import Iterable

LETTERS = frozenset(ascii_lowercase)


class QuickStemmer(Stemmer):  # type: ignore[misc] # Sastrawi has no types
    """Nazief-Adriani with the Confix-Stripping extensions; without a cache, which would grow."""

    def __init__(self, roots: Iterable[str]) -> None:
        """Sort the rules by the letters of the words that they can match."""
        super().__init__(ArrayDictionary(sorted(roots)))
        rules = self.visitor_provider.get_prefix_visitors()
        self._rules = {c: [rule for rule in rules if c in letters_of(rule)] for c in LETTERS}

    def stem_singular_word(self, word: str) -> str:
        """The root of a word without repetition."""
        context = _Context(word, self.dictionary, self.visitor_provider)
        context.rules = self._rules
        context.execute()
        return str(context.result)


class _Context(Context):  # type: ignore[misc] # as above
    """One word on its way to the root."""

    rules: dict[str, list[Any]]

    def accept_prefix_visitors(self, visitors: list[Any]) -> None:
        """Try the rules that can match the word as it stands, until one does."""
        super().accept_prefix_visitors(self.rules.get(self.current_word[:1], visitors))


def letters_of(rule: Any) -> frozenset[str]:  # noqa: ANN401 - Sastrawi has no types
    """First letters of the words that a rule can match, by its patterns; all where in doubt."""
    found: set[str] = set()
    for part in getattr(rule, "disambiguators", ()):
        texts = [c for c in part.disambiguate.__code__.co_consts if isinstance(c, str)]
        found |= {text[1:2] for text in texts if text.startswith("^")} or {""}
    return frozenset(found) if found and found <= LETTERS else LETTERS
