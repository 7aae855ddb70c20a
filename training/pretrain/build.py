"""The stages of an encoder, each kept in a work folder, so that a stopped run goes on."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from pilah.datasets.errors import BundleError
from pilah.models.gram_encoder import GramEncoder
from pilah.models.grams import Grams
from pilah.training.pretrain.card import write_encoder_card
from pilah.training.pretrain.grams import directions, learn_grams
from pilah.training.pretrain.pairs import PairSet, read_pairs, report_pairs
from pilah.training.pretrain.places import place_traps
from pilah.training.pretrain.table import train_pieces, train_table
from pilah.training.pretrain.texts import chunks, halves, normalise_file

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    from pilah.models.encoder_folder import EncoderFolder
    from pilah.training.pretrain.config import EncoderConfig, Similarity

log = logging.getLogger(__name__)
Progress = Callable[[str], object]
PARITY_TEXTS = 500


@dataclass(frozen=True, slots=True)
class Stages:
    """Where the run reads and writes.

    Attributes:
        config: the encoder.
        data: folder that the files of the configuration lie below.
        shared: folder of what other configurations can go on from too: texts and n-grams.
        work: folder below it of what is done already of this configuration alone.
        progress: told the name of each step.
    """

    config: EncoderConfig
    data: Path
    shared: Path
    work: Path
    progress: Progress

    def texts(self) -> list[Path]:
        """Normalised text files, one for each source."""
        found = []
        for source in self.config.text:
            target = self.shared / (source.file.replace("/", "-").split(".")[0] + ".normal")
            if not target.is_file():
                self.progress(f"reading {source.file}")
                normalise_file(self.data / source.file, target)
            found.append(target)
        return found

    def pieces(self) -> Tokenizer:
        """The word pieces."""
        path, texts = self.work / "tokenizer.json", self.texts()
        if not path.is_file():
            self.progress(f"{self.config.pieces:,} word pieces")
            train_pieces(texts, self.config.pieces).save(str(path))
        return Tokenizer.from_file(str(path))

    def table(self) -> NDArray[np.float32]:
        """The table before contrastive training."""
        path, tokenizer = self.work / "table.npy", self.pieces()
        if not path.is_file():
            self.progress("table of neighbouring pieces")
            weights = [source.weight for source in self.config.text]
            texts = list(zip(self.texts(), weights, strict=True))
            _save(path, train_table(tokenizer, texts, self.config))
        found: NDArray[np.float32] = np.load(path)
        return found

    def grams(self) -> tuple[Grams, NDArray[np.float32]]:
        """What a static encoder knows, and the lengths of its first vectors."""
        size, sources = self.config.static, [(s.file, s.weight) for s in self.config.text]
        chosen = _digest([sources, size.grams, size.stems, size.shortest, size.longest])
        paths = [self.shared / f"{name}-{chosen}.npy" for name in ("keys", "lengths")]
        texts = self.texts()
        if not paths[-1].is_file():
            self.progress(f"{size.grams:,} n-grams, {size.stems:,} stems")
            weights = [source.weight for source in self.config.text]
            grams, lengths = learn_grams(list(zip(texts, weights, strict=True)), self.config)
            _save(paths[0], grams.keys)
            _save(paths[1], lengths)
        keys, lengths = (np.load(path) for path in paths)
        return Grams(keys, size.shortest, size.longest), lengths

    def pairs(self) -> list[PairSet]:
        """Everything to learn similarity from."""
        self.progress("reading pairs")
        cut = [
            pair
            for path, source in zip(self.texts(), self.config.text, strict=True)
            for pair in halves(path, source.halves, self.config.seed)
        ]
        columns = {"anchor": [a for a, _ in cut], "positive": [b for _, b in cut]}
        traps = place_traps(cut, self.config.static.places, self.config.seed)
        sets = [PairSet("halves", columns), PairSet("places", traps)]
        for source in self.config.pairs:
            sets += read_pairs(self.data, source)
        return [*sets, *report_pairs(self.config.reports)]


def build_encoder(
    config: EncoderConfig, output: Path, *, data: Path, work: Path,
    progress: Progress = lambda _: None,
) -> EncoderFolder:  # fmt: skip
    """Train an encoder from nothing and write its folder.

    Args:
        config: what to train.
        output: new folder.
        data: folder that the files of ``config`` lie below.
        work: folder for the stages, kept; a stopped run goes on from there, and another
            configuration takes from it the texts, and n-grams of the same number.
        progress: told the name of each step.

    Raises:
        InputError: a file is missing.
        BundleError: ``output`` exists, or the export differs too much from the model.
    """
    if output.exists():
        raise BundleError(f"{output}: exists; name a new folder")
    reports = [hashlib.sha256(path.read_bytes()).hexdigest() for path in config.reports]
    own = work / _digest([config.facts(), *reports])
    own.mkdir(parents=True, exist_ok=True)
    stages = Stages(config, data, work, own, progress)
    folder = _transformer(stages, output) if config.transformer else _static(stages, output)
    write_encoder_card(folder)
    return folder


def _digest(settings: object) -> str:
    """Names a stage by what decides it: with other settings it is made anew."""
    return hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:12]


def _static(stages: Stages, output: Path) -> EncoderFolder:
    from sentence_transformers import SentenceTransformer

    from pilah.training.pretrain.export import checked
    from pilah.training.pretrain.gram_module import GramModule

    config = stages.config
    grams, lengths = stages.grams()
    turns = directions(len(lengths), config.static.dim, config.seed)
    module = GramModule(grams, lengths, turns)
    model = SentenceTransformer(modules=[module], device="cpu")
    losses = _similar(stages, model, config.static.similarity, "static")
    facts = _facts(stages, {"similarity": losses})
    about = {"name": config.name, "facts": facts}
    folder = GramEncoder.write(output, grams, module.table(), about)
    stages.progress("parity check")
    return checked(folder, model, GramEncoder.load(output), _parity_texts(stages))


def _transformer(stages: Stages, output: Path) -> EncoderFolder:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    from pilah.training.pretrain.export import export_onnx
    from pilah.training.pretrain.transformer import fast_tokenizer, pretrain

    config, size = stages.config, stages.config.transformer
    assert size is not None  # noqa: S101 - the caller looked
    tokenizer = fast_tokenizer(stages.pieces(), size.length)
    learned = stages.work / "pretrained"
    if not (learned / "log.json").is_file():
        stages.progress(f"pretraining: {size.steps:,} steps of {size.batch} x {size.length}")
        bert, entries = pretrain(
            stages.texts(), tokenizer, stages.table(), size,
            work=stages.work / "pretraining", seed=config.seed,
        )  # fmt: skip
        bert.bert.save_pretrained(learned)
        tokenizer.save_pretrained(learned)
        (learned / "log.json").write_text(json.dumps(entries), "utf-8")
    module = Transformer(str(learned), max_seq_length=size.length)
    pooling = Pooling(module.get_embedding_dimension())
    model = SentenceTransformer(modules=[module, pooling])
    losses = _similar(stages, model, size.similarity, "similarity")
    model.to("cpu")
    stages.progress("export and parity check")
    masked = json.loads((learned / "log.json").read_text("utf-8"))
    about = {"name": config.name, "facts": _facts(stages, {"masked": masked, "similarity": losses})}
    return export_onnx(model, output, _parity_texts(stages), about)


def _similar(
    stages: Stages,
    model: SentenceTransformer,
    size: Similarity,
    name: str,
) -> list[dict[str, Any]]:
    from pilah.training.pretrain.similarity import train_similarity

    sets = stages.pairs()
    stages.progress(f"similarity: {sum(s.rows for s in sets):,} rows, rate {size.rate:g}")
    return train_similarity(model, sets, size, work=stages.work / name, seed=stages.config.seed)


def _parity_texts(stages: Stages) -> list[str]:
    lines = [line for path in stages.texts() for part in chunks(path) for line in part]
    places = np.random.default_rng(stages.config.seed).choice(len(lines), PARITY_TEXTS)
    return [lines[i] for i in places]


def _facts(stages: Stages, logs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Settings, sizes of the data, loss curves and environment."""
    packages = ("numpy", "torch", "transformers", "sentence-transformers", "tokenizers")
    lines = {
        source.file: sum(len(part) for part in chunks(path))
        for path, source in zip(stages.texts(), stages.config.text, strict=True)
    }
    curves = {
        name: [(int(e["step"]), round(float(e["loss"]), 3)) for e in entries]
        for name, entries in logs.items()
    }
    return {
        "config": stages.config.facts(),
        "lines": lines,
        "loss": curves,
        "environment": {
            "python": platform.python_version(),
            **{p: version(p) for p in packages},
        },
    }


def _save(path: Path, rows: NDArray[Any]) -> None:
    draft = path.with_suffix(".part.npy")
    np.save(draft, rows)
    draft.replace(path)
