"""An encoder in a folder: what it is (``encoder.json``), its files, their checksums, its card.

    encoder.json     kind, dim, version, name, checksums, training facts
    tokenizer.json   word pieces (kind onnx)
    vectors.npy      kind grams: int8, shape (keys, dim)
    scales.npy       beside it: float32, shape (keys,)
    keys.npy         kind grams: hashes of the n-grams and stems, uint64, rising
    model.onnx       kind onnx: ids and mask in, one normalised vector a text out
    card.md          data, steps, figures, limits

``pilah encoder`` writes such a folder, ``pilah train --encoder`` reads it, and a bundle carries a
copy of it, so that it works wherever it is taken.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilah.datasets.errors import BundleError

ABOUT = "encoder.json"
CARD = "card.md"
KINDS = ("grams", "onnx", "sentence-transformers")
BUNDLED = Path(__file__).parent / "data" / "encoder"
"""``pilah-mini``, the encoder that ships."""


@dataclass(frozen=True, slots=True)
class EncoderFolder:
    """A verified folder.

    Attributes:
        path: the folder; of the kind ``sentence-transformers`` nothing is read from it.
        about: the content of ``encoder.json``.
    """

    path: Path
    about: dict[str, Any]

    @property
    def kind(self) -> str:
        """One of :data:`KINDS`."""
        return str(self.about["kind"])

    @property
    def version(self) -> str:
        """Changes with any file or setting that changes a vector."""
        return str(self.about["version"])

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.about["dim"])

    def copy_to(self, folder: Path) -> None:
        """Copy what the encoder needs into a new folder."""
        folder.mkdir()
        for name in (*self.about["files"], CARD):
            if (self.path / name).is_file():
                shutil.copyfile(self.path / name, folder / name)
        _write(folder, self.about)


def open_folder(path: Path) -> EncoderFolder:
    """Read and verify an encoder folder.

    Raises:
        BundleError: no encoder there, or a file is missing or damaged.
    """
    try:
        about = json.loads((path / ABOUT).read_text("utf-8"))
    except FileNotFoundError:
        raise BundleError(f"{path}: no {ABOUT} here; `pilah encoder` makes such a folder") from None
    except ValueError:
        raise BundleError(f"{path / ABOUT}: not JSON; copy the encoder again") from None
    if not isinstance(about, dict) or about.get("kind") not in KINDS:
        raise BundleError(f"{path / ABOUT}: kind must be one of {', '.join(KINDS)}")
    if about.get("version") != version_of(about):
        raise BundleError(f"{path / ABOUT}: changed since it was written; copy the encoder again")
    for name, expected in about["files"].items():
        if not (path / name).is_file() or checksum(path / name) != expected:
            raise BundleError(f"{path / name}: missing or damaged; copy the encoder again")
    return EncoderFolder(path, about)


def write_about(path: Path, about: dict[str, Any]) -> EncoderFolder:
    """Write ``encoder.json`` for the files that lie in the folder, the card aside.

    Args:
        path: a folder with the encoder's files.
        about: kind, dim, name, and what else decides the vectors, under ``settings``; ``facts``
            tell how it was made and do not change the version.
    """
    names = sorted(p.name for p in path.iterdir() if p.name not in (ABOUT, CARD))
    folder = described(path, about, {name: checksum(path / name) for name in names})
    _write(path, folder.about)
    return folder


def described(path: Path, about: dict[str, Any], files: dict[str, str]) -> EncoderFolder:
    """The folder of these files (name -> checksum), with its version."""
    content = {**about, "files": files}
    return EncoderFolder(path, {**content, "version": version_of(content)})


def _write(path: Path, about: dict[str, Any]) -> None:
    text = json.dumps(about, ensure_ascii=False, indent=1)
    (path / ABOUT).write_text(text + "\n", encoding="utf-8")


def version_of(about: dict[str, Any]) -> str:
    """``static256-1a2b3c4d``: kind, dim, and a hash of the files and settings."""
    decides = [about.get("files"), about.get("settings"), about.get("name")]
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
    return f"{about.get('kind')}{about.get('dim')}-{digest[:8]}"


def checksum(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
