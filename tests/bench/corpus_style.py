"""Does the written corpus read like real reports? Style, diversity, and what betrays it.

Our training split (without pranks and hoax-like texts, which no city's archive holds) beside one
year of real reports to Kota Surabaya. Equal-size samples wherever size matters. Of the real text
only figures are told, and of its n-grams only ordinary words and abbreviations, never names. A
second real source (complaints that people tweeted at Bandung's channels) shows how far two real
sources lie apart.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    ROOT,
    TOPIC_MAP,
    TRAIN,
    console,
    data_file,
    finish,
    labelled,
    parser,
    share,
    table,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC
from surabaya_topics import read_map

from pilah.datasets.records import LabelledReport
from pilah.datasets.region_names import key_of
from pilah.datasets.regions import load_regions
from pilah.models.text import roots, slang, stem

CORPUS = ROOT / "datasets" / "data" / "corpus" / "train.jsonl"
OTHER = "bandung_tweets.parquet"
PER_TOPIC, PER_TOPIC_LEAST, PER_CLASS, FOLDS, TOLD = 120, 40, 4000, 5, 25
WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
MARK = re.compile(r"[^\W_]+|[^\w\s]+")
PLAIN: dict[str, Callable[[str], bool]] = {
    "wholly lower case": lambda t: t == t.lower(),
    "begins in lower case": lambda t: t[:1].islower(),
    "all capitals (3 words or more)": lambda t: t == t.upper() and len(WORD.findall(t)) > 2,
    "ends with . ! ?": lambda t: t.rstrip()[-1:] in set(".!?"),
    "no punctuation at all": lambda t: not re.search(r"[.,;:!?()\"/-]", t),
    "doubled punctuation (.. ,, ?? !!)": lambda t: bool(re.search(r"([.,!?])\1", t)),
    "no space after , or .": lambda t: bool(re.search(r"[a-z][,.](?=[a-zA-Z])", t)),
    "line breaks": lambda t: "\n" in t.strip(),
    "a figure": lambda t: any(c.isdigit() for c in t),
}
FOLDED = {
    "begins with a greeting": r"^\W*(ass?al+am|as+\.? ?wr|selamat|slmt|met (pagi|siang|sore|malam)|"
    r"yth|kepada|kpd|dear|halo|hallo|hai|hi\b|pak\b|bapak|bpk|bu\b|ibu|min\b|admin|permisi|pagi|"
    r"siang|sore|malam|malem|kak\b|mas\b|mbak|om swastiastu|sampurasun|punten|nuwun sewu)",
    "mohon": r"\b(di)?(mohon|mhn|mohn)\w*",
    "tolong": r"\b(tolong|tlg|tlong|tolg)\w*",
    "thanks": r"\b(terima ?kasi?h?|terimakasih|trima|trimakasih|makasih?|mksh|tks|thx|thanks|"
    r"suwun|nuwun|suksma|hatur nuhun|tarimo ?kasih|trims|matur|terim)\b",
    "RT or RW": r"\b(rt|rw)\W{0,2}\d",
    "a street": r"\b(jl|jln|jalan|jlan|gg|gang)\b",
}
USUAL = frozenset(
    WORD.findall(
        "yg sdh tdk utk krn dgn blm sy bpk jl jln dr pd lg gak ga nggak gk udah udh kalo "
        "klo tp jg sm bs tlg mhn mksh trs skrg dpt bgt org hrs ttg spt jd ud aja aj sdg km "
        "kpd dll dsb tgl no rt rw kel kec ds dsn gg pak bu min admin kok sih dong kan nih "
        "tuh ya dan di ke yang dari untuk ini itu tidak ada sudah belum kami saya dengan "
        "karena atau pada juga akan bisa dapat lebih oleh sangat agar supaya apa apakah "
        "bagaimana kenapa mengapa kapan mohon tolong terima kasih segera selamat pagi siang "
        "sore malam warga jalan bapak ibu wr wb nya pun lah kah assalamualaikum"
    )
)
CONNECTING = frozenset({"dan", "untuk", "dengan", "sangat", "agar", "karena"})
Texts = Sequence[str]


def ours(path: Path) -> tuple[list[str], list[str], list[str]]:
    """Texts, batches and main topics of our rows, without pranks and hoax-like ones."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    kept = [r for r in rows if r["outcome"] != "prank" and not r["hoax"]]
    topics = [r.get("topic_main", "") for r in kept]
    return [r["text"] for r in kept], [r["batch"] for r in kept], topics


