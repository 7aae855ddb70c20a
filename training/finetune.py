"""Fine-tuning of a transformer encoder together with linear heads for an experiment's targets.

The newest rows are kept from it: they stop it in time, and later they alone judge the heads of the
bundle, because an encoder that saw a row's label makes that row too easy. What comes out is an int8
ONNX encoder like any other; the torch heads are thrown away, and serving needs no torch.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import InputError
from pilah.datasets.splits import split_by
from pilah.models.encoder_folder import ABOUT, checksum
from pilah.models.onnx_encoder import OnnxEncoder
from pilah.training.finetune_torch import Lesson, Tuning, load_model
from pilah.training.mix import MIN_TRUSTED, TRUSTED

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from pilah.datasets.splits import Split
    from pilah.training.config import TrainConfig
    from pilah.training.data import Prepared
    from pilah.training.stages import Stages
    from pilah.training.targets import Target

PARITY_TEXTS = 500
MISSING = "finetune needs torch and sentence-transformers; run: pip install 'pilah[train]'"


def finetuned(
    config: TrainConfig,
    data: Prepared,
    targets: Sequence[Target],
    stages: Stages,
    progress: Callable[[str], object] = lambda _: None,
) -> tuple[OnnxEncoder, NDArray[np.int64]]:
    """The encoder of ``config``, fine-tuned and exported, and the numbers of rows it never saw.

    Every finished epoch is kept: a training that was stopped goes on after it.

    Args:
        config: names the encoder; ``finetune`` is not None.
        data: the rows.
        targets: of the heads.
        stages: keeps the work; the encoder's files lie there until the bundle is saved.
        progress: told the name of each epoch.

    Raises:
        InputError: torch is missing, or too few rows are left unseen.
        BundleError: the encoder is no transformer, or its export differs too much.
    """
    assert config.finetune is not None  # noqa: S101 - the caller looked
    lesson = _lesson(config, data, targets)
    made_from = {"config": config.facts(), "data": data.fingerprint, "encoder": _sums(config)}
    arrays = {"labels": lesson.labels, "worth": lesson.worth, "unseen": lesson.unseen}
    folder = stages.place("finetune", {**made_from, **arrays})
    done = folder / "encoder"
    if not (done / ABOUT).is_file():
        model, losses = _tune(config, lesson, folder, progress)
        progress("export and parity check")
        _export(model, config, lesson, losses, done)
    return OnnxEncoder.load(done), lesson.unseen


def _lesson(config: TrainConfig, data: Prepared, targets: Sequence[Target]) -> Lesson:
    cut = _cut(config, data)
    labels = np.full((len(data.rows), len(targets)), -1, dtype=np.int64)
    worth = np.zeros(labels.shape, dtype=np.float32)
    sizes = []
    for column, target in enumerate(targets):
        names = sorted(set(target.labels))
        number = {name: i for i, name in enumerate(names)}
        labels[target.index, column] = [number[label] for label in target.labels]
        worth[target.index, column] = target.weights
        sizes.append(len(names))
        known, trusted = labels[:, column] >= 0, worth[:, column] >= TRUSTED
        judges = int((known & trusted & (data.represents > 0))[cut.test].sum())
        if judges < MIN_TRUSTED:
            raise InputError(
                f"finetune: {judges} unseen rows can judge {target.name}, {MIN_TRUSTED} are "
                "needed; add rows, or leave the target out"
            )
    texts = [clean.normal for clean in data.cleans]
    return Lesson(texts, labels, worth, tuple(sizes), cut.train, cut.test)


def _cut(config: TrainConfig, data: Prepared) -> Split:
    """The newest rows apart; where rows have no date, random groups of near-duplicates."""
    assert config.finetune is not None  # noqa: S101 - the caller looked
    moments = [row.report.reported_at for row in data.rows]
    way = "newest" if all(m is not None for m in moments) else "random"
    rule = f"{way} {config.finetune.unseen_percent}%"
    return split_by(rule, moments, data.groups, seed=config.seed)


def _sums(config: TrainConfig) -> list[str]:
    """Checksums of the encoder's files, where it is a folder: another one is not gone on from."""
    files = (p for p in sorted(Path(config.encoder).rglob("*")) if p.is_file())
    return [checksum(path) for path in files]


def _tune(
    config: TrainConfig, lesson: Lesson, folder: Path, progress: Callable[[str], object]
) -> tuple[SentenceTransformer, list[float]]:
    if not (find_spec("torch") and find_spec("sentence_transformers")):
        raise InputError(MISSING)
    assert config.finetune is not None  # noqa: S101 - the caller looked
    tuning = Tuning(load_model(config.encoder), lesson, config, folder)
    while not tuning.done:
        told = f", held-out loss {tuning.losses[-1]:.3f}" if tuning.losses else ""
        number = len(tuning.losses) + 1
        progress(f"fine-tuning: epoch {number} of at most {config.finetune.epochs}{told}")
        tuning.epoch()
    return tuning.best(), tuning.losses


def _export(
    model: SentenceTransformer,
    config: TrainConfig,
    lesson: Lesson,
    losses: list[float],
    folder: Path,
) -> None:
    from pilah.training.pretrain.export import export_onnx

    assert config.finetune is not None  # noqa: S101 - the caller looked
    packages = ("numpy", "torch", "transformers", "sentence-transformers")
    facts = {
        "finetuned_from": Path(config.encoder).name,
        "settings": asdict(config.finetune),
        "rows": len(lesson.learned),
        "unseen": len(lesson.unseen),
        "held_out_loss": [round(x, 4) for x in losses],
        "environment": {
            "python": platform.python_version(),
            **{p: version(p) for p in packages},
        },
    }
    draft = folder.with_name("export")
    shutil.rmtree(draft, ignore_errors=True)  # left by an export that was stopped
    about = {"name": f"{config.name}-encoder", "facts": facts}
    export_onnx(model, draft, lesson.texts[:PARITY_TEXTS], about)
    draft.replace(folder)
