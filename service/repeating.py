"""Work that a running service repeats beside its requests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pilah.service.logs import safe

log = logging.getLogger(__name__)


@contextmanager
def repeating(
    name: str, act: Callable[[], object], *, every: float, at_once: bool = False
) -> Iterator[None]:
    """Do it every so many seconds, in a thread, until the end of the block.

    A failure is logged, and the next turn comes all the same.

    Args:
        name: of the thread, and in the log.
        act: what is done.
        every: seconds from the end of one turn to the next.
        at_once: whether the first turn does not wait.
    """
    stop = threading.Event()

    def attempt() -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - a failure must not stop the service
            log.error("%s failed, the next turn comes: %s", name, safe(error))

    def run() -> None:
        if at_once:
            attempt()
        while not stop.wait(every):
            attempt()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
