"""Which encoder an experiment uses, and the embeddings of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.decomposition import TruncatedSVD

from pilah.models.encoder import LsaEncoder
from pilah.models.encoder_folder import ABOUT, BUNDLED
from pilah.models.encoders import FolderEncoder, load_encoder
from pilah.models.external_encoder import SentenceEncoder
from pilah.models.regional import in_indonesian

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from pilah.models.features import NgramFeatures
    from pilah.training.config import TrainConfig

CHUNK = 1024


def make_encoder(
    features: NgramFeatures, matrix: csr_matrix, config: TrainConfig
) -> LsaEncoder | FolderEncoder:
    """The encoder that ``config.encoder`` names.

    Args:
        features: the n-grams, fitted.
        matrix: their values for the training rows, shape (n, columns).
        config: the experiment.

    Raises:
        BundleError: the encoder cannot be loaded.
    """
    if config.encoder == "lsa":
        return _lsa(features, matrix, config)
    path = BUNDLED if config.encoder == "pilah-mini" else Path(config.encoder)
    if (path / ABOUT).is_file():
        return load_encoder(path)
    return SentenceEncoder.named(config.encoder)


def embed(
    encoder: LsaEncoder | FolderEncoder, normals: Sequence[str], matrix: csr_matrix
) -> NDArray[np.float32]:
    """Embeddings of normalised texts as a bundle gives them, shape (n, dim).

    ``matrix`` holds their n-grams.
    """
    if isinstance(encoder, LsaEncoder):
        return encoder.project(matrix)
    normals = list(map(in_indonesian, normals))
    parts = [encoder.encode(normals[i : i + CHUNK]) for i in range(0, len(normals), CHUNK)]
    return np.concatenate(parts)


def _lsa(features: NgramFeatures, matrix: csr_matrix, config: TrainConfig) -> LsaEncoder:
    dim = min(config.dim, min(matrix.shape) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # texts that are all the same
        svd = TruncatedSVD(dim, random_state=config.seed).fit(matrix)
    return LsaEncoder(features, np.ascontiguousarray(svd.components_.T, dtype=np.float32))
