"""Half a year of reports to Kota Surabaya through the whole pipeline of a bundle.

Text the bundle never saw, from a city it never saw. Measures: no row is lost, speed, memory, how
often the place is read, what a person must look at, and whether the unit answered belongs to the
family of the unit that the city disposed the report to.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from common import (
    TEST,
    TRAIN,
    console,
    data_file,
    engine,
    finish,
    labelled,
    load_bundle,
    parser,
    peak_mb,
    share,
    table,
)
from sklearn.feature_extraction.text import TfidfVectorizer

from pilah.datasets.agencies import load_units
from pilah.datasets.readers import Row, count_rows
from pilah.datasets.records import LabelledReport
from pilah.datasets.region_names import key_of
from pilah.datasets.regions import load_regions
from pilah.datasets.routing_table import load_routing
from pilah.models.answer import Triage
from pilah.models.batch import CHUNK, triage_rows
from pilah.models.triage import Triager

REGION, CITY = "Kota Surabaya", "35.78"
WARM_UP = 50
JOBS = (1, 4)
"""Processes that the whole command is measured with."""
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
OFFICES = ("Kelurahan", "Kecamatan")
SPELLED = {"pabeancantikan": "pabeancantian"}
"""Sub-districts that the data spells otherwise than the region table."""
FAMILIES = {
    "Dinas Sumber Daya Air dan Bina Marga": ("pupr", "sda"),
    "Dinas Lingkungan Hidup": ("dlh", "pertamanan"),
    "Dinas Perhubungan": ("dishub",),
    "Dinas Sosial": ("dinsos",),
    "Kelurahan": ("kelurahan", "desa"),
    "Kecamatan": ("kecamatan",),
    "Dinas Kesehatan": ("dinkes", "rsud"),
    "Dinas Kependudukan dan Pencatatan Sipil": ("dukcapil",),
    "Dinas Pendidikan": ("disdik",),
    "Bagian Perekonomian dan Sumber Daya Alam": ("pdam",),
    "Satuan Polisi Pamong Praja": ("satpolpp",),
    "Dinas Pemberdayaan Perempuan dan Perlindungan Anak serta Pengendalian Penduduk "
    "dan Keluarga Berencana": ("dp3ap2kb", "ppkb", "dpmd"),
    "Dinas Perindustrian dan Tenaga Kerja": ("disnaker", "disperin"),
    "Dinas Perumahan Rakyat dan Kawasan Permukiman serta Pertanahan": (
        "perkim", "pertanahan", "tataruang",
    ),
    "Dinas Komunikasi dan Informatika": ("diskominfo",),
    "Dinas Koperasi Usaha Kecil dan Menengah dan Perdagangan": ("diskop", "disdag"),
    "Dinas Kebudayaan Kepemudaan dan Olah Raga serta Pariwisata": ("dispar", "disbud", "dispora"),
    "Bagian Umum Protokol dan Komunikasi Pimpinan": ("setda",),
    "Bagian Hukum dan Kerjasama": ("setda",),
    "Bagian Pemerintahan dan Kesejahteraan Rakyat": ("setda",),
    "Bagian Pengadaan Barang/Jasa dan Administrasi Pembangunan": ("setda",),
    "Badan Pendapatan Daerah": ("bapenda",),
    "Badan Pengelolaan Keuangan dan Aset Daerah": ("bpkad",),
    "Dinas Penanaman Modal dan Pelayanan Terpadu Satu Pintu": ("dpmptsp",),
    "Badan Kepegawaian dan Pengembangan Sumber Daya Manusia": ("bkpsdm",),
    "Badan Penanggulangan Bencana Daerah": ("bpbd",),
    "Dinas Pemadam Kebakaran dan Penyelamatan": ("damkar",),
    "Dinas Ketahanan Pangan dan Pertanian": ("distan", "dkp"),
    "Badan Kesatuan Bangsa dan Politik": ("kesbangpol",),
    "Inspektorat": ("inspektorat",),
    "Badan Perencanaan Pembangunan Daerah Penelitian dan Pengembangan": ("bappeda",),
}  # fmt: skip
"""The city's ``agency_group`` -> unit families that mean it (by hand, from its own units)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One report: the group the city chose, and the families answered, the best first.

    ``reasons``: why a person looks at it. ``probability``: of the answered agency.
    """

    group: str
    families: tuple[str, ...]
    reasons: tuple[str, ...]
    probability: float

    @property
    def rank(self) -> int | None:
        """Place of the first right family, 0 for the answer itself; None when it is not there."""
        hits = (i for i, f in enumerate(self.families) if f in FAMILIES[self.group])
        return next(hits, None)


def families_of(answer: Triage) -> tuple[str, ...]:
    """Unit family of the answered agency and of its alternatives; ``national`` for other levels."""
    agency = answer.agency
    named = ((agency.name, agency.rule), *((a.name, a.rule) for a in agency.alternatives))
    return tuple(family_of(name, rule) for name, rule in named)


def family_of(name: str | None, rule: str | None) -> str:
    """The family that a rule names, else the first one whose local or usual name it is."""
    if rule in _family_of_rule():
        return _family_of_rule()[rule]
    return _family_of_name().get((name or "").casefold(), "?")


@cache
def _family_of_rule() -> dict[str, str]:
    local = ("provinsi", "kabkota", "desa")
    return {r.rule: r.target if r.level in local else "national" for r in load_routing().rules}


@cache
def _family_of_name() -> dict[str, str]:
    units = load_units()
    usual = {units.families[f].kabkota.casefold(): f for f in reversed(units.families)}
    return usual | {units.name(f, CITY).casefold(): f for f in reversed(units.families)}


def classify(triager: Triager, rows: Sequence[LabelledReport]) -> tuple[list[Triage], float]:
    """All answers in order, and the seconds they took; the first words are stemmed before."""
    triager.analyse([(f"warm-{i}", r.report) for i, r in enumerate(rows[:WARM_UP])])
    start = time.perf_counter()
    numbered = (Row(i, row) for i, row in enumerate(rows, 1))
    answers = [o.content for o in triage_rows(triager, numbered, region=REGION)]
    seconds = time.perf_counter() - start
    return [a for a in answers if isinstance(a, Triage)], seconds


def command(data: Path, bundle: Path | None, jobs: int) -> float:
    """Reports a second of ``pilah classify`` on 2022, its start included."""
    source = data_file(data, TRAIN)
    with TemporaryDirectory() as folder:
        options = [
            "-o",
            f"{folder}/a.jsonl",
            "--region",
            REGION,
            "--jobs",
            str(jobs),
            "--map",
            "reported_at=date",
        ]
        options += ["--bundle", str(bundle)] if bundle else []
        start = time.perf_counter()
        subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "pilah.service.cli", "classify", str(source), *options],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - start
    return count_rows(source) / seconds


def yardstick(rows: Sequence[LabelledReport]) -> float:
    """Seconds that scikit-learn's character TF-IDF alone takes for the same texts."""
    texts = [r.report.text for r in rows]
    start = time.perf_counter()
    TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2).fit_transform(texts)
    return time.perf_counter() - start