def day(row: LabelledReport) -> str:
    """The day of a real report: its group, as a batch is ours."""
    return str(row.report.reported_at or row.extra.get("date"))[:10]


def style(texts: Texts, places: frozenset[str]) -> dict[str, float]:
    """Shares of texts (and of words, where said) with each trait."""
    lengths = [len(WORD.findall(t)) for t in texts]
    found = {f"words p{p}": float(np.percentile(lengths, p)) for p in (10, 25, 50, 75, 90, 98)}
    found |= {name: share(sum(map(has, texts)), len(texts)) for name, has in PLAIN.items()}
    for name, pattern in FOLDED.items():
        known = re.compile(pattern)
        found[name] = share(sum(bool(known.search(t.lower())) for t in texts), len(texts))
    words = [[w.lower() for w in WORD.findall(t)] for t in texts]
    joined = sum(w in CONNECTING for ws in words for w in ws)
    found["connecting words (dan, untuk, dengan, ...)"] = share(joined, sum(lengths))
    informal = slang()
    loose = [sum(w in informal for w in ws) for ws in words]
    found["informal words (of words)"] = share(sum(loose), sum(lengths))
    found["at least one informal word"] = share(sum(n > 0 for n in loose), len(texts))
    typos = TypoFinder(places)
    found["typo-like (of words)"] = share(sum(typos(w) for ws in words for w in ws), sum(lengths))
    return found


class TypoFinder:
    """A word of 5 letters or more that is unknown, and one letter away from a known root."""

    def __init__(self, places: frozenset[str]) -> None:
        self.known = roots() | places | frozenset(slang()) | USUAL
        self.near = {r[:i] + r[i + 1 :] for r in roots() if len(r) > 4 for i in range(len(r))}
        self.seen: dict[str, bool] = {}

    def __call__(self, word: str) -> bool:
        """Whether the word looks mistyped."""
        if word not in self.seen:
            self.seen[word] = self._typo(word)
        return self.seen[word]

    def _typo(self, word: str) -> bool:
        if len(word) < 5 or not word.isalpha() or word in self.known or stem(word) in self.known:
            return False
        less = {word[:i] + word[i + 1 :] for i in range(len(word))}
        return word in self.near or bool(less & self.near) or bool(less & roots())


def fourgrams(texts: Texts, budget: int) -> float:
    """Distinct share of the word 4-grams in the first ``budget`` words."""
    grams: list[tuple[str, ...]] = []
    for text in texts:
        words = [w.lower() for w in WORD.findall(text)]
        grams += zip(words, words[1:], words[2:], words[3:], strict=False)
        if len(grams) >= budget:
            break
    return share(len(set(grams[:budget])), len(grams[:budget]))


def neighbours(left: Texts, right: Texts) -> tuple[float, float]:
    """Mean cosine of each text to the nearest of its own side; char TF-IDF fit on both."""
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    matrix = vectorizer.fit_transform([*left, *right])
    means = []
    for part in (matrix[: len(left)], matrix[len(left) :]):
        cosine = (part @ part.T).toarray()
        np.fill_diagonal(cosine, 0)
        means.append(float(cosine.max(axis=1).mean()))
    return means[0], means[1]


