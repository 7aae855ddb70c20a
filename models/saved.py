"""Files that are whole or not there: written aside, synced, checksummed, renamed into place."""

from __future__ import annotations

import os
import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from pilah.datasets.errors import IndexMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable

MANIFEST = "manifest.json"
DATA = (".faiss", ".ids.json", ".npy", ".npz", ".packed", ".tmp")
"""Suffixes of data files, and of what a kill left half written."""
CURE = "run `pilah index rebuild`"


def place(folder: Path, suffix: str, write: Callable[[Path], None]) -> dict[str, str]:
    """Write a data file under the name of its checksum; returns what the manifest says of it."""
    temporary = _temporary(folder, suffix)
    try:
        write(temporary)
        _sync(temporary)
        checksum = _checksum(temporary)
        name = f"{checksum[:16]}{suffix}"
        temporary.replace(folder / name)
    finally:
        temporary.unlink(missing_ok=True)
    return {"file": name, "blake2b": checksum}


def commit(folder: Path, manifest: str, *, keep: set[str]) -> None:
    """Rename the manifest into place, then remove data files that it does not name."""
    temporary = _temporary(folder, ".manifest")
    temporary.write_text(manifest, encoding="utf-8")
    _sync(temporary)
    _sync(folder)
    temporary.replace(folder / MANIFEST)
    _sync(folder)
    for stale in (found for suffix in DATA for found in folder.glob(f"*{suffix}")):
        if stale.name not in keep:
            stale.unlink(missing_ok=True)


def verified(folder: Path, entry: dict[str, str]) -> Path:
    """The path of a data file whose content has the checksum of the manifest.

    Raises:
        IndexMismatchError: it has another one.
        OSError: the file is not there.
    """
    path = folder / entry["file"]
    if path.parent != folder or _checksum(path) != entry["blake2b"]:
        raise IndexMismatchError(f"{path}: its checksum is wrong; {CURE}")
    return path


def _checksum(path: Path) -> str:
    digest = blake2b(digest_size=32)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _temporary(folder: Path, suffix: str) -> Path:
    handle, name = tempfile.mkstemp(dir=folder, prefix=".new-", suffix=suffix + ".tmp")
    os.close(handle)
    return Path(name)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