def places(triager: Triager, rows: Sequence[LabelledReport]) -> dict[str, Any]:
    """How deep the place was read, and how often it agrees with the city's own columns."""
    codes: list[str] = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        reads = triager.analyse([(str(i), r.report) for i, r in enumerate(chunk)])
        codes += [read.place.code or "" for read in reads]
    levels = {"kecamatan": 8, "kelurahan": 13}
    agreement = {name: _agreement(rows, codes, name, n) for name, n in levels.items()}
    deep = sum(len(code) >= levels["kecamatan"] for code in codes)
    return {"kecamatan_or_deeper": share(deep, len(rows)), **agreement}


def _agreement(
    rows: Sequence[LabelledReport], codes: Sequence[str], column: str, length: int
) -> dict[str, float | int]:
    """Rows resolved to a level whose column names a region of the table; and those that agree."""
    regions = load_regions().by_code
    known = {key_of(regions[c].name) for c in regions if c.startswith(CITY) and len(c) == length}
    pairs = [
        (key_of(regions[code[:length]].name), _key(row.extra.get(column, "")))
        for row, code in zip(rows, codes, strict=True)
        if len(code) >= length
    ]
    judged = [(ours, theirs) for ours, theirs in pairs if theirs in known]
    same = sum(ours == theirs for ours, theirs in judged)
    return {"resolved": len(pairs), "judged": len(judged), "agree": share(same, len(judged))}


def _key(name: str) -> str:
    return SPELLED.get(key_of(name), key_of(name))


def units(judged: Sequence[Judged], aside: frozenset[str] = frozenset()) -> dict[str, float | int]:
    """Shares of right answers, alone and with alternatives, and those that no person looks at.

    Args:
        judged: some reports.
        aside: reasons that are not counted, as if no person looked because of them.
    """
    ranks = [j.rank for j in judged]
    alone = [j for j in judged if aside.issuperset(j.reasons)]
    return {
        "rows": len(judged),
        "right": share(ranks.count(0), len(ranks)),
        "top3": share(sum(r is not None and r < 3 for r in ranks), len(ranks)),
        "with_alternatives": share(len(ranks) - ranks.count(None), len(ranks)),
        "without_person": share(len(alone), len(judged)),
        "without_person_rows": len(alone),
        "precision_without_person": share(sum(j.rank == 0 for j in alone), len(alone)),
    }


