"""A transformer exported to ONNX, read with onnxruntime and tokenizers alone: no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from pilah.models.encoder import unit
from pilah.models.encoder_folder import EncoderFolder, open_folder

BATCH = 32
"""Texts in one pass, of like length so that little is padded."""


@dataclass(frozen=True, slots=True)
class OnnxEncoder:
    """One pass of a small transformer; pooling is part of the graph.

    Attributes:
        folder: where it lies.
        tokenizer: word pieces, cut at the graph's longest input.
        session: the graph: ``input_ids`` and ``attention_mask`` (int64, shape (n, pieces)) in,
            one vector a text out, shape (n, dim).
    """

    folder: EncoderFolder
    tokenizer: Tokenizer
    session: onnxruntime.InferenceSession

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.folder.dim

    @property
    def version(self) -> str:
        """Of the folder."""
        return self.folder.version

    def encode(self, normals: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of normalised texts, shape (n, dim)."""
        rows = np.zeros((len(normals), self.dim), dtype=np.float32)
        read = self.tokenizer.encode_batch(list(normals))
        order = sorted(range(len(read)), key=lambda i: len(read[i].ids))
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            rows[places] = self._pass([read[i].ids for i in places])
        return unit(rows)

    def _pass(self, ids: list[list[int]]) -> NDArray[np.float32]:
        longest = max(map(len, ids))
        inputs = np.zeros((len(ids), longest), dtype=np.int64)
        mask = np.zeros_like(inputs)
        for row, text in enumerate(ids):
            inputs[row, : len(text)] = text
            mask[row, : len(text)] = 1
        found = self.session.run(None, {"input_ids": inputs, "attention_mask": mask})
        return np.asarray(found[0], dtype=np.float32)

    @classmethod
    def load(cls, path: Path) -> OnnxEncoder:
        """Open a folder of the kind ``onnx``.

        Raises:
            BundleError: the folder is damaged.
        """
        folder = open_folder(path)
        tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(int(folder.about["settings"]["max_pieces"]))
        session = onnxruntime.InferenceSession(
            str(path / "model.onnx"), providers=["CPUExecutionProvider"]
        )
        return cls(folder, tokenizer, session)
