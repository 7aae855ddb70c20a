"""A small BERT from plain text: whole-word masking, its table started from the static one.

On a GPU this is minutes for hundreds of millions of pieces; on four CPU cores hours for tens of
millions, which do not pay (docs/encoder.md has the figures). It stops and goes on at checkpoints.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pilah.training.pretrain.table import FIRST, LAST, MASK, PAD, UNKNOWN
from pilah.training.pretrain.texts import chunks

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import BertForMaskedLM, PreTrainedTokenizerFast

    from pilah.training.pretrain.config import Transformer

log = logging.getLogger(__name__)
MASKED = 0.2
"""Share of pieces hidden; above 0.15 serves small models (Wettig et al. 2023)."""
WARM = 0.02


def fast_tokenizer(tokenizer: Tokenizer, length: int) -> PreTrainedTokenizerFast:
    """The pieces as transformers reads them, with first and last piece around a text."""
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    ends = [(name, tokenizer.token_to_id(name)) for name in (FIRST, LAST)]
    tokenizer.post_processor = TemplateProcessing(single=f"{FIRST} $A {LAST}", special_tokens=ends)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=length, pad_token=PAD, unk_token=UNKNOWN,
        cls_token=FIRST, sep_token=LAST, mask_token=MASK,
    )  # fmt: skip


def pretrain(
    texts: Sequence[Path],
    tokenizer: PreTrainedTokenizerFast,
    table: NDArray[np.float32],
    config: Transformer,
    *,
    work: Path,
    seed: int,
) -> tuple[BertForMaskedLM, list[dict[str, Any]]]:
    """Masked-language pretraining; returns the model and the log (loss by step).

    Args:
        texts: files of normalised text.
        tokenizer: from :func:`fast_tokenizer`.
        table: static vectors, shape (pieces, dim), from which the table of pieces starts.
        config: sizes and steps.
        work: folder of the checkpoints; training that was stopped goes on from the last one.
        seed: of everything random.
    """
    import torch
    from transformers import DataCollatorForLanguageModeling as Masking
    from transformers import Trainer, TrainingArguments
    from transformers.trainer_utils import get_last_checkpoint

    torch.manual_seed(seed)
    model = _model(tokenizer, table, config)
    arguments = TrainingArguments(
        output_dir=str(work),
        max_steps=config.steps,
        per_device_train_batch_size=config.batch,
        learning_rate=config.rate,
        weight_decay=0.01,
        warmup_steps=WARM,
        bf16=torch.cuda.is_available(),
        dataloader_num_workers=4 if torch.cuda.is_available() else 0,
        logging_steps=50,
        save_steps=config.save,
        save_total_limit=1,
        remove_unused_columns=False,  # the masking reads the offsets
        report_to=[],
        seed=seed,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=_Blocks(texts, tokenizer, config.length),
        data_collator=Masking(tokenizer, whole_word_mask=True, mlm_probability=MASKED),
    )
    last = get_last_checkpoint(str(work)) if work.is_dir() else None
    if last:
        log.info("going on from %s", Path(last).name)
    trainer.train(resume_from_checkpoint=last)
    return model, [entry for entry in trainer.state.log_history if "loss" in entry]


class _Blocks:
    """All texts in a row, cut into blocks of one length; in memory as 16 or 32-bit numbers."""

    def __init__(
        self, texts: Sequence[Path], tokenizer: PreTrainedTokenizerFast, length: int
    ) -> None:
        backend, last = tokenizer.backend_tokenizer, tokenizer.sep_token_id
        read = (
            (*found.ids, last)
            for path in texts
            for lines in chunks(path)
            for found in backend.encode_batch(lines, add_special_tokens=False)
        )
        small = np.uint16 if len(tokenizer) < 1 << 16 else np.uint32
        ids = np.fromiter(itertools.chain.from_iterable(read), dtype=small)
        inner = length - 1
        self._rows = ids[: len(ids) // inner * inner].reshape(-1, inner)
        self._first = tokenizer.cls_token_id
        pieces = sorted(backend.get_vocab().items(), key=lambda item: item[1])
        self._steps = np.array([1 if piece.startswith("##") else 2 for piece, _ in pieces])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Ids, and offsets that touch where a piece goes on a word: whole words are hidden."""
        ids = np.concatenate([[self._first], self._rows[number]])
        ends = self._steps[ids].cumsum()
        offsets = np.stack([ends - 1, ends], axis=1)
        return {"input_ids": ids.tolist(), "offset_mapping": offsets.tolist()}


def _model(
    tokenizer: PreTrainedTokenizerFast, table: NDArray[np.float32], config: Transformer
) -> BertForMaskedLM:
    import torch
    from transformers import BertConfig, BertForMaskedLM

    model = BertForMaskedLM(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=config.hidden,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            intermediate_size=4 * config.hidden,
            max_position_embeddings=config.length,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    words = model.get_input_embeddings().weight
    start = table[:, : config.hidden]
    spread = float(words.std()) / max(float(start.std()), 1e-6)
    with torch.no_grad():
        words[:, : start.shape[1]] = torch.from_numpy(start * spread)
    return model
