"""The review state machine loses no decision: by itself, and through the store."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from pilah.datasets.records import Report
from pilah.service import reads
from pilah.service.accounts.audited import compare
from pilah.service.app import opened
from pilah.service.deciding import decide
from pilah.service.desk.cases import case_of
from pilah.service.desk.clock import due_at, is_working
from pilah.service.desk.history import entries
from pilah.service.desk.ranking import harm_hours, rank_of
from pilah.service.desk.standing import ACTIONS, ARCHIVE_REASONS, Entry, in_force, standing_of
from pilah.service.fake import FakeEngine
from pilah.service.intake import Intake, Item, make_item
from pilah.service.problems import Problem
from pilah.service.settings import Settings
from pilah.service.tables import decisions
from pilah.service.writes import Decision

ACTING = [action for action in ACTIONS if action != "undo"]
labels = st.dictionaries(
    st.sampled_from(("topic_main", "agency", "outcome")), st.sampled_from("abc"), max_size=2
)
steps = st.lists(st.tuples(st.sampled_from(ACTIONS), labels), max_size=12)


REFUSED = {("nothing-to-undo", "undo"), ("decision-invalid", "refuse")}
"""What the service may refuse to do: no decision is left to undo, nobody is left to refuse."""


def play(done: list[tuple[str, dict[str, str]]]) -> list[Entry]:
    """A history as the service would write it; an undo of nothing is refused."""
    history: list[Entry] = []
    for action, decided in done:
        undoes = standing_of(history, unsure=True).undoable if action == "undo" else None
        if action == "undo" and undoes is None:
            continue
        entry = Entry(len(history) + 1, action, {} if undoes else decided, undoes)
        history.append(entry)
    return history


@given(steps, st.booleans())
def test_every_decision_is_in_force_or_undone_once(
    done: list[tuple[str, dict[str, str]]], unsure: bool
) -> None:
    history = play(done)
    standing = {e.number for e in in_force(history)}
    undone = [e.undoes for e in history if e.action == "undo"]
    acts = {e.number for e in history if e.action != "undo"}
    assert len(undone) == len(set(undone))
    assert standing | set(undone) == acts
    assert standing & set(undone) == set()
    now = standing_of(history, unsure=unsure)
    assert now.undoable == max(standing, default=None)
    assert (now.status in ("waiting", "sure")) or standing


@given(steps, st.sampled_from(ACTING), labels, st.booleans())
def test_an_undo_gives_the_standing_before(
    done: list[tuple[str, dict[str, str]]], action: str, decided: dict[str, str], unsure: bool
) -> None:
    history = play(done)
    number = len(history) + 1
    after = [*history, Entry(number, action, decided), Entry(number + 1, "undo", {}, number)]
    assert standing_of(after, unsure=unsure) == standing_of(history, unsure=unsure)


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("label", "decided"),
        ("forward", "decided"),
        ("ask", "asked"),
        ("archive", "archived"),
        ("refuse", "waiting"),
    ],
)
def test_what_a_decision_leads_to(action: str, status: str) -> None:
    assert standing_of([Entry(1, action, {})], unsure=False).status == status


# ---- through the store


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    with opened(Settings(data_dir=tmp_path), FakeEngine.make) as service:
        yield service.intake


def take(intake: Intake, text: str, name: str) -> str:
    item = make_item(Report(text, id=name), claim=None)
    assert isinstance(item, Item)
    intake.take([item], lambda _: {})
    return name


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=steps)
def test_the_store_keeps_what_the_fold_says(
    intake: Intake, done: list[tuple[str, dict[str, str]]]
) -> None:
    with intake.store.reading() as connection:
        name = f"r{len(connection.execute(select(decisions)).all())}-{id(done)}"
    take(intake, "halo apa kabar", name)
    kept, refused = list[str](), set[tuple[str, str]]()
    for action, decided in done:
        reason = "prank" if action == "archive" else None
        wanted = {} if action in ("undo", "refuse") else decided
        try:
            decide(intake, Decision(name, "m", wanted, action=action, reason=reason))
        except Problem as problem:
            refused.add((problem.slug, action))
        else:
            kept.append(action)
    with intake.store.reading() as connection:
        history = entries(connection, name)
        case = case_of(connection, name)
    assert [e.action for e in history] == kept
    assert {slug for slug, _ in refused} <= {
        "nothing-to-undo",
        "agency-refused",
        "decision-invalid",
    }
    assert ("decision-invalid", "refuse") in refused or "decision-invalid" not in dict(refused)
    now = standing_of(history, unsure=True)
    assert case
    assert case.status == now.status
    assert "agency" not in now.labels or case.agency == now.labels["agency"]
    with intake.store.reading() as connection:
        waiting = reads.review_queue(connection, reason=None, after=0, limit=10_000)
        named = reads.review_count(connection, reason="topic_uncertain")
    assert [m.report_id for m in waiting].count(name) == (case.status == "waiting")
    assert named == len([m for m in waiting if "topic_uncertain" in m.why])
    undone = {e.undoes for e in history}
    assert ("refused" in case.why) == (kept[-1:] == ["refuse"] and len(history) not in undone)


def test_of_two_who_saw_the_same_one_decides(intake: Intake) -> None:
    take(intake, "halo apa kabar", "r1")
    start, outcomes = threading.Barrier(8), list[str]()

    def run(number: int) -> None:
        start.wait()
        try:
            decide(intake, Decision("r1", f"m{number}", {"agency": f"Dinas {number}"}), after=0)
        except Problem as problem:
            outcomes.append(problem.slug)
        else:
            outcomes.append("done")

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["decision-stale"] * 7 + ["done"]
    with intake.store.reading() as connection:
        assert len(entries(connection, "r1")) == 1


def test_an_undo_takes_a_report_back_to_its_incident(intake: Intake) -> None:
    take(intake, "jalan rusak di sleman", "r1")
    take(intake, "jalan rusak di sleman", "r2")
    decide(intake, Decision("r2", "m", {"incident": "new"}))
    decide(intake, Decision("r2", "m", {}, action="undo"))
    with intake.store.reading() as connection:
        found = reads.record(connection, "r2")
    assert found
    assert found.incident_id == "incident-r1"
    assert found.decisions[1]["undoes"] == 1
    assert found.decisions[1]["before"]["incident"] == found.decisions[0]["labels"]["incident"]


# ---- the audit log tells of every decision


def decided(intake: Intake) -> None:
    """Three decisions about two reports."""
    for name in ("r1", "r2"):
        take(intake, "halo apa kabar", name)
        decide(intake, Decision(name, "m", {"outcome": "prank"}))
    decide(intake, Decision("r1", "m", {}, action="undo"))


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        ("SELECT 1", {}),
        ("UPDATE decisions SET labels = '{}' WHERE number = 1", {"changed": 2}),
        ("UPDATE decisions SET actor = 'x' WHERE number = 2", {"changed": 1}),
        ("UPDATE decisions SET versions = NULL", {"changed": 3}),
        ("DELETE FROM decisions WHERE report_id = 'r2'", {"missing": 1}),
        ("INSERT INTO decisions (report_id, number, actor, labels, decided_at) "
         "SELECT report_id, 9, actor, labels, decided_at FROM decisions WHERE report_id = 'r2'",
         {"unlogged": 1}),
        ("INSERT INTO decisions (report_id, number, actor, labels, decided_at) SELECT report_id, "
         "9, actor, labels, '2020-01-01T00:00:00+00:00' FROM decisions WHERE report_id = 'r2'",
         {"unlogged": 1}),
    ],
)  # fmt: skip
def test_decisions_changed_behind_the_application_show(
    intake: Intake, statement: str, wanted: dict[str, int]
) -> None:
    decided(intake)
    with intake.store.writing() as connection:
        connection.execute(text("DELETE FROM looks"))
        connection.execute(text(statement))
        found = compare(connection)
    sizes = {name: len(getattr(found, name)) for name in ("changed", "missing", "unlogged")}
    assert {name: size for name, size in sizes.items() if size} == wanted
    assert found.holds == (not wanted)
    assert found.older == 0


def test_decisions_of_before_the_log_are_counted_apart(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "pilah.sqlite3") as database:
        database.executescript((Path(__file__).parent / "data" / "schema-1.sql").read_text())
    database.close()
    url = f"sqlite:///{tmp_path / 'pilah.sqlite3'}"
    with opened(Settings(data_dir=tmp_path, database_url=url), FakeEngine.make) as service:
        decide(service.intake, Decision("r1", "m", {"outcome": "prank"}))
        with service.intake.store.writing() as connection:
            assert (found := compare(connection)).holds
            connection.execute(text("UPDATE decisions SET decided_at = '9' WHERE report_id = 'r2'"))
            late = compare(connection)
    assert (found.decisions, found.older) == (2, 1)
    assert (late.older, late.unlogged) == (0, (("r2", 1),))


# ---- clock and rank


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-11-02T03:00:00+00:00", "2026-11-05T17:00:00+00:00"),  # Monday: end of Thursday
        ("2026-11-06T03:00:00+00:00", "2026-11-11T17:00:00+00:00"),  # Friday: over the weekend
        ("2026-11-06T18:00:00+00:00", "2026-11-11T17:00:00+00:00"),  # Saturday already in WIB
        ("2026-08-14T03:00:00+00:00", "2026-08-20T17:00:00+00:00"),  # over 17 August, a Monday
    ],
)
def test_the_clock_counts_working_days(received: str, due: str) -> None:
    assert due_at(datetime.fromisoformat(received)) == datetime.fromisoformat(due)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - made UTC below
def test_a_report_is_due_at_the_end_of_a_working_day(moment: datetime) -> None:
    received = moment.replace(tzinfo=UTC)
    due = due_at(received)
    assert due > received
    assert (due.hour, due.minute) == (17, 0)
    assert is_working(due.date())  # 17:00 UTC is midnight in WIB: the day that just ended


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 500), st.integers(1, 500))
def test_more_harm_is_looked_at_earlier(a: float, b: float, m: int, n: int) -> None:
    due = datetime(2026, 1, 1, tzinfo=UTC)
    low = rank_of(due, harm_hours(risk=max(a, b), size=max(m, n)))
    assert low <= rank_of(due, harm_hours(risk=min(a, b), size=min(m, n)))
    assert due.timestamp() - low <= 96 * 3600


def test_every_archive_reason_is_known_to_the_schema() -> None:
    from pilah.service.request_schemas import DecisionIn

    schema = DecisionIn.model_json_schema()["properties"]["reason"]
    assert set(schema["anyOf"][0]["enum"]) == set(ARCHIVE_REASONS)
