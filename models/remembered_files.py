"""What is remembered, saved beside the index, so that a start need not read the whole store.

It is saved under a mark of the state that it stands for. Whoever reads it asks for that mark first,
and brings what was read up to date.
"""

from __future__ import annotations

import json
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pilah.datasets.errors import IndexMismatchError
from pilah.models.rarity import Heard
from pilah.models.remembered import CHAINED, Chains, Remembered
from pilah.models.saved import CURE, MANIFEST, commit, place, verified

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMAT = 5
"""Version of the folder layout, of what is packed, and of the blocks that reports stand in."""
_AT_ONCE = 1 << 12


def save_remembered(
    known: Remembered, heard: Heard, folder: Path, *, mark: str, index: str
) -> None:
    """Write what is remembered.

    Args:
        known: it must not change meanwhile.
        heard: how often its words were counted.
        folder: made when it is not there.
        mark: of the state that it stands for.
        index: names of the index files saved with it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names, packed, incidents, blocks = known.state()
    arrays: dict[str, Any] = {name: np.asarray(part) for name, part in blocks.parts().items()}
    arrays |= {"counts": heard.counts, "texts": np.int64(heard.texts)}
    arrays["ends"] = np.cumsum([0, *map(len, packed)], dtype=np.int64)
    ids = [json.dumps([names, incidents], ensure_ascii=False).encode()]
    files = {
        "ids": place(folder, ".ids.json", lambda path: _write(path, ids)),
        "packed": place(folder, ".packed", lambda path: _write(path, packed)),
        "arrays": place(folder, ".npz", lambda path: _write_arrays(path, arrays)),
    }
    manifest = {"format": FORMAT, "mark": mark, "index": index, "count": len(names), "files": files}
    keep = {entry["file"] for entry in files.values()}
    commit(folder, json.dumps(manifest, indent=1), keep=keep)


def saved_mark(folder: Path, index: str) -> str | None:
    """The mark under which was saved what goes with this index; None when nothing was.

    Raises:
        IndexMismatchError: it is damaged.
    """
    manifest = _manifest(folder)
    if manifest is None or (manifest["format"], manifest["index"]) != (FORMAT, index):
        return None
    return str(manifest["mark"])


def load_remembered(folder: Path) -> tuple[Remembered, Heard]:
    """What was saved, every file verified against its checksum.

    Raises:
        IndexMismatchError: it is damaged.
    """
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        paths = {part: verified(folder, entry) for part, entry in files.items()}
        names, incidents = json.loads(paths["ids"].read_bytes())
        with np.load(paths["arrays"]) as arrays:
            heard = Heard(arrays["counts"], int(arrays["texts"]))
            parts = {name: array(kind, arrays[name].tobytes()) for name, kind in CHAINED.items()}
            packed = _cut(paths["packed"].read_bytes(), arrays["ends"].tolist())
        if not len(names) == len(incidents) == len(packed):
            raise ValueError("its files disagree in count")
        return Remembered.of(names, packed, incidents, Chains.of(parts)), heard
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise IndexMismatchError(f"{folder}: cannot be read ({error!r}); {CURE}") from error


def _manifest(folder: Path) -> dict[str, Any] | None:
    if not (folder / MANIFEST).exists():
        return None
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {"format": found["format"], "mark": found.get("mark"), "index": found.get("index")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexMismatchError(f"{folder}: cannot be read ({error!r}); {CURE}") from error


def _write(path: Path, pieces: Sequence[bytes]) -> None:
    """In parts, so that other threads have their turn."""
    with path.open("wb") as file:
        for start in range(0, len(pieces), _AT_ONCE):
            file.write(b"".join(pieces[start : start + _AT_ONCE]))


def _write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _cut(whole: bytes, ends: list[int]) -> list[bytes]:
    return [whole[start:end] for start, end in pairwise(ends)]
