"""Word pieces, and a table of their vectors from what stands beside what: no gradient needed.

Positive pointwise mutual information of neighbouring pieces, factorised (Levy and Goldberg 2014,
"Neural Word Embedding as Implicit Matrix Factorization"; context distribution smoothed with 0.75 as
in Levy, Goldberg and Dagan 2015). Rows are then given length by smooth inverse frequency (Arora et
al. 2017), so that their plain sum already weighs rare pieces more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.utils.extmath import randomized_svd
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from pilah.training.pretrain.texts import chunks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pilah.training.pretrain.config import EncoderConfig

PAD, UNKNOWN, FIRST, LAST, MASK = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LEAST = 1.0
"""Weighted neighbourings below which a pair of pieces is left out."""


@dataclass
class Neighbours:
    """Weighted counts of pieces and of pieces beside pieces."""

    pairs: csr_matrix
    counts: NDArray[np.float64]


def train_pieces(texts: Sequence[Path], size: int) -> Tokenizer:
    """Word pieces (Schuster and Nakajima 2012) of normalised text files."""
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN, max_input_chars_per_word=60))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, min_frequency=5, special_tokens=list(SPECIAL), limit_alphabet=200,
        show_progress=False,
    )  # fmt: skip
    tokenizer.train([str(p) for p in texts], trainer)
    return tokenizer


def train_table(
    tokenizer: Tokenizer, texts: Sequence[tuple[Path, float]], config: EncoderConfig
) -> NDArray[np.float32]:
    """Vectors of all pieces, shape (pieces, dim).

    Args:
        tokenizer: word pieces.
        texts: (file of normalised text, weight).
        config: sizes and seed.
    """
    found = _neighbours(tokenizer, texts, config.window)
    matrix = _mutual_information(found.pairs)
    left, strength, _ = randomized_svd(matrix, config.dim, n_iter=4, random_state=config.seed)
    rows = left * np.sqrt(strength)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    share = found.counts / found.counts.sum()
    rows *= (config.rare / (config.rare + share))[:, None]
    rows[: len(SPECIAL)] = 0.0
    return np.asarray(rows, dtype=np.float32)


def _neighbours(
    tokenizer: Tokenizer, texts: Sequence[tuple[Path, float]], window: int
) -> Neighbours:
    size = tokenizer.get_vocab_size()
    pairs, counts = csr_matrix((size, size), dtype=np.float32), np.zeros(size)
    for path, weight in texts:
        for lines in chunks(path):
            ids = _ids(tokenizer, lines, window)
            counts += weight * np.bincount(ids, minlength=size)
            for step in range(1, window + 1):
                pairs = pairs + _beside(ids, step, size) * (weight / step**0.5)
    return Neighbours((pairs + pairs.T).tocsr(), counts)


def _ids(tokenizer: Tokenizer, lines: list[str], window: int) -> NDArray[np.int64]:
    """Pieces of all lines in a row; between two lines stand as many zeros as the window is wide."""

    def parts() -> Iterator[int]:
        for found in tokenizer.encode_batch(lines, add_special_tokens=False):
            yield from found.ids
            yield from (0,) * window

    return np.fromiter(parts(), dtype=np.int64)


def _beside(ids: NDArray[np.int64], step: int, size: int) -> csr_matrix:
    left, right = ids[:-step], ids[step:]
    real = (left >= len(SPECIAL)) & (right >= len(SPECIAL))
    keys, counts = np.unique(left[real] * size + right[real], return_counts=True)
    return csr_matrix((counts.astype(np.float32), (keys // size, keys % size)), (size, size))


def _mutual_information(pairs: csr_matrix) -> csr_matrix:
    coo = pairs.tocoo()
    kept = coo.data >= LEAST
    row, column, count = coo.row[kept], coo.col[kept], coo.data[kept]
    rows = np.bincount(row, count, pairs.shape[0])
    context = np.bincount(column, count, pairs.shape[0]) ** 0.75
    value = np.log(count / (rows[row] * (context / context.sum())[column]))
    positive = value > 0
    entries = (value[positive].astype(np.float32), (row[positive], column[positive]))
    return csr_matrix(entries, shape=pairs.shape)
