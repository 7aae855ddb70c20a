"""The one way a report takes: analyse, lock, settle, save in one transaction, remember, answer.

A reply that leaves this module is on the disk. Whatever the engine remembered in a transaction
that failed is forgotten again.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection

from pilah.datasets.records import Report
from pilah.models.answer import Match
from pilah.models.reading import Analysis, Answer
from pilah.service import reads, shield, writes
from pilah.service.assigning import assigned
from pilah.service.codecs import digest, dump, report_columns
from pilah.service.engine import Engine
from pilah.service.live import LiveEngine
from pilah.service.logs import safe
from pilah.service.loop.refusing import refused_by_incident, spare
from pilah.service.loop.samples import NO_SAMPLES, Sampler, Shares
from pilah.service.problems import Problem
from pilah.service.store import Store

log = logging.getLogger(__name__)

CHUNK = 64
"""Reports of a batch that share one transaction."""
_NAMESPACE = uuid.UUID("8d7a5a44-5d0c-4c0e-9f0e-70696c616821")


@dataclass(frozen=True, slots=True)
class Claim:
    """An idempotency key: whose it is, and the hash of the request it stands for."""

    client: str
    key: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Item:
    """A checked report with its id."""

    report_id: str
    report: Report
    report_hash: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A stored answer as its sender sees it; ``fresh`` is False when it was stored before."""

    triage: dict[str, Any]
    fresh: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A report that got no answer, and why."""

    error: Exception


Outcome = Settled | Refused
Shape = Callable[[Sequence[Outcome]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent, byte for byte. ``replayed`` says that an earlier request made it."""

    body: str
    status: int = 200
    replayed: bool = False
    outcomes: tuple[Outcome, ...] = ()


@dataclass(slots=True)
class Transaction:
    """One open transaction under the lock.

    Attributes:
        connection: where rows are added.
        remembered: ids that the engine forgets when the commit fails.
        after_commit: what runs, still under the lock, once the data is on the disk.
    """

    connection: Connection
    remembered: list[str] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)


def make_item(report: Report, *, claim: Claim | None, index: int = 0) -> Item:
    """Give a report its id.

    A report without an id that comes with an idempotency key gets the same id each time the
    request is repeated, so that a batch cut off half-way can be sent again.
    """
    report_id = report.id
    if report_id is None and claim is not None:
        seed = dump([claim.client, claim.key, claim.request_hash, index])
        report_id = str(uuid.uuid5(_NAMESPACE, seed))
    report_hash = digest(report_columns(report))
    return Item(report_id or str(uuid.uuid4()), report, report_hash)


