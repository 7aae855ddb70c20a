"""A finder's memory, made from what was saved and what the store holds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pilah.models.incidents import DuplicateFinder
    from pilah.models.reading import Changes, Stored

    Since = Callable[[str], Changes | None]

log = logging.getLogger(__name__)

PART = 1_000
"""Stored reports that are taken into the memory at once."""


def restore(
    finder: DuplicateFinder,
    folder: Path | None,
    remembered: Iterable[Stored],
    since: Since | None = None,
) -> str | None:
    """Rebuild the memory from the store, oldest first.

    What was saved is taken when the store knows what changed since; of the store only that is
    read. Otherwise all of it is: what the saved index lacks, holds otherwise or holds too much is
    mended, and the log says how much that was.

    Args:
        finder: its index may come filled.
        folder: where index and memory were saved, if they were.
        remembered: every stored report; not touched when the saved memory is taken.
        since: gives what changed since the state of a mark; None when that state is no earlier one
            of this store.

    Returns:
        The mark of the saved memory, if it was taken.
    """
    if folder is not None and since is not None:
        mark = _recovered(finder, folder, since)
        if mark is not None:
            return mark
    index, mended = finder.index, 0
    stored: set[str] = set()
    for part in _parts(remembered):
        mended += finder.take(part)
        stored.update(fingerprint.report_id for fingerprint, _, _ in part)
    strays = index.remove([name for name in index.ids() if name not in stored])
    log.info("index: %d reports, %d added, %d removed", len(index), mended, strays)
    return None


def _recovered(finder: DuplicateFinder, folder: Path, since: Since) -> str | None:
    mark, fresh = finder.saved_mark(folder), 0
    if mark is None or (changes := since(mark)) is None or not finder.recover(folder):
        return None
    for part in _parts(changes.fresh):
        finder.take(part)
        fresh += len(part)
    finder.reassign(changes.moved)
    log.info("index: %d reports, %d of them stored since it was saved", len(finder.index), fresh)
    return mark


def _parts(stored: Iterable[Stored]) -> Iterator[list[Stored]]:
    rows = iter(stored)
    while part := list(islice(rows, PART)):
        yield part
