"""Numbered migrations of the store, run in order, in one transaction, when it is opened.

A fresh database gets today's tables and the newest number; an older one runs the missing steps.
To change a table, three edits: ``tables.py`` says what it is now; a function ``to_N`` in
``migration_steps.py`` gets there from number N - 1, in frozen SQL; its line goes into ``STEPS``.
The suite then upgrades a database of schema 1 and compares it with a fresh one.

What is derived is not filled by a step, which is frozen, but made anew by today's code after the
last one: who adds a column to such a table raises its number in ``DERIVED`` to the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, inspect, select

from pilah.datasets.errors import PilahError
from pilah.service import migration_steps, tables
from pilah.service.accounts import migration as accounts
from pilah.service.accounts import tables as accounts_tables
from pilah.service.desk import migration as desk
from pilah.service.desk import tables as desk_tables
from pilah.service.desk.cases import rebuild_cases
from pilah.service.loop import migration as loop
from pilah.service.loop import tables as loop_tables
from pilah.service.loop.facts import rebuild_facts

TABLES = (tables, accounts_tables, desk_tables, loop_tables)
"""Every module that adds tables; a fresh database gets all of them, whoever opens it."""

STEPS: Mapping[int, Callable[[Connection], None]] = {
    2: migration_steps.to_2,
    3: accounts.to_3,
    4: loop.to_4,
    5: desk.to_5,
    6: migration_steps.to_6,
    7: desk.to_7,
    8: migration_steps.to_8,
}
"""New number -> what turns the schema of the number before into it."""
LATEST = max(STEPS)
DERIVED: Mapping[Callable[[Connection], None], int] = {rebuild_facts: 4, rebuild_cases: 7}
"""What makes a derived table anew -> number of the schema since which its rows are today's."""


class StoreError(PilahError):
    """The store cannot be used; the message says why and what to do."""


def migrate(connection: Connection) -> int:
    """Bring the schema to ``LATEST`` and return the number it had (0: it was empty).

    Raises:
        StoreError: the database was written by a newer Pilah, or is not Pilah's.
    """
    found = current_version(connection)
    if found > LATEST:
        raise StoreError(
            f"database: its schema is number {found}, this Pilah knows up to {LATEST}; "
            "install the newer Pilah or restore the backup made before it"
        )
    if found == 0:
        tables.metadata.create_all(connection)
        _stamp(connection, LATEST)
    for number in range(found + 1, LATEST + 1) if found else ():
        STEPS[number](connection)
        _stamp(connection, number)
    for rebuild, since in DERIVED.items() if found else ():
        if found < since:
            rebuild(connection)
    return found


def current_version(connection: Connection) -> int:
    """The number of the schema, 0 for an empty database."""
    names = set(inspect(connection).get_table_names())
    if "schema_version" in names:
        column = tables.schema_version.c.number
        return connection.execute(select(func.max(column))).scalar_one() or 0
    if names & set(tables.metadata.tables):
        raise StoreError(
            "database: holds tables of the same names but no schema_version; "
            "point PILAH_DATABASE_URL at an empty database"
        )
    return 0


def _stamp(connection: Connection, number: int) -> None:
    moment = datetime.now(UTC).isoformat()
    connection.execute(insert(tables.schema_version).values(number=number, applied_at=moment))
