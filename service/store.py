"""The store: one SQLAlchemy database that holds every report that was answered."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import URL, Connection, create_engine, delete, event, insert, make_url, text
from sqlalchemy.engine import Engine as Database
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from pilah.service.codecs import now_text
from pilah.service.migrations import LATEST, StoreError, migrate
from pilah.service.tables import replies, write_checks

log = logging.getLogger(__name__)

BUSY_SECONDS = 10
"""How long SQLite waits for another writer before it gives up."""
LEAVE_SECONDS = 5
"""How long a service waits for PostgreSQL to notice that the one before it was killed."""
KEEP_REPLIES_DAYS = 30
"""How long the answer to an ``Idempotency-Key`` is kept."""


class Store:
    """An open, migrated database. Reads see committed data only; ``writing`` is one transaction."""

    def __init__(self, database: Database) -> None:
        """Keep the database; use :meth:`open`."""
        self._database = database
        self._writer: dict[str, Any] = {"pilah_write": True}
        if database.dialect.name != "sqlite":
            self._writer["isolation_level"] = "READ COMMITTED"

    @classmethod
    def open(cls, url: str, *, pool_size: int = 10) -> Store:
        """Open and migrate the database.

        Args:
            url: an SQLAlchemy URL; the folder of a SQLite file is made, readable by the owner only.
            pool_size: connections that are kept open.

        Raises:
            StoreError: the URL is wrong or the database is not usable.
        """
        database = _connect(url, pool_size)
        store = cls(database)
        with store.writing() as connection:
            found = migrate(connection)
        if found != LATEST:
            log.info("store migrated from schema %d to %d", found, LATEST)
        return store

    def close(self) -> None:
        """Close every connection."""
        self._database.dispose()

    def __enter__(self) -> Store:
        """Give the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one consistent state."""
        with self._database.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction; leaving it normally means that the data is on the disk."""
        with self._database.connect() as connection:
            connection = connection.execution_options(**self._writer)
            with connection.begin():
                yield connection

    @contextmanager
    def only_service(self) -> Iterator[None]:
        """Be the only service on this database; a SQLite file is guarded by its folder's lock.

        Raises:
            StoreError: another service works on it.
        """
        if self._database.dialect.name == "sqlite":
            yield
            return
        with self._database.connect() as connection:
            try:
                connection.execute(text(f"SET lock_timeout = '{LEAVE_SECONDS}s'"))
                connection.execute(text("SELECT pg_advisory_lock(hashtext(current_schema()), 1)"))
            except DBAPIError:
                raise StoreError(
                    "database: another Pilah serves from it; stop it, "
                    "or set PILAH_DATABASE_URL to another database"
                ) from None
            connection.commit()  # the lock stays with the connection, not with a transaction
            try:
                yield
            finally:
                connection.invalidate()  # never back into the pool with the lock on it

    def check_writable(self) -> None:
        """Write one row and commit it; raises what the database raises."""
        with self.writing() as connection:
            connection.execute(delete(write_checks))
            connection.execute(insert(write_checks).values(id=1, checked_at=now_text()))

    def drop_old_replies(self) -> int:
        """Forget the answers of idempotency keys older than ``KEEP_REPLIES_DAYS``."""
        limit = datetime.now(UTC) - timedelta(days=KEEP_REPLIES_DAYS)
        old = replies.c.saved_at < limit.isoformat(timespec="microseconds")
        with self.writing() as connection:
            return connection.execute(delete(replies).where(old)).rowcount


def _connect(url: str, pool_size: int) -> Database:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _connect_sqlite(url, parsed.database, pool_size)
        if parsed.get_backend_name() == "postgresql":
            return _connect_postgresql(parsed, pool_size)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            "PILAH_DATABASE_URL: is not a usable SQLAlchemy URL; "
            "use e.g. sqlite:///var/pilah.sqlite3 or, with pip install 'pilah[postgresql]', "
            "postgresql+psycopg://pilah@localhost/pilah"
        ) from error
    raise StoreError("PILAH_DATABASE_URL: use a SQLite or PostgreSQL database")


def _connect_postgresql(url: URL, pool_size: int) -> Database:
    database = create_engine(
        url,
        hide_parameters=True,  # values of reports must not reach a log through an error
        pool_size=pool_size,
        max_overflow=50,
        pool_pre_ping=True,  # a server that was restarted is found again
        isolation_level="REPEATABLE READ",  # a reader sees one consistent state
    )
    event.listen(database, "begin", _one_writer)
    return database


def _one_writer(connection: Connection) -> None:
    """Writers wait for each other, as on SQLite; READ COMMITTED shows what the last one left."""
    if connection.get_execution_options().get("pilah_write", False):
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext(current_schema()))")


def _connect_sqlite(url: str, file: str | None, pool_size: int) -> Database:
    if not file or file == ":memory:":
        raise StoreError("PILAH_DATABASE_URL: a SQLite database needs a file, or nothing is kept")
    _prepare_file(Path(file))
    database = create_engine(
        url,
        hide_parameters=True,  # values of reports must not reach a log through an error
        pool_size=pool_size,
        max_overflow=50,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(database, "connect", _set_pragmas)
    event.listen(database, "begin", _begin)
    return database


def _prepare_file(file: Path) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(
            f"database: cannot open or create {file} ({error.strerror}); "
            "set PILAH_DATA_DIR to a folder that this user may write"
        ) from error


def _set_pragmas(connection: Any, _: ConnectionPoolEntry) -> None:  # noqa: ANN401 - a DB-API connection
    connection.isolation_level = (
        None  # transactions begin where _begin says, not where sqlite3 guesses
    )
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a commit returns after fsync
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # else INSERT OR REPLACE would pass the audit log's triggers
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later must own the write lock from its start.
    writes = connection.get_execution_options().get("pilah_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
