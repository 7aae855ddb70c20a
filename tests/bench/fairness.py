"""Whom the machine stops: share flagged as hoax-like and share sent to a person, group by group.

Written rows of dev and test that are not hoax-like (the bundle and the detector were fitted on
neither), by register, language, province and length; real reports (``--data``) by length, language
and informality. All through the whole pipeline of a bundle. Groups of under 20 rows are left out.
The last column is the chance that a fair coin would differ so much from the rest (Fisher's exact
test, two-sided, of the flags); many groups are tested, so read only very small ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from common import ROOT, TEST, data_file, engine, finish, labelled, load_bundle, parser, table
from scipy.stats import fisher_exact

from pilah.datasets.readers import with_defaults
from pilah.datasets.records import LabelledReport
from pilah.evaluation.slices import slices_of
from pilah.models.answer import Triage
from pilah.models.batch import CHUNK
from pilah.models.bundle import Bundle

CORPUS = ROOT / "datasets" / "data" / "corpus"
DIMENSIONS = (
    "register",
    "language",
    "language, read from the text",
    "province",
    "length",
    "informality",
)


def main() -> None:
    """Run it."""
    arguments = parser(__doc__ or "").parse_args()
    bundle = load_bundle(arguments.bundle)
    rows = [row for split in ("dev", "test") for row in labelled(CORPUS / f"{split}.jsonl")]
    hard = [row for row in rows if row.extra.get("hoax_kind") == "legit"]
    result = {
        "written, not hoax-like": groups(
            "written, not hoax-like", [r for r in rows if not r.labels.hoax], bundle, None
        ),
        "hard legitimate": groups("hard legitimate", hard, bundle, None),
    }
    real = labelled(data_file(arguments.data, TEST))
    result["real"] = groups("real reports", real, bundle, "Kota Surabaya")
    finish("fairness", {"bundle": bundle.version, **result}, arguments.output)


def groups(
    title: str, rows: Sequence[LabelledReport], bundle: Bundle, region: str | None
) -> dict[str, Any]:
    """Rates of every group with enough rows, and of all."""
    answers = answered(rows, bundle, region)
    flags = np.array([a.hoax.flag for a in answers])
    needed = np.array([a.review.needed for a in answers])
    found = slices_of(rows)
    told = [("all", "", len(rows), float(flags.mean()), float(needed.mean()), 1.0)]
    for name in DIMENSIONS:
        for value, at in found.get(name, {}).items():
            chance = differing(flags, at)
            told.append(
                (name, value, len(at), float(flags[at].mean()), float(needed[at].mean()), chance)
            )
    table(title, ("by", "group", "rows", "flagged", "a person looks", "chance"), told)
    return {"rows": told}


def answered(rows: Sequence[LabelledReport], bundle: Bundle, region: str | None) -> list[Triage]:
    """Each row by itself: nothing is remembered, so that no group is measured by its copies."""
    triager = engine(bundle)
    found: list[Triage] = []
    for start in range(0, len(rows), CHUNK):
        part = [with_region(row, region).report for row in rows[start : start + CHUNK]]
        reads = triager.analyse([(f"r{start + i}", report) for i, report in enumerate(part)])
        found += [triager.settle(analysis).triage for analysis in reads]
    return found


def with_region(row: LabelledReport, region: str | None) -> LabelledReport:
    """The row with a region, if it has none."""
    return with_defaults(row, region=region) if region else row


def differing(flags: np.ndarray, at: np.ndarray) -> float:
    """Fisher's exact test: flagged and not, inside and outside a group."""
    inside, outside = flags[at], np.delete(flags, at)
    counts = [[int(x.sum()), int((~x).sum())] for x in (inside, outside)]
    return float(fisher_exact(counts).pvalue)


if __name__ == "__main__":
    main()
