"""The engine that answers now, behind one object that stays; another may take its place.

Whoever holds a :class:`LiveEngine` sees one engine. ``analyse`` runs in many threads and may
straddle a switch: what the earlier engine read is then read again, so that no answer is made by
two. A request that settles more than once asks for :meth:`LiveEngine.steady` and keeps its engine
to the end.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pilah.models.answer import SHIPPED_ROUTES

if TYPE_CHECKING:
    from pilah.datasets.local_routes import LocalRoute
    from pilah.datasets.records import Report
    from pilah.models.answer import Match
    from pilah.models.reading import Analysis, Answer, Changes, Fingerprint, Stored, Vector
    from pilah.service.engine import Engine

Remade = Mapping[str, tuple["Fingerprint", "Vector"]]
"""Report id -> what the present engine recognises it by, where the store still has older marks."""


class LiveEngine:
    """An :class:`pilah.service.engine.Engine` that hands everything to the present one.

    Attributes:
        made_by: name of what makes the present engine's vectors.
        since: when the present engine began.
        refused: the bundle that was promoted last and could not be taken, or None.
    """

    def __init__(self, engine: Engine) -> None:
        """Begin with a restored engine."""
        self._turn = threading.Condition()
        self._steady, self._switching = 0, False
        self._changed: set[str] | None = None
        self.refused: dict[str, str] | None = None
        self._routes: tuple[Sequence[LocalRoute], str] = ((), SHIPPED_ROUTES)
        self._become(engine, {})

    def _become(self, engine: Engine, remade: Remade) -> None:
        facts = engine.describe()
        self._engine, self._remade = engine, dict(remade)
        self.made_by = str(facts.get("vectors") or "")
        self.bundle = bundle_of(facts["versions"])
        self.since = datetime.now(UTC).isoformat(timespec="seconds")

    def analyse(self, items: Sequence[tuple[str, Report]]) -> list[Analysis]:
        """Read reports with the present engine."""
        return self._engine.analyse(items)

    def use_routes(self, routes: Sequence[LocalRoute], version: str) -> None:
        """Route by these rows first, with the present engine and those that follow it."""
        self._routes = (routes, version)
        self._engine.use_routes(routes, version)

    def settle(self, analysis: Analysis) -> Answer:
        """Finish an answer; what an earlier engine read is read again first."""
        return self._engine.settle(self._present(analysis))

    def similar(self, analysis: Analysis, *, limit: int) -> Sequence[Match]:
        """What is like it; what an earlier engine read is read again first."""
        return self._engine.similar(self._present(analysis), limit=limit)

    def nearest(self, vector: Vector, *, limit: int) -> Sequence[tuple[str, float]]:
        """The reports whose vectors are nearest."""
        return self._engine.nearest(vector, limit=limit)

    def _present(self, analysis: Analysis) -> Analysis:
        if bundle_of(analysis.draft.versions) == self.bundle:
            return analysis
        return self._engine.analyse([(analysis.report_id, analysis.report)])[0]

    def remember(self, answer: Answer) -> None:
        """Keep a report in the present engine's memory."""
        report_id = answer.fingerprint.report_id
        self._note(report_id)
        if report_id in self._remade:  # read from the store, which an older engine wrote
            fingerprint, vector = self._remade[report_id]
            answer = dataclasses.replace(answer, fingerprint=fingerprint, vector=vector)
        self._engine.remember(answer)

    def forget(self, report_id: str) -> None:
        """Drop a report from the present engine's memory."""
        self._note(report_id)
        self._engine.forget(report_id)

    def reassign(self, moved: Mapping[str, str]) -> None:
        """Tell the present engine where a person put reports."""
        for report_id in moved:
            self._note(report_id)
        self._engine.reassign(moved)

    def keep_apart(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Tell the present engine what a person told apart."""
        self._engine.keep_apart(pairs)

    def restore(
        self, remembered: Iterable[Stored], *, since: Callable[[str], Changes | None] | None = None
    ) -> str | None:
        """Rebuild the present engine's memory."""
        return self._engine.restore(remembered, since=since)

    def saving(self, mark: str) -> Callable[[], None]:
        """What saves the present engine's memory as it is now."""
        return self._engine.saving(mark)

    def describe(self) -> dict[str, object]:
        """What the present engine tells, since when it answers, and what was refused."""
        return self._engine.describe() | {"since": self.since, "refused": self.refused}

    @contextmanager
    def steady(self) -> Iterator[None]:
        """No switch happens inside; a switch that waits goes first."""
        with self._turn:
            self._turn.wait_for(lambda: not self._switching)
            self._steady += 1
        try:
            yield
        finally:
            with self._turn:
                self._steady -= 1
                self._turn.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, nobody is steady: requests that began are done, new ones wait at the door."""
        with self._turn:
            self._switching = True
            self._turn.wait_for(lambda: self._steady == 0)
        try:
            yield
        finally:
            with self._turn:
                self._switching = False
                self._turn.notify_all()

    @contextmanager
    def followed(self) -> Iterator[set[str]]:
        """Gathers the ids of reports that are remembered or forgotten meanwhile."""
        changed: set[str] = set()
        self._changed = changed
        try:
            yield changed
        finally:
            self._changed = None

    def switch(self, engine: Engine, remade: Remade) -> None:
        """Answer with another engine from now on; the caller holds the lock of ``settle``.

        Args:
            engine: knows every stored report.
            remade: marks that the store does not have yet.
        """
        engine.use_routes(*self._routes)
        self._become(engine, remade)
        self.refused = None

    def written(self, report_ids: Iterable[str]) -> None:
        """The store has the present engine's marks of these reports now."""
        for report_id in report_ids:
            self._remade.pop(report_id, None)

    def _note(self, report_id: str) -> None:
        if self._changed is not None:
            self._changed.add(report_id)


def bundle_of(versions: Any) -> str:  # noqa: ANN401 - the versions of an answer, or none
    """The bundle that versions name."""
    return str(getattr(versions, "bundle", ""))
