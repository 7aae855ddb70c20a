"""Incidents of a whole history: every report of a file joins one, in order, as the service does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilah.datasets.readers import BadRow
from pilah.models.batch import Begin, Checked, Outcome, ahead, checked_chunks

if TYPE_CHECKING:
    from datetime import datetime

    from pilah.datasets.readers import Row
    from pilah.models.answer import Verdict
    from pilah.models.incidents import DuplicateFinder
    from pilah.models.reading import Fingerprint, Vector
    from pilah.models.triage import Triager

Mark = tuple["Fingerprint", "Vector"]


@dataclass(frozen=True, slots=True)
class Assigned:
    """Where one report belongs.

    Attributes:
        probability: that it tells of the same as ``match``; None for a report that starts its
            incident without any possible match.
        match: the earlier report that it resembles most; None without one.
    """

    report_id: str
    incident_id: str
    verdict: Verdict
    probability: float | None
    match: str | None


@dataclass(frozen=True, slots=True)
class Clustered:
    """What became of one row: an assignment, or what is wrong with it."""

    line: int
    content: Assigned | BadRow


@dataclass(slots=True)
class Known:
    """What the summary tells of one incident of two or more reports."""

    reports: int
    first: datetime
    last: datetime
    place: str | None
    topic: str | None


class Summary:
    """Counts over the clustered reports; of incidents with one report only their number."""

    def __init__(self) -> None:
        """Start empty."""
        self.reports = self.possible = self.alone = 0
        self.incidents: dict[str, Known] = {}

    def largest(self, count: int) -> list[tuple[str, Known]]:
        """The incidents with most reports, in a fixed order."""
        order = sorted(self.incidents.items(), key=lambda found: (-found[1].reports, found[0]))
        return order[:count]

    def saw(self, assigned: Assigned, fingerprint: Fingerprint, finder: DuplicateFinder) -> None:
        """Count one report."""
        self.reports += 1
        self.possible += assigned.verdict == "possible"
        known = self.incidents.get(assigned.incident_id)
        if known is not None:
            known.reports += 1
            known.first = min(known.first, fingerprint.received_at)
            known.last = max(known.last, fingerprint.received_at)
        elif assigned.verdict != "duplicate" or fingerprint.visibility == "secret":
            self.alone += 1
        elif (first := finder.recall(str(assigned.match))) is not None:
            self.alone -= 1
            one, other = sorted((first.received_at, fingerprint.received_at))
            found = Known(2, one, other, first.place, first.topic)
            self.incidents[assigned.incident_id] = found


def cluster_rows(
    triager: Triager,
    rows: Iterable[Row],
    summary: Summary,
    *,
    region: str | None = None,
    begin: Begin[Mark] | None = None,
    window: int = 1,
) -> Iterator[Clustered]:
    """Give every good row its incident, in order; bad ones come back with their place and cure.

    The same as the service answers for the same reports in the same order, as long as no person
    acts on an incident and its index does not grow aside. Memory grows by what is remembered of
    each report (fingerprint, vector, id), not by texts.

    Args:
        triager: its memory grows by every row.
        rows: from :func:`pilah.datasets.readers.read_rows`.
        summary: counts what is given out.
        region: region of rows that name none.
        begin: starts ``recognise`` of some reports elsewhere and gives what waits for the result.
        window: how many chunks are read ahead.
    """
    here: Begin[Mark] = lambda items: lambda: triager.recognise(items)  # noqa: E731
    for chunk, marks in ahead(checked_chunks(triager, rows, region), begin or here, window):
        yield from _settled(triager, chunk, marks, summary)


def _settled(
    triager: Triager, chunk: list[Checked], marks: list[Mark], summary: Summary
) -> Iterator[Clustered]:
    found = iter(marks)
    for item in chunk:
        if isinstance(item, Outcome):
            yield Clustered(item.line, _bad(item))
            continue
        fingerprint, vector = next(found)
        duplicates, incident = triager.finder.find(fingerprint, vector)
        best = duplicates.matches[0] if duplicates.matches else None
        assigned = Assigned(
            report_id=item[1],
            incident_id=incident,
            verdict=duplicates.verdict,
            probability=best.probability if best else None,
            match=best.report_id if best else None,
        )
        summary.saw(assigned, fingerprint, triager.finder)
        triager.finder.remember(fingerprint, vector, incident)
        yield Clustered(item[0], assigned)


def _bad(outcome: Outcome) -> BadRow:
    if not isinstance(outcome.content, BadRow):
        raise TypeError("a checked chunk holds reports and bad rows only")
    return outcome.content
