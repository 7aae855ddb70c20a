"""What people do to incidents: merge, split, close, reopen, undo. Plain functions behind HTTP.

Every act is one transaction under the lock of the intake, leaves an event with who, when, why,
before and after, and is told to the engine's memory once it is on the disk. Split and un-merge
leave pairs told apart, merge leaves a pointer to the survivor: the machine keeps to both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sqlalchemy import Connection

from pilah.models.incidents import new_incident_id
from pilah.service import incident_reads, incident_writes
from pilah.service.codecs import dump
from pilah.service.desk.cases import resize
from pilah.service.incident_views import incident_body
from pilah.service.incident_writes import Event
from pilah.service.intake import Claim, Intake, Reply, Transaction, seal
from pilah.service.problems import FieldError, Problem


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts, and why.

    Attributes:
        after: how many events of the incident the person had seen; another number is refused.
        claim: the idempotency key.
    """

    actor: str
    reason: str
    after: int | None = None
    claim: Claim | None = None


@dataclass(slots=True)
class Change:
    """One act while it happens: the state before, and what was moved.

    Attributes:
        touched: incidents whose state is noted before and after.
        moved: report id -> (from incident, to incident).
    """

    transaction: Transaction
    incident_id: str
    act: Act
    touched: list[str] = field(default_factory=list)
    moved: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def connection(self) -> Connection:
        """The transaction's connection."""
        return self.transaction.connection

    def move(self, ids: Iterable[str], source: str, target: str) -> None:
        """Move reports from one incident to another."""
        moved = list(ids)
        incident_writes.move(self.connection, moved, target)
        self.moved |= dict.fromkeys(moved, (source, target))
        for incident_id in (source, target):
            resize(self.connection, incident_id)


def merge(intake: Intake, incident_id: str, others: Sequence[str], act: Act) -> Reply:
    """Take ``others`` for the same incident: their reports move here, their ids point here.

    Raises:
        Problem: ``incident-unknown``, ``incident-stale``, ``incident-conflict``, or
            ``incident-invalid`` when one of the others cannot be merged.
    """

    def change(now: Change) -> Event:
        standings = [_other(now, other) for other in dict.fromkeys(others)]
        now.touched += [s.incident_id for s in standings]
        before = incident_writes.states(now.connection, now.touched)
        here = incident_reads.standing(now.connection, now.incident_id)
        if here and here.status == "closed" and any(s.status == "open" for s in standings):
            incident_writes.set_open(now.connection, now.incident_id)
        for other in now.touched[1:]:
            members = incident_reads.members_of(now.connection, other)
            now.move(members, other, now.incident_id)
            incident_writes.set_merged(now.connection, other, into=now.incident_id)
        event = _record(now, "merge", before)
        for other in now.touched[1:]:
            incident_writes.hand_over_apart(now.connection, other, now.incident_id, event.number)
        return event

    return _perform(intake, incident_id, act, change)


def split(intake: Intake, incident_id: str, report_ids: Sequence[str], act: Act) -> Reply:
    """Take reports out into a new incident, told apart from this one for good.

    Raises:
        Problem: as :func:`merge`; ``incident-invalid`` when a report is not its member, or when
            nothing would stay.
    """

    def change(now: Change) -> Event:
        members = incident_reads.members_of(now.connection, now.incident_id)
        leaving = [name for name in members if name in set(report_ids)]
        if len(leaving) != len(set(report_ids)):
            _refuse("reports", "has one that is not its member", "use members of this incident")
        if len(leaving) == len(members):
            _refuse("reports", "leaves nothing behind", "leave at least one report")
        fresh = incident_writes.fresh_id(now.connection, new_incident_id(leaving[0]))
        before = incident_writes.states(now.connection, now.touched)
        incident_writes.begin(now.connection, fresh, created_from=leaving[0])
        now.touched.append(fresh)
        now.move(leaving, now.incident_id, fresh)
        event = _record(now, "split", before)
        incident_writes.tell_apart(now.connection, now.incident_id, fresh, event.number)
        return event

    return _perform(intake, incident_id, act, change)


def apart(intake: Intake, incident_id: str, others: Sequence[str], act: Act) -> Reply:
    """Say that ``others`` are not the same incident; nothing moves, the machine keeps to it.

    Raises:
        Problem: as :func:`merge`.
    """

    def change(now: Change) -> Event:
        now.touched += [_other(now, other).incident_id for other in dict.fromkeys(others)]
        event = _record(now, "apart", incident_writes.states(now.connection, now.touched))
        for other in now.touched[1:]:
            incident_writes.tell_apart(now.connection, now.incident_id, other, event.number)
        return event

    return _perform(intake, incident_id, act, change)


def close(intake: Intake, incident_id: str, act: Act) -> Reply:
    """Say that the incident is settled; the same problem later starts a new one linked to it.

    Raises:
        Problem: as :func:`merge`; ``incident-conflict`` when it is closed already.
    """
    return _perform(intake, incident_id, act, lambda now: _turn(now, "close", "open"))


def reopen(intake: Intake, incident_id: str, act: Act) -> Reply:
    """Take a closed incident up again.

    Raises:
        Problem: as :func:`merge`; ``incident-conflict`` when it is open.
    """
    return _perform(intake, incident_id, act, lambda now: _turn(now, "reopen", "closed"))


