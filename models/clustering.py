"""Incidents of a whole history: every report of a file joins one, in order, as the service does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilah.datasets.readers import BadRow
from pilah.models.batch import Begin, Checked, Outcome, ahead, begun, checked_chunks

if TYPE_CHECKING:
    from datetime import datetime

    from pilah.datasets.readers import Row
    from pilah.models.answer import Verdict
    from pilah.models.incidents import DuplicateFinder
    from pilah.models.reading import Fingerprint, Vector
    from pilah.models.scoring import Candidate, Scored
    from pilah.models.triage import Triager

Mark = tuple["Fingerprint", "Vector"]
Asked = list[tuple["Fingerprint", list["Candidate"]]]
"""Reports, each with what it may tell the same of."""
Told = list[list["Scored"]]
"""What is possible for each, best first."""
BeginToScore = Callable[[Asked], Callable[[], Told]]
"""Starts to score candidates; what it gives waits for the result."""


def score_all(triager: Triager, asked: Asked) -> Told:
    """Score the candidates of many reports; what the triager remembers is not looked at."""
    judge = triager.finder.judge
    return [judge.possible(fingerprint, candidates) for fingerprint, candidates in asked]


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
    score: BeginToScore | None = None,
    window: int = 1,
) -> Iterator[Clustered]:
    """Give every good row its incident, in order; bad ones come back with their place and cure.

    The same as the service answers for the same reports in the same order, as long as no person
    acts on an incident and its index does not grow aside. Memory grows by what is remembered of
    each report (fingerprint, vector, id), not by texts.

    Which reports are worth comparing depends on those before; how alike two are does not. So
    candidates are gathered in order, scored anywhere, and decided on in order.

    Args:
        triager: its memory grows by every row.
        rows: from :func:`pilah.datasets.readers.read_rows`.
        summary: counts what is given out.
        region: region of rows that name none.
        begin: starts ``recognise`` of some reports elsewhere and gives what waits for the result.
        score: starts :func:`score_all` elsewhere.
        window: how many chunks are read, and scored, ahead.
    """
    here: Begin[Mark] = lambda items: lambda: triager.recognise(items)  # noqa: E731
    score = score or (lambda asked: lambda: score_all(triager, asked))
    chunks = checked_chunks(triager, rows, region)
    read = ahead(begun(chunks, begin or here), window)
    gathered = ((_Gathered(chunk, marks), triager.finder.join(marks)) for chunk, marks in read)
    scoring = ((chunk, score(asked)) for chunk, asked in gathered)
    for chunk, told in ahead(scoring, window):
        yield from _decide(triager, chunk, told, summary)


@dataclass(frozen=True, slots=True)
class _Gathered:
    """Rows, and the marks of the good ones."""

    items: list[Checked]
    marks: list[Mark]


def _decide(
    triager: Triager, chunk: _Gathered, told: Told, summary: Summary
) -> Iterator[Clustered]:
    found = iter(zip(chunk.marks, told, strict=True))
    for item in chunk.items:
        if isinstance(item, Outcome):
            yield Clustered(item.line, _bad(item))
            continue
        (fingerprint, _), scored = next(found)
        duplicates, incident = triager.finder.decide(fingerprint, scored)
        best = duplicates.matches[0] if duplicates.matches else None
        assigned = Assigned(
            report_id=item[1],
            incident_id=incident,
            verdict=duplicates.verdict,
            probability=best.probability if best else None,
            match=best.report_id if best else None,
        )
        summary.saw(assigned, fingerprint, triager.finder)
        triager.finder.reassign({item[1]: incident})
        yield Clustered(item[0], assigned)


def _bad(outcome: Outcome) -> BadRow:
    if not isinstance(outcome.content, BadRow):
        raise TypeError("a checked chunk holds reports and bad rows only")
    return outcome.content
