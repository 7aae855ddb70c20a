"""What a running app holds, and how handlers get at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from pilah.service.accounts.keys import Keyring
from pilah.service.desk.facets import Question, Tally
from pilah.service.health import Readiness
from pilah.service.intake import Intake
from pilah.service.loop.counting import Counting
from pilah.service.loop.kept import Kept
from pilah.service.loop.proposals import Proposals
from pilah.service.metrics import Metrics
from pilah.service.problems import Problem
from pilah.service.settings import Settings


class Gate:
    """Lets at most ``limit`` requests in; the event loop is its only user, so it needs no lock."""

    def __init__(self, limit: int, metrics: Metrics) -> None:
        """Start empty."""
        self._limit, self._inside, self._metrics = limit, 0, metrics

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be inside for a while.

        Raises:
            Problem: ``overloaded``.
        """
        if self._inside >= self._limit:
            raise Problem("overloaded", headers={"Retry-After": "1"})
        self._inside += 1
        self._metrics.in_progress.set(self._inside)
        try:
            yield
        finally:
            self._inside -= 1
            self._metrics.in_progress.set(self._inside)


KeptProposals = Kept[tuple[int, int, int], Proposals]
"""The open proposals, asked with the counts of :func:`pilah.service.loop.proposals.changed`."""


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a handler needs, made when the app starts."""

    settings: Settings
    intake: Intake
    metrics: Metrics
    gate: Gate
    readiness: Readiness
    keyring: Keyring
    counting: Counting
    proposals: KeptProposals
    tallies: Kept[Question, Tally]
    learned: Kept[str, dict[str, Any]]


def service_of(request: Request) -> Service:
    """The running service behind a request."""
    service: Service = request.app.state.service
    return service