def by_level(judged: Sequence[Judged]) -> list[dict[str, float]]:
    """Share of the answers at or above a probability of the agency, and how many are right."""
    found = []
    for level in LEVELS:
        kept = [j.rank == 0 for j in judged if j.probability >= level]
        coverage = share(len(kept), len(judged))
        found.append(
            {"level": level, "coverage": coverage, "precision": share(sum(kept), len(kept))}
        )
    return found


def per_group(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """The same for each group of the city, and where its wrong answers went."""
    groups = Counter(j.group for j in judged)
    found = []
    for group, _ in groups.most_common():
        mine = [j for j in judged if j.group == group]
        wrong = Counter(j.families[0] for j in mine if j.rank != 0)
        found.append({"group": group, **units(mine), "wrong": dict(wrong.most_common(3))})
    return found


def answers_in_words(answers: Sequence[Triage]) -> dict[str, Any]:
    """Counts over verdicts, outcomes, levels and review reasons."""
    review = [a.review for a in answers]
    return {
        "review_needed": share(sum(r.needed for r in review), len(review)),
        "reasons": dict(Counter(x for r in review for x in r.reasons).most_common()),
        "duplicate_verdicts": dict(Counter(a.duplicates.verdict for a in answers)),
        "outcomes": dict(Counter(a.outcome.label for a in answers).most_common()),
        "levels": dict(Counter(str(a.agency.level) for a in answers).most_common()),
        "topic_stated": share(sum(a.topic.main is not None for a in answers), len(answers)),
        "hoax_flags": sum(a.hoax.flag for a in answers),
    }


def main() -> None:
    """Run it."""
    args = parser(__doc__ or "").parse_args()
    rows = labelled(data_file(args.data, TEST), {"id": "source_id", "reported_at": "date"})
    bundle = load_bundle(args.bundle)
    triager = engine(bundle)
    loaded = peak_mb()
    answers, seconds = classify(triager, rows)
    peak = peak_mb()
    if [a.report_id for a in answers] != [r.report.id for r in rows]:
        raise SystemExit(f"{len(rows)} reports in, {len(answers)} answers out, or another order")
    judged = [
        Judged(row.extra["agency_group"], families_of(a), a.review.reasons, a.agency.probability)
        for row, a in zip(rows, answers, strict=True)
    ]
    base = yardstick(rows)
    result = {
        "bundle": bundle.version,
        "rows_in": len(rows),
        "rows_out": len(answers),
        "reports_per_second": len(rows) / seconds,
        "times_char_tfidf": seconds / base,
        **{f"command_per_second_{n}": command(args.data, args.bundle, n) for n in JOBS},
        "memory_mb_loaded": loaded,
        "memory_mb_peak": peak,
        "place": places(triager, rows),
        **answers_in_words(answers),
        "units": units(judged),
        "units_duplicates_aside": units(judged, frozenset({"possible_duplicate"})),
        "units_without_offices": units([j for j in judged if j.group not in OFFICES]),
        "agency_levels": by_level(judged),
        "groups": per_group(judged),
    }
    show(result)
    finish("surabaya_classify", result, args.output)


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    plain = [(k, v) for k, v in result.items() if isinstance(v, int | float | str)]
    table("Kota Surabaya, January to June 2023", ("figure", "value"), plain)
    table("place", ("level", "resolved", "judged", "agree"), [
        (level, *result["place"][level].values()) for level in ("kecamatan", "kelurahan")
    ])  # fmt: skip
    kinds = {
        "all groups": "units",
        "all, possible duplicates need nobody": "units_duplicates_aside",
        "without kelurahan, kecamatan": "units_without_offices",
    }
    head = ("reports", "rows", "right", "top 3", "with alternatives", "alone", "precision alone")
    keys = (
        "rows", "right", "top3", "with_alternatives", "without_person", "precision_without_person",
    )  # fmt: skip
    rows = [(name, *(result[key][k] for k in keys)) for name, key in kinds.items()]
    rows += [(g["group"], *(g[k] for k in keys)) for g in result["groups"]]
    table("unit family against the city's agency_group", head, rows)
    table("agency answers by their probability", ("p >=", "coverage", "precision"), [
        tuple(line.values()) for line in result["agency_levels"]
    ])  # fmt: skip
    for name in ("reasons", "duplicate_verdicts", "outcomes", "levels"):
        counts = ", ".join(f"{k} {v:,}" for k, v in result[name].items())
        console.print(f"{name}: {counts}")


if __name__ == "__main__":
    main()
