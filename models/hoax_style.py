"""The learned part: how much a text reads like the hoax-like texts of the written corpus.

A logistic regression over n-grams of words, stems and roles (:mod:`pilah.models.hoax_roles`),
hashed n-grams of characters, and the
evidence that the cue table reads (who speaks, what is promised, whether it is doubted). It sees no
capitals and no punctuation except a question mark: nobody is suspected for how they type.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pilah.datasets.errors import TableError
from pilah.models.hoax_cues import cue_kinds
from pilah.models.hoax_roles import MARKS, role_grams
from pilah.models.hoax_signs import Finding, HoaxInput, listed
from pilah.models.text import stem, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
HashArray = NDArray[np.uint64]

FILE = "hoax.npz"
BUCKETS = 1 << 16
CHAR_SIZES = (3, 4, 5)
WORD_FLOOR, CHAR_FLOOR = 15.0, 40.0
"""About the lengths of a text of five words."""
MAX_CUES = 3
"""From so many amounts or figures on, more say nothing more."""
_BASE = 1_000_003
_EMPTY = np.zeros(0, dtype=np.uint64)
_DIGITS = re.compile(r"\d+")
_MONEY = re.compile(r"\b(?:rp\.?|\d+(?:[.,]\d+)*) ?(?:juta|jt|ribu|rb|milyar|miliar|triliun|\d)")

_EXTRA: dict[str, Callable[[HoaxInput], float]] = {
    "tempat jelas": lambda seen: float(seen.placed),
    "waktu disebut": lambda seen: float(seen.timed),
    "tautan meragukan": lambda seen: seen.doubt,
    "bertanya": lambda seen: float("?" in seen.clean.normal),
    "jumlah uang": lambda seen: min(MAX_CUES, len(_MONEY.findall(seen.clean.normal))) / MAX_CUES,
    "angka": lambda seen: min(MAX_CUES, len(_DIGITS.findall(seen.clean.normal))) / MAX_CUES,
    "pesan berantai": lambda seen: _score(seen, "chain_style"),
    "umpan": lambda seen: _score(seen, "link_bait"),
    "klaim tanpa tempat": lambda seen: _score(seen, "sensational"),
    "ditebus bantahan": lambda seen: seen.cue("guard").score * _score(seen, "link_bait"),
}


SAID = {
    "act": "ajakan mendaftar atau mengeklik",
    "alarm": "kabar menggemparkan",
    "ban": "larangan atau peringatan",
    "chain": "ajakan menyebarkan",
    "conceal": "tuduhan ditutup-tutupi",
    "fee": "biaya di muka",
    "firsthand": "bukti sendiri",
    "general": "menyamaratakan",
    "guard": "bertanya atau membantah",
    "hearsay": "kata orang",
    "job": "lowongan kerja",
    "link": "menyebut tautan",
    "loss": "mengaku korban",
    "offer": "bantuan atau hadiah",
    "prank": "nada iseng",
    "secret": "meminta data rahasia",
    "urgent": "mendesak",
}
"""What a moderator is told of a kind of cue."""


def evidence_names() -> tuple[str, ...]:
    """Names of the evidence features, in the order of :func:`evidence_of`."""
    return (*cue_kinds(), *_EXTRA)


def evidence_of(seen: HoaxInput) -> list[float]:
    """The evidence features of a text, each 0 to 1."""
    return [seen.cue(kind).score for kind in cue_kinds()] + [of(seen) for of in _EXTRA.values()]


def plain_words(normal: str) -> tuple[str, ...]:
    """The words of a normalised text, figures as ``0``."""
    return tokens(_DIGITS.sub("0", normal))


def grams_of(words: Sequence[str]) -> Counter[str]:
    """Words and stems, single and in pairs, and roles; stems carry a leading ``=``."""
    roots = [f"={stem(word)}" for word in words]
    found = Counter((*_grams(words), *_grams(roots)))
    found.update(role_grams(words))
    return found


def chars_of(words: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Buckets of the 3- to 5-grams of characters, ascending, and how often each stands there.

    Source: feature hashing, Weinberger et al. 2009; a polynomial hash with a splitmix64 finish.
    """
    padded = f" {' '.join(words)} "
    codes = np.frombuffer(padded.encode("utf-32-le"), np.uint32).astype(np.uint64)
    buckets, counts = np.unique(_buckets(codes), return_counts=True)
    return buckets.astype(np.int64), counts.astype(np.int64)


def damped(squares: float, floor: float) -> float:
    """Length of a vector whose squares sum to ``squares``, never less than a floor.

    Plain L2-normalisation would give each n-gram of a three-word text an enormous say.
    """
    return math.sqrt(squares + floor * floor)


