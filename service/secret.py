"""The secret of one installation: it keys the hashes of persons and case numbers."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pilah.service.migrations import StoreError

SECRET_BYTES = 32


def installation_key(folder: Path) -> bytes:
    """The installation's secret, made on first use and kept in ``folder``.

    Losing it loses no report, but later copies no longer match earlier ones by sender or case
    number. Back it up with the database.

    Raises:
        StoreError: the file cannot be made, or is damaged.
    """
    file = folder / "secret.key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            _write(file)
        key = file.read_bytes()
    except OSError as error:
        raise StoreError(
            f"{file}: cannot be read or made ({error.strerror}); "
            "set PILAH_DATA_DIR to a folder that this user may write"
        ) from error
    if len(key) != SECRET_BYTES:
        raise StoreError(f"{file}: is damaged; restore it from the backup, or remove it")
    return key


def _write(file: Path) -> None:
    """Make the file whole or not at all; of two processes the first one wins."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(secrets.token_bytes(SECRET_BYTES))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
