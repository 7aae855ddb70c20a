"""The torch part of fine-tuning: epochs over one lesson, kept in a folder after each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilah.datasets.errors import BundleError, InputError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    from pilah.training.config import TrainConfig

HEAD_RATE = 1e-3
"""Learning rate of the heads, which start from nothing."""
WARM = 0.1
"""Share of the steps in which the learning rates climb; then they fall to 0 in a line."""


def load_model(name: str) -> SentenceTransformer:
    """A torch encoder by folder or name: a transformer with mean pooling, what the export writes.

    Raises:
        BundleError: it cannot be loaded, or is something else.
    """
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(name, device="cpu")
    except (OSError, ValueError) as error:
        raise BundleError(f"encoder {name}: cannot be loaded ({type(error).__name__})") from None
    mean = len(model) > 1 and getattr(model[1], "pooling_mode", None) in ("mean", ("mean",))
    if not hasattr(model[0], "auto_model") or not mean:
        raise BundleError(
            f"encoder {name}: finetune takes a transformer with mean pooling, as a folder or name "
            "of sentence-transformers"
        )
    return model


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned, and on which rows.

    Attributes:
        texts: normalised texts, n of them.
        labels: column numbers, -1 where a row has no label, shape (n, targets).
        worth: what each label is worth, 0 where there is none, shape (n, targets).
        sizes: labels of each target.
        learned: numbers of the rows that teach.
        unseen: numbers of the rows that stop it, and that judge the heads later.
    """

    texts: list[str]
    labels: NDArray[np.int64]
    worth: NDArray[np.float32]
    sizes: tuple[int, ...]
    learned: NDArray[np.int64]
    unseen: NDArray[np.int64]


class Tuning:
    """An encoder with one linear head a target, trained jointly (AdamW, weighted cross-entropy).

    Attributes:
        losses: of the unseen rows after each epoch.
    """

    def __init__(
        self, model: SentenceTransformer, lesson: Lesson, config: TrainConfig, folder: Path
    ) -> None:
        """Start, or go on after the last epoch that the folder holds."""
        import torch

        assert config.finetune is not None  # noqa: S101 - the caller looked
        torch.manual_seed(config.seed)
        self._lesson, self._how, self._seed = lesson, config.finetune, config.seed
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.to(self._device)
        width = int(model.encode(["jalan"], show_progress_bar=False).shape[1])
        self._heads = torch.nn.ModuleList(torch.nn.Linear(width, n) for n in lesson.sizes)
        self._heads.to(self._device)
        self._weights = [
            torch.tensor(w, device=self._device) for w in _class_weights(lesson, config.balance)
        ]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": model.parameters(), "lr": self._how.rate},
                {"params": self._heads.parameters(), "lr": HEAD_RATE},
            ],
            weight_decay=0.01,
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._climb_and_fall)
        self.losses: list[float] = []
        self._last, self._best = folder / "last.pt", folder / "best.pt"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._last.is_file():
            self._go_on()

    @property
    def done(self) -> bool:
        """All epochs are through, or the unseen rows have not gained for ``patience`` epochs."""
        since = len(self.losses) - 1 - int(np.argmin(self.losses)) if self.losses else 0
        return len(self.losses) >= self._how.epochs or since > self._how.patience

    def epoch(self) -> None:
        """One pass over the rows that teach, then the loss of the unseen ones; both are kept."""
        import torch

        number = len(self.losses)
        torch.manual_seed(self._seed + number)
        order = np.random.default_rng([self._seed, number]).permutation(self._lesson.learned)
        self._model.train()
        for rows in self._batches(order):
            self._optimizer.zero_grad()
            total, worth = self._loss(rows)
            (total / worth.clamp(min=1e-6)).backward()
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
            self._optimizer.step()
            self._schedule.step()
        loss = self._unseen_loss()
        if not np.isfinite(loss):
            raise InputError(f"finetune.rate: epoch {number + 1} ended without a loss; lower it")
        self.losses.append(loss)
        if self.losses[-1] <= min(self.losses):
            _keep(self._best, self._model.state_dict())
        parts = ("_model", "_heads", "_optimizer", "_schedule")
        states = {part: getattr(self, part).state_dict() for part in parts}
        _keep(self._last, {**states, "losses": self.losses})

    def best(self) -> SentenceTransformer:
        """The encoder after its best epoch, on the CPU."""
        import torch

        self._model.to("cpu").load_state_dict(torch.load(self._best, map_location="cpu"))
        return self._model.eval()

    def _go_on(self) -> None:
        import torch

        kept: dict[str, Any] = torch.load(self._last, map_location=self._device)
        self.losses = list(kept.pop("losses"))
        for part, state in kept.items():
            getattr(self, part).load_state_dict(state)

    def _unseen_loss(self) -> float:
        import torch

        self._model.eval()
        with torch.inference_mode():
            found = [self._loss(rows) for rows in self._batches(self._lesson.unseen)]
        return float(sum(total for total, _ in found) / sum(worth for _, worth in found))

    def _loss(self, rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Sum of the weighted losses of some rows over all targets, and of the weights."""
        import torch
        from sentence_transformers.util import batch_to_device
        from torch.nn.functional import cross_entropy

        texts = [self._lesson.texts[i] for i in rows]
        labels = torch.from_numpy(self._lesson.labels[rows]).to(self._device)
        worth = torch.from_numpy(self._lesson.worth[rows]).to(self._device)
        pieces = batch_to_device(self._model.preprocess(texts), torch.device(self._device))
        with torch.autocast(self._device, torch.bfloat16, enabled=self._device == "cuda"):
            vectors = self._model(pieces)["sentence_embedding"]
        total = torch.zeros((), device=self._device)
        weight = torch.zeros((), device=self._device)
        for i, (head, classes) in enumerate(zip(self._heads, self._weights, strict=True)):
            given = labels[:, i].clamp(min=0)
            scale = worth[:, i] * classes[given]
            losses = cross_entropy(head(vectors.float()), given, reduction="none")
            total = total + (losses * scale).sum()
            weight = weight + scale.sum()
        return total, weight

    def _batches(self, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        size = self._how.batch
        return (rows[i : i + size] for i in range(0, len(rows), size))

    def _climb_and_fall(self, step: int) -> float:
        steps = self._how.epochs * -(-len(self._lesson.learned) // self._how.batch)
        warm = max(1, round(WARM * steps))
        return min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))


def _class_weights(lesson: Lesson, balance: float) -> list[NDArray[np.float32]]:
    """As of the linear heads: (rows / (labels x rows of the label)) to the power of balance."""
    found = []
    for column, size in enumerate(lesson.sizes):
        labels = lesson.labels[lesson.learned, column]
        counts = np.maximum(np.bincount(labels[labels >= 0], minlength=size), 1)
        found.append(((counts.sum() / (size * counts)) ** balance).astype(np.float32))
    return found


def _keep(path: Path, state: object) -> None:
    import torch

    draft = path.with_suffix(".part")
    torch.save(state, draft)
    draft.replace(path)
