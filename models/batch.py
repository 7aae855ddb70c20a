"""A whole file through the pipeline, in order, each row compared with those before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from pilah.datasets.errors import ReportError
from pilah.datasets.readers import BadRow, Row, with_defaults
from pilah.datasets.records import Report

if TYPE_CHECKING:
    from pilah.models.answer import Triage
    from pilah.models.reading import Analysis
    from pilah.models.triage import Triager

CHUNK = 256
"""Reports that are read together; answers do not depend on it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row: an answer, or what is wrong with it."""

    line: int
    content: Triage | BadRow


Checked = tuple[int, str, Report] | Outcome
"""A row that can be answered, or what is wrong with it."""
K = TypeVar("K")
T = TypeVar("T")
Items = Sequence[tuple[str, Report]]
Begin = Callable[[Items], Callable[[], list[T]]]
"""Starts to read some reports; what it gives waits for the result, one a report, in order."""


def triage_rows(
    triager: Triager,
    rows: Iterable[Row],
    *,
    region: str | None = None,
    begin: Begin[Analysis] | None = None,
    window: int = 1,
) -> Iterator[Outcome]:
    """Answer every good row, in order; bad ones come back with their place and cure.

    Args:
        triager: its memory grows by every answered row.
        rows: from :func:`pilah.datasets.readers.read_rows`.
        region: region of rows that name none.
        begin: starts ``analyse`` of some reports elsewhere and gives what waits for the result.
        window: how many chunks are read ahead.
    """
    here: Begin[Analysis] = lambda items: lambda: triager.analyse(items)  # noqa: E731
    chunks = checked_chunks(triager, rows, region)
    for chunk, found in ahead(begun(chunks, begin or here), window):
        reads = iter(found)
        for item in chunk:
            if isinstance(item, Outcome):
                yield item
                continue
            answer = triager.settle(next(reads))
            triager.remember(answer)
            yield Outcome(item[0], answer.triage)


def begun(
    chunks: Iterable[list[Checked]], begin: Begin[T]
) -> Iterator[tuple[list[Checked], Callable[[], list[T]]]]:
    """Chunks with what waits for the reading of their good rows."""
    for chunk in chunks:
        yield chunk, begin([(item[1], item[2]) for item in chunk if not isinstance(item, Outcome)])


def ahead(work: Iterable[tuple[K, Callable[[], T]]], window: int) -> Iterator[tuple[K, T]]:
    """Work in order with its results; so many are begun before the first is waited for."""
    waiting: deque[tuple[K, Callable[[], T]]] = deque()
    for begun_now in work:
        waiting.append(begun_now)
        if len(waiting) >= window:
            what, found = waiting.popleft()
            yield what, found()
    for what, found in waiting:
        yield what, found()


def checked_chunks(
    triager: Triager, rows: Iterable[Row], region: str | None
) -> Iterator[list[Checked]]:
    """``CHUNK`` rows at a time: (line, report id, report), or what is wrong with the row."""
    first: dict[str, int] = {}
    checked = (_checked(triager, row, first, region) for row in rows)
    while chunk := list(islice(checked, CHUNK)):
        yield chunk


def _checked(triager: Triager, row: Row, first: dict[str, int], region: str | None) -> Checked:
    if isinstance(row.content, BadRow):
        return Outcome(row.line, row.content)
    report = with_defaults(row.content, region=region).report
    report_id = report.id or f"line-{row.line}"
    try:
        triager.region(report)
    except ReportError as error:
        return Outcome(row.line, BadRow(row.line, error.field, error.problem, error.cure))
    if first.setdefault(report_id, row.line) != row.line:
        problem = f"repeats the id of line {first[report_id]}"
        return Outcome(
            row.line, BadRow(row.line, "id", problem, "give each report an id of its own")
        )
    return row.line, report_id, report
