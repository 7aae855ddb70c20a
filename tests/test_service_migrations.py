"""The store upgrades itself, whole or not at all, from a database that schema 1 really wrote."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, func, inspect, select, text, update

from pilah.service import migrations, tables
from pilah.service.app import opened
from pilah.service.desk.cases import rebuild_cases
from pilah.service.desk.tables import cases
from pilah.service.fake import FakeEngine
from pilah.service.loop.facts import rebuild_facts
from pilah.service.loop.tables import facts
from pilah.service.migrations import LATEST, StoreError
from pilah.service.settings import Settings
from pilah.service.store import Store

SCHEMA_1 = Path(__file__).parent / "data" / "schema-1.sql"
"""A dump of what the service of schema 1 wrote: three reports, one decision."""


@pytest.fixture
def old(tmp_path: Path) -> str:
    with sqlite3.connect(tmp_path / "pilah.sqlite3") as database:
        database.executescript(SCHEMA_1.read_text("utf-8"))
    database.close()
    return f"sqlite:///{tmp_path / 'pilah.sqlite3'}"


def shape(url: str) -> dict[str, object]:
    """Tables, columns, keys and indexes of a database, in an order of their own."""
    database = create_engine(url)
    found: dict[str, object] = {}
    for name in (seen := inspect(database)).get_table_names():
        columns = {
            c["name"]: (str(c["type"]), c["nullable"], c["default"], c["primary_key"])
            for c in seen.get_columns(name)
        }
        keys = sorted(
            (*k["constrained_columns"], k["referred_table"]) for k in seen.get_foreign_keys(name)
        )
        indexes = sorted((i["name"], *i["column_names"]) for i in seen.get_indexes(name))
        found[name] = (columns, keys, indexes)
    with database.connect() as connection:
        triggers = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
        found["triggers"] = [tuple(row) for row in connection.execute(triggers)]
    database.dispose()
    return found


def test_an_old_database_becomes_like_a_fresh_one(old: str, tmp_path: Path) -> None:
    fresh = f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
    for url in (old, fresh):
        Store.open(url).close()
    assert shape(old) == shape(fresh)


def test_what_was_stored_is_still_there(old: str) -> None:
    columns = [tables.reports.c[name] for name in ("id", "topic", "place")]
    with Store.open(old) as store, store.reading() as connection:
        rows = connection.execute(select(*columns).order_by(tables.reports.c.seq)).all()
        reasons = select(cases.c.reasons).order_by(cases.c.report_id)
        why = connection.execute(reasons).scalars().all()
        status = connection.execute(select(tables.incidents.c.status)).scalars().all()
    assert [tuple(row) for row in rows] == [
        ("r1", "PEKERJAAN UMUM DAN PENATAAN RUANG", "34.04"),
        ("r2", "PEKERJAAN UMUM DAN PENATAAN RUANG", "34.04"),
        ("r3", "KEPENDUDUKAN", "34.71"),
    ]
    assert [set(reasons.split()) for reasons in why] == [
        {"agency_uncertain"},
        {"agency_uncertain", "possible_duplicate"},
        {"topic_uncertain", "agency_uncertain", "needs_information"},
    ]
    assert status == ["open"] * 4  # one each, and the one that a person took r2 out into


def test_the_service_starts_on_an_old_database(old: str, tmp_path: Path) -> None:
    del old
    engine = FakeEngine()
    with opened(Settings(data_dir=tmp_path), lambda _: engine):
        assert list(engine.memory) == ["r1", "r2", "r3"]


def test_an_upgrade_that_fails_changes_nothing(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (a INTEGER)"))
        raise ZeroDivisionError

    before = shape(old)
    monkeypatch.setattr(migrations, "STEPS", {**migrations.STEPS, LATEST + 1: broken})
    monkeypatch.setattr(migrations, "LATEST", LATEST + 1)
    with pytest.raises(ZeroDivisionError):
        Store.open(old)
    assert shape(old) == before


def test_every_step_has_its_number() -> None:
    assert list(migrations.STEPS) == list(range(2, LATEST + 1))


def test_each_step_runs_once(old: str) -> None:
    for _ in range(2):
        Store.open(old).close()
    database = create_engine(old)
    with database.connect() as connection:
        numbers = connection.execute(select(tables.schema_version.c.number)).scalars().all()
    database.dispose()
    assert numbers == list(range(1, LATEST + 1))


def test_cases_are_made_by_todays_code_after_the_last_step(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[int]()
    query = select(func.count()).select_from(cases)

    def later(connection: Connection) -> None:
        seen.append(connection.execute(query).scalar_one())

    monkeypatch.setattr(migrations, "STEPS", {**migrations.STEPS, LATEST + 1: later})
    monkeypatch.setattr(migrations, "LATEST", LATEST + 1)
    with Store.open(old) as store, store.writing() as connection:
        connection.execute(update(cases).values(claimed_by="mimi"))
        made = connection.execute(select(cases)).all()
        connection.execute(update(cases).values(reasons="", rank=0.0, due_at="", topic=None))
        rebuild_cases(connection)
        assert connection.execute(select(cases)).all() == made
    assert (seen, len(made)) == ([0], 3)


def test_facts_are_made_by_todays_code(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilah.service.loop.facts._BATCH", 2)
    with Store.open(old) as store, store.writing() as connection:
        made = connection.execute(select(facts).order_by(facts.c.report_id)).all()
        connection.execute(update(facts).values(week="", sure=True, doubt=0.0))
        rebuild_facts(connection)
        again = connection.execute(select(facts).order_by(facts.c.report_id)).all()
    assert again == made
    assert [(row.report_id, row.week) for row in made] == [
        (name, "2026-11-16") for name in ("r1", "r2", "r3")
    ]


def test_whoever_opens_a_fresh_store_gets_every_table(tmp_path: Path) -> None:
    """A process of its own, for this one has imported the modules of all tables already."""
    url = f"sqlite:///{tmp_path / 'a.sqlite3'}"
    alone = f"from pilah.service.store import Store; Store.open({url!r}).close()"
    subprocess.run([sys.executable, "-c", alone], check=True)  # noqa: S603 - our own interpreter
    assert set(shape(url)) - {"triggers", "sqlite_sequence"} == set(tables.metadata.tables)


def test_a_newer_database_is_refused(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(old).close()
    monkeypatch.setattr(migrations, "LATEST", LATEST - 1)
    with pytest.raises(StoreError, match=f"number {LATEST}, this Pilah knows up to {LATEST - 1}"):
        Store.open(old)


def test_a_foreign_database_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite3'}"
    database = create_engine(url)
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE reports (a INTEGER)"))
    database.dispose()
    with pytest.raises(StoreError, match="no schema_version"):
        Store.open(url)
