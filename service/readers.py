"""Processes that read the texts of a file beside the one that compares and writes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Annotated, TypeVar

import typer

from pilah.models.batch import Begin, Items
from pilah.models.triage import Triager
from pilah.service.cli_common import triager

AHEAD = 2
"""Chunks of reports that wait for each process."""
JobsOption = Annotated[
    int, typer.Option(min=1, help="Processes that read the texts; each takes some 300 MB.")
]
T = TypeVar("T")
_engines: list[Triager] = []
"""The one engine of a reading process."""


@contextmanager
def reading(
    bundle: str | None, jobs: int, read: Callable[[Triager, Items], list[T]]
) -> Iterator[Begin[T] | None]:
    """What begins to read reports in other processes; None when this one shall.

    Args:
        bundle: name or folder, as the command was given it.
        jobs: number of processes; 1 starts none.
        read: a method of :class:`Triager`, such as ``Triager.analyse``.
    """
    if jobs == 1:
        yield None
        return
    context = multiprocessing.get_context("spawn")  # a fork would share the threads of FAISS
    with ProcessPoolExecutor(jobs, context, _prepare, (bundle,)) as pool:
        yield lambda items: pool.submit(_read, read, items).result


def _prepare(bundle: str | None) -> None:
    _engines.append(triager(bundle))


def _read(read: Callable[[Triager, Items], list[T]], items: Items) -> list[T]:
    return read(_engines[0], items)