@dataclass(frozen=True, slots=True)
class StyleModel:
    """Weights of the learned part.

    score = bias + evidence . weights + word grams . weights + character grams . weights, both grams
    as sublinear TF-IDF, each view divided by its damped length (:func:`damped`); its probability is
    sigmoid(scale * score + shift), Platt's calibration on held-out batches.

    Attributes:
        grams: n-gram -> (idf, weight).
        chars: idf and weight of each bucket, shape (2, :data:`BUCKETS`).
        evidence: weights in the order of :func:`evidence_names`.
        bias: of the linear score.
        scale: of the calibration.
        shift: of the calibration.
        flag: probability from which a person looks.
    """

    grams: Mapping[str, tuple[float, float]]
    chars: FloatArray
    evidence: tuple[float, ...]
    bias: float
    scale: float
    shift: float
    flag: float

    @property
    def version(self) -> str:
        """Changes with the weights."""
        return f"hoax-{zlib.crc32(self.chars.tobytes() + repr(self.evidence).encode()):08x}"

    def read(self, seen: HoaxInput) -> tuple[float, Finding | None]:
        """Calibrated probability that a text is hoax-like, and what spoke most for it.

        The probability is that in the mixture of the corpus, where 6 in 100 are hoax-like. Below
        half of :attr:`flag` nothing is named.
        """
        shares = self._shares(seen)
        score = self.bias + math.fsum(share for _, share in shares)
        probability = 1 / (1 + math.exp(-(self.scale * score + self.shift)))
        if probability < self.flag / 2:
            return probability, None
        spoke = sorted((-share, name) for name, share in shares if share > 0 and name)
        told = list(dict.fromkeys(name.replace("=", "") for _, name in spoke)) or ["susunan kata"]
        detail = "isi dan gaya seperti contoh hoaks, terutama: " + listed(told)
        return probability, Finding("learned_style", probability, detail)

    def _shares(self, seen: HoaxInput) -> list[tuple[str, float]]:
        """What each feature adds to the score; roles and characters without a name."""
        words = plain_words(seen.clean.normal)
        told = zip(evidence_names(), evidence_of(seen), self.evidence, strict=True)
        shares = [(SAID.get(name, name), value * weight) for name, value, weight in told if value]
        values: list[tuple[str, float, float]] = []
        for gram, n in grams_of(words).items():
            if (known := self.grams.get(gram)) is not None:
                values.append((gram, known[0] * (1 + math.log(n)), known[1]))
        length = damped(math.fsum(value * value for _, value, _ in values), WORD_FLOOR)
        shares += [(_named(gram), value * weight / length) for gram, value, weight in values]
        return [*shares, ("", self._char_share(words))]

    def _char_share(self, words: Sequence[str]) -> float:
        buckets, counts = chars_of(words)
        idf, weight = self.chars[:, buckets]
        values = (1 + np.log(counts)) * idf
        return float(values @ weight) / damped(float(values @ values), CHAR_FLOOR)

    def save(self, path: Path) -> None:
        """Write the weights as plain arrays (no pickle), halves of precision."""
        grams = sorted(self.grams)
        np.savez_compressed(
            path,
            names=np.array(evidence_names()),
            grams=np.frombuffer("\n".join(grams).encode(), np.uint8),
            evidence=np.array(self.evidence),
            numbers=np.array([self.bias, self.scale, self.shift, self.flag]),
            gram_values=np.array([self.grams[g] for g in grams], dtype=np.float16),
            chars=self.chars.astype(np.float16),
        )

    @classmethod
    def load(cls, path: Path) -> StyleModel:
        """The inverse of :meth:`save`.

        Raises:
            TableError: the file is damaged, or of another set of evidence features.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                return cls._from(data)
        except (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile) as error:
            raise TableError(path.name, 0, repr(error), "restore it, or run `make hoax`") from error

    @classmethod
    def _from(cls, data: Mapping[str, Any]) -> StyleModel:
        if tuple(data["names"]) != evidence_names():
            raise ValueError("fitted with other evidence features")
        grams = data["grams"].tobytes().decode().split("\n")
        values = data["gram_values"].astype(float).tolist()
        return cls(
            {gram: (idf, weight) for gram, (idf, weight) in zip(grams, values, strict=True)},
            data["chars"].astype(np.float32),
            tuple(data["evidence"].tolist()),
            *data["numbers"].tolist(),
        )


@cache
def shipped_style() -> StyleModel:
    """The weights that ship, fitted by :mod:`pilah.training.hoax`."""
    with resources.as_file(resources.files("pilah.models") / "data" / FILE) as path:
        return StyleModel.load(path)


def _grams(words: Sequence[str]) -> Iterator[str]:
    yield from words
    yield from map(" ".join, pairwise(words))


def _buckets(codes: HashArray) -> NDArray[np.uint16]:
    """The bucket of every n-gram: a polynomial of its characters, led by its size, and stirred."""
    sums, parts = codes, [_EMPTY]
    for size in range(2, max(CHAR_SIZES) + 1):
        sums = sums[:-1] * np.uint64(_BASE) + codes[size - 1 :]
        if size in CHAR_SIZES:
            parts.append(sums + np.uint64(size * _BASE**size % (1 << 64)))
    found = np.concatenate(parts)
    found ^= found >> np.uint64(29)
    found *= np.uint64(0xBF58476D1CE4E5B9)
    found ^= found >> np.uint64(32)
    return found.astype(np.uint16)  # the lowest bits: as many as there are buckets


def _named(gram: str) -> str:
    """What a moderator reads of a gram: roles have no name."""
    return "" if gram.startswith(MARKS) else gram


def _score(seen: HoaxInput, kind: str) -> float:
    found = seen.signs.get(kind)
    return found.score if found else 0.0
