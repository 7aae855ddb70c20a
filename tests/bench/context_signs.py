"""Signs around a report that name honest people too: how often, and that none of them is flagged.

One target in a burst: each report under a sender of its own, so that every place or person that is
named often counts. Written rows stand an hour apart within each regency, far closer than anything
real; the city's (``--data``) at their own times. ``incident`` labels are used where there are some.
Contradiction of a closed case: as if each report told of one that was closed the day before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from common import (
    TEST,
    TRAIN,
    corpus,
    data_file,
    engine,
    finish,
    labelled,
    load_bundle,
    parser,
    share,
    table,
)

from pilah.datasets.records import LabelledReport
from pilah.models.closed_cases import ClosedCase, contradiction
from pilah.models.hoax import TARGET_REPORTERS
from pilah.models.incidents import new_incident_id
from pilah.models.text import read_text
from pilah.models.triage import Triager

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
REGION = "Kota Surabaya"


def main() -> None:
    """Run both on both."""
    chosen = parser(__doc__ or "").parse_args()
    bundle = load_bundle(chosen.bundle)
    written = _an_hour_apart(corpus())
    result = {"written": looked_at(engine(bundle), written)}
    names = {"id": "source_id", "reported_at": "date"}
    city = [r for n in (TRAIN, TEST) for r in labelled(data_file(chosen.data, n), names)]
    city = [replace(r, report=replace(r.report, region=REGION)) for r in city]
    city.sort(key=lambda row: row.report.reported_at or BEGIN)
    result["city"] = looked_at(engine(bundle), city)
    table("Signs around a report", ["figure", *result],
          [[name, *(r[name] for r in result.values())] for name in result["city"]
           if not name.endswith("_ids")])  # fmt: skip
    finish("context_signs", result, chosen.output)


def _an_hour_apart(rows: list[LabelledReport]) -> list[LabelledReport]:
    """All rows of a regency an hour after each other."""
    seen: Counter[str] = Counter()
    found = []
    for row in rows:
        regency = str(row.report.region)[:5]
        at = BEGIN + seen[regency] * timedelta(hours=1)
        seen[regency] += 1
        found.append(replace(row, report=replace(row.report, reported_at=at)))
    return found


def looked_at(triager: Triager, rows: list[LabelledReport]) -> dict[str, Any]:
    """Both signs on every row that is not labelled as hoax-like, in order."""
    finder, kinds, named, said = triager.finder, Counter[str](), [], Counter[str]()
    honest = [row for row in rows if not row.labels.hoax]
    items = [(f"r{n}", row.report) for n, row in enumerate(honest)]
    case = ClosedCase("inc-x", BEGIN)
    for start in range(0, len(items), 256):
        part = honest[start : start + 256]
        marks = triager.recognise(items[start : start + 256])
        for row, (fingerprint, vector) in zip(part, marks, strict=True):
            own = replace(fingerprint, reporter=fingerprint.report_id, visibility="public")
            _, home = finder.find(own, vector)
            home = new_incident_id(row.labels.incident) if row.labels.incident else home
            burst = finder.target(own, home)
            finder.remember(own, vector, home)
            if burst and burst.reporters >= TARGET_REPORTERS:
                kinds[burst.target.kind] += 1
                named.append(row.report.id)
            found = contradiction(read_text(row.report.full_text).normal, case)
            said["none" if found is None else "still" if found.score == 1 else "again"] += 1
    return {
        "rows": len(honest),
        "target_burst": len(named),
        "target_burst_ids": named,
        "target_burst_share": share(len(named), len(honest)),
        "by_kind": dict(kinds),
        "would_contradict": share(said["still"] + said["again"], len(honest)),
        "says_still": share(said["still"], len(honest)),
    }


if __name__ == "__main__":
    main()
