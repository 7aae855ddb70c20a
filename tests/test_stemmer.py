"""The quick stemmer finds the roots that Sastrawi finds."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
from Sastrawi.Stemmer.Stemmer import Stemmer

from pilah.models.stemmer import QuickStemmer, letters_of
from pilah.models.text import roots

BEGIN = ("", "di", "ke", "se", "ber", "be", "ter", "te", "me", "mem", "men", "meng", "meny", "per",
         "pe", "pem", "pen", "peng", "peny", "pel", "memper", "diper", "ku", "kau")  # fmt: skip
END = ("", "kan", "an", "i", "nya", "ku", "mu", "lah", "kah", "pun", "annya", "kannya", "inya")
ROOTS = sorted(root for root in roots() if root.isalpha())


@pytest.fixture(scope="module")
def both() -> tuple[QuickStemmer, Any]:
    return QuickStemmer(roots()), Stemmer(ArrayDictionary(sorted(roots())))


@given(
    begin=st.sampled_from(BEGIN), end=st.sampled_from(END),
    root=st.sampled_from(ROOTS) | st.text(ascii_lowercase, min_size=1, max_size=8),
)  # fmt: skip
def test_derived_words_have_the_same_root(
    both: tuple[QuickStemmer, Any], begin: str, root: str, end: str
) -> None:
    quick, plain = both
    for word in (begin + root + end, f"{begin}{root}-{root}{end}"):
        assert quick.stem(word) == plain.stem(word)


def test_a_rule_is_tried_on_the_letters_of_its_patterns(both: tuple[QuickStemmer, Any]) -> None:
    quick, _ = both
    rules = [letters_of(rule) for rule in quick.visitor_provider.get_prefix_visitors()]
    assert rules[0] == frozenset(ascii_lowercase)  # di, ke, se: no pattern tells
    assert {letter for letters in rules if len(letters) == 1 for letter in letters} == {*"bkmpt"}
