"""A candidate bundle answers beside the live one: differences are stored, no answer changes.

Reports go into a bounded queue once they are on the disk; one thread reads them with the
candidate. When the queue is full a report is dropped and counted: the live answer never waits.
Duplicates are not compared, for the candidate remembers nothing.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select

from pilah.service import reads
from pilah.service.codecs import dump, now_text
from pilah.service.logs import safe
from pilah.service.loop.routes import load_routes
from pilah.service.loop.tables import shadow_answers
from pilah.service.memory import analyse_each

if TYPE_CHECKING:
    from pilah.datasets.records import Report
    from pilah.service.engine import Engine
    from pilah.service.metrics import Metrics
    from pilah.service.store import Store

log = logging.getLogger(__name__)

WAITING = 1_000
"""Reports that may wait for the candidate."""
BATCH = 16
"""Reports that it reads at a time."""
_LATER = ("possible_duplicate", "hoax_like", "contradicts_closed", "refused_before")
"""Review reasons that come from the memory, which the candidate does not have."""


class Shadow:
    """The candidate and its queue."""

    def __init__(
        self, store: Store, engine: Engine, metrics: Metrics, *, waiting: int = WAITING
    ) -> None:
        """Compare into a store; ``engine`` is the candidate, used for ``analyse`` only."""
        self._store, self._engine, self._metrics = store, engine, metrics
        self._queue: queue.Queue[tuple[str, Report] | None] = queue.Queue(waiting)
        self._routes = ""

    def offer(self, report_id: str, report: Report) -> None:
        """Hand over a report that is stored; never waits."""
        try:
            self._queue.put_nowait((report_id, report))
        except queue.Full:
            self._metrics.shadow.labels("dropped").inc()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Compare in a thread until the end of the block; what still waits then is dropped."""
        thread = threading.Thread(target=self._run, name="pilah-shadow", daemon=True)
        thread.start()
        try:
            yield
        finally:
            left = self._drain()
            self._metrics.shadow.labels("dropped").inc(len(left))
            self._queue.put(None)
            thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            while len(batch) < BATCH and (item := self._poll()) is not None:
                batch.append(item)
            try:
                self.compare(batch)
            except Exception as error:  # noqa: BLE001 - the shadow must never harm the service
                log.error("the shadow failed on %d reports: %s", len(batch), safe(error))
                self._metrics.shadow.labels("failed").inc(len(batch))

    def _poll(self) -> tuple[str, Report] | None:
        """The next report if one waits; the end mark stays in the queue."""
        try:
            item = self._queue.get_nowait()
        except queue.Empty:
            return None
        if item is None:
            self._queue.put(None)
        return item

    def _drain(self) -> list[tuple[str, Report]]:
        found = []
        while (item := self._poll()) is not None:
            found.append(item)
        return found

    def compare(self, batch: Sequence[tuple[str, Report]]) -> None:
        """Read reports with the candidate and store how it differs from what was answered."""
        self._follow_routes()
        drafts = [a.draft.to_dict() for a in analyse_each(self._engine, batch)]
        self._metrics.shadow.labels("failed").inc(len(batch) - len(drafts))
        with self._store.writing() as connection:
            known = reads.known_answers(connection, [report_id for report_id, _ in batch])
            for draft in drafts:
                if (live := known.get(draft["report_id"])) is None:
                    continue
                found = differences(live.triage, draft)
                save_comparison(connection, live.triage, draft, found)
                self._metrics.shadow.labels("different" if found else "same").inc()

    def _follow_routes(self) -> None:
        """The candidate routes by the operator's rows as they are now."""
        with self._store.reading() as connection:
            routes, version = load_routes(connection)
        if version != self._routes:
            self._engine.use_routes(routes, version)
            self._routes = version


def differences(
    live: Mapping[str, Any], candidate: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Field -> (live, candidate) where two answers differ."""
    one, two = _compared(live), _compared(candidate)
    return {name: (one[name], two[name]) for name in one if one[name] != two[name]}


def save_comparison(
    connection: Connection,
    live: Mapping[str, Any],
    candidate: Mapping[str, Any],
    found: Mapping[str, tuple[Any, Any]],
) -> None:
    """Store one comparison in place of an earlier one of the same bundle."""
    table, bundle = shadow_answers, candidate["versions"]["bundle"]
    mine = (table.c.report_id == live["report_id"]) & (table.c.bundle == bundle)
    connection.execute(delete(table).where(mine))
    connection.execute(
        insert(table).values(
            report_id=live["report_id"],
            bundle=bundle,
            live=live["versions"]["bundle"],
            differences=dump(found),
            made_at=now_text(),
        )
    )


def _compared(triage: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "topic_main": triage["topic"]["main"],
        "topic_sub": triage["topic"]["sub"],
        "agency": triage["agency"]["name"],
        "government": triage["agency"]["government"],
        "outcome": triage["outcome"]["label"],
        "klasifikasi": triage["klasifikasi"]["label"],
        "review": any(r not in _LATER for r in triage["review"]["reasons"]),
    }


def summary(
    connection: Connection, decided: Mapping[str, Mapping[str, Any]], *, limit: int
) -> list[dict[str, Any]]:
    """One entry a (candidate, live) pair: how often they differ in what, and who was right.

    Args:
        connection: of a read.
        decided: report id -> labels that a person decided.
        limit: differing reports that are listed, the newest; the rest is counted.
    """
    rows = connection.execute(select(shadow_answers).order_by(shadow_answers.c.made_at.desc()))
    pairs: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
    for row in rows:
        pair = pairs.setdefault((row.bundle, row.live), [])
        pair.append((row.report_id, json.loads(row.differences)))
    return [_pair_summary(names, answers, decided, limit=limit) for names, answers in pairs.items()]


def _pair_summary(
    names: tuple[str, str],
    answers: Sequence[tuple[str, dict[str, Any]]],
    decided: Mapping[str, Mapping[str, Any]],
    *,
    limit: int,
) -> dict[str, Any]:
    differing = [(report_id, found) for report_id, found in answers if found]
    judged: dict[str, Counter[str]] = {}
    for report_id, found in differing:
        for field, (live, candidate) in found.items():
            truth = decided.get(report_id, {}).get(field)
            if truth is not None:
                winner = {live: "live", candidate: "candidate"}.get(truth, "neither")
                judged.setdefault(field, Counter())[winner] += 1
    return {
        "candidate": names[0],
        "live": names[1],
        "compared": len(answers),
        "differing": len(differing),
        "by_field": dict(Counter(field for _, found in differing for field in found)),
        "judged_by_people": {field: dict(count) for field, count in judged.items()},
        "reports": [{"report_id": i, "differences": f} for i, f in differing[:limit]],
        "left_out": max(0, len(differing) - limit),
    }