def undo(intake: Intake, incident_id: str, act: Act) -> Reply:
    """Undo the latest act on the incident that stands.

    Reports that came or were moved since stay where they are. After an undone merge the incidents
    are told apart; after an undone split they no longer are.

    Raises:
        Problem: ``incident-unknown``, ``incident-stale``, or ``incident-conflict`` when nothing
            is left to undo or a later act on another incident must be undone first.
    """
    return _perform(intake, incident_id, act, _undo, merged=True)


def move_report(
    transaction: Transaction, report_id: str, *, source: str, target: str, act: Act
) -> Event:
    """Put one report into another incident, by a decision about that report."""
    now = Change(transaction, source, act, touched=[source, target])
    before = incident_writes.states(now.connection, now.touched)
    now.move([report_id], source, target)
    event = _record(now, "move", before)
    if incident_reads.members_of(now.connection, source):
        incident_writes.tell_apart(now.connection, source, target, event.number)
    return event


def tell_memory(intake: Intake, transaction: Transaction, event: Event) -> None:
    """Once it is on the disk, the engine learns where reports belong and what is apart."""
    moved = dict(event.after["reports"])
    pairs = incident_reads.told_apart(transaction.connection)
    transaction.after_commit.append(lambda: intake.engine.reassign(moved))
    transaction.after_commit.append(lambda: intake.engine.keep_apart(pairs))


def _perform(
    intake: Intake,
    incident_id: str,
    act: Act,
    change: Callable[[Change], Event],
    *,
    merged: bool = False,
) -> Reply:
    if (earlier := intake.replay(act.claim)) is not None:
        return earlier
    with intake.transaction() as transaction:
        connection = transaction.connection
        here = incident_reads.standing(connection, incident_id)
        if here is None:
            raise Problem("incident-unknown")
        if act.after not in (None, len(incident_reads.events_of(connection, incident_id))):
            raise Problem("incident-stale")
        if here.status == "merged" and not merged:
            raise Problem("incident-conflict", "it was merged; act on the one in merged_into")
        event = change(Change(transaction, incident_id, act, touched=[incident_id]))
        tell_memory(intake, transaction, event)
        return seal(connection, Reply(dump(incident_body(connection, incident_id))), act.claim)


def _other(now: Change, incident_id: str) -> incident_reads.Standing:
    found = incident_reads.standing(now.connection, incident_id)
    if found is None or found.status == "merged":
        _refuse("incidents", "has an unknown or merged incident", "use ids of standing incidents")
    if incident_id == now.incident_id:
        _refuse("incidents", "has the incident itself", "name the others only")
    return found


def _turn(now: Change, kind: str, wanted: str) -> Event:
    here = incident_reads.standing(now.connection, now.incident_id)
    if here is None or here.status != wanted:
        raise Problem("incident-conflict", f"it is not {wanted}; read it again")
    before = incident_writes.states(now.connection, now.touched)
    turn = incident_writes.set_closed if kind == "close" else incident_writes.set_open
    turn(now.connection, now.incident_id)
    return _record(now, kind, before)


def _undo(now: Change) -> Event:
    connection = now.connection
    last = incident_reads.last_standing_event(connection, now.incident_id)
    if last is None:
        raise Problem("incident-conflict", "there is nothing to undo")
    now.touched = list(last["after"]["incidents"])
    for other in now.touched:
        latest = incident_reads.last_standing_event(connection, other)
        if latest is None or latest["number"] != last["number"]:
            raise Problem("incident-conflict", "a later act on a merged or split one stands")
    before = incident_writes.states(connection, now.touched)
    _move_back(now, last)
    incident_writes.restore_states(connection, last["before"]["incidents"])
    incident_writes.forget_apart(connection, last["number"])
    for fresh in set(now.touched) - set(last["before"]["incidents"]):
        if not incident_reads.members_of(connection, fresh):  # split off, and empty again
            incident_writes.set_merged(connection, fresh, into=now.touched[0])
    event = _record(now, "undo", before, undoes=last["number"])
    if last["kind"] == "merge":
        for other in now.touched[1:]:
            incident_writes.tell_apart(connection, now.touched[0], other, event.number)
    return event


def _move_back(now: Change, last: dict[str, Any]) -> None:
    came_from: dict[str, str] = last["before"]["reports"]
    went_to: dict[str, str] = last["after"]["reports"]
    homes = incident_reads.homes(now.connection, went_to)
    for report_id, target in went_to.items():
        if homes.get(report_id) == target:
            now.move([report_id], target, came_from[report_id])


def _record(now: Change, kind: str, before: dict[str, Any], undoes: int | None = None) -> Event:
    event = Event(
        kind=kind,
        actor=now.act.actor,
        reason=now.act.reason,
        before={"incidents": before, "reports": {r: a for r, (a, _) in now.moved.items()}},
        after={
            "incidents": incident_writes.states(now.connection, now.touched),
            "reports": {r: b for r, (_, b) in now.moved.items()},
        },
        undoes=undoes,
    )
    return incident_writes.record(now.connection, event)


def _refuse(place: str, problem: str, cure: str) -> NoReturn:
    raise Problem("incident-invalid", errors=[FieldError(place, problem, cure)])
