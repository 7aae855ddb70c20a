"""Processes that do the heavy work on a file beside the one that remembers and writes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, TypeVar

import typer

from pilah.datasets.errors import InputError
from pilah.models.triage import Triager
from pilah.service.cli_common import triager

AHEAD = 2
"""Chunks of reports that wait for each process."""
JobsOption = Annotated[
    int, typer.Option(min=1, help="Processes that read and compare; each takes some 300 MB.")
]
ENDED = "a process ended before its work, likely for want of memory; use fewer --jobs"
W = TypeVar("W")
T = TypeVar("T")
_engines: list[Triager] = []
"""The one engine of a working process."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Where the heavy work is done: in processes with an engine of their own, or right here.

    Attributes:
        engine: does the work when there are no processes.
        pool: the processes.
        window: pieces of work that are begun before the first is waited for.
    """

    engine: Triager
    pool: ProcessPoolExecutor | None = None
    window: int = 1

    def begin(self, work: Callable[[Triager, W], T]) -> Callable[[W], Callable[[], T]]:
        """What begins such work; what that gives waits for the result.

        Args:
            work: a function of a module, or a method of :class:`Triager` such as
                ``Triager.analyse``, that asks nothing of the engine's memory.
        """
        pool = self.pool
        if pool is None:
            return lambda given: lambda: work(self.engine, given)
        return lambda given: _waits(pool.submit(_do, work, given))


def _waits(begun: Future[T]) -> Callable[[], T]:
    def wait() -> T:
        try:
            return begun.result()
        except BrokenProcessPool as error:
            raise InputError(ENDED) from error

    return wait


@contextmanager
def workers(bundle: str | None, jobs: int, *, engine: Triager | None = None) -> Iterator[Workers]:
    """So many working processes, for as long as the context is open.

    Args:
        bundle: name or folder, as the command was given it.
        jobs: number of processes; 1 starts none.
        engine: that of this process, which works alone with one job; None loads it while the
            others load theirs.
    """
    if jobs == 1:
        yield Workers(engine or triager(bundle))
        return
    context = multiprocessing.get_context("spawn")  # a fork would share the threads of FAISS
    with ProcessPoolExecutor(jobs, context, _prepare, (bundle,)) as pool:
        for _ in range(jobs):
            pool.submit(int)  # a process starts when it is first needed
        yield Workers(engine or triager(bundle), pool, AHEAD * jobs)


def _prepare(bundle: str | None) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _engines.append(triager(bundle))


def _end_with_parent() -> None:
    """End this process when the one that gives it work is killed, which no pipe tells."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(work: Callable[[Triager, W], T], given: W) -> T:
    return work(_engines[0], given)
