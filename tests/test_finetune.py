"""Fine-tuning of an encoder inside a training: what it learns from, and what judges it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pilah.datasets.errors import BundleError, InputError
from pilah.models.bundle import Bundle
from pilah.training.config import Finetune, TrainConfig, load_config
from pilah.training.finetune_torch import Tuning
from pilah.training.mix import MIN_TRUSTED
from pilah.training.stages import Stages
from pilah.training.train import train

if TYPE_CHECKING:
    from pathlib import Path

SUBJECTS = {
    "jalan": "PUPR",
    "jembatan": "PUPR",
    "sampah": "DLH",
    "selokan": "DLH",
    "antrean": "RSUD",
}
TROUBLES = ("rusak", "penuh", "panjang", "bau", "lama", "kotor", "roboh", "parah")
PLACES = ("pasar", "kantor", "sekolah", "taman", "stasiun", "masjid", "lapangan", "terminal")
ROWS = [
    {
        "text": f"{s} {t} di dekat {p} nomor {i % 7} {'' if i % 2 else 'sejak lama'}",
        "agency": a,
        "reported_at": f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}",
    }
    for i, (t, p, (s, a)) in enumerate(
        (t, p, item) for t in TROUBLES for p in PLACES for item in SUBJECTS.items()
    )
]
HOW = Finetune(epochs=2, batch=32, rate=1e-3, unseen_percent=40)


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    """An experiment over the rows; its encoder is not there yet."""
    path = tmp_path / "riwayat.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)), "utf-8")
    return TrainConfig(
        data=(path,), target=("agency",), min_df=1, views=("word",), folds=2,
        encoder=str(tmp_path / "kecil"), embedding_weight=1.0, finetune=HOW,
    )  # fmt: skip


def test_the_table_of_an_experiment(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("embedding_weight = 1\n[finetune]\nepochs = 3\nrate = 1e-4", "utf-8")
    found = load_config(path)
    assert found.finetune == Finetune(epochs=3, rate=1e-4)
    facts = found.facts()["finetune"]
    assert facts["epochs"] == 3
    for text, match in (
        ("[finetune]", "embedding_weight: .*heads read"),
        ("[finetune]\nepoch = 3", "unknown key 'finetune.epoch'"),
        ("[finetune]\nepochs = 'x'", "finetune.epochs must be a int"),
        ("embedding_weight = 1\n[finetune]\nbatch = 0", "finetune.batch: out of range"),
        ("finetune = 3", "must be a table"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(InputError, match=match):
            load_config(path)


def test_too_few_unseen_rows_are_refused(config: TrainConfig, tmp_path: Path) -> None:
    few = replace(config, finetune=replace(HOW, unseen_percent=5))
    with pytest.raises(InputError, match=f"unseen rows can judge agency, {MIN_TRUSTED} are needed"):
        train(few, stages=Stages(tmp_path / "work"))
    with pytest.raises(InputError, match="needs a folder"):
        train(config)


@pytest.mark.train
@pytest.mark.filterwarnings("ignore")
class TestWithTorch:
    """Needs the train extra; `make traintest` installs it and runs these."""

    @pytest.fixture(autouse=True)
    def _encoder(self, config: TrainConfig) -> None:
        """A transformer of one layer, with random weights, as sentence-transformers saves it."""
        pytest.importorskip("sentence_transformers", reason="needs the train extra")
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
        from transformers import BertConfig, BertModel

        from pilah.training.pretrain.table import train_pieces
        from pilah.training.pretrain.transformer import fast_tokenizer

        folder = config.data[0].parent
        text = folder / "teks.normal"
        text.write_text("\n".join(row["text"] for row in ROWS), "utf-8")
        tokenizer = fast_tokenizer(train_pieces([text], 200), 32)
        torch.manual_seed(0)
        size = BertConfig(
            vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=32,
        )  # fmt: skip
        BertModel(size).save_pretrained(folder / "bert")
        tokenizer.save_pretrained(folder / "bert")
        module = Transformer(str(folder / "bert"), max_seq_length=32)
        SentenceTransformer(modules=[module, Pooling(16)]).save(config.encoder)

    def test_a_bundle_carries_what_was_learned_and_is_judged_by_unseen_rows(
        self, config: TrainConfig, tmp_path: Path
    ) -> None:
        told: list[str] = []
        bundle = train(config, told.append, stages=Stages(tmp_path / "work"))
        bundle.save(tmp_path / "kota")
        loaded = Bundle.load(tmp_path / "kota")
        assert sum(step.startswith("fine-tuning: epoch") for step in told) == 2
        about = json.loads((tmp_path / "kota" / "encoder" / "encoder.json").read_text("utf-8"))
        facts = about["facts"]
        assert (about["kind"], facts["finetuned_from"]) == ("onnx", "kecil")
        assert facts["parity"] >= 0.99
        assert facts["held_out_loss"][-1] < np.log(3)
        assert facts["rows"] + facts["unseen"] <= len(ROWS)
        assert loaded.facts["cross_validated"]["agency"]["rows"] == facts["unseen"]
        assert "only rows that it did not learn from judge" in loaded.card
        matrix, vectors = loaded.read(["jembatan roboh di dekat pasar"])
        assert matrix.shape[1] == loaded.features.size + vectors.shape[1]

    def test_a_stopped_training_goes_on_after_its_last_epoch(
        self, config: TrainConfig, tmp_path: Path
    ) -> None:
        def stopping(step: str) -> None:
            if "epoch 2" in step:
                raise KeyboardInterrupt

        work = tmp_path / "work"
        with pytest.raises(KeyboardInterrupt):
            train(config, stopping, stages=Stages(work))
        told: list[str] = []
        again = train(config, told.append, stages=Stages(work)).save(tmp_path / "a")
        assert sum(step.startswith("fine-tuning: epoch") for step in told) == 1
        whole = train(config, stages=Stages(tmp_path / "other")).save(tmp_path / "b")
        assert again == whole

    def test_it_stops_when_unseen_rows_gain_nothing(
        self, config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        losses = iter([2.0, 1.0, 1.5, 0.9, 1.1, 1.2])
        monkeypatch.setattr(Tuning, "_unseen_loss", lambda _: next(losses))
        long = replace(config, finetune=replace(HOW, epochs=9, patience=1))
        bundle = train(long, stages=Stages(tmp_path / "work"))
        bundle.save(tmp_path / "kota")
        about = json.loads((tmp_path / "kota" / "encoder" / "encoder.json").read_text("utf-8"))
        assert about["facts"]["held_out_loss"] == [2.0, 1.0, 1.5, 0.9, 1.1, 1.2]

    def test_only_a_transformer_can_be_tuned(self, config: TrainConfig, tmp_path: Path) -> None:
        with pytest.raises(BundleError, match="cannot be loaded"):
            train(replace(config, encoder="lsa"), stages=Stages(tmp_path / "work"))
