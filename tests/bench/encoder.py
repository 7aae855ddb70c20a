"""The encoder by itself: sentence similarity, paraphrase retrieval, speed, size.

``stsb_mt_id`` (no row of it is trained on): Spearman correlation of cosine and human score.
``quora_id``: for each of the questions, is its paraphrase the nearest of all their paraphrases?
Encoders are chosen by the dev rows and by 2,000 questions; the test rows and 5,000 other questions
are read with ``--test`` alone, once, for the encoder that was chosen. Both sets of questions, and
rows that share a text with them, are left out of training (``hold`` in the encoder's TOML).
Beside it, in the same run: character TF-IDF fitted on the very texts measured.
Real reports: average precision of the cosine of the judged pairs that scorers are chosen on (the
half ``former`` of ``incident_pairs.py``).
Written incidents: is another report of the same incident among the 20 nearest of the whole corpus?
Asked for the reports of dev and test; beside it LSA of the n-grams, fitted on the training split.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
from common import ROOT, data_file, finish, labelled, parser, table
from incident_pairs import HALVES, PAIRS, reports
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import average_precision_score

from pilah.models.encoder_folder import BUNDLED
from pilah.models.encoders import load_encoder
from pilah.models.features import NgramFeatures
from pilah.models.text import read_text
from pilah.training.config import TrainConfig
from pilah.training.embedding import make_encoder
from pilah.training.pretrain.pairs import held_rows

TEST_QUESTIONS, DEV_QUESTIONS = 5000, 2000
NEAREST = 20
SPLITS = ("train", "dev", "test")
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def main() -> None:
    """Run it."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--encoder", type=Path, default=BUNDLED, help="an encoder's folder")
    arguments.add_argument("--test", action="store_true", help="read the test rows, not dev")
    args = arguments.parse_args()
    encoder = load_encoder(args.encoder)
    scored, asked = scored_rows(args.data, args.test), questions(args.data, args.test)
    judged = judged_rows(args.data)
    ways = {encoder.version: encoder.encode, "char TF-IDF 2-5": tfidf([*scored, *asked])}
    split = "test" if args.test else "dev"
    result: dict[str, Any] = {
        name: {
            f"sts_{split}": spearman(scored, encode),
            f"quora_{split}_recall_at_1": nearest(asked, encode),
            "judged_pairs_average_precision": precision(judged, encode),
            "texts_a_second": speed([r["a"] for r in asked], encode),
        }
        for name, encode in ways.items()
    }
    figures = list(result[encoder.version])
    normals, incidents, asked_of = written()
    for name, embed in {encoder.version: encoder.encode, "LSA 128": lsa(normals["train"])}.items():
        rows_ = embed([text for split in SPLITS for text in normals[split]])
        result.setdefault(name, {})["same_incident_in_20"] = mates(rows_, incidents, asked_of)
    files = [p for p in args.encoder.iterdir() if p.is_file()]
    result["megabytes"] = sum(p.stat().st_size for p in files) / 1e6
    shown = [(f, *(result[name][f] for name in ways)) for f in figures]
    found = result[encoder.version]["same_incident_in_20"]
    shown.append(
        (
            f"same incident in {NEAREST}; LSA {result['LSA 128']['same_incident_in_20']:.3f}",
            found,
            "-",
        )
    )
    table(f"encoder {encoder.version}, {result['megabytes']:.1f} MB", ("figure", *ways), shown)
    finish("encoder", result, args.output)


def scored_rows(folder: Path, test: bool) -> list[dict[str, Any]]:
    """The scored pairs of dev or test."""
    found = parquet.read_table(data_file(folder, "pairs/stsb_mt_id.parquet")).to_pylist()
    return normal([r for r in found if r["split"] == ("test" if test else "dev")])


def questions(folder: Path, test: bool) -> list[dict[str, Any]]:
    """The questions that are measured, or those that encoders are chosen by."""
    found = parquet.read_table(data_file(folder, "pairs/quora_id.parquet")).to_pylist()
    measured = held_rows(len(found), TEST_QUESTIONS)
    both = held_rows(len(found), TEST_QUESTIONS + DEV_QUESTIONS)
    return normal([found[i] for i in (measured if test else sorted({*both} - {*measured}))])


