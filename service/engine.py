"""What the service asks of a triage engine, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pilah.datasets.local_routes import LocalRoute
    from pilah.datasets.records import Report
    from pilah.models.answer import Match
    from pilah.models.reading import Analysis, Answer, Changes, Stored, Vector
    from pilah.service.settings import Settings


class Engine(Protocol):
    """The one pipeline, seen from the service.

    ``analyse`` is heavy, thread-safe and needs no lock. Everything that looks at or changes the
    memory is called under one lock, so that two copies of a report that arrive together find
    each other.
    """

    def analyse(self, items: Sequence[tuple[str, Report]]) -> list[Analysis]:
        """Read reports by themselves; ``items`` are (report id, report), the answer keeps order.

        Raises:
            ReportError: a report cannot be read, e.g. an unknown region.
        """
        ...

    def settle(self, analysis: Analysis) -> Answer:
        """Compare with what is remembered and finish the answer; changes nothing."""
        ...

    def remember(self, answer: Answer) -> None:
        """Keep the report's fingerprint and vector, so that later copies find it."""
        ...

    def forget(self, report_id: str) -> None:
        """Undo ``remember``; an unknown id is no error."""
        ...

    def similar(self, analysis: Analysis, *, limit: int) -> Sequence[Match]:
        """Public reports that may tell of the same, best first; changes nothing."""
        ...

    def nearest(self, vector: Vector, *, limit: int) -> Sequence[tuple[str, float]]:
        """Ids of the reports with the nearest vectors, best first, with their cosine.

        Secret reports are never among them.
        """
        ...

    def reassign(self, moved: Mapping[str, str]) -> None:
        """Learn where a person put reports: report id -> incident."""
        ...

    def keep_apart(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Learn every pair of incidents that a person told apart, in place of earlier ones."""
        ...

    def restore(
        self, remembered: Iterable[Stored], *, since: Callable[[str], Changes | None] | None = None
    ) -> str | None:
        """Rebuild the memory from (fingerprint, vector, incident id), oldest first.

        A memory saved under a mark may stand in for all of them, when ``since`` tells what changed
        since that mark; it gives None for a mark of another store. Returns the mark, if so.
        """
        ...

    def use_routes(self, routes: Sequence[LocalRoute], version: str) -> None:
        """Route by the operator's rows before the shipped ones from now on."""
        ...

    def saving(self, mark: str) -> Callable[[], None]:
        """What saves the memory as it is now, under the mark of the store's state.

        What it gives takes a while, needs no lock, and is called once.
        """
        ...

    def describe(self) -> dict[str, object]:
        """What ``GET /v1/model`` shows: versions, number of labels, facts of the card.

        An optional key ``vectors`` names what made the vectors; stored vectors of another name
        are made anew when the service starts.
        """
        ...


EngineFactory = Callable[["Settings"], Engine]
"""Builds the engine once, when the service starts."""
