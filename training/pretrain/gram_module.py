"""The static encoder while it is trained: a module of sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers.base.modules import InputModule
from torch.nn.functional import dropout, embedding, embedding_bag

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
        drop: share of n-grams that are left out of a text in each step of training.
    """

    def __init__(
        self, grams: Grams, lengths: NDArray[np.float32], directions: NDArray[np.float32],
        *, drop: float,
    ) -> None:  # fmt: skip
        """Start from these vectors."""
        super().__init__()
        self.grams, self.drop = grams, drop
        self.register_buffer("keys", torch.from_numpy(grams.keys.view(np.int64)))
        self.spread = STIFF * directions.shape[1] ** 0.5
        self.logs = torch.nn.Parameter(torch.log(torch.from_numpy(lengths))[:, None])
        self.turns = torch.nn.Parameter(torch.from_numpy(directions) * self.spread)

    def preprocess(self, inputs: Sequence[str], **_: object) -> dict[str, torch.Tensor]:
        """Keys that stand in these texts, and of each text their places there and counts."""
        counts = self.grams.count(inputs)
        used, places = np.unique(counts.indices, return_inverse=True)
        return {
            "input_ids": torch.from_numpy(used.astype(np.int64)),
            "places": torch.from_numpy(places.astype(np.int64)),
            "counts": torch.from_numpy(counts.data),
            "offsets": torch.from_numpy(counts.indptr[:-1].astype(np.int64)),
        }

    def forward(self, features: dict[str, Any], **_: object) -> dict[str, Any]:
        """Adds ``sentence_embedding``, shape (texts, dim)."""
        used = features["input_ids"]
        lengths, turns = (embedding(used, rows) for rows in (self.logs, self.turns))
        counts = dropout(features["counts"], self.drop, self.training)
        features["sentence_embedding"] = embedding_bag(
            features["places"], torch.exp(lengths) * turns, features["offsets"], mode="sum",
            per_sample_weights=counts,
        )  # fmt: skip
        return features

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """Moves only what a batch contains: the rest keeps what it has learned."""
        return LazyAdam(self.parameters(), {"lr": rate})

    def table(self) -> NDArray[np.float32]:
        """Vectors as they are added up, shape (keys, dim)."""
        with torch.no_grad():
            table = torch.exp(self.logs) * self.turns / self.spread
        return np.asarray(table.numpy(), dtype=np.float32)

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return int(self.turns.shape[1])

    def get_config_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps beside the weights."""
        return {
            "shortest": self.grams.shortest, "longest": self.grams.longest, "drop": self.drop
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
        drop = config.pop("drop")
        grams = Grams(found["keys"].numpy().view(np.uint64), **config)
        count, dim = found["turns"].shape
        blank = np.ones((count, dim), dtype=np.float32)
        module = cls(grams, blank[:, 0].copy(), blank, drop=drop)
        module.load_state_dict(found)
        return module


class LazyAdam(torch.optim.Optimizer):
    """Adam (Kingma and Ba 2015) over rows: a row without a gradient stays, moments and all.

    The second moment is one number a row, so that a step keeps the gradient's direction.
    torch's SparseAdam wants sparse gradients, whose norm the trainer cannot take.
    """

    FIRST, SECOND = 0.9, 0.999

    def step(self, closure: Any = None) -> Any:  # noqa: ANN401 - as in torch
        """Move every row that has a gradient; returns the loss where a closure finds it."""
        loss = closure() if closure else None
        with torch.no_grad():
            for group in self.param_groups:
                for rows in group["params"]:
                    self._move(rows, group["lr"], self.state[rows])
        return loss

    def _move(self, rows: torch.Tensor, rate: float, state: dict[str, Any]) -> None:
        if not state:
            state.update(step=0, mean=torch.zeros_like(rows), square=torch.zeros(len(rows), 1))
        state["step"] += 1
        used = rows.grad.abs().amax(dim=1).nonzero()[:, 0]
        found = rows.grad[used]
        mean = torch.lerp(found, state["mean"][used], self.FIRST)
        square = torch.lerp((found**2).mean(1, keepdim=True), state["square"][used], self.SECOND)
        state["mean"][used], state["square"][used] = mean, square
        mean = mean / (1 - self.FIRST ** state["step"])
        square = square / (1 - self.SECOND ** state["step"])
        rows[used] -= rate * mean / (square.sqrt() + 1e-9)
