"""What ``pilah data check`` looks for in labelled reports. Every finding names line and cure.

The texts themselves are never quoted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from pilah.datasets.agencies import load_agencies, load_units
from pilah.datasets.errors import ReportError
from pilah.datasets.near import near_pairs
from pilah.datasets.readers import BadRow, Row
from pilah.datasets.records import LabelledReport
from pilah.datasets.regions import load_regions
from pilah.datasets.taxonomy import load_taxonomy

THIN = 15
"""A label with fewer rows is called thin."""
TARGETS = ("topic_main", "topic_sub", "agency", "outcome", "klasifikasi")

Severity = Literal["error", "warning"]
FindPersonalData = Callable[[str], Sequence[object]]
"""Gives the places of personal data in a text; the models layer provides it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``line`` is 0 when it concerns the file as a whole."""

    severity: Severity
    kind: str
    line: int
    problem: str
    cure: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All findings, and what the file holds: rows and, by target, rows a label."""

    rows: int
    findings: tuple[Finding, ...]
    labels: dict[str, dict[str, int]]

    @property
    def errors(self) -> int:
        """Number of findings that are errors."""
        return sum(f.severity == "error" for f in self.findings)


def check(
    rows: Iterable[Row],
    find_personal_data: FindPersonalData,
    *,
    tick: Callable[[int], object] | None = None,
) -> CheckReport:
    """Look at every row by itself, then at the rows together.

    Args:
        rows: from :func:`pilah.datasets.readers.read_rows`.
        find_personal_data: see :data:`FindPersonalData`.
        tick: told the number of rows done in the slow part (near-duplicates).
    """
    findings: list[Finding] = []
    good: list[tuple[int, LabelledReport]] = []
    for row in rows:
        if isinstance(row.content, BadRow):
            bad = row.content
            findings.append(
                Finding("error", "schema", bad.line, f"{bad.field}: {bad.problem}", bad.cure)
            )
        else:
            good.append((row.line, row.content))
    findings += _ids(good)
    findings += [f for line, r in good for f in _alone(line, r, find_personal_data)]
    findings += _topics(good)
    findings += _together(good, tick)
    labels = {t: dict(Counter(v for _, r in good if (v := getattr(r.labels, t)))) for t in TARGETS}
    findings += _thin(labels)
    order = {"error": 0, "warning": 1}
    findings.sort(key=lambda f: (order[f.severity], f.kind, f.line))
    return CheckReport(len(good), tuple(findings), labels)


def _ids(rows: list[tuple[int, LabelledReport]]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for line, row in rows:
        name = row.report.id
        if name is not None and first.setdefault(name, line) != line:
            problem = f"repeats the id of line {first[name]}"
            yield Finding("error", "id", line, problem, "give each report an id of its own")


def _alone(
    line: int, row: LabelledReport, find_personal_data: FindPersonalData
) -> Iterator[Finding]:
    try:
        load_regions().resolve(row.report.region)
    except ReportError as error:
        yield Finding("error", "region", line, error.problem, error.cure)
    yield from _unit(line, row)
    if find_personal_data(row.report.full_text):
        yield Finding(
            "error", "personal-data", line, "holds a NIK, phone number or the like",
            "let `pilah data import` mask it before the text is kept as training data",
        )  # fmt: skip


def _unit(line: int, row: LabelledReport) -> Iterator[Finding]:
    """``level`` and ``unit`` (columns of the written corpus) must be in the tables."""
    level, unit = row.extra.get("level"), row.extra.get("unit")
    if level is None or unit is None:
        return
    agency = load_agencies().by_id.get(unit)
    national = agency is not None and agency.level == level
    local = level in ("provinsi", "kabkota", "desa") and unit in load_units().families
    if not (national or local):
        cure = "use an id of agencies.csv at its level, or of unit_families.csv"
        yield Finding("error", "agency", line, "level and unit do not fit the tables", cure)


def _topics(rows: list[tuple[int, LabelledReport]]) -> Iterator[Finding]:
    """Topics outside SP4N's table: an error in SP4N data, one remark in a city's own data."""
    taxonomy = load_taxonomy()
    labelled = [(line, r.labels) for line, r in rows if r.labels.topic_main]
    unknown = [
        line
        for line, labels in labelled
        if taxonomy.find(labels.topic_main or "", labels.topic_sub) is None
    ]
    if labelled and len(unknown) == len(labelled):
        problem = "no topic is one of SP4N's: a label set of your own"
        yield Finding("warning", "topic", 0, problem, "fine if meant; routing then needs agencies")
        return
    for line in unknown:
        cure = "use a pair of taxonomy.csv, or leave topic_sub empty"
        yield Finding("error", "topic", line, "topic is not in SP4N's table", cure)


def _together(
    rows: list[tuple[int, LabelledReport]], tick: Callable[[int], object] | None
) -> Iterator[Finding]:
    texts = [r.report.full_text for _, r in rows]
    for a, b, cosine in near_pairs(texts, tick=tick):
        (line_a, row_a), (line_b, row_b) = rows[a], rows[b]
        split_a, split_b = row_a.extra.get("split"), row_b.extra.get("split")
        if split_a != split_b:
            problem = f"nearly the same as line {line_a}, in another split"
            yield Finding("error", "leakage", line_b, problem, "put both into one split")
        if _related(row_a, row_b):
            continue
        differing = _conflicts(row_a, row_b)
        if differing and cosine > 0.99:
            problem = f"same text as line {line_a}, other {', '.join(differing)}"
            yield Finding("warning", "label-conflict", line_b, problem, "decide which is right")
        problem = f"nearly the same as line {line_a} (cosine {cosine:.2f}), not one incident"
        yield Finding("warning", "near-duplicate", line_b, problem, "join, rewrite or remove one")


def _related(a: LabelledReport, b: LabelledReport) -> bool:
    """One incident, an incident and its hard negative, or two copies of one campaign."""
    names = [
        {r.labels.incident, r.extra.get("hard_negative_of"), r.extra.get("campaign")} - {None}
        for r in (a, b)
    ]
    return bool(names[0] & names[1])


def _conflicts(a: LabelledReport, b: LabelledReport) -> list[str]:
    first, second = asdict(a.labels), asdict(b.labels)
    return [t for t in TARGETS if first[t] and second[t] and first[t] != second[t]]


def _thin(labels: dict[str, dict[str, int]]) -> Iterator[Finding]:
    for target, counts in labels.items():
        thin = sorted(label for label, n in counts.items() if n < THIN)
        if thin:
            named = ", ".join(thin[:5]) + (" …" if len(thin) > 5 else "")
            problem = f"{target}: {len(thin)} of {len(counts)} labels under {THIN} rows ({named})"
            yield Finding("warning", "thin", 0, problem, "add rows or merge labels")
