"""Opens an encoder folder of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pilah.models.encoder import Encoder
from pilah.models.encoder_folder import EncoderFolder, open_folder

if TYPE_CHECKING:
    from pathlib import Path


class FolderEncoder(Encoder, Protocol):
    """An encoder that a bundle carries as a folder."""

    @property
    def folder(self) -> EncoderFolder:
        """Its files."""
        ...


def load_encoder(path: Path) -> FolderEncoder:
    """Open an encoder folder.

    Raises:
        BundleError: no encoder there, a file is damaged, or its library is missing.
    """
    kind = open_folder(path).kind  # each kind brings its own library: only what is used is loaded
    if kind == "grams":
        from pilah.models.gram_encoder import GramEncoder

        return GramEncoder.load(path)
    if kind == "onnx":
        from pilah.models.onnx_encoder import OnnxEncoder

        return OnnxEncoder.load(path)
    from pilah.models.external_encoder import SentenceEncoder

    return SentenceEncoder.load(path)
