"""Fill the counts and figures of ``docs/corpus.md`` and of the corpus' datasheet.

Each part between ``<!-- NAME -->`` and ``<!-- /NAME -->`` is written anew: ``counts`` from the
corpus itself, the others from the JSON files of ``corpus_style``, ``corpus_learning`` and
``corpus_second_reader`` in ``--json`` (a part whose file is missing stays as it is). Run it after
rows were added.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from common import ROOT, console

FOLDER = ROOT / "datasets" / "data" / "corpus"
PAGES = (ROOT / "docs" / "corpus.md", FOLDER / "DATASHEET.md")
PILOTS = {
    "Provinsi Sumatera Barat": "13",
    "DI Yogyakarta": "34",
    "Provinsi Bali": "51",
    "Kabupaten Tangerang": "36.03",
    "Kabupaten Sleman": "34.04",
    "Kabupaten Badung": "51.03",
}
LANGUAGES = {
    "id": "Indonesian", "jv": "Javanese", "su": "Sundanese", "min": "Minang", "ban": "Balinese",
    "bew": "Betawi", "other": "others (Banjar, Bugis-Makassar, Manado, Kupang, Papua, ...)",
}  # fmt: skip


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; floats get three digits."""
    shown = [[f"{c:.3f}" if isinstance(c, float) else str(c) for c in row] for row in rows]
    lines = [head, ["---"] * len(head), *shown]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def told(counter: Counter[str], names: dict[str, str] | None = None) -> str:
    """``a 3, b 2``."""
    return ", ".join(f"{(names or {}).get(k, k)} {n:,}" for k, n in counter.most_common())


def counts(folder: Path) -> str:
    """What stands in the three files."""
    by_split = {
        split: [json.loads(x) for x in (folder / f"{split}.jsonl").read_text("utf-8").splitlines()]
        for split in ("train", "dev", "test")
    }
    rows = [row for part in by_split.values() for row in part]
    places = [r.get("region", "") for r in rows]
    pilots = {name: sum(p.startswith(code) for p in places) for name, code in PILOTS.items()}
    groups = Counter(r["incident"] for r in rows if r.get("incident"))
    lie = Counter(r["hoax_kind"] for r in rows if r["hoax"])
    topics = Counter(r["topic_main"] for r in rows if r.get("topic_main"))
    thin = sorted((n, t) for t, n in topics.items() if n < 60)
    splits = ", ".join(
        f"{name} {len(part):,} ({len({r['batch'] for r in part})} batches)"
        for name, part in by_split.items()
    )
    parts = {r["region"][:2] for r in rows if r.get("region")}
    lines = [
        ("reports", f"{len(rows):,}: {splits}"),
        ("main topics", f"{len(topics)}; sub-topics {len({r.get('topic_sub') for r in rows}) - 1}"),
        ("main topics under 60 rows", "; ".join(f"{t} {n}" for n, t in thin) or "none"),
        ("provinces", f"{len(parts)}; rows with a region {sum(map(bool, places)):,}"),
        ("pilot governments", ", ".join(f"{k} {n:,}" for k, n in pilots.items())),
        ("outcome", told(Counter(r["outcome"] for r in rows))),
        ("klasifikasi", told(Counter(r["klasifikasi"] for r in rows))),
        ("level", told(Counter(r["level"] for r in rows if r.get("level")))),
        ("register", told(Counter(r["register"] for r in rows))),
        ("main language or mixture", told(Counter(r["language"] for r in rows), LANGUAGES)),
        (
            "incidents",
            f"{len(groups):,} of 2 or more reports ({sum(groups.values()):,} rows); "
            f"hard negatives {sum('hard_negative_of' in r for r in rows):,}",
        ),
        ("hoax-like", f"{sum(lie.values()):,}: {told(lie)}"),
        ("hard legitimate", f"{sum(r.get('hoax_kind') == 'legit' for r in rows):,}"),
        (
            "second right answer",
            f"main topic {sum('topic_main_also' in r for r in rows)}, "
            f"sub-topic {sum('topic_sub_also' in r for r in rows)}",
        ),
    ]
    return markdown(("what", "how many"), lines)


def style(found: dict[str, Any]) -> str:
    """Traits, ours beside real."""
    ours, real = found["style"]["ours"], found["style"]["real"]
    rows = [
        (k, *(f"{x[k]:.0f}" if k.startswith("words p") else f"{x[k]:.1%}" for x in (ours, real)))
        for k in ours
    ]
    head = (f"trait, {found['rows']['ours']:,} and {found['rows']['real']:,} texts", "ours", "real")
    return markdown(head, rows)


