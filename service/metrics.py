"""Prometheus metrics. Labels come from fixed sets: no id, no text, no address of a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pilah.service.intake import Outcome, Refused, Settled
from pilah.service.problems import problem_of

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The metrics of one app, in a registry of their own."""

    def __init__(self) -> None:
        """Make every metric; a fresh app counts from zero."""
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self.requests = counter(
            "pilah_requests", "Answered requests.", ("method", "route", "status")
        )
        self.seconds = histogram(
            "pilah_request_seconds", "Time to answer, in seconds.", ("route",), buckets=_SECONDS
        )
        self.batch = histogram("pilah_batch_reports", "Reports per batch.", buckets=_SIZES)
        self.reports = counter(
            "pilah_reports",
            "Reports by what became of them: an outcome label, repeated, or refused:<problem>.",
            ("outcome",),
        )
        self.review = counter(
            "pilah_review_needed",
            "New reports that need a person, by reason; one report may count for many.",
            ("reason",),
        )
        self.queue = gauge("pilah_review_queue", "Reports that wait for a person.")
        self.in_progress = gauge("pilah_requests_in_progress", "POST requests in progress.")
        self.problems = counter("pilah_problems", "Problem answers by type.", ("type",))
        self.switches = counter(
            "pilah_bundle_switches",
            "Bundles that were promoted or rolled back under a running service: switched, refused.",
            ("result",),
        )
        self.shadow = counter(
            "pilah_shadow_answers",
            "Answers of the candidate bundle: same, different, dropped (queue full), failed.",
            ("result",),
        )
        self._drift_gauges(gauge)

    def _drift_gauges(self, gauge: Callable[..., Gauge]) -> None:
        self.drift = gauge(
            "pilah_drift_psi", "Population stability index of the last drift report.", ("what",)
        )
        self.precision = gauge(
            "pilah_audited_precision",
            "Audited answers of the last drift report that were right: value, lower, upper.",
            ("bound",),
        )
        self.retrain = gauge(
            "pilah_retrain_proposed", "1 when the last drift report proposes a retrain, else 0."
        )

    def saw_drift(self, report: Mapping[str, Any]) -> None:
        """Show a drift report."""
        for what, shift in report["shifts"].items():
            self.drift.labels(what).set(shift["psi"])
        for bound in ("value", "lower", "upper"):
            if bound in report["precision"]:
                self.precision.labels(bound).set(report["precision"][bound])
        self.retrain.set(report["retrain"])

    def saw_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        known = method if method in _METHODS else "other"
        self.requests.labels(known, route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def saw_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Count what became of each report of a request."""
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                self.reports.labels(f"refused:{problem_of(outcome.error).slug}").inc()
            elif not outcome.fresh:
                self.reports.labels("repeated").inc()
            else:
                self._saw_fresh(outcome)

    def _saw_fresh(self, outcome: Settled) -> None:
        self.reports.labels(outcome.triage["outcome"]["label"]).inc()
        if outcome.triage["review"]["needed"]:
            for reason in outcome.triage["review"]["reasons"]:
                self.review.labels(reason).inc()

    def render(self, waiting: int) -> bytes:
        """The text that Prometheus scrapes; ``waiting`` is the length of the review queue."""
        self.queue.set(waiting)
        return generate_latest(self.registry)
