"""One TOML file describes one experiment; unknown keys are refused."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from pilah.datasets.errors import InputError
from pilah.datasets.splits import check_rule
from pilah.models.features import VIEWS

TARGETS = ("topic", "route", "agency", "outcome", "klasifikasi")
"""What ``--target`` takes. ``topic`` means main topic and, where labelled, sub-topic; ``route`` the
kind of body whatever the region, from the columns ``level`` and ``unit``."""
FINETUNED = "above 0 (such as 1) with [finetune]: heads read what the encoder learned"


@dataclass(frozen=True, slots=True)
class Finetune:
    """How the encoder learns the targets before the heads do.

    Attributes:
        epochs: passes over the rows, at most.
        batch: texts a step.
        rate: peak learning rate of the encoder.
        patience: epochs without gain on unseen rows after which it goes on all the same.
        unseen_percent: newest share of the rows that it does not learn from.
    """

    epochs: int = 5
    batch: int = 32
    rate: float = 5e-5
    patience: int = 1
    unseen_percent: int = 15

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InputError: one is out of range; it names the key and the cure.
        """
        checks = (
            (self.epochs >= 1, "epochs", "1 or more"),
            (self.batch >= 1, "batch", "1 or more"),
            (0 < self.rate <= 1, "rate", "above 0, such as 5e-5"),
            (self.patience >= 0, "patience", "0 or more"),
            (1 <= self.unseen_percent <= 90, "unseen_percent", "1 to 90"),
        )
        for ok, key, cure in checks:
            if not ok:
                raise InputError(f"finetune.{key}: out of range; use {cure}")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """An experiment.

    Attributes:
        data: files of labelled reports.
        name: what a person calls the bundle.
        target: which heads to fit.
        map: contract field -> column name of the files.
        region: region of rows that name none.
        rename: old label -> the label it has now, whatever the target (a renamed agency).
        holdout: rows that only the figures of the card see: ``newest 20%``, ``random 20%`` or the
            date they start at; empty holds none out, and the card's figures are cross-validated.
        views: n-gram views the heads read.
        min_df: smallest number of texts an n-gram stands in.
        max_features: largest number of n-grams a view keeps; 0 keeps all.
        min_count: labels with fewer rows are not learned (they are listed in the card).
        encoder: what makes the embedding: ``lsa`` (of these n-grams), ``pilah-mini`` (ships), the
            folder of an encoder or of a sentence-transformers model, or such a model's name.
        embedding_weight: factor on the embedding that the heads read beside the n-grams; 0: none.
        finetune: how the encoder, then a transformer, learns the targets first; None: it does not.
        dim: length of an embedding by ``lsa``.
        strength: inverse regularisation C of the heads.
        balance: power of the class weights, 0 to 1.
        folds: cross-validation folds.
        stated_precision: precision target of stated answers.
        sure_precision: precision target of answers that no person looks at.
        seed: of everything random.
    """

    data: tuple[Path, ...] = ()
    name: str = "pilah"
    target: tuple[str, ...] = TARGETS
    map: dict[str, str] = field(default_factory=dict)
    region: str = ""
    rename: dict[str, str] = field(default_factory=dict)
    holdout: str = ""
    views: tuple[str, ...] = VIEWS
    min_df: int = 2
    max_features: int = 0
    min_count: int = 5
    encoder: str = "pilah-mini"
    embedding_weight: float = 0.0
    finetune: Finetune | None = None
    dim: int = 128
    strength: float = 0.15
    balance: float = 0.5
    folds: int = 5
    stated_precision: float = 0.75
    sure_precision: float = 0.9
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what can be checked without reading the data.

        Raises:
            InputError: a value is out of range; it names the key and the cure.
        """
        checks = (
            (set(self.target) <= set(TARGETS) and bool(self.target), "target", f"any of {TARGETS}"),
            (set(self.views) <= set(VIEWS) and "word" in self.views, "views", f"word and {VIEWS}"),
            (self.min_df >= 1, "min_df", "1 or more"),
            (self.max_features >= 0, "max_features", "0 (all) or more"),
            (self.min_count >= 2, "min_count", "2 or more"),
            (2 <= self.dim <= 1024, "dim", "2 to 1024"),
            (0 <= self.embedding_weight <= 10, "embedding_weight", "0 to 10"),
            (not self.finetune or self.embedding_weight > 0, "embedding_weight", FINETUNED),
            (self.strength > 0, "strength", "above 0"),
            (0 <= self.balance <= 1, "balance", "0 to 1"),
            (2 <= self.folds <= 20, "folds", "2 to 20"),
            (0 < self.stated_precision < 1, "stated_precision", "between 0 and 1"),
            (0 < self.sure_precision < 1, "sure_precision", "between 0 and 1"),
        )
        for ok, key, cure in checks:
            if not ok:
                raise InputError(f"{key}: out of range; use {cure}")
        if self.holdout:
            check_rule(self.holdout)

    def facts(self) -> dict[str, Any]:
        """The settings as JSON, with file names only (a bundle holds no path of a machine)."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        tuned = asdict(self.finetune) if self.finetune else None
        return {**values, "data": [p.name for p in self.data], "finetune": tuned}


def load_config(path: Path) -> TrainConfig:
    """Read an experiment; file names in it are relative to the file.

    Raises:
        InputError: not TOML, an unknown key, a value of the wrong type or out of range.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not TOML: {error}") from None
    table = raw.pop("finetune", None)
    values = _values(path, raw, TrainConfig(), "")
    if "data" in values:
        values["data"] = tuple(path.parent / name for name in values["data"])
    if isinstance(table, dict):
        values["finetune"] = Finetune(**_values(path, table, Finetune(), "finetune."))
    elif table is not None:
        raise InputError(f"{path}: finetune must be a table: [finetune]")
    return replace(TrainConfig(), **values)


def _values(
    path: Path, raw: dict[str, Any], default: TrainConfig | Finetune, place: str
) -> dict[str, Any]:
    """The values of a table, checked against the defaults of the same keys."""
    known = sorted(f.name for f in fields(default))
    unknown = sorted(set(raw) - set(known))
    if unknown:
        name = f"{place}{unknown[0]}"
        raise InputError(f"{path}: unknown key {name!r}; known: {', '.join(known)}")
    return {k: _typed(path, f"{place}{k}", v, getattr(default, k)) for k, v in raw.items()}


def _typed(path: Path, key: str, value: object, default: object) -> Any:  # noqa: ANN401
    if isinstance(default, tuple) and isinstance(value, list):
        if all(isinstance(v, str) for v in value):
            return tuple(value)
    elif isinstance(default, float) and isinstance(value, int | float) and value is not True:
        return float(value)
    elif type(value) is type(default):
        return value
    kind = "list of strings" if isinstance(default, tuple) else type(default).__name__
    raise InputError(f"{path}: {key} must be a {kind}")
