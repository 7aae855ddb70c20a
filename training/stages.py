"""Slow steps of a training, kept in a folder so that a training that was cut off goes on there.

Each result is a ``.npz`` of plain arrays, written whole or not at all, under a name that holds the
hash of everything it was made from: the data, the settings, the library versions and this package's
code. Something else in, another name: nothing stale is ever taken. The arrays come back bit by bit,
so a training that went on gives the same bundle as one that was never cut off.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import InputError

Arrays = dict[str, NDArray[Any]]
LIBRARIES = ("numpy", "scipy", "scikit-learn")


class Stages:
    """Results of slow steps, by name and by what they were made from."""

    def __init__(self, folder: Path | None = None) -> None:
        """Keep them in a folder, which is made when needed; None keeps nothing."""
        self._folder = folder

    def arrays(self, name: str, made_from: Mapping[str, Any], make: Callable[[], Arrays]) -> Arrays:
        """The kept arrays of a step, or those that ``make`` gives, which are kept then.

        Args:
            name: of the step, fit for a file name.
            made_from: all that decides the result: arrays, or values that JSON can hold.
            make: does the step.
        """
        if self._folder is None:
            return make()
        path = self._folder / f"{name}-{_digest(made_from)}.npz"
        kept = _read(path)
        if kept is None:
            kept = make()
            _write(path, kept)
        return kept

    def place(self, name: str, made_from: Mapping[str, Any]) -> Path:
        """Folder of a step that keeps its work itself; it may not be there yet.

        Raises:
            InputError: nothing is kept.
        """
        if self._folder is None:
            raise InputError(f"{name} needs a folder for its work")
        return self._folder / f"{name}-{_digest(made_from)}"


def _read(path: Path) -> Arrays | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # not there, or damaged: the step is done again


def _write(path: Path, arrays: Arrays) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    draft.replace(path)


def _digest(made_from: Mapping[str, Any]) -> str:
    found = hashlib.sha256(_code().encode())
    for name, value in made_from.items():
        found.update(f"|{name}:".encode())
        if isinstance(value, np.ndarray):
            found.update(f"{value.dtype}{value.shape}".encode())
            found.update(np.ascontiguousarray(value).data)
        else:
            found.update(json.dumps(value, sort_keys=True).encode())
    return found.hexdigest()[:16]


@lru_cache(maxsize=1)
def _code() -> str:
    """Library versions, and a hash of the code that makes the results."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return ", ".join([*(f"{name} {version(name)}" for name in LIBRARIES), found.hexdigest()])
