"""Contrastive training of any sentence-transformers model: what belongs together moves together.

In-batch negatives (multiple negatives ranking, Henderson et al. 2017), hard negatives where a set
has them, and CoSENT (Su 2022) for scored pairs.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from pilah.training.pretrain.config import Similarity
    from pilah.training.pretrain.pairs import PairSet

log = logging.getLogger(__name__)
WARM = 0.1
"""Share of the steps in which the learning rate climbs."""


def train_similarity(
    model: SentenceTransformer,
    sets: Sequence[PairSet],
    config: Similarity,
    *,
    work: Path,
    seed: int,
) -> list[dict[str, Any]]:
    """Train a model in place; returns the log (loss by step).

    Checkpoints lie in ``work``: training that was stopped goes on from the last one.
    """
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer as Trainer
    from sentence_transformers import SentenceTransformerTrainingArguments as Arguments
    from sentence_transformers import losses
    from transformers.trainer_utils import get_last_checkpoint

    ranking = losses.MultipleNegativesRankingLoss(model, scale=config.ranking)
    scoring = losses.CoSENTLoss(model, scale=config.scoring)
    used = [s for s in sets if s.rows]
    rows = {s.name: Dataset.from_dict(_repeated(s)) for s in used}
    arguments = Arguments(
        output_dir=str(work),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch,
        learning_rate=config.rate,
        warmup_steps=WARM,
        logging_steps=50,
        save_steps=500,
        save_total_limit=1,
        report_to=[],
        seed=seed,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        loss={s.name: scoring if s.scored else ranking for s in used},
    )
    last = get_last_checkpoint(str(work)) if work.is_dir() else None
    if last:
        log.info("going on from %s", Path(last).name)
    trainer.train(resume_from_checkpoint=last)
    shutil.rmtree(work)  # done: another run must not go on from here
    return [entry for entry in trainer.state.log_history if "loss" in entry]


def _repeated(pairs: PairSet) -> dict[str, list[Any]]:
    return {name: values * pairs.repeat for name, values in pairs.columns.items()}
