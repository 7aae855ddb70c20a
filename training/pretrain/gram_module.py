"""The static encoder while it is trained: a module of sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers.base.modules import InputModule
from torch.nn.functional import embedding_bag

from pilah.models.grams import Grams

STIFF = 2.0
"""A step turns a direction by this much less than it changes a length."""


class GramModule(InputModule):
    """Adds up the vectors of n-grams; every vector has a learned length and a learned direction.

    Length and direction are apart so that training can weigh an n-gram without turning it (Salimans
    and Kingma 2016): what is rare and never trained on keeps its own direction.

    Args:
        grams: what it knows.
        lengths: shape (keys,).
        directions: shape (keys, dim), about one long.
    """

    def __init__(
        self, grams: Grams, lengths: NDArray[np.float32], directions: NDArray[np.float32]
    ) -> None:  # fmt: skip
        """Start from these vectors."""
        super().__init__()
        self.grams = grams
        self.register_buffer("keys", torch.from_numpy(grams.keys.view(np.int64)))
        self.spread = STIFF * directions.shape[1] ** 0.5
        self.logs = torch.nn.Parameter(torch.log(torch.from_numpy(lengths)))
        self.turns = torch.nn.Parameter(torch.from_numpy(directions) * self.spread)

    def preprocess(self, inputs: Sequence[str], **_: object) -> dict[str, torch.Tensor]:
        """Columns, damped counts and starts of the texts."""
        counts = self.grams.count(inputs)
        return {
            "input_ids": torch.from_numpy(counts.indices.astype(np.int64)),
            "counts": torch.from_numpy(counts.data),
            "offsets": torch.from_numpy(counts.indptr[:-1].astype(np.int64)),
        }

    def forward(self, features: dict[str, Any], **_: object) -> dict[str, Any]:
        """Adds ``sentence_embedding``, shape (texts, dim)."""
        found = features["input_ids"]
        features["sentence_embedding"] = embedding_bag(
            found, self.turns, features["offsets"], mode="sum",
            per_sample_weights=features["counts"] * torch.exp(self.logs[found]),
        )  # fmt: skip
        return features

    def table(self) -> NDArray[np.float32]:
        """Vectors as they are added up, shape (keys, dim)."""
        with torch.no_grad():
            table = torch.exp(self.logs)[:, None] * self.turns / self.spread
        return np.asarray(table.numpy(), dtype=np.float32)

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return int(self.turns.shape[1])

    def get_config_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps beside the weights."""
        return {
            "shortest": self.grams.shortest, "longest": self.grams.longest
        }  # fmt: skip

    def save(self, output_path: str, *_: object, **__: object) -> None:
        """Write a checkpoint."""
        self.save_torch_weights(output_path)
        self.save_config(output_path)

    @classmethod
    def load(cls, model_name_or_path: str, subfolder: str = "", **_: object) -> GramModule:
        """Read a checkpoint back."""
        found = cls.load_torch_weights(model_name_or_path, subfolder=subfolder)
        config = cls.load_config(model_name_or_path, subfolder=subfolder)
        grams = Grams(found["keys"].numpy().view(np.uint64), **config)
        count, dim = found["turns"].shape
        blank = np.ones((count, dim), dtype=np.float32)
        module = cls(grams, blank[:, 0].copy(), blank)
        module.load_state_dict(found)
        return module
