"""Readiness that is earned: a real inference and a real write."""

from __future__ import annotations

import logging
import threading
import time

from pilah.datasets.records import Report
from pilah.service.intake import Intake
from pilah.service.logs import safe

log = logging.getLogger(__name__)

FRESH_SECONDS = 2.0
"""How long one check answers for, so that probes cannot load the service."""
SENTENCE = Report(
    text="Jalan berlubang besar di depan pasar, sudah dua minggu belum diperbaiki.",
    title="Pemeriksaan kesiapan",
)


class Readiness:
    """Runs the fixed sentence through the engine and writes one row."""

    def __init__(self, intake: Intake) -> None:
        """Check nothing yet."""
        self._intake = intake
        self._lock = threading.Lock()
        self._checked: float | None = None
        self._reason: str | None = None

    def reason_not_ready(self) -> str | None:
        """Why the service cannot serve, in fixed words; None when it can."""
        with self._lock:
            now = time.monotonic()
            if self._checked is None or now - self._checked > FRESH_SECONDS:
                self._reason = self._check()
                self._checked = time.monotonic()
            return self._reason

    def _check(self) -> str | None:
        try:
            self._intake.probe(SENTENCE)
        except Exception as error:  # noqa: BLE001 - whatever fails makes the service not ready
            log.error("readiness: inference failed: %s", safe(error))
            return "inference failed"
        try:
            self._intake.store.check_writable()
        except Exception as error:  # noqa: BLE001 - whatever fails makes the service not ready
            log.error("readiness: the store is not writable: %s", safe(error))
            return "the store is not writable"
        return None
