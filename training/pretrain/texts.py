"""Plain text as the encoder reads it: repaired, masked, normalised, one text a line."""

from __future__ import annotations

import lzma
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from pilah.datasets.errors import InputError
from pilah.models.text import read_text

CHUNK = 40_000
SHORTEST, LONGEST = 14, 60
"""Words of a text that is cut in two, and words kept of a half."""


def normalise_file(source: Path, target: Path) -> int:
    """Write the normalised lines of a ``.txt`` or ``.txt.xz`` file; returns how many.

    Raises:
        InputError: there is no such file.
    """
    if not source.is_file():
        raise InputError(f"{source}: no such file; name the folder of the data with --data")
    draft, count = target.with_suffix(".part"), 0
    with _opened(source) as lines, draft.open("w", encoding="utf-8") as out:
        for line in lines:
            if normal := read_text(line).normal:
                out.write(normal + "\n")
                count += 1
    draft.replace(target)
    return count


def chunks(path: Path) -> Iterator[list[str]]:
    """Lines of a normalised file, some ten thousand at a time."""
    with path.open(encoding="utf-8") as lines:
        while part := [line.rstrip("\n") for line in islice(lines, CHUNK)]:
            yield part


def halves(path: Path, wanted: int, seed: int) -> list[tuple[str, str]]:
    """Texts cut in the middle: what one person says in one breath belongs together.

    Source: contiguous spans as positives, Giorgi et al. 2021 (DeCLUTR).
    """
    draw = random.Random(seed)  # noqa: S311
    texts = [words for part in chunks(path) for t in part if len(words := t.split()) >= SHORTEST]
    found = []
    for words in draw.sample(texts, min(wanted, len(texts))):
        start = draw.randrange(max(1, len(words) - 2 * LONGEST + 1))
        span = words[start : start + 2 * LONGEST]
        middle = len(span) // 2
        found.append((" ".join(span[:middle]), " ".join(span[middle:])))
    return found


def _opened(path: Path) -> TextIO:
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")
