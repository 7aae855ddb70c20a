"""A bundle: everything a trained Pilah knows, as plain data in one folder.

    manifest.json   format, version (a hash of the content), label set, training facts, checksums
    features.json   the n-grams of each view, in column order
    arrays.npz      idf, head weights and LSA components (int8 with a scale a row)
    encoder/        the encoder's folder, unless the embedding is LSA of the n-grams
    pairs.json      the same-incident scorer, when the bundle has one
    card.md         what it was trained on, how it measures, what it must not be used for

Loading checks every checksum; nothing in a bundle is code.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pilah.datasets.errors import BundleError
from pilah.models.answer import Agency
from pilah.models.encoder import LsaEncoder
from pilah.models.encoders import FolderEncoder, load_encoder
from pilah.models.features import NgramFeatures, beside
from pilah.models.fingerprint import FORMAT as FINGERPRINT_FORMAT
from pilah.models.linear import Confidence, Curves, FloatArray, LinearHead, dequantise, quantise
from pilah.models.pairs import FORMAT as PAIRS_FORMAT
from pilah.models.pairs import PairScorer
from pilah.models.regional import in_indonesian
from pilah.models.scoring import DuplicateThresholds

log = logging.getLogger(__name__)

FORMAT = 1
ENCODER = "encoder"
"""Folder of an encoder that is not LSA."""
TARGETS = ("topic_main", "topic_sub", "route", "agency", "outcome", "klasifikasi")
"""The heads a bundle may carry."""

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A trained bundle in memory.

    Attributes:
        name: what a person calls it.
        features: the n-grams that encoder and heads read.
        encoder: embedding for duplicates and nearest cases.
        embedding_weight: factor on the embedding that the heads read beside the n-grams; with 0
            they read n-grams alone.
        heads: target -> head; which targets there are depends on the training data.
        label_set: ``sp4n-...`` for the national taxonomy, ``own-...`` for a city's own labels.
        pairs: same-incident scorer, or None when no incidents were in the training data.
        duplicates: thresholds of that scorer.
        route_weight: share of the learned route head against the routing table, 0 to 1.
        agency_weight: share of a learned agency head against the routing table, 0 to 1.
        agency_sure: probability of an agency from which no person needs to look, where the answer
            has no threshold of its own; see :meth:`agency_limit`.
        facts: training facts for the manifest (seed, data fingerprint, metrics, environment).
        card: the model card, Markdown.
        version: hash of the content; empty until saved.
    """

    name: str
    features: NgramFeatures
    encoder: LsaEncoder | FolderEncoder
    heads: dict[str, LinearHead]
    label_set: str
    embedding_weight: float = 0.0
    pairs: PairScorer | None = None
    duplicates: DuplicateThresholds = field(default_factory=DuplicateThresholds)
    route_weight: float = 0.0
    agency_weight: float = 1.0
    agency_sure: float = 0.9
    facts: dict[str, Any] = field(default_factory=dict)
    card: str = ""
    version: str = ""

    @property
    def thresholds_version(self) -> str:
        """Short hash of all thresholds."""
        limits = {t: [h.stated, h.sure] for t, h in self.heads.items()}
        data = json.dumps([limits, self.agency_sure], sort_keys=True)
        return hashlib.sha256(data.encode()).hexdigest()[:8]

    @property
    def marks(self) -> str:
        """What made a stored fingerprint and vector; those of another name are made anew."""
        return f"{self.encoder.version}-{FINGERPRINT_FORMAT}"

    def agency_limit(self, agency: Agency) -> float:
        """Probability from which this answer needs no person: its label's where a head alone spoke.

        Answers of the routing table, and mixed ones, share ``agency_sure``.
        """
        head = self.heads.get("agency")
        if head is None or self.agency_weight < 1 or agency.source != "learned":
            return self.agency_sure
        return head.sure.get(agency.name or "", self.agency_sure)

    def read(self, normals: Sequence[str]) -> tuple[csr_matrix, FloatArray]:
        """What the heads read, shape (n, columns), and the embeddings, shape (n, dim).

        An encoder that is no part of the n-grams is given regional words in Indonesian.
        """
        ngrams = self.features.transform(normals)
        if isinstance(self.encoder, LsaEncoder):
            vectors = self.encoder.project(ngrams)
        else:
            vectors = self.encoder.encode(list(map(in_indonesian, normals)))
        return beside(ngrams, vectors, self.embedding_weight), vectors

    def save(self, folder: Path) -> str:
        """Write the bundle into ``folder`` (replacing it as a whole); returns its version.

        The folder appears complete or not at all. Same content, same version.

        Raises:
            BundleError: the folder holds something else than a bundle.
        """
        check_free(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".bundle-", dir=folder.parent))
        try:
            version = self._write(draft)
            _replace(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return version

    def _write(self, folder: Path) -> str:
        names, idf = self.features.state()
        _dump(folder / "features.json", names)
        np.savez_compressed(folder / "arrays.npz", allow_pickle=False, **self._arrays(idf))
        if self.pairs is not None:
            parts = {"scorer": self.pairs.to_dict(), "thresholds": asdict(self.duplicates)}
            _dump(folder / "pairs.json", parts)
        heads = {
            t: {"labels": h.labels, "scale": h.scale, "stated": h.stated, "sure": h.sure}
            for t, h in sorted(self.heads.items())
        }
        if not isinstance(self.encoder, LsaEncoder):
            self.encoder.folder.copy_to(folder / ENCODER)
        written = sorted(p for p in folder.rglob("*") if p.is_file())
        sums = {p.relative_to(folder).as_posix(): _sha256(p) for p in written}
        agency = {
            "route_weight": self.route_weight,
            "weight": self.agency_weight,
            "sure": self.agency_sure,
        }
        content: dict[str, Any] = {"format": FORMAT, "label_set": self.label_set, "heads": heads}
        content |= {"files": sums, "agency": agency}
        content |= {"embedding_weight": self.embedding_weight} if self.embedding_weight else {}
        version = _version(content)
        card = self.card.replace("{version}", version)
        (folder / "card.md").write_text(card, encoding="utf-8")
        manifest = {"name": self.name, "version": version, **content, "facts": self.facts}
        _dump(folder / "manifest.json", manifest, indent=1)
        return version

    def _arrays(self, idf: dict[str, NDArray[np.float32]]) -> Arrays:
        arrays: Arrays = {f"idf_{v}": a for v, a in idf.items()}
        if isinstance(self.encoder, LsaEncoder):
            values, scale = quantise(self.encoder.components.T)
            arrays |= {"encoder_values": values, "encoder_scale": scale}
        for target, head in self.heads.items():
            values, scale = quantise(head.weights)
            arrays |= {f"{target}_values": values, f"{target}_scale": scale}
            arrays |= {f"{target}_bias": head.bias, f"{target}_shift": head.shift}
            for part, kind in _PARTS.items():
                kept = getattr(head, part)
                names = _stored(kind) if kept is not None else ()
                arrays |= {f"{target}_{part}_{name}": getattr(kept, name) for name in names}
        return arrays

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Read a bundle and verify its checksums.

        Raises:
            BundleError: no bundle there, another format, or a damaged file.
        """
        manifest = _manifest(folder)
        for name, expected in manifest["files"].items():
            if _sha256(folder / name) != expected:
                raise BundleError(f"{folder / name}: checksum differs; copy the bundle again")
        with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
            arrays = {k: stored[k] for k in stored.files}
        names = json.loads((folder / "features.json").read_text("utf-8"))
        features = NgramFeatures.restore(names, {v: arrays[f"idf_{v}"] for v in names})
        pairs, duplicates = _pairs(folder) if "pairs.json" in manifest["files"] else _NO_PAIRS
        return cls(
            name=manifest["name"],
            features=features,
            encoder=_encoder(folder, features, arrays),
            heads={t: _head(t, spec, arrays) for t, spec in manifest["heads"].items()},
            label_set=manifest["label_set"],
            embedding_weight=float(manifest.get("embedding_weight", 0.0)),
            pairs=pairs,
            duplicates=duplicates,
            route_weight=manifest["agency"]["route_weight"],
            agency_weight=manifest["agency"]["weight"],
            agency_sure=manifest["agency"]["sure"],
            facts=manifest["facts"],
            card=_card(folder / "card.md"),
            version=manifest["version"],
        )


_NO_PAIRS: tuple[PairScorer | None, DuplicateThresholds] = (None, DuplicateThresholds())
_PARTS: dict[str, type[Curves | Confidence]] = {"curves": Curves, "confidence": Confidence}
"""What a head may have beside its weights: attribute -> its class, all of arrays."""
_CONTENT = ("format", "label_set", "heads", "files", "agency")
_OPTIONAL = ("embedding_weight",)
"""What the version is a hash of: these keys of the manifest, and by them all other files."""


def _version(manifest: dict[str, Any]) -> str:
    content = {key: manifest[key] for key in _CONTENT}
    content |= {key: manifest[key] for key in _OPTIONAL if key in manifest}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _encoder(folder: Path, features: NgramFeatures, arrays: Arrays) -> LsaEncoder | FolderEncoder:
    if "encoder_values" not in arrays:
        return load_encoder(folder / ENCODER)
    components = dequantise(arrays["encoder_values"], arrays["encoder_scale"]).T
    return LsaEncoder(features, np.ascontiguousarray(components))


def _pairs(folder: Path) -> tuple[PairScorer | None, DuplicateThresholds]:
    parts = json.loads((folder / "pairs.json").read_text("utf-8"))
    if parts["scorer"].get("format") != PAIRS_FORMAT:
        log.warning("%s: its pair scorer is of an earlier form and left out; train again", folder)
        return _NO_PAIRS
    return PairScorer.from_dict(parts["scorer"]), DuplicateThresholds(**parts["thresholds"])


def _head(target: str, spec: dict[str, Any], arrays: Arrays) -> LinearHead:
    return LinearHead(
        labels=tuple(spec["labels"]),
        weights=dequantise(arrays[f"{target}_values"], arrays[f"{target}_scale"]),
        bias=arrays[f"{target}_bias"],
        scale=float(spec["scale"]),
        shift=arrays[f"{target}_shift"],
        stated=dict(spec["stated"]),
        sure=dict(spec["sure"]),
        **{part: _part(kind, f"{target}_{part}_", arrays) for part, kind in _PARTS.items()},
    )


def _stored(kind: type[Curves | Confidence]) -> list[str]:
    return [f.name for f in fields(kind) if f.init]


def _part(kind: type[Curves | Confidence], start: str, arrays: Arrays) -> Any:  # noqa: ANN401
    known = {name: arrays[start + name] for name in _stored(kind) if start + name in arrays}
    return kind(**known) if known else None


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BundleError(f"{folder}: no bundle here; `pilah bundle list` shows them") from None
    except ValueError:
        raise BundleError(f"{path}: not JSON; copy the bundle again") from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise BundleError(f"{path}: format {found}, this Pilah reads {FORMAT}; train it again")
    if not {*_CONTENT, "name", "version", "facts"} <= set(manifest):
        raise BundleError(f"{path}: incomplete; copy the bundle again")
    if _version(manifest) != manifest["version"]:
        raise BundleError(f"{path}: changed since it was saved; copy the bundle again")
    return manifest


def _card(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise BundleError(f"{path}: missing; copy the bundle again") from None


def check_free(folder: Path) -> None:
    """Refuse a folder that a bundle must not replace: one that holds something else.

    Raises:
        BundleError: it exists, is not empty and is no bundle.
    """
    empty = folder.is_dir() and not any(folder.iterdir())
    if folder.exists() and not (folder / "manifest.json").is_file() and not empty:
        raise BundleError(f"{folder}: exists and is no bundle; name a new folder")


def _dump(path: Path, value: object, indent: int | None = None) -> None:
    # Keys keep their order: the order of the views in features.json is that of the columns.
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    path.write_text(text + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise BundleError(f"{path}: missing; copy the bundle again") from None


def _replace(draft: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)  # left by a process that was killed
    if folder.exists():
        folder.rename(old)
    draft.chmod(0o755)
    draft.replace(folder)
    shutil.rmtree(old, ignore_errors=True)
