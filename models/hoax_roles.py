"""What part the words of a text play (who speaks, who is meant, what is asked), and in what order.

"kata ipar saya" and "ceuk dulur" share no word, but both are hearsay from kin: n-grams of roles
carry over to words and languages that were never seen together.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations, groupby, pairwise
from typing import TYPE_CHECKING

from pilah.datasets.errors import TableError
from pilah.datasets.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

NUMBER = "number"
"""The role of a figure, which stands as ``0``."""
MARKS = ("<", "&")
"""Role n-grams begin with one of these: ``<a<b`` for an order, ``&a&b`` for both in one text."""


def role_grams(words: Sequence[str]) -> Counter[str]:
    """Roles, pairs and triples of them in order, and which stand in one text.

    Args:
        words: :func:`pilah.models.hoax_style.plain_words` of a text.
    """
    roles = list(roles_of(words))
    turns = [role for role, _ in groupby(roles)]
    triples = zip(turns, turns[1:], turns[2:], strict=False)
    orders = (*((role,) for role in roles), *pairwise(turns), *triples)
    both = combinations(sorted(set(roles)), 2)
    return Counter((*map(_order, orders), *(f"&{a}&{b}" for a, b in both)))


def roles_of(words: Iterable[str]) -> Iterator[str]:
    """The role of each word that has one; an ending "-nya" is taken off."""
    table = _table()
    for word in words:
        role = table.get(word) or table.get(word.removesuffix("nya"))
        if role:
            yield role


def _order(roles: Sequence[str]) -> str:
    return "".join(f"<{role}" for role in roles)


@cache
def _table() -> Mapping[str, str]:
    """Word -> role.

    Raises:
        TableError: a word has two roles.
    """
    found = {"0": NUMBER}
    for line, row in read_table("hoax_roles.csv", ("role", "word")):
        if row["word"] in found:
            raise TableError("hoax_roles.csv", line, f"{row['word']!r} stands twice", "keep one")
        found[row["word"]] = row["role"]
    return found
