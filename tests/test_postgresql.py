"""What PostgreSQL must do that SQLite does by itself. Set PILAH_TEST_DATABASE to run it.

With that variable every test of the service that opens one by its data folder runs on PostgreSQL,
too: ``PILAH_TEST_DATABASE=postgresql+psycopg://localhost/pilah pytest tests/test_desk_states.py``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError

from pilah.service.accounts import audit
from pilah.service.accounts.tables import audit as audit_table
from pilah.service.app import opened
from pilah.service.fake import FakeEngine
from pilah.service.migrations import StoreError
from pilah.service.settings import Settings
from pilah.service.store import Store

pytestmark = pytest.mark.skipif(
    not os.environ.get("PILAH_TEST_DATABASE"),
    reason="set PILAH_TEST_DATABASE to a PostgreSQL URL, e.g. postgresql+psycopg://localhost/pilah",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(Settings(data_dir=tmp_path).url) as store:
        yield store


def test_writers_wait_for_each_other(store: Store) -> None:
    """Each reads how long the log is and appends to it: without a lock numbers would collide."""
    start = threading.Barrier(8)

    def run() -> None:
        start.wait()
        for _ in range(5):
            with store.writing() as connection:
                audit.record(connection, "siti", "tested")

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as connection:
        found = audit.verify(connection)
    assert (found.rows, found.broken_at) == (40, None)


def test_a_reader_sees_one_state(store: Store) -> None:
    with store.reading() as connection:
        count = select(func.count()).select_from(audit_table)
        before = connection.execute(count).scalar_one()
        with store.writing() as writer:
            audit.record(writer, "siti", "tested")
        assert connection.execute(count).scalar_one() == before
    with store.reading() as connection:
        assert connection.execute(count).scalar_one() == before + 1


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"],
)
def test_the_audit_log_refuses_every_change(store: Store, statement: str) -> None:
    with store.writing() as connection:
        audit.record(connection, "siti", "tested")
    with pytest.raises(DBAPIError, match="append-only"), store.writing() as connection:
        connection.execute(text(statement))
    with store.reading() as connection:
        assert audit.verify(connection).rows == 1


def test_a_row_of_the_log_is_never_replaced(store: Store) -> None:
    with store.writing() as connection:
        audit.record(connection, "siti", "tested")
    row = {"seq": 1, "at": "", "actor": "", "action": "", "subject": "", "detail": "{}"}
    with pytest.raises(DBAPIError, match="duplicate key"), store.writing() as connection:
        connection.execute(insert(audit_table).values(**row, previous="", hash=""))


def test_one_service_a_database(tmp_path: Path) -> None:
    url = Settings(data_dir=tmp_path).url
    one, two = (Settings(data_dir=tmp_path / name, database_url=url) for name in ("one", "two"))
    with (
        opened(one, FakeEngine.make),
        pytest.raises(StoreError, match="another Pilah serves"),
        opened(two, FakeEngine.make),
    ):
        pass
    with opened(two, FakeEngine.make):
        pass
