"""The steps of the migrations: each gets from the schema of the number before to its own.

A step is frozen once it is released: it names its tables and columns in plain SQL, because
``tables.py`` goes on changing. SQL that SQLite and PostgreSQL both take.
"""

from __future__ import annotations

import json

from sqlalchemy import Connection, text

_BATCH = 1_000


def to_2(connection: Connection) -> None:
    """Incidents that last: status, history, pairs told apart; topic and place of each report."""
    _run(
        connection,
        "ALTER TABLE incidents ADD COLUMN status VARCHAR(20) DEFAULT 'open' NOT NULL",
        "ALTER TABLE incidents ADD COLUMN closed_at VARCHAR(40)",
        "ALTER TABLE incidents ADD COLUMN merged_into VARCHAR(200) REFERENCES incidents (id)",
        "ALTER TABLE incidents ADD COLUMN recurs_of VARCHAR(200) REFERENCES incidents (id)",
        "CREATE INDEX ix_incidents_recurs_of ON incidents (recurs_of)",
        "ALTER TABLE reports ADD COLUMN topic VARCHAR(200)",
        "ALTER TABLE reports ADD COLUMN place VARCHAR(20)",
        "CREATE TABLE incident_events (number INTEGER NOT NULL, kind VARCHAR(20) NOT NULL, "
        "actor TEXT NOT NULL, reason TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, "
        "undoes INTEGER, happened_at VARCHAR(40) NOT NULL, PRIMARY KEY (number), "
        "FOREIGN KEY(undoes) REFERENCES incident_events (number))",
        "CREATE TABLE incidents_touched (incident_id VARCHAR(200) NOT NULL, "
        "event INTEGER NOT NULL, PRIMARY KEY (incident_id, event), "
        "FOREIGN KEY(incident_id) REFERENCES incidents (id), "
        "FOREIGN KEY(event) REFERENCES incident_events (number))",
        "CREATE TABLE incidents_apart (one VARCHAR(200) NOT NULL, other VARCHAR(200) NOT NULL, "
        "event INTEGER NOT NULL, PRIMARY KEY (one, other), "
        "FOREIGN KEY(one) REFERENCES incidents (id), "
        "FOREIGN KEY(other) REFERENCES incidents (id), "
        "FOREIGN KEY(event) REFERENCES incident_events (number))",
    )
    _fill_topic_and_place(connection)


def to_6(connection: Connection) -> None:
    """Which vectors are of which encoder, without reading them: a start asks it."""
    _run(connection, "CREATE INDEX fingerprints_made_by ON fingerprints (made_by)")


def to_8(connection: Connection) -> None:
    """Why a second opinion was asked for; until now always as a draw of the overlap."""
    _run(
        connection,
        "ALTER TABLE second_opinions ADD COLUMN asked VARCHAR(20) DEFAULT 'overlap' NOT NULL",
    )


def _fill_topic_and_place(connection: Connection) -> None:
    page = text(
        "SELECT reports.seq, reports.id, suggestions.triage, fingerprints.fingerprint "
        "FROM reports JOIN suggestions ON suggestions.report_id = reports.id "
        "LEFT JOIN fingerprints ON fingerprints.report_id = reports.id "
        "WHERE reports.seq > :after ORDER BY reports.seq LIMIT :batch"
    )
    change = text("UPDATE reports SET topic = :topic, place = :place WHERE seq = :seq")
    after = 0
    while rows := connection.execute(page, {"after": after, "batch": _BATCH}).all():
        after = rows[-1].seq
        connection.execute(change, [_topic_and_place(*row) for row in rows])


def _topic_and_place(
    seq: int, _: str, triage: str, fingerprint: str | None
) -> dict[str, int | str | None]:
    place = json.loads(fingerprint)["place"] if fingerprint else None
    return {"seq": seq, "topic": json.loads(triage)["topic"]["main"], "place": place}


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(text(statement))
