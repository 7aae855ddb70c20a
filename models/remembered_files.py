"""What is remembered, saved beside the index, so that a start need not read the whole store.

It is good for one start after a clean stop: the caller gives a mark of the store's state, and takes
the files away once they are read. After a crash there are none, and the store is read.
"""

from __future__ import annotations

import json
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pilah.datasets.errors import IndexMismatchError
from pilah.models.remembered import Chains, Remembered
from pilah.models.saved import CURE, MANIFEST, commit, place, verified

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT = 3
"""Version of the folder layout, of what is packed, and of the blocks that reports stand in."""
_TEXTS = ("names", "incidents")


def save_remembered(known: Remembered, folder: Path, mark: str) -> None:
    """Write what is remembered under the mark of the state that it stands for."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = _arrays(known)
    data = place(folder, ".npz", lambda path: _write(path, arrays))
    manifest = {"format": FORMAT, "mark": mark, "count": len(known), "data": data}
    commit(folder, json.dumps(manifest, indent=1), keep={data["file"]})


def load_remembered(folder: Path, mark: str) -> Remembered | None:
    """What was saved under this very mark; None when nothing was, or under another mark.

    Raises:
        IndexMismatchError: it was, but it is damaged.
    """
    if not (folder / MANIFEST).exists():
        return None
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if (manifest["format"], manifest["mark"]) != (FORMAT, mark):
            return None
        with np.load(verified(folder, manifest["data"])) as arrays:
            return _remembered({name: arrays[name] for name in arrays.files})
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise IndexMismatchError(f"{folder}: cannot be read ({error!r}); {CURE}") from error


def forget_saved(folder: Path) -> None:
    """Take the saved state away: from now on the store goes on without it."""
    (folder / MANIFEST).unlink(missing_ok=True)


def _write(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _arrays(known: Remembered) -> dict[str, NDArray[Any]]:
    """Everything but the dropped rows, as flat arrays."""
    names, packed, incidents, hashes, rows = known.state()
    found: dict[str, NDArray[Any]] = {"hashes": hashes, "rows": rows}
    parts = {"names": names, "incidents": incidents}
    joined = {name: [text.encode() for text in texts] for name, texts in parts.items()}
    for name, values in (*joined.items(), ("packed", packed)):
        found[name] = np.frombuffer(b"".join(values), dtype=np.uint8)
        found[f"{name}_ends"] = np.cumsum([0, *map(len, values)], dtype=np.int64)
    return found


def _remembered(arrays: dict[str, NDArray[Any]]) -> Remembered:
    names, incidents = ([t.decode() for t in _cut(arrays, name)] for name in _TEXTS)
    hashes, rows = array("Q", arrays["hashes"].tobytes()), array("i", arrays["rows"].tobytes())
    return Remembered.of(names, _cut(arrays, "packed"), incidents, Chains.linked(hashes, rows))


def _cut(arrays: dict[str, NDArray[Any]], name: str) -> Sequence[bytes]:
    whole, ends = arrays[name].tobytes(), arrays[f"{name}_ends"].tolist()
    return [whole[start:end] for start, end in pairwise(ends)]
