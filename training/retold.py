"""Written reports told anew: by the same person once more, or another matter at the same place.

Written incidents are told by people who do not know each other. In the field most repeats come
from one writer who asks again in partly the same words, and most look-alikes come from neighbours
and people who write of other matters at the same place. What is made here stands for them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence

SHORTEST = 6
"""A text of fewer words is not cut."""
BEGUN, ADDED = 0.5, 0.2
"""How often a retelling begins with a reminder, and how often a piece of another report follows."""
KEPT, KEPT_TELLING = 0.3, 0.6
"""Share of the plain and of the telling words that stay when a report is only reminded of."""
REMINDERS = (
    "laporan saya belum ditindaklanjuti,", "mohon tindak lanjut lagi,",
    "sudah pernah lapor tapi belum ada tindakan.", "kedua kalinya lapor,",
    "selamat pagi, ini laporan ulang.", "kok sampai sekarang belum ada respon ya pak,",
    "terima kasih atas tanggapannya, namun sampai hari ini masih",
    "belum ada petugas yang datang,", "katanya sudah selesai tapi kenyataannya belum,",
    "saya lapor lagi karena", "mohon maaf mengingatkan kembali,", "sampai kapan pak,",
)  # fmt: skip


def retold(text: str, other: str, source: random.Random) -> str:
    """A piece of a text, perhaps after a reminder, perhaps with a piece of another behind."""
    parts = [source.choice(REMINDERS)] if source.random() < BEGUN else []
    parts.append(_piece(text, source))
    parts += [_piece(other, source)] if source.random() < ADDED else []
    return " ".join(parts)


def reminded(text: str, other: str, telling: Callable[[str], bool], source: random.Random) -> str:
    """Some words of a text, the telling ones sooner, among words of another of the same topic."""
    kept = [
        word for word in text.split()
        if source.random() < (KEPT_TELLING if telling(word) else KEPT)
    ]  # fmt: skip
    plain = [word for word in other.split() if not telling(word)]
    room = max(4, len(text.split()) - len(kept))
    start = [source.choice(REMINDERS)] if source.random() < BEGUN else []
    return " ".join([*start, *kept, *plain[:room]])


def moved(other: str, theirs: Collection[str], ours: Sequence[str], source: random.Random) -> str:
    """Another report with the regions that it names replaced by some of these: a neighbour's."""
    for phrase in sorted(theirs, key=len, reverse=True) if ours else ():
        other = other.replace(phrase, source.choice(ours))
    return other


def beside(other: str, phrases: Sequence[str], source: random.Random) -> str:
    """Another report with a phrase of place of this one: the same street, another matter."""
    words = other.split()
    at = source.randrange(len(words) + 1)
    return " ".join([*words[:at], "di", source.choice(phrases), *words[at:]])


def _piece(text: str, source: random.Random) -> str:
    words = text.split()
    if len(words) < SHORTEST:
        return text
    length = max(4, int(len(words) * source.uniform(0.45, 0.95)))
    start = source.randrange(len(words) - length + 1)
    return " ".join(words[start : start + length])