class Intake:
    """Takes reports in. One per store: its lock makes concurrent copies find each other."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        *,
        shares: Shares = NO_SAMPLES,
        stored: Callable[[str, Report], None] = lambda _id, _report: None,
    ) -> None:
        """Work on an open store with a restored engine.

        Args:
            store: open.
            engine: restored.
            shares: of reports that people are asked to look at although the machine is sure.
            stored: told of each fresh report once it is on the disk; it must not wait.
        """
        self.store, self.engine = store, LiveEngine(engine)
        self.sampler = Sampler(shares)
        self._stored = stored
        self._lock = threading.Lock()

    def take(
        self, items: Sequence[Item | Refused], shape: Shape, *, claim: Claim | None = None
    ) -> Reply:
        """Answer and store reports, in order, ``CHUNK`` to a transaction.

        Args:
            items: checked reports, and those already refused.
            shape: makes the body out of one outcome per item; it may raise, then nothing of the
                last chunk is stored.
            claim: the idempotency key; the reply is stored under it with the last chunk.

        Raises:
            Problem: the key was used for another request, or what ``shape`` raises.
            SQLAlchemyError: the store failed; what was not committed is forgotten.
        """
        if (earlier := self.replay(claim)) is not None:
            return earlier
        outcomes: list[Outcome] = []
        chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
        with self.engine.steady() if len(chunks) > 1 else nullcontext():
            for chunk in chunks[:-1]:
                self._take_chunk(chunk, outcomes)
            return self._take_last(chunks[-1], outcomes, shape, claim)

    def _take_chunk(self, chunk: Sequence[Item | Refused], outcomes: list[Outcome]) -> None:
        analyses = self._analyse(chunk)
        with self.transaction() as transaction:
            outcomes += [self._settle(transaction, item, analyses) for item in chunk]

    def _take_last(
        self,
        chunk: Sequence[Item | Refused],
        outcomes: list[Outcome],
        shape: Shape,
        claim: Claim | None,
    ) -> Reply:
        analyses = self._analyse(chunk)
        with self.transaction() as transaction:
            outcomes += [self._settle(transaction, item, analyses) for item in chunk]
            reply = Reply(dump(shape(outcomes)), outcomes=tuple(outcomes))
            return seal(transaction.connection, reply, claim)

    def replay(self, claim: Claim | None) -> Reply | None:
        """The reply that was already given to this idempotency key, if any."""
        if claim is None:
            return None
        with self.store.reading() as connection:
            return earlier_reply(connection, claim)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """The lock and one write transaction; the engine forgets what was not committed."""
        with self._lock:
            remembered: list[str] = []
            try:
                with self.store.writing() as connection:
                    transaction = Transaction(connection, remembered)
                    yield transaction
            except BaseException:
                for report_id in reversed(remembered):
                    self.engine.forget(report_id)
                raise
            for action in transaction.after_commit:
                action()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The lock alone: nothing is settled, remembered or decided meanwhile."""
        with self._lock:
            yield

    def probe(self, report: Report) -> None:
        """Run one inference to its end without storing or remembering anything."""
        analysis = self.engine.analyse([("pilah-readiness", report)])[0]
        with self._lock:
            self.engine.settle(analysis)

    def look(self, draft: Report, *, limit: int = 50) -> Sequence[Match]:
        """Public reports that may tell of what a draft tells; stores and remembers nothing.

        Raises:
            ReportError: the draft cannot be read, e.g. an unknown region.
        """
        analysis = self.engine.analyse([("pilah-draft", draft)])[0]
        with self._lock:
            return self.engine.similar(analysis, limit=limit)

    def _analyse(
        self, chunk: Sequence[Item | Refused]
    ) -> dict[tuple[str, str], Analysis | Refused]:
        items = [item for item in chunk if isinstance(item, Item)]
        with self.store.reading() as connection:
            known = reads.known_answers(connection, [item.report_id for item in items])
        fresh = {
            (item.report_id, item.report_hash): item
            for item in items
            if item.report_id not in known
        }
        return dict(zip(fresh, self._analyse_all(list(fresh.values())), strict=True))

    def _analyse_all(self, items: Sequence[Item]) -> Sequence[Analysis | Refused]:
        if not items:
            return []
        try:
            return self.engine.analyse([(item.report_id, item.report) for item in items])
        except Exception as error:  # noqa: BLE001 - one bad report must not harm the rest
            if len(items) == 1:
                return [Refused(error)]
            return [part for item in items for part in self._analyse_all([item])]

    def _settle(
        self,
        transaction: Transaction,
        item: Item | Refused,
        analyses: Mapping[tuple[str, str], Analysis | Refused],
    ) -> Outcome:
        if isinstance(item, Refused):
            return item
        connection = transaction.connection
        known = reads.known_answers(connection, [item.report_id]).get(item.report_id)
        if known is not None:
            return _again(connection, item, known)
        analysis = analyses[item.report_id, item.report_hash]
        answer = analysis if isinstance(analysis, Refused) else self._answer(transaction, analysis)
        if isinstance(answer, Refused):
            return answer
        writes.save_answer(
            connection,
            item.report,
            answer,
            report_hash=item.report_hash,
            made_by=self.engine.made_by,
        )
        self.sampler.after_answer(connection, answer.triage)
        transaction.after_commit.append(partial(self._stored, item.report_id, item.report))
        return Settled(_shielded(connection, answer.triage.to_dict()), fresh=True)

    def _answer(self, transaction: Transaction, analysis: Analysis) -> Answer | Refused:
        try:
            answer = self.engine.settle(analysis)
            answer = assigned(transaction.connection, answer, normal=analysis.clean.normal)
            refused = refused_by_incident(transaction.connection, answer.incident_id)
            answer = dataclasses.replace(answer, triage=spare(answer.triage, refused))
            transaction.remembered.append(analysis.report_id)
            self.engine.remember(answer)
        except Exception as error:  # noqa: BLE001 - one bad report must not harm the rest
            log.error("engine failed to settle a report: %s", safe(error))
            self.engine.forget(analysis.report_id)
            return Refused(error)
        return answer


def seal(connection: Connection, reply: Reply, claim: Claim | None) -> Reply:
    """Store the reply under its key; of two concurrent twins both get the first one's reply."""
    if claim is None:
        return reply
    if (earlier := earlier_reply(connection, claim)) is not None:
        return earlier
    writes.save_reply(
        connection,
        claim.client,
        claim.key,
        request_hash=claim.request_hash,
        status=reply.status,
        body=reply.body,
    )
    return reply


def earlier_reply(connection: Connection, claim: Claim) -> Reply | None:
    """The reply stored under a key.

    Raises:
        Problem: the key stands for another request.
    """
    stored = reads.stored_reply(connection, claim.client, claim.key)
    if stored is None:
        return None
    if stored.request_hash != claim.request_hash:
        raise Problem("idempotency-key-reused")
    return Reply(stored.body, status=stored.status, replayed=True)


def _again(connection: Connection, item: Item, known: reads.Known) -> Outcome:
    if known.report_hash != item.report_hash:
        return Refused(Problem("report-conflict"))
    return Settled(_shielded(connection, known.triage), fresh=False)


def _shielded(connection: Connection, triage: Mapping[str, Any]) -> dict[str, Any]:
    return shield.for_sender(triage, reads.secret_among(connection, shield.match_ids(triage)))
