"""From torch to what serving reads: a static table, or an int8 ONNX graph, with a parity check."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilah.datasets.errors import BundleError
from pilah.models.encoder import Encoder, unit
from pilah.models.encoder_folder import EncoderFolder, write_about
from pilah.models.onnx_encoder import OnnxEncoder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PARITY = 0.99
"""Least mean cosine between a text's vectors before and after export."""
PIECES = 8
"""Length of the example input; the graph takes any length."""


def export_onnx(
    model: SentenceTransformer, folder: Path, texts: Sequence[str], about: dict[str, Any]
) -> EncoderFolder:
    """Write an int8 ONNX encoder folder; its facts then hold the mean cosine to the torch model.

    Args:
        model: transformer with mean pooling.
        folder: new folder.
        texts: normalised texts for the parity check, 500 of them.
        about: name and facts.

    Raises:
        BundleError: the graph's vectors differ too much from the model's.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        plain = Path(name) / "model.onnx"
        _graph(model, plain)
        quantize_dynamic(
            plain, folder / "model.onnx", weight_type=QuantType.QInt8, per_channel=True,
        )  # fmt: skip
    model.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    dim = int(model.encode(["jalan"]).shape[1])
    settings = {"max_pieces": int(model.max_seq_length)}
    written = write_about(folder, {"kind": "onnx", "dim": dim, "settings": settings, **about})
    return checked(written, model, OnnxEncoder.load(folder), texts)


def checked(
    folder: EncoderFolder, model: SentenceTransformer, encoder: Encoder, texts: Sequence[str]
) -> EncoderFolder:
    """Compare what was written with the model; its facts then hold the mean cosine.

    Raises:
        BundleError: the encoder's vectors differ too much from the model's.
    """
    parity = agreement(model, encoder, texts)
    if parity < PARITY:
        raise BundleError(
            f"{folder.path}: mean cosine to the torch model {parity:.4f}, under {PARITY}"
        )
    facts = {**folder.about["facts"], "parity": round(parity, 5)}
    return write_about(folder.path, {**folder.about, "facts": facts})


def agreement(model: SentenceTransformer, encoder: Encoder, texts: Sequence[str]) -> float:
    """Mean cosine between the vectors of the model and of the exported encoder."""
    ours = encoder.encode(texts)
    theirs = unit(np.asarray(model.encode(list(texts), show_progress_bar=False), np.float32))
    return float((ours * theirs).sum(axis=1).mean())


def _graph(model: SentenceTransformer, path: Path) -> None:
    import torch

    class Pooled(torch.nn.Module):  # type: ignore[misc, unused-ignore]  # torch may be missing
        """Mean over the pieces of a text, as the model pools."""

        def __init__(self, inner: torch.nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            hidden = self.inner(input_ids=input_ids, attention_mask=attention_mask)[0]
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            return (hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0)

    inner = model[0].auto_model.eval().cpu()
    example = torch.ones((2, PIECES), dtype=torch.long)
    shape = {0: torch.export.Dim("texts"), 1: torch.export.Dim("pieces", min=2)}
    torch.onnx.export(
        Pooled(inner), (example, torch.ones_like(example)), str(path), dynamo=True,
        input_names=["input_ids", "attention_mask"], output_names=["report_vector"],
        dynamic_shapes={"input_ids": shape, "attention_mask": shape}, external_data=False,
    )  # fmt: skip
