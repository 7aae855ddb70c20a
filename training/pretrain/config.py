"""One TOML file describes one encoder; unknown keys are refused."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from pilah.datasets.errors import InputError

KINDS = ("paraphrase", "scored", "entailment")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TextSource:
    """Plain text, one a line (``.txt`` or ``.txt.xz``).

    Attributes:
        file: below the data folder.
        weight: how much its co-occurrences count.
        halves: texts whose two halves become a pair that belongs together.
    """

    file: str
    weight: float = 1.0
    halves: int = 0


@dataclass(frozen=True, slots=True)
class PairSource:
    """A Parquet file with columns ``a`` and ``b``.

    Attributes:
        file: below the data folder.
        kind: ``paraphrase`` (rows whose ``label`` is 1), ``scored`` (``score``), or ``entailment``
            (``label`` e, n or c).
        repeat: times its rows are seen in an epoch.
        hold: rows never trained on, nor any row that shares a text with them.
        leave: values of ``split`` that are never trained on.
    """

    file: str
    kind: str = "paraphrase"
    repeat: int = 1
    hold: int = 0
    leave: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Similarity:
    """Contrastive training.

    Attributes:
        epochs: how often all rows are seen.
        batch: rows a step; those of one step are each other's negatives.
        rate: peak learning rate.
        ranking: what cosines are multiplied with where batch mates are negatives.
        scoring: what they are multiplied with where pairs carry scores. Both are the inverse of a
            temperature: the smaller, the more a loss asks of pairs that are right already.
    """

    epochs: int = 1
    batch: int = 1024
    rate: float = 0.03
    ranking: float = 20.0
    scoring: float = 20.0


@dataclass(frozen=True, slots=True)
class Static:
    """Vectors of character n-grams and stems.

    Attributes:
        grams: how many n-grams are known, the most frequent.
        stems: how many stems.
        shortest: characters of the shortest n-gram, the blanks around a word counted.
        longest: of the longest.
        dim: length of a vector.
        places: triples of the same words at two places.
        similarity: the training.
    """

    grams: int = 36_000
    stems: int = 28_000
    shortest: int = 3
    longest: int = 4
    dim: int = 256
    places: int = 0
    similarity: Similarity = field(default_factory=lambda: Similarity(1, 512, 0.03))


@dataclass(frozen=True, slots=True)
class Transformer:
    """A small BERT. Its table of pieces starts from the static one.

    Attributes:
        layers: number of layers.
        hidden: width.
        heads: attention heads.
        length: longest input, in pieces.
        batch: texts a step while pretraining.
        rate: peak learning rate while pretraining.
        steps: steps of masked-language pretraining.
        save: steps between two checkpoints.
        similarity: the contrastive part that follows.
    """

    layers: int = 6
    hidden: int = 384
    heads: int = 6
    length: int = 128
    batch: int = 256
    rate: float = 5e-4
    steps: int = 60_000
    save: int = 500
    similarity: Similarity = field(default_factory=lambda: Similarity(2, 128, 5e-5))


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """An encoder to train.

    Attributes:
        name: what a person calls it.
        text: plain text.
        pairs: what belongs together.
        reports: reports whose incidents and titles become pairs; not those that heads or the pair
            scorer are fitted on (docs/encoder.md).
        pieces: size of the transformer's vocabulary.
        dim: length of the vectors that its table of pieces starts from.
        window: words to each side that count as neighbours.
        rare: smooth-inverse-frequency constant: larger makes frequent pieces heavier.
        static: the static encoder.
        transformer: what is trained instead, when it is there.
        seed: of everything random.
    """

    name: str
    text: tuple[TextSource, ...]
    pairs: tuple[PairSource, ...] = ()
    reports: tuple[Path, ...] = ()
    pieces: int = 32_000
    dim: int = 256
    window: int = 6
    rare: float = 3e-4
    static: Static = field(default_factory=Static)
    transformer: Transformer | None = None
    seed: int = 0

    def facts(self) -> dict[str, Any]:
        """The settings as JSON, without folders."""
        return {**asdict(self), "reports": [p.name for p in self.reports]}


def load_encoder_config(path: Path) -> EncoderConfig:
    """Read an encoder's TOML file.

    Raises:
        InputError: not TOML, an unknown or a missing key; it names the place.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not TOML: {error}") from None
    raw["text"] = tuple(_made(TextSource, path, "text", part) for part in raw.get("text", ()))
    raw["pairs"] = tuple(_pairs(path, part) for part in raw.get("pairs", ()))
    raw["reports"] = tuple(path.parent / name for name in raw.get("reports", ()))
    for place, kind in (("static", Static), ("transformer", Transformer)):
        if place in raw:
            raw[place] = _model(kind, path, place, raw[place])
    config = _made(EncoderConfig, path, "the file", raw)
    if not config.text:
        raise InputError(f"{path}: no [[text]]; an encoder learns from plain text first")
    return config


def _pairs(path: Path, part: dict[str, Any]) -> PairSource:
    source = _made(PairSource, path, "pairs", part | {"leave": tuple(part.get("leave", ()))})
    if source.kind not in KINDS:
        raise InputError(f"{path}: pairs {source.file}: kind must be one of {', '.join(KINDS)}")
    return source


def _model(kind: type[T], path: Path, place: str, part: dict[str, Any]) -> T:
    if "similarity" in part:
        similarity = _made(Similarity, path, f"{place}.similarity", part["similarity"])
        part = part | {"similarity": similarity}
    return _made(kind, path, place, part)


def _made(kind: type[T], path: Path, place: str, values: dict[str, Any]) -> T:
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise InputError(
            f"{path}: {place}: unknown key {unknown[0]!r}; known: {', '.join(sorted(known))}"
        )
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(f"{path}: {place}: {error}") from None