def per_topic(
    mine: dict[str, list[str]], real: dict[str, list[str]], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Nearest-neighbour similarity, topic by topic, equal sizes."""
    found = []
    for topic in sorted(mine.keys() & real.keys(), key=lambda t: -len(real[t])):
        size = min(PER_TOPIC, len(mine[topic]), len(real[topic]))
        if size < PER_TOPIC_LEAST:
            continue
        a, b = (list(rng.permutation(side[topic])[:size]) for side in (mine, real))
        near = neighbours(a, b)
        found.append({"topic": topic, "each": size, "ours": near[0], "real": near[1]})
    return found


def hide_places(texts: Iterable[str], places: frozenset[str]) -> list[str]:
    """Every word that stands in a region's name becomes one token."""
    return [WORD.sub(lambda m: "Qq" if m[0].lower() in places else m[0], t) for t in texts]


def shape(texts: Iterable[str]) -> list[str]:
    """Only how it is written: usual words stay, others become their case; figures become 0."""

    def plain(match: re.Match[str]) -> str:
        word = match[0]
        if word.lower() in USUAL:
            return word
        if word[0].isdigit():
            return "0"
        return "X" if word.isupper() else "Xx" if word[0].isupper() else "x"

    return [WORD.sub(plain, t) for t in texts]


def separate(texts: Texts, truth: np.ndarray, groups: Sequence[str]) -> float:
    """AUC of telling ours from real, 5 folds grouped by batch and by day."""
    union = FeatureUnion([
        ("char", TfidfVectorizer(analyzer="char", ngram_range=(1, 4), lowercase=False, min_df=3,
                                 max_features=80_000, sublinear_tf=True)),
        ("word", TfidfVectorizer(ngram_range=(1, 2), tokenizer=str.split, token_pattern=None,
                                 lowercase=False, min_df=3, max_features=40_000,
                                 sublinear_tf=True)),
    ])  # fmt: skip
    matrix = union.fit_transform(texts).tocsr()
    spoken = np.zeros(len(truth))
    for train, test in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(
        truth, truth, groups
    ):
        machine = LinearSVC(C=0.1).fit(matrix[train], truth[train])
        spoken[test] = machine.decision_function(matrix[test])
    return float(roc_auc_score(truth, spoken))


def two_real(texts: Texts, days: Sequence[str], folder: Path) -> dict[str, Any]:
    """The same AUCs between two real sources, equal sizes; empty without the second one."""
    path = folder / "benchmarks" / OTHER
    if not path.is_file():
        return {}
    rows = [r for r in labelled(path) if r.extra.get("kind") == "Keluhan"]
    rng = np.random.default_rng(0)
    size = min(PER_CLASS, len(rows), len(texts))
    one, two = rng.permutation(len(texts))[:size], rng.permutation(len(rows))[:size]
    # Users and links belong to the channel, not to the writer.
    tweets = [re.sub(r"[@#]\S+|<\w+>|https?:\S+|^RT\b", " ", rows[i].report.text) for i in two]
    both = [texts[i] for i in one] + [re.sub(r"[ \t]+", " ", t).strip() for t in tweets]
    groups = [f"d{days[i]}" for i in one] + [f"t{i % 200}" for i in range(size)]
    truth = np.array([1] * size + [0] * size)
    return {
        "each": size,
        "the text": separate(both, truth, groups),
        "usual words, case and marks only": separate(shape(both), truth, groups),
    }


def telling(texts: Texts, truth: np.ndarray) -> dict[str, list[str]]:
    """Strongest words and marks of each side; of the real side ordinary ones only."""
    vectorizer = TfidfVectorizer(
        tokenizer=MARK.findall, token_pattern=None, ngram_range=(1, 2), min_df=15, lowercase=True,
        sublinear_tf=True,
    )  # fmt: skip
    matrix = vectorizer.fit_transform(texts)
    weight = LinearSVC(C=0.1).fit(matrix, truth).coef_[0]
    names = vectorizer.get_feature_names_out()
    order = np.argsort(weight)
    real = [n for n in names[order] if _ordinary(n)]
    return {"ours": [str(n) for n in names[order[::-1]][:TOLD]], "real": real[:TOLD]}


def _ordinary(feature: str) -> bool:
    words = feature.split()
    return all(w in USUAL or w in slang() or not w[0].isalnum() for w in words)


def place_words() -> frozenset[str]:
    """Words of region names that are no ordinary words."""
    names = (key_of(region.name) for region in load_regions().by_code.values())
    parts = {w for region in load_regions().by_code.values() for w in region.name.lower().split()}
    return frozenset((parts | set(names) | {"sby", "suroboyo", "jkt", "jogja"}) - roots() - USUAL)


def main() -> None:
    """Run it."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--corpus", type=Path, default=CORPUS)
    args = arguments.parse_args()
    right = read_map(data_file(args.data, TOPIC_MAP))
    rows = labelled(data_file(args.data, TRAIN))
    texts, batches, topics = ours(args.corpus)
    real_texts, real_days = [r.report.text for r in rows], [day(r) for r in rows]
    places, rng = place_words(), np.random.default_rng(0)

    mine, real = defaultdict(list), defaultdict(list)
    for text, topic in zip(texts, topics, strict=True):
        mine[topic].append(text)
    for row in rows:
        if answers := right.get(row.extra.get("topic") or ""):
            real[answers[0]].append(row.report.text)

    size = min(PER_CLASS, len(texts), len(rows))
    a, b = rng.permutation(len(texts))[:size], rng.permutation(len(rows))[:size]
    both = [texts[i] for i in a] + [real_texts[i] for i in b]
    groups = [f"b{batches[i]}" for i in a] + [f"d{real_days[i]}" for i in b]
    truth = np.array([1] * size + [0] * size)
    half = [both[:size], both[size:]]
    budget = min(sum(max(0, len(WORD.findall(t)) - 3) for t in side) for side in half)
    hidden = hide_places(both, places)
    result = {
        "rows": {"ours": len(texts), "real": len(rows)},
        "style": {"ours": style(texts, places), "real": style(real_texts, places)},
        "distinct_4grams": {
            "words": budget, "ours": fourgrams(half[0], budget), "real": fourgrams(half[1], budget),
        },
        "nearest_neighbour": per_topic(mine, real, rng),
        "auc": {
            "each": size,
            "the text": separate(both, truth, groups),
            "place words hidden": separate(hidden, truth, groups),
            "usual words, case and marks only": separate(shape(both), truth, groups),
        },
        "auc_two_real": two_real(real_texts, real_days, args.data),
        "telling": telling(hidden, truth),
    }  # fmt: skip
    show(result)
    finish("corpus_style", result, args.output)


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    mine, real = result["style"]["ours"], result["style"]["real"]
    table(
        f"{result['rows']['ours']:,} of ours, {result['rows']['real']:,} real",
        ("trait", "ours", "real"),
        [(name, mine[name], real[name]) for name in mine],
    )
    grams, near = result["distinct_4grams"], result["nearest_neighbour"]
    table(f"diversity ({grams['words']:,} words each)", ("figure", "ours", "real"), [
        ("distinct 4-grams", grams["ours"], grams["real"]),
        *((f"nearest neighbour: {n['topic']} ({n['each']})", n["ours"], n["real"]) for n in near),
        ("nearest neighbour: mean", *(float(np.mean([n[k] for n in near]))
                                      for k in ("ours", "real"))),
    ])  # fmt: skip
    table(f"told apart ({result['auc']['each']:,} each)", ("seen", "AUC"), [
        pair for pair in result["auc"].items() if pair[0] != "each"
    ])  # fmt: skip
    if other := result["auc_two_real"]:
        rows = [pair for pair in other.items() if pair[0] != "each"]
        table(f"two real sources told apart ({other['each']:,} each)", ("seen", "AUC"), rows)
    for side, words in result["telling"].items():
        console.print(f"telling of {side}: {' | '.join(words)}", markup=False)


if __name__ == "__main__":
    main()
