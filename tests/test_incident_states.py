"""Any order of arrivals, acts of people and restarts leaves every report in one right place."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from incident_kit import ACT, take
from sqlalchemy import select

from pilah.datasets.agencies import load_agencies, load_units
from pilah.datasets.records import Report
from pilah.datasets.regions import load_regions
from pilah.datasets.routing_table import load_routing
from pilah.models.incidents import DuplicateFinder
from pilah.models.index import saved_index
from pilah.models.pairs import plain_scorer
from pilah.models.places import PlaceReader
from pilah.models.routing import Router
from pilah.models.triage import Triager
from pilah.service import incidents
from pilah.service.app import opened
from pilah.service.desk.ranking import doublings
from pilah.service.desk.tables import cases
from pilah.service.incident_reads import homes, told_apart
from pilah.service.incident_views import incident_body
from pilah.service.problems import Problem
from pilah.service.settings import Settings
from pilah.service.similar import similar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilah.models.bundle import Bundle
    from pilah.service.intake import Reply

TEXTS = (
    "Lubang besar di Jalan Anggrek KM 5 depan toko cat Makmur, dua motor jatuh tadi malam",
    "Lampu jalan di Jalan Kenanga depan pasar Melati padam sejak Senin, gelap sekali",
    "Sampah menumpuk di belakang terminal Giwangan sudah seminggu, baunya menyengat",
)
picks = st.integers(0, 10_000)
texts = st.sampled_from(TEXTS)
visibilities = st.sampled_from(["public", "public", "anonymous", "secret"])


@cache
def _parts() -> tuple[Router, PlaceReader]:
    """What takes long to build and never changes."""
    regions = load_regions()
    router = Router(load_routing(), load_agencies(), load_units(), regions)
    return router, PlaceReader(regions)


class Incidents(RuleBasedStateMachine):
    """A service with its store, and a model of it: report id -> incident id."""

    bundle: Bundle

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.homes: dict[str, str] = {}
        self.visibility: dict[str, str] = {}
        self.apart: set[tuple[str, str]] = set()
        self._open()

    def _open(self) -> None:
        self.stack = ExitStack()
        self.service = self.stack.enter_context(opened(Settings(data_dir=self.folder), self._make))

    def _make(self, given: Settings) -> Triager:
        encoder = self.bundle.encoder
        index = saved_index(given.data_dir / "index", encoder.dim, encoder.version)
        finder = DuplicateFinder(index, plain_scorer(), self.bundle.duplicates)
        return Triager(
            self.bundle, *_parts(), finder,
            service_version="test", key=b"k", index_folder=given.data_dir / "index",
        )  # fmt: skip

    def teardown(self) -> None:
        self.stack.close()
        shutil.rmtree(self.folder)

    # ---- what happens

    @rule(text=texts, visibility=visibilities, sender=st.sampled_from(["x", "y", None]))
    def arrive(self, text: str, visibility: str, sender: str | None) -> None:
        name = f"r{len(self.homes)}"
        answer = take(
            self.service, name, text, region="34.04.07", visibility=visibility, reporter_ref=sender
        )
        self.homes[name] = answer["incident_id"]
        self.visibility[name] = visibility
        assert not [m for m in answer["matches"] if self.visibility[m["report_id"]] == "secret"]
        members = [n for n, home in self.homes.items() if home == answer["incident_id"]]
        if visibility == "secret":
            assert members == [name]
        else:
            assert any(self.visibility[n] != "secret" for n in members)

    @rule(a=picks, b=picks)
    @precondition(lambda self: len(set(self.homes.values())) > 1)
    def merge(self, a: int, b: int) -> None:
        one, other = self._two(a, b)
        incidents.merge(self.service.intake, one, [other], ACT)
        for name, home in self.homes.items():
            self.homes[name] = one if home == other else home
        moved = {tuple(one if i == other else i for i in pair) for pair in self.apart}
        self.apart = {(min(pair), max(pair)) for pair in moved if len(set(pair)) == 2}

    @rule(a=picks, b=picks)
    @precondition(lambda self: len(set(self.homes.values())) > 1)
    def tell_apart(self, a: int, b: int) -> None:
        one, other = self._two(a, b)
        incidents.apart(self.service.intake, one, [other], ACT)
        self.apart.add((min(one, other), max(one, other)))

    @rule(a=picks, count=st.integers(1, 3))
    @precondition(lambda self: len(set(self.homes.values())) < len(self.homes))
    def split(self, a: int, count: int) -> None:
        large = [m for m in self._members().values() if len(m) > 1]
        leaving = (mine := large[a % len(large)])[: min(count, len(mine) - 1)]
        source = self.homes[mine[0]]
        incidents.split(self.service.intake, source, leaving, ACT)
        stored = self._stored()
        assert {stored[name] for name in leaving}.isdisjoint({source})
        assert len({stored[name] for name in leaving}) == 1
        self.homes |= {name: stored[name] for name in leaving}
        fresh = stored[leaving[0]]
        self.apart.add((min(source, fresh), max(source, fresh)))

    @rule(a=picks, kind=st.sampled_from(["close", "reopen"]))
    @precondition(lambda self: self.homes)
    def turn(self, a: int, kind: str) -> None:
        self._try(getattr(incidents, kind), self._one(a))

    @rule(a=picks)
    @precondition(lambda self: self.homes)
    def undo(self, a: int) -> None:
        """Reports that stayed where the act had put them go back; nobody else moves."""
        reply = self._try(incidents.undo, self._one(a))
        after = self._stored()
        if reply is None:
            assert after == self.homes
            return
        event = self._body(self._one(a))["history"][-1]
        assert event["kind"] == "undo"
        moved = {n for n, home in self.homes.items() if after[n] != home}
        assert moved == set(event["after"]["reports"])
        self.homes = after
        self.apart = self._told()

    @rule(a=picks, b=picks)
    @precondition(lambda self: len(set(self.homes.values())) > 1)
    def merge_and_undo(self, a: int, b: int) -> None:
        """An act that is undone at once leaves every report where it was, and the two apart."""
        one, other = self._two(a, b)
        states = [self._body(i)["status"] for i in (one, other)]
        incidents.merge(self.service.intake, one, [other], ACT)
        incidents.undo(self.service.intake, one, ACT)
        assert self._stored() == self.homes
        assert [self._body(i)["status"] for i in (one, other)] == states
        assert other in self._body(one)["apart_from"]
        self.apart = self._told()

    @rule()
    def restart(self) -> None:
        self.stack.close()
        self._open()

    # ---- what always holds

    @invariant()
    def every_report_is_where_people_left_it(self) -> None:
        """In the store, in the engine's memory and in the members of its incident alike."""
        assert self._stored() == self.homes
        finder = self.service.intake.engine._engine.finder  # type: ignore[attr-defined]
        assert {name: finder.incident_of(name) for name in self.homes} == self.homes
        assert len(finder) == len(self.homes)

    @invariant()
    def what_was_told_apart_stays_apart(self) -> None:
        told = self._told()
        assert self.apart <= told
        assert all(one != other for one, other in told)

    @rule()
    def look_at_every_incident(self) -> None:
        for incident, names in self._members().items():
            body = self._body(incident)
            assert [m["report_id"] for m in body["members"]] == names
            assert body["count"] == sum(body["counts"].values()) == len(names)
            assert body["status"] in ("open", "closed")
            with self.service.intake.store.reading() as connection:
                sizes = select(cases.c.size).where(cases.c.report_id.in_(names))
                ranked = connection.execute(sizes).scalars()
                # Ranked anew when the size doubles: that is what the order of the queue reads.
                assert {doublings(size) for size in ranked} == {doublings(len(names))}

    @rule(text=texts)
    def look_before_sending(self, text: str) -> None:
        """Only public reports are shown and counted."""
        shown = similar(self.service.intake, Report(text, region="34.04.07"))["incidents"]
        members = self._members()
        for one in shown:
            public = [n for n in members[one["incident_id"]] if self.visibility[n] == "public"]
            assert one["reports"] == len(public) > 0

    # ---- help

    def _told(self) -> set[tuple[str, str]]:
        with self.service.intake.store.reading() as connection:
            return {(min(pair), max(pair)) for pair in told_apart(connection)}

    def _body(self, incident: str) -> dict[str, Any]:
        with self.service.intake.store.reading() as connection:
            return incident_body(connection, incident)

    def _stored(self) -> dict[str, str]:
        with self.service.intake.store.reading() as connection:
            return homes(connection, self.homes)

    def _members(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, home in self.homes.items():
            found.setdefault(home, []).append(name)
        return found

    def _one(self, a: int) -> str:
        known = sorted(set(self.homes.values()))
        return known[a % len(known)]

    def _two(self, a: int, b: int) -> tuple[str, str]:
        known = sorted(set(self.homes.values()))
        one = known.pop(a % len(known))
        return one, known[b % len(known)]

    def _try(self, act: Any, incident: str) -> Reply | None:  # noqa: ANN401
        """Do it, unless it makes no sense now."""
        try:
            reply: Reply = act(self.service.intake, incident, ACT)
        except Problem as problem:
            if problem.slug != "incident-conflict":
                raise
            return None
        return reply


@pytest.mark.timeout(300)
def test_any_order_of_arrivals_and_acts(bundle: Bundle) -> None:
    Incidents.bundle = bundle
    run_state_machine_as_test(
        Incidents,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
        ),
    )
