"""A city's whole history grouped into incidents: speed, and what was found.

No incident of this city is known, so this measures work and size, not rightness: for that see the
pairs. Reading and finding are timed apart, because reading can be spread over processes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from common import TEST, TRAIN, data_file, engine, finish, load_bundle, parser, peak_mb, table

from pilah.datasets.readers import read_rows
from pilah.datasets.records import Report
from pilah.models.clustering import Assigned, Mark, Summary, cluster_rows

REGION = "Kota Surabaya"


def main() -> None:
    """Group 2022 and the first half of 2023, in the order of the files."""
    chosen = parser(__doc__ or "").parse_args()
    triager, summary, reading = engine(load_bundle(chosen.bundle)), Summary(), 0.0

    def begin(items: Sequence[tuple[str, Report]]) -> Any:  # noqa: ANN401
        nonlocal reading
        start = time.perf_counter()
        marks: list[Mark] = triager.recognise(items)
        reading += time.perf_counter() - start
        return lambda: marks

    paths = [data_file(chosen.data, name) for name in (TRAIN, TEST)]
    rows = (row for path in paths for row in read_rows(path))
    start = time.perf_counter()
    found = [
        row.content for row in cluster_rows(triager, rows, summary, region=REGION, begin=begin)
    ]
    seconds = time.perf_counter() - start
    good = [a for a in found if isinstance(a, Assigned)]
    sizes = Counter(Counter(a.incident_id for a in good).values())
    result = {
        "reports": len(good),
        "bad_rows": len(found) - len(good),
        "reports_per_s": len(good) / seconds,
        "share_of_time_reading": reading / seconds,
        "incidents": summary.alone + len(summary.incidents),
        "incidents_of_two_or_more": len(summary.incidents),
        "reports_in_them": summary.reports - summary.alone,
        "largest": [known.reports for _, known in summary.largest(5)],
        "possible": summary.possible,
        "sizes": dict(sorted(sizes.items())),
        "peak_mb": peak_mb(),
    }
    table("Surabaya's incidents", ["figure", "value"], result.items())
    finish("surabaya_incidents", result, chosen.output)


if __name__ == "__main__":
    main()
