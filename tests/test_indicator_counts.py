"""The measures are those of a count report by report, for any events, grouping and filter."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from pilah.service.desk.tables import cases
from pilah.service.loop.columns import DIMENSIONS, Coded, Columns, Span, read_columns
from pilah.service.loop.counting import Counting
from pilah.service.loop.indicators import Key, Measures, measures
from pilah.service.loop.kept import Kept
from pilah.service.loop.tables import facts, refusals, review_requests
from pilah.service.store import Store
from pilah.service.tables import decisions, incidents, reports

WEEKS = ("2026-08-31", "2026-09-07", "2026-09-14")
BODIES = (None, "Pemerintah A", "Pemerintah B")
PLACES = {
    None: (None, None, None, None, None),
    "34": ("34", None, None, None, "jawa"),
    "34.04.07": ("34", "34.04", "34.04.07", "kabupaten", "jawa"),
    "34.04.07.2001": ("34", "34.04", "34.04.07", "kabupaten", "jawa"),
    "34.71": ("34", "34.71", None, "kota", "jawa"),
    "51.03": ("51", "51.03", None, "kabupaten", "luar_jawa"),
}
OF_PLACE = ("province", "regency", "district", "area", "island")
RECEIVED = datetime(2026, 9, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """One report and all that happened to it."""

    week: str
    government: str | None
    topic: str | None
    place: str | None
    visibility: str
    channel: str | None
    incident: str
    merged: bool
    sure: bool
    needs: bool
    hoax: bool
    waiting: bool
    late: bool
    decided_after: float | None  # hours
    refusals: tuple[bool, ...]  # withdrawn or not
    judged: tuple[bool, ...]  # hoax or not, one decision each
    audit: bool | None  # right or wrong

    def key(self, by: tuple[str, ...]) -> Key:
        of_place = dict(zip(OF_PLACE, PLACES[self.place], strict=True))
        known: dict[str, str | None] = of_place | {
            name: getattr(self, name) for name in set(DIMENSIONS) - set(of_place)
        }
        return tuple(known[name] for name in by)

    @property
    def due(self) -> datetime:
        return RECEIVED + timedelta(hours=72) if self.late else datetime(2999, 1, 1, tzinfo=UTC)

    @property
    def is_decided(self) -> bool:
        return self.decided_after is not None


def event() -> st.SearchStrategy[Event]:
    some = st.none() | st.floats(0, 200).map(lambda h: round(h, 3))
    return st.builds(
        Event,
        week=st.sampled_from(WEEKS),
        government=st.sampled_from(BODIES),
        topic=st.sampled_from((None, "AIR", "JALAN")),
        place=st.sampled_from(list(PLACES)),
        visibility=st.sampled_from(("public", "secret")),
        channel=st.sampled_from((None, "sms")),
        incident=st.sampled_from("xyz"),
        decided_after=some,
        refusals=st.lists(st.booleans(), max_size=2).map(tuple),
        judged=st.lists(st.booleans(), max_size=2).map(tuple),
        audit=st.none() | st.booleans(),
    )


def counted(events: list[Event], by: tuple[str, ...]) -> dict[Key, Measures]:
    """By hand."""
    groups: dict[Key, list[Event]] = defaultdict(list)
    for one in events:
        groups[one.key(by)].append(one)
    return {key: of(rows) for key, rows in groups.items()}


def of(rows: list[Event]) -> Measures:
    decided = [e for e in rows if e.decided_after is not None]
    hours = [e.decided_after for e in decided if e.decided_after is not None]
    judged = [e for e in rows if e.is_decided and e.hoax and e.judged]
    audited = [e for e in rows if e.is_decided and e.audit is not None]
    return Measures(
        reports=len(rows),
        incidents=len({e.incident for e in rows}),
        merged=sum(e.merged for e in rows),
        alone=sum(e.sure for e in rows),
        needs_information=sum(e.needs for e in rows),
        overdue=sum(e.waiting and e.late for e in rows),
        decided=len(decided),
        in_time=sum(not e.late or (e.decided_after or 0) <= 72 for e in decided),
        hours=median(hours) if hours else None,
        refused=sum(-1 if back else 1 for e in rows for back in e.refusals),
        hoax=sum(e.hoax for e in rows),
        hoax_confirmed=sum(e.judged[-1] for e in judged),
        hoax_dismissed=sum(not e.judged[-1] for e in judged),
        audited=len(audited),
        right=sum(bool(e.audit) for e in audited),
    )


def write(connection: Connection, events: list[Event]) -> None:
    """The rows that these events leave in the store."""
    for table in (review_requests, refusals, decisions, cases, facts, reports):
        connection.execute(table.delete())
    for number, one in enumerate(events):
        name = f"r{number}"
        connection.execute(
            insert(reports).values(
                id=name, hash="", text="x", received_at=moment(0.0), visibility=one.visibility,
                channel=one.channel, incident_id=one.incident, place=one.place,
            )
        )  # fmt: skip
        connection.execute(
            insert(facts).values(
                report_id=name, day=one.week, week=one.week, agency="Dinas PU",
                outcome="needs_information" if one.needs else "actionable", sure=one.sure,
                merged=one.merged, hoax=one.hoax, doubt=0.0,
            )
        )  # fmt: skip
        connection.execute(
            insert(cases).values(
                report_id=name, status="waiting" if one.waiting else "decided", rank=0.0, harm=0.0,
                risk=0.0, size=1, due_at=one.due.isoformat(), topic=one.topic,
                government=one.government,
            )
        )  # fmt: skip
        _write_acts(connection, name, one)


def _write_acts(connection: Connection, name: str, one: Event) -> None:
    for number, back in enumerate(one.refusals):
        row = {"report_id": name, "number": number, "agency": "a", "withdrawn": back}
        connection.execute(insert(refusals).values(row))
    if one.decided_after is None:
        return
    labels: list[dict[str, object]] = [{"hoax": said} for said in one.judged] or [{}]
    if one.audit is not None:
        row = {"report_id": name, "reason": "audit", "made_at": moment(0.0), "decision": 1}
        connection.execute(insert(review_requests).values(row))
        labels[0]["agency"] = "Dinas PU" if one.audit else "Dinas Lain"
    for number, said in enumerate(labels, 1):
        row = {"report_id": name, "number": number, "actor": "m", "labels": json.dumps(said)}
        row["decided_at"] = moment(one.decided_after + number - 1)
        connection.execute(insert(decisions).values(row))


def moment(hours: float) -> str:
    return (RECEIVED + timedelta(hours=hours)).isoformat(timespec="microseconds")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'pilah.sqlite3'}") as store:
        with store.writing() as connection:
            for name in "xyz":
                row = {"id": name, "created_from": "r0", "created_at": moment(0.0)}
                connection.execute(insert(incidents).values(row))
        yield store


def assert_same(found: dict[Key, Measures], wanted: dict[Key, Measures]) -> None:
    assert found.keys() == wanted.keys()
    for key, expected in wanted.items():
        ours = found[key].to_dict() | {"hours": 0.0}
        assert ours == expected.to_dict() | {"hours": 0.0}
        assert (found[key].hours is None) == (expected.hours is None)
        assert math.isclose(found[key].hours or 0.0, expected.hours or 0.0, abs_tol=1e-6)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(event(), max_size=12),
    by=st.lists(st.sampled_from(DIMENSIONS), unique=True, max_size=4).map(tuple),
    government=st.sampled_from(BODIES),
    topic=st.sampled_from((None, "AIR", "lain")),
    weeks=st.tuples(st.sampled_from(WEEKS), st.sampled_from(WEEKS)),
)
def test_every_measure_is_that_of_a_count_by_hand(
    store: Store,
    events: list[Event],
    by: tuple[str, ...],
    government: str | None,
    topic: str | None,
    weeks: tuple[str, str],
) -> None:
    with store.writing() as connection:
        write(connection, events)
    chosen = [
        e
        for e in events
        if weeks[0] <= e.week <= weeks[1]
        and government in (None, e.government)
        and topic in (None, e.topic)
    ]
    with store.reading() as connection:
        columns = read_columns(connection, Span(*weeks))
    found = measures(columns, by, government=government, topic=topic)
    assert_same(found, counted(chosen, by) or ({} if by else {(): Measures()}))


def test_a_channel_for_every_report_can_be_grouped_by_all_there_is() -> None:
    size = 1_500
    draw = np.random.default_rng(0)
    names = tuple(f"v{n}" for n in range(size))
    coded = {name: Coded(draw.permutation(size), names) for name in DIMENSIONS}
    none = np.zeros(size, dtype=np.int64)
    columns = Columns("", coded, none, {}, np.full(size, np.nan))
    found = measures(columns, DIMENSIONS)
    wanted = {tuple(names[coded[by].codes[row]] for by in DIMENSIONS) for row in range(size)}
    assert found.keys() == wanted
    assert {m.reports for m in found.values()} == {1}


def test_what_takes_no_time_is_read_anew_each_time(store: Store) -> None:
    counting = Counting(store)
    assert counting.columns(Span()) is not counting.columns(Span())


def test_what_is_never_quick_is_kept_though_it_took_no_time(store: Store) -> None:
    asked: list[str] = []
    kept = Kept(store, lambda _, question: asked.append(question), most=2, quick=0.0)
    kept("a"), kept("a"), kept("b")
    assert asked == ["a", "b"]


def test_renewing_replaces_what_is_still_given(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilah.service.loop.kept.QUICK_SECONDS", -1.0)
    counting = Counting(store)
    before = counting.columns(Span())
    counting.renew(Span())
    assert counting.columns(Span()) is not before


def test_one_reading_serves_everybody_for_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("pilah.service.loop.kept.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("pilah.service.loop.kept.QUICK_SECONDS", -1.0)  # as if it took long
    counting, spans = Counting(store), [Span(week, "9999") for week in ("", *WEEKS, "2027-01-04")]
    first = counting.columns(spans[0])
    assert counting.columns(spans[0]) is first
    assert counting.measures(spans[0], ("week",)) is counting.measures(spans[0], ("week",))
    clock[0] = 601.0
    again = counting.columns(spans[0])
    assert again is not first
    for span in spans[1:]:
        counting.columns(span)
    assert counting.columns(spans[0]) is not again  # four others came since
