"""A city's whole history grouped into incidents: speed, and what was found.

No incident of this city is known, so this measures work and size, not rightness: for that see the
pairs. Reading and scoring are timed apart, because they can be spread over processes.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from common import TEST, TRAIN, data_file, engine, finish, load_bundle, parser, peak_mb, table

from pilah.datasets.readers import read_rows
from pilah.models.batch import Items
from pilah.models.clustering import (
    Asked,
    Assigned,
    Mark,
    Summary,
    Told,
    cluster_rows,
    score_all,
)

REGION = "Kota Surabaya"


def main() -> None:
    """Group 2022 and the first half of 2023, in the order of the files."""
    chosen = parser(__doc__ or "").parse_args()
    triager, summary, spent = (
        engine(load_bundle(chosen.bundle)),
        Summary(),
        defaultdict[str, float](float),
    )

    def read(items: Items) -> Callable[[], list[Mark]]:
        with timed("reading"):
            marks = triager.recognise(items)
        return lambda: marks

    def score(asked: Asked) -> Callable[[], Told]:
        with timed("scoring"):
            told = score_all(triager, asked)
        return lambda: told

    @contextmanager
    def timed(part: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        spent[part] += time.perf_counter() - start

    paths = [data_file(chosen.data, name) for name in (TRAIN, TEST)]
    names = {"id": "source_id", "reported_at": "date"}
    rows = (row for path in paths for row in read_rows(path, names))
    start = time.perf_counter()
    clustered = cluster_rows(triager, rows, summary, region=REGION, begin=read, score=score)
    found = [row.content for row in clustered]
    seconds = time.perf_counter() - start
    good = [a for a in found if isinstance(a, Assigned)]
    sizes = Counter(Counter(a.incident_id for a in good).values())
    result = {
        "reports": len(good),
        "bad_rows": len(found) - len(good),
        "reports_per_s": len(good) / seconds,
        "share_of_time_reading": spent["reading"] / seconds,
        "share_of_time_scoring": spent["scoring"] / seconds,
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
