"""The same words at another place: hard negatives, so that "km 5" and "km 7" differ.

Texts of the corpus carry no judged pairs of places. So a made-up place is put into both halves of
one text, and another place of the same form into the second half again: same words, elsewhere.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from pilah.datasets.regions import load_regions
from pilah.models.text import normalise

FORMS = (
    "jalan {name} nomor {number}",
    "jl {name} no. {number}",
    "jalan raya {name} km {number}",
    "rt {small} rw {little} kelurahan {name}",
    "rt {small}/{little} {name}",
    "di {name}",
    "kecamatan {name}",
    "gang {name} rt {small}",
    "perumahan {name} blok {letter} {number}",
    "depan sdn {name} {little}",
    "km {number}",
    "blok {letter}{number}",
)
"""How citizens write where it is."""
COLUMNS = ("anchor", "positive", "negative")
LEVELS = ("kecamatan", "kelurahan", "desa")


def place_traps(pairs: Sequence[tuple[str, str]], wanted: int, seed: int) -> dict[str, list[str]]:
    """Columns anchor, positive, negative: first half at a place, second half there and elsewhere.

    Args:
        pairs: halves of normalised texts.
        wanted: how many.
        seed: of the draws.
    """
    draw = random.Random(seed)  # noqa: S311
    names = sorted({r.name.lower() for r in load_regions().by_code.values() if r.level in LEVELS})
    found = [_trap(draw, names, draw.choice(pairs)) for _ in range(wanted)]
    return {name: [t[i] for t in found] for i, name in enumerate(COLUMNS)}


def _trap(draw: random.Random, names: Sequence[str], pair: tuple[str, str]) -> list[str]:
    form = draw.choice(FORMS)
    here = there = _place(draw, form, names)
    while there == here:
        there = _place(draw, form, names)
    return [_put(draw, pair[0], here), _put(draw, pair[1], here), _put(draw, pair[1], there)]


def _place(draw: random.Random, form: str, names: Sequence[str]) -> str:
    return normalise(
        form.format(
            name=draw.choice(names),
            number=draw.randint(1, 99),
            small=draw.randint(1, 15),
            little=draw.randint(1, 9),
            letter=draw.choice("abcdefgh"),
        )
    )


def _put(draw: random.Random, text: str, place: str) -> str:
    words = text.split()
    at = draw.randint(0, len(words))
    return " ".join([*words[:at], place, *words[at:]])
