"""One process per data folder: the engine's memory lives in one process only."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pilah.service.migrations import StoreError


@contextmanager
def only_process(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it when the process ends, however it ends.

    Raises:
        StoreError: another process serves from this folder, or it cannot be written.
    """
    descriptor = _open(folder / "pilah.lock")
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"{folder}: another Pilah serves from this folder; stop it, "
                "or set PILAH_DATA_DIR and PILAH_DATABASE_URL to others"
            ) from None
        yield
    finally:
        os.close(descriptor)


def _open(file: Path) -> int:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreError(
            f"{file}: cannot be opened ({error.strerror}); "
            "set PILAH_DATA_DIR to a folder that this user may write"
        ) from error
