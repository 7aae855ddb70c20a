"""The operator's routing rows in the store: an append-only list of changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from pilah.datasets.errors import TableError
from pilah.datasets.local_routes import PREFIX, LocalRoute, parse_local_route
from pilah.models.answer import SHIPPED_ROUTES
from pilah.service.codecs import dump, now_text
from pilah.service.loop.tables import route_changes
from pilah.service.migrations import StoreError


@dataclass(frozen=True, slots=True)
class Why:
    """Who changes the routes and on what grounds: a note, a proposal, the reports behind it."""

    actor: str
    note: str | None = None
    proposal: str | None = None
    cases: tuple[str, ...] = ()


def load_routes(connection: Connection) -> tuple[list[LocalRoute], str]:
    """The rows in force, oldest first, and their version.

    Raises:
        StoreError: a row no longer fits the tables; it names the row and the cure.
    """
    found: dict[int, LocalRoute] = {}
    last = 0
    for row in _changes(connection):
        last = row.number
        if row.action == "retire":
            found.pop(json.loads(row.route), None)
        elif row.number not in _retired(connection):
            found[row.number] = _strict(row)
    return list(found.values()), f"{PREFIX}{last}" if last else SHIPPED_ROUTES


def add_route(connection: Connection, row: Mapping[str, Any], why: Why) -> int:
    """Append a row and give its number.

    Raises:
        TableError: the row names something that no table has.
    """
    number = _next(connection)
    plain = parse_local_route(number, row).to_dict()
    del plain["number"]
    _append(connection, number, "add", plain, why)
    return number


def retire_route(connection: Connection, number: int, why: Why) -> int:
    """Take a row out of force; the change itself stays in the history. Gives its number.

    Raises:
        StoreError: no row of that number is in force.
    """
    added = [r.number for r in _changes(connection) if r.action == "add"]
    if number not in added or number in _retired(connection):
        raise StoreError(f"no local route {number} is in force; see `pilah routes list`")
    change = _next(connection)
    _append(connection, change, "retire", number, why)
    return change


def history(connection: Connection) -> list[dict[str, Any]]:
    """Every change, oldest first."""
    return [
        {
            "number": row.number,
            "action": row.action,
            "route": json.loads(row.route),
            "actor": row.actor,
            "note": row.note,
            "made_at": row.made_at,
            "proposal": row.proposal,
            "cases": json.loads(row.cases),
        }
        for row in _changes(connection)
    ]


def _changes(connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(select(route_changes).order_by(route_changes.c.number)).all()


def _retired(connection: Connection) -> set[int]:
    query = select(route_changes.c.route).where(route_changes.c.action == "retire")
    return {int(route) for route in connection.execute(query).scalars()}


def _strict(row: Row[Any]) -> LocalRoute:
    try:
        return parse_local_route(row.number, json.loads(row.route))
    except TableError as error:
        raise StoreError(f"{error}; or run `pilah routes retire {row.number}`") from None


def _next(connection: Connection) -> int:
    last = connection.execute(select(func.max(route_changes.c.number))).scalar_one()
    return (last or 0) + 1


def _append(connection: Connection, number: int, action: str, route: object, why: Why) -> None:
    connection.execute(
        insert(route_changes).values(
            number=number,
            action=action,
            route=dump(route),
            actor=why.actor,
            note=why.note,
            made_at=now_text(),
            proposal=why.proposal,
            cases=dump(list(why.cases)),
        )
    )