def diversity(found: dict[str, Any]) -> str:
    """4-grams and nearest neighbours."""
    near, grams = found["nearest_neighbour"], found["distinct_4grams"]
    mean = [sum(n[k] for n in near) / len(near) for k in ("ours", "real")]
    rows = [
        (f"distinct word 4-grams in {grams['words']:,} words", grams["ours"], grams["real"]),
        *((f"nearest neighbour, {n['topic']} ({n['each']} each)", n["ours"], n["real"])
          for n in near),
        ("nearest neighbour, mean", *mean),
    ]  # fmt: skip
    return markdown(("figure", "ours", "real"), rows)


def apart(found: dict[str, Any]) -> str:
    """AUCs and telling features."""
    one, two = found["auc"], found["auc_two_real"]
    rows = [(k, v, two.get(k, "")) for k, v in one.items() if k != "each"]
    head = (
        "what the classifier sees",
        f"ours or real ({one['each']:,} each)",
        f"two real sources ({two.get('each', 0):,} each)",
    )
    words = [
        f"Telling of {side}: {' '.join(f'`{_code(w)}`' for w in found['telling'][side])}."
        for side in ("ours", "real")
    ]
    return "\n\n".join((markdown(head, rows), *words))


def _code(word: str) -> str:
    return word.replace("|", "/").replace("`", "'")


def learning(found: dict[str, Any]) -> str:
    """The learning curve, means over the seeds."""
    rows = []
    for name in dict.fromkeys(line["corpus"] for line in found["curve"]):
        lines = [x for x in found["curve"] if x["corpus"] == name]

        def mean(side: str, key: str, lines: list[dict[str, Any]] = lines) -> float:
            return float(sum(x[side][key] for x in lines) / len(lines))

        size = round(sum(x["rows"] for x in lines) / len(lines))
        figures = [
            mean(side, key)
            for side in ("real", "own test")
            for key in ("strict_accuracy", "strict_macro_f1", "either_accuracy")
        ]
        rows.append((name, f"{size:,}", *figures))
    head = [f"{s}: {k}" for s in ("real", "own test") for k in ("strict", "macro-F1", "either")]
    return markdown(("taught", "rows", *head), rows)


def worst(found: dict[str, Any]) -> str:
    """The worst topics of both tests."""
    tables = []
    for key, name in (("worst_own", "our own test split"), ("worst_real", "the real test")):
        rows = [
            (x["topic"], x["rows"], x["recall"], x["precision"],
             "; ".join(f"{t} {n}" for t, n in x["instead"]))
            for x in found[key]
        ]  # fmt: skip
        head = (f"topic ({name})", "rows", "recall", "precision", "answered instead")
        tables.append(markdown(head, rows))
    return "\n\n".join(tables)


def second(found: dict[str, Any]) -> str:
    """Agreement of the second reader."""
    first, now = found["first"], found["now"]
    rows = [
        (f, x["rows"], f"{x['agree']:.1%}", f"{x['kappa']:.2f}",
         "{:.2f}-{:.2f}".format(*x["kappa_95"]), f"{now[f]['either']:.1%}")
        for f, x in first.items()
    ]  # fmt: skip
    head = ("field", "rows", "agree, blind", "Cohen's kappa", "95 %", "agree after deciding")
    return markdown(head, rows)


PARTS = {
    "style": ("corpus_style", style),
    "diversity": ("corpus_style", diversity),
    "apart": ("corpus_style", apart),
    "learning": ("corpus_learning", learning),
    "worst": ("corpus_learning", worst),
    "second": ("corpus_second_reader", second),
}


def main() -> None:
    """Run it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", type=Path, default=ROOT / "var" / "bench")
    arguments.add_argument("--corpus", type=Path, default=FOLDER)
    args = arguments.parse_args()
    texts = {"counts": counts(args.corpus)}
    for name, (stem, told_by) in PARTS.items():
        path = args.json / f"{stem}.json"
        if path.is_file():
            texts[name] = told_by(json.loads(path.read_text("utf-8")))
    for page in PAGES:
        text = page.read_text("utf-8")
        for name, part in texts.items():
            mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
            if (found := mark.search(text)) is not None:
                text = f"{text[: found.start()]}{found[1]}{part}\n{found[2]}{text[found.end() :]}"
        page.write_text(text, encoding="utf-8")
        console.print(f"{page.relative_to(ROOT)}: {', '.join(texts)}")


if __name__ == "__main__":
    main()
