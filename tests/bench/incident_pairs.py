"""Do two reports tell of the same incident? On written incidents and on judged pairs of real ones.

Real pairs are those of ``data/surabaya_pairs.csv`` (ids and labels; its card says how they were
drawn and judged). The floor beside the scorer: character TF-IDF, and a logistic regression on
twenty simple features in ten-fold cross-validation on the very pairs that are measured.
"""

from __future__ import annotations

import csv
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    ROOT,
    TEST,
    TRAIN,
    console,
    data_file,
    engine,
    finish,
    labelled,
    load_bundle,
    parser,
    share,
    table,
)
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pilah.datasets.errors import UnknownRegionError
from pilah.datasets.records import LabelledReport, Report
from pilah.datasets.regions import load_regions
from pilah.evaluation.intervals import percentile
from pilah.evaluation.metrics import calibration_error
from pilah.models.compare import compare_pair
from pilah.models.fingerprint import hash_word, written_words
from pilah.models.rarity import Rarity, Texts
from pilah.models.reading import Analysis
from pilah.models.text import read_text
from pilah.models.triage import Triager
from pilah.models.word_weights import WordWeights
from pilah.training.pair_sets import Material, training_pairs
from pilah.training.pairs import WRITTEN

CITY = "Kota Surabaya"
SPELLED = {"Pabean Cantikan": "Pabean Cantian"}
PAIRS = Path(__file__).parent / "data" / "surabaya_pairs.csv"
HALVES = {
    "third": ("third",), "fresh": ("fresh",), "former": ("look", "test"), "look": ("look",),
    "test": ("test",),
}  # fmt: skip
REGIONAL = Path(__file__).parent / "data" / "regional_pairs.csv"
"""Reports and the same in a regional language, written when regional_words.csv stood; CC0."""
VILLAGE = "34.04.07.2001"
RESAMPLES = 1000
CHUNK = 256
HALF_YEARS: dict[str, Callable[[datetime], bool]] = {
    "2022": lambda moment: moment.year == 2022 and moment.month > 6,
    "2023": lambda moment: moment.year == 2023,
}
"""July to December 2022, looked at while thresholds were set, and January to June 2023."""

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair of real reports, and whether they tell of the same incident."""

    a: Analysis
    b: Analysis
    same: bool
    stratum: str


def figures(same: Truth, score: Floats) -> dict[str, Any]:
    """Average precision, and precision at recalls of 0.80 and 0.85, with 95 % intervals."""
    draw = np.random.default_rng(0)
    picks = (draw.integers(0, len(same), len(same)) for _ in range(RESAMPLES))
    samples = np.array([_three(same[p], score[p]) for p in picks if same[p].any()])
    names = ("average_precision", "precision_at_recall_80", "precision_at_recall_85")
    found: dict[str, Any] = {"pairs": len(same), "same": int(same.sum())}
    for k, (name, value) in enumerate(zip(names, _three(same, score), strict=True)):
        interval = percentile(value, samples[:, k])
        found[name] = [interval.value, interval.lower, interval.upper]
    return found


def _three(same: Truth, score: Floats) -> tuple[float, float, float]:
    precision, recall, _ = precision_recall_curve(same, score)
    at_80, at_85 = (float(precision[recall >= least].max()) for least in (0.80, 0.85))
    return float(average_precision_score(same, score)), at_80, at_85


def read(triager: Triager, rows: Sequence[LabelledReport]) -> list[Analysis]:
    """Analyse reports in chunks, in order."""
    items = [(row.report.id or str(i), row.report) for i, row in enumerate(rows)]
    chunks = (items[i : i + CHUNK] for i in range(0, len(items), CHUNK))
    return [found for chunk in chunks for found in triager.analyse(chunk)]


def probability(triager: Triager, a: Analysis, b: Analysis, rarity: Rarity) -> float:
    """What the service says of two reports while its memory holds these words."""
    scorer = triager.finder.judge.scorer
    rare = rarity.pair(a.fingerprint.written, b.fingerprint.written)
    cosine = float(a.vector @ b.vector)
    return scorer.probability(scorer.features(a.fingerprint, b.fingerprint, cosine, rare))


def probabilities(
    triager: Triager, pairs: Sequence[Judged], rows: Sequence[LabelledReport]
) -> Floats:
    """Of each pair, when the memory holds what came before the later report of it."""
    rarity = Rarity(triager.finder.judge.scorer.written)
    waiting = deque(sorted(rows, key=lambda row: _moment(row.report)))
    found = np.zeros(len(pairs))
    for moment, i in sorted((max(_moment(p.a.report), _moment(p.b.report)), i)
                            for i, p in enumerate(pairs)):  # fmt: skip
        while waiting and _moment(waiting[0].report) < moment:
            rarity.add(_written(waiting.popleft().report))
        found[i] = probability(triager, pairs[i].a, pairs[i].b, rarity)
    return found


def _moment(report: Report) -> datetime:
    assert report.reported_at is not None, f"{report.id}: no date"
    return report.reported_at


def _written(report: Report) -> Texts:
    words = {hash_word(word) for word in written_words(read_text(report.text).masked)}
    return Texts(np.array(sorted(words), dtype=np.uint32), np.array([0, len(words)]))


def written(triager: Triager, split: str) -> dict[str, Any]:
    """Incidents of a split of the written corpus: each pair, its imitations, and strangers."""
    rows = labelled(ROOT / "datasets" / "data" / "corpus" / f"{split}.jsonl")
    read_rows = read(triager, rows)
    prints = [a.fingerprint for a in read_rows]
    vectors = np.stack([a.vector for a in read_rows])
    drawn = training_pairs(Material(rows, prints, vectors))
    pairs = [pair for pair in drawn if pair.kind in WRITTEN]
    scorer = triager.finder.judge.scorer
    rare = [triager.finder.rarity.pair(p.a.written, p.b.written) for p in pairs]
    features = [scorer.features(p.a, p.b, p.cosine, r) for p, r in zip(pairs, rare, strict=True)]
    score = [scorer.probability(one) for one in features]
    same, kind = np.array([p.same for p in pairs]), np.array([p.kind for p in pairs])
    close = np.isin(kind, ("same", "hard"))
    return {
        "kinds": dict(Counter(kind.tolist())),
        "all": figures(same, np.array(score)),
        "imitations": figures(same[close], np.array(score)[close]),
    }


def regional(triager: Triager) -> dict[str, Any]:
    """Reports told anew in a regional language, in one village on one day, and strangers."""
    with REGIONAL.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    first, again = (
        [_of_village(line[side]) for line in lines] for side in ("indonesian", "regional")
    )
    found = np.array([[compare_pair(triager, a, b).probability for b in again] for a in first])
    same = np.eye(len(lines), dtype=bool)
    return {"again": found[same].tolist(), "strangers": float(found[~same].max())}


def _of_village(text: str) -> Report:
    return Report(text, region=VILLAGE, reported_at=datetime(2026, 5, 1, tzinfo=UTC))


def placed(row: LabelledReport) -> LabelledReport:
    """The report with the kelurahan that the intake form gave, where the table knows it."""
    village, district = row.extra.get("kelurahan"), row.extra.get("kecamatan")
    district = SPELLED.get(str(district), district)
    for part in ({"village": village}, {"district": district}):
        try:
            if all(part.values()):
                region = load_regions().resolve({"regency": CITY, **part})
                return replace(
                    row, report=replace(row.report, region=region.code if region else CITY)
                )
        except UnknownRegionError:
            continue
    return replace(row, report=replace(row.report, region=CITY))


def city(row: LabelledReport) -> LabelledReport:
    """The report with no place given but the city."""
    return replace(row, report=replace(row.report, region=CITY))


def reports(folder: Path) -> list[LabelledReport]:
    """All reports of both files."""
    mapping = {"id": "source_id", "reported_at": "date"}
    return [row for name in (TRAIN, TEST) for row in labelled(data_file(folder, name), mapping)]


def judged(
    triager: Triager,
    rows: Iterable[LabelledReport],
    half: str,
    where: Callable[..., LabelledReport],
) -> list[Judged]:
    """The pairs of a half that are labelled for sure."""
    with PAIRS.open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["half"] in HALVES[half]]
    lines = [line for line in lines if line["label"] != "unsure"]
    needed = {line[side] for line in lines for side in ("a", "b")}
    known = read(triager, [where(row) for row in rows if row.report.id in needed])
    by_id = {found.report_id: found for found in known}
    return [Judged(by_id[x["a"]], by_id[x["b"]], x["label"] == "same", x["stratum"]) for x in lines]


def simple_features(pair: Judged, tfidf: float, words: WordWeights) -> list[float]:
    """The twenty simple features of the floor."""
    a, b = pair.a.fingerprint, pair.b.fingerprint
    days = abs((a.received_at - b.received_at).total_seconds()) / 86_400
    both, either = a.words & b.words, a.words | b.words
    found = [tfidf, float(pair.a.vector @ pair.b.vector), float(a.place == b.place)]
    found += [float((a.place or "-")[:8] == (b.place or "")[:8]), float(a.topic == b.topic)]
    found += [float(np.log1p(days)), float(days < 7), float(days > 60)]
    for kind in ("rt", "rw", "figure"):
        ours, theirs = (set(f.numbers.get(kind, ())) for f in (a, b))
        found += [float(len(ours & theirs)), float(bool(ours and theirs and not ours & theirs))]
    found += [float(len(a.streets & b.streets)), float(bool(a.streets and b.streets - a.streets))]
    found += [words.sum(both), words.sum(both) / max(1e-9, words.sum(either))]
    found += [len(both) / max(1, min(len(a.words), len(b.words)))]
    return [*found, float(np.log1p(min(len(a.words), len(b.words))))]


def floor(pairs: Sequence[Judged], tfidf: Floats, same: Truth, words: WordWeights) -> Floats:
    """A logistic regression on simple features, cross-validated on these pairs."""
    matrix = np.array([simple_features(p, t, words) for p, t in zip(pairs, tfidf, strict=True)])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    found = cross_val_predict(model, matrix, same, cv=folds, method="predict_proba")
    return np.asarray(found[:, 1])


def cosines(pairs: Sequence[Judged], rows: Sequence[LabelledReport]) -> Floats:
    """Character TF-IDF cosine of each pair, fitted on all reports of the city."""
    model = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=2, dtype=np.float32
    ).fit([row.report.text.lower() for row in rows])
    first, second = (
        model.transform([side.report.text.lower() for side in sides])
        for sides in ([p.a for p in pairs], [p.b for p in pairs])
    )
    return np.asarray(first.multiply(second).sum(axis=1), dtype=np.float64).ravel()


def verdicts(triager: Triager, same: Truth, score: Floats) -> dict[str, Any]:
    """How often each verdict is right on these pairs, and how much of the same it finds."""
    limits, found = triager.finder.judge.thresholds, {}
    for name, least in (("duplicate", limits.duplicate), ("possible", limits.possible)):
        said = score >= least
        found[name] = {
            "from": least,
            "pairs": int(said.sum()),
            "precision": share(int(same[said].sum()), int(said.sum())),
            "recall": share(int(same[said].sum()), int(same.sum())),
        }
    return found


def real(triager: Triager, rows: Sequence[LabelledReport], half: str) -> dict[str, Any]:
    """Scorer and floor on the judged pairs of a half."""
    pairs = judged(triager, rows, half, placed)
    bare = judged(triager, rows, half, city)
    same = np.array([pair.same for pair in pairs])
    score, without = (probabilities(triager, these, rows) for these in (pairs, bare))
    alone = np.array([probability(triager, p.a, p.b, triager.finder.rarity) for p in pairs])
    tfidf = cosines(pairs, rows)
    words = WordWeights.count(side.fingerprint.words for p in pairs for side in (p.a, p.b))
    sure = np.maximum(score, 1 - score)
    return {
        "half": half,
        "pilah": figures(same, score),
        "pilah_without_given_kelurahan": figures(same, without),
        "pilah_without_memory": figures(same, alone),
        "char_tfidf": figures(same, tfidf),
        "embedding_cosine": figures(
            same, np.array([float(p.a.vector @ p.b.vector) for p in pairs])
        ),
        "simple_features_cross_validated": figures(same, floor(pairs, tfidf, same, words)),
        "strata": _strata(pairs, same, score),
        "calibration_error": calibration_error(sure, (score >= 0.5) == same),
        "mean_probability": float(score.mean()),
        "share_same": float(same.mean()),
        "verdicts": verdicts(triager, same, score),
    }


def _strata(pairs: Sequence[Judged], same: Truth, score: Floats) -> dict[str, list[float]]:
    """Stratum -> pairs, pairs of one incident, average precision (0 where there is none)."""
    strata = np.array([pair.stratum for pair in pairs])
    found = {}
    for name in sorted(set(strata.tolist())):
        chosen = strata == name
        some = bool(same[chosen].any())
        ap = float(average_precision_score(same[chosen], score[chosen])) if some else 0.0
        found[name] = [int(chosen.sum()), int(same[chosen].sum()), ap]
    return found


def stream(triager: Triager, rows: Sequence[LabelledReport]) -> tuple[dict[str, Any], list[Any]]:
    """Half a year in order of time: how many reports get which verdict, and what was matched."""
    ordered = sorted(rows, key=lambda row: str(row.report.reported_at))
    analyses = read(triager, ordered)
    finder, said, shown = triager.finder, Counter(), []
    start = time.perf_counter()
    for one in analyses:
        duplicates, incident = finder.find(one.fingerprint, one.vector)
        finder.remember(one.fingerprint, one.vector, incident)
        said[duplicates.verdict] += 1
        if duplicates.matches:
            best = duplicates.matches[0]
            shown.append([duplicates.verdict, one.report_id, best.report_id, best.probability])
    seconds = time.perf_counter() - start
    known = {"reports": len(analyses), "verdicts": dict(said)}
    return known | {"milliseconds_a_report": 1000 * seconds / len(analyses)}, shown


def show(result: Mapping[str, Any]) -> None:
    """Tables of what was measured."""
    head = ("pairs", "same", "average precision", "P at R .80", "P at R .85")
    lines = [(name, result["written"][name]) for name in ("all", "imitations")]
    if "real" in result:
        keys = [k for k, v in result["real"].items() if isinstance(v, dict) and "pairs" in v]
        lines += [(key, result["real"][key]) for key in keys]
    rows = (
        (name, f["pairs"], f["same"], *(_interval(f[k]) for k in f if "prec" in k))
        for name, f in lines
    )
    table("same incident", ("scorer or set", *head), rows)
    told = result["regional"]
    again = " ".join(f"{p:.2f}" for p in told["again"])
    console.print(f"told anew in a regional language: {again}; strangers {told['strangers']:.2f}")
    if "real" in result:
        strata = result["real"]["strata"].items()
        table("strata", ("stratum", "pairs", "same", "AP"), ((n, *v) for n, v in strata))


def _interval(parts: Sequence[float]) -> str:
    return f"{parts[0]:.3f} ({parts[1]:.2f}-{parts[2]:.2f})"


def main() -> None:
    """Measure and print."""
    found = parser(__doc__ or "")
    found.add_argument("--half", choices=(*HALVES,), default="fresh", help="of the pairs")
    found.add_argument("--split", choices=("test", "dev"), default="test", help="of the corpus")
    found.add_argument("--stream", choices=("2022", "2023"), help="also the reports of a half year")
    found.add_argument("--shown", type=Path, help="CSV of the ids that --stream matched")
    args = found.parse_args()
    triager = engine(load_bundle(args.bundle))
    result: dict[str, Any] = {"written": written(triager, args.split)}
    result["regional"] = regional(triager)
    rows = reports(args.data)
    result["real"] = real(triager, rows, args.half)
    if args.stream:
        for name, where in (("kelurahan", placed), ("city", city)):
            later = [where(row) for row in rows if HALF_YEARS[args.stream](_moment(row.report))]
            counts, shown = stream(engine(load_bundle(args.bundle)), later)
            result[f"stream_{name}_given"] = counts
            if args.shown:
                _write(args.shown.with_stem(f"{args.shown.stem}_{name}"), shown)
    show(result)
    finish("incident_pairs", result, args.output)


def _write(path: Path, shown: list[Any]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["verdict", "report", "match", "probability"], *shown])
    console.print(f"ids: {path}")


if __name__ == "__main__":
    main()
