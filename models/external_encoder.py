"""Any sentence-transformers model, by name or folder, for those who have one or are online."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import BundleError
from pilah.models.encoder import unit
from pilah.models.encoder_folder import EncoderFolder, described, open_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

KIND = "sentence-transformers"
PREFIXES = {"e5": "query: "}
"""Part of a model's name -> what its texts must begin with (Wang et al. 2024, multilingual E5)."""


@dataclass(frozen=True, slots=True)
class SentenceEncoder:
    """A sentence-transformers model on the CPU.

    Its folder holds ``encoder.json`` alone, which names the model: the weights stay where they are.

    Attributes:
        folder: what a bundle carries of it.
        model: the model.
    """

    folder: EncoderFolder
    model: SentenceTransformer

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.folder.dim

    @property
    def version(self) -> str:
        """Of name, prefix, dimension and the model's settings."""
        return self.folder.version

    def encode(self, normals: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of normalised texts, shape (n, dim)."""
        prefix = self.folder.about["settings"]["prefix"]
        texts = [prefix + text for text in normals]
        return unit(np.asarray(self.model.encode(texts, show_progress_bar=False), dtype=np.float32))

    @classmethod
    def load(cls, path: Path) -> SentenceEncoder:
        """Open a folder of the kind ``sentence-transformers``.

        Raises:
            BundleError: the library or the model is missing, or the model is another one now.
        """
        folder = open_folder(path)
        settings = folder.about["settings"]
        model = _model(settings["model"])
        if settings["fingerprint"] != _fingerprint(model):
            raise BundleError(
                f"{settings['model']}: not the model that this was trained with; train again"
            )
        return cls(folder, model)

    @classmethod
    def named(cls, name: str) -> SentenceEncoder:
        """A model by its name or folder, with the prefix that its makers ask for.

        Raises:
            BundleError: the library or the model is missing.
        """
        model = _model(name)
        prompts = {p for p in (model.prompts or {}).values() if p}
        known = next((p for part, p in PREFIXES.items() if part in Path(name).name.lower()), "")
        settings = {
            "model": name,
            "prefix": known or (prompts.pop() if len(prompts) == 1 else ""),
            "fingerprint": _fingerprint(model),
        }
        dim = int(model.encode(["jalan"], show_progress_bar=False).shape[1])
        about = {"kind": KIND, "name": name, "dim": dim, "settings": settings}
        return cls(described(Path(name), about, {}), model)


def _model(name: str) -> SentenceTransformer:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise BundleError(
            f"encoder {name}: needs sentence-transformers; run: pip install 'pilah[train]'"
        ) from None
    try:
        return SentenceTransformer(name, device="cpu")
    except (OSError, ValueError) as error:
        raise BundleError(
            f"encoder {name}: no such folder, and no such model to be had by name; "
            f"give the folder of a sentence-transformers model ({type(error).__name__})"
        ) from None


def _fingerprint(model: SentenceTransformer) -> str:
    """Shapes and a few sums of the weights: tells another model or another training apart."""
    sums = [
        (name, list(weight.shape), round(float(weight.double().sum()), 3))
        for name, weight in sorted(model.state_dict().items())
    ]
    return hashlib.sha256(json.dumps(sums).encode()).hexdigest()[:16]