def judged_rows(folder: Path) -> list[dict[str, Any]]:
    """Pairs of real reports that are judged for sure; ``same``: of one incident."""
    texts = {row.report.id: row.report.full_text for row in reports(folder)}
    with PAIRS.open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["half"] in HALVES["former"]]
    sure = [line for line in lines if line["label"] != "unsure"]
    return normal(
        [{s: texts[x[s]] for s in ("a", "b")} | {"same": x["label"] == "same"} for x in sure]
    )


def written() -> tuple[dict[str, list[str]], list[str | None], list[int]]:
    """Normalised texts by split; the incident of each row; the rows of dev and test that ask."""
    normals: dict[str, list[str]] = {}
    incidents: list[str | None] = []
    asking: list[int] = []
    for split in SPLITS:
        reports = labelled(ROOT / "datasets" / "data" / "corpus" / f"{split}.jsonl")
        normals[split] = [read_text(r.report.full_text).normal for r in reports]
        start = len(incidents)
        incidents += [r.labels.incident for r in reports]
        if split != "train":
            asking += [i for i in range(start, len(incidents)) if incidents[i]]
    return normals, incidents, asking


def lsa(normals: Sequence[str]) -> Encode:
    """LSA of the n-grams with 128 numbers."""
    features = NgramFeatures(max_features=30_000)
    matrix = features.fit(normals)
    return make_encoder(features, matrix, TrainConfig(encoder="lsa")).encode


def mates(vectors: NDArray[np.float32], incidents: list[str | None], asking: list[int]) -> float:
    """Share of asking rows with a row of their own incident among their nearest."""
    found = vectors[asking] @ vectors.T
    found[np.arange(len(asking)), asking] = -2.0
    near = np.argpartition(-found, NEAREST, axis=1)[:, :NEAREST]
    pairs = zip(asking, near, strict=True)
    return float(np.mean([any(incidents[j] == incidents[i] for j in row) for i, row in pairs]))


def normal(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with their texts normalised."""
    return [r | {side: read_text(r[side]).normal for side in ("a", "b")} for r in rows]


def tfidf(pairs: Sequence[dict[str, Any]]) -> Encode:
    """Character TF-IDF, fitted on the texts of the pairs."""
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    vectorizer.fit([r[side] for r in pairs for side in ("a", "b")])
    return vectorizer.transform  # type: ignore[no-any-return]


def spearman(pairs: Sequence[dict[str, Any]], encode: Encode) -> float:
    """Rank correlation of cosine and human score."""
    return float(spearmanr(cosines(pairs, encode), [r["score"] for r in pairs])[0])


def precision(pairs: Sequence[dict[str, Any]], encode: Encode) -> float:
    """Average precision of the cosine."""
    return float(average_precision_score([r["same"] for r in pairs], cosines(pairs, encode)))


def cosines(pairs: Sequence[dict[str, Any]], encode: Encode) -> NDArray[np.float32]:
    """Of each pair."""
    left, right = (encode([r[side] for r in pairs]) for side in ("a", "b"))
    product = left.multiply(right) if hasattr(left, "multiply") else left * right
    return np.asarray(product.sum(axis=1), dtype=np.float32).ravel()


def nearest(pairs: Sequence[dict[str, Any]], encode: Encode) -> float:
    """Share of rows whose own ``b`` is the nearest of all ``b`` to their ``a``."""
    left, right = (encode([r[side] for r in pairs]) for side in ("a", "b"))
    best = np.asarray((left @ right.T).argmax(axis=1)).ravel()
    return float((best == np.arange(len(pairs))).mean())


def speed(texts: Sequence[str], encode: Encode) -> float:
    """Texts encoded in a second, all in one call."""
    start = time.perf_counter()
    encode(texts)
    return len(texts) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
