"""The steps of the migrations that add the cases and what decisions say more; frozen."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, text

from pilah.service.desk.cases import marked, requests_of, save_case

_BATCH = 1_000
_STATEMENTS = (
    "ALTER TABLE decisions ADD COLUMN action VARCHAR(20) DEFAULT 'label' NOT NULL",
    "ALTER TABLE decisions ADD COLUMN reason VARCHAR(40)",
    "ALTER TABLE decisions ADD COLUMN undoes INTEGER",
    "ALTER TABLE decisions ADD COLUMN before TEXT",
    "ALTER TABLE decisions ADD COLUMN versions TEXT",
    "CREATE INDEX ix_decisions_decided_at ON decisions (decided_at)",
    "CREATE TABLE cases (report_id VARCHAR(500) NOT NULL, status VARCHAR(20) NOT NULL, "
    "rank FLOAT NOT NULL, harm FLOAT NOT NULL, risk FLOAT NOT NULL, size INTEGER NOT NULL, "
    "due_at VARCHAR(40) NOT NULL, topic VARCHAR(200), agency TEXT, government TEXT, "
    "region VARCHAR(20), claimed_by VARCHAR(100), claimed_until VARCHAR(40), "
    "PRIMARY KEY (report_id), FOREIGN KEY(report_id) REFERENCES reports (id))",
    "CREATE INDEX cases_queue ON cases (status, rank)",
    "CREATE INDEX cases_government ON cases (status, government, rank)",
    "CREATE INDEX cases_topic ON cases (status, topic, rank)",
    "CREATE INDEX cases_agency ON cases (status, agency, rank)",
    "CREATE INDEX cases_region ON cases (status, region, rank)",
    "CREATE INDEX cases_due ON cases (status, due_at)",
    "CREATE INDEX cases_claimed ON cases (claimed_by)",
)


def to_5(connection: Connection) -> None:
    """Cases: what waits, for whom, how urgently; decisions: what was done, and undone."""
    for statement in _STATEMENTS:
        connection.execute(text(statement))  # the rows come with the last column, in to_7


def to_7(connection: Connection) -> None:
    """Cases say why a person must look, so that the queue by reason is an index scan, too."""
    for statement in (
        "ALTER TABLE cases ADD COLUMN reasons TEXT DEFAULT '' NOT NULL",
        "DROP INDEX cases_queue",
        "CREATE INDEX cases_queue ON cases (status, rank, report_id, reasons)",
        "CREATE INDEX cases_reasons ON cases (status, reasons, due_at)",
        "DROP TABLE review_reasons",
    ):
        connection.execute(text(statement))
    page = text(
        "SELECT reports.seq, reports.id, suggestions.triage, cases.report_id AS known FROM reports "
        "JOIN suggestions ON suggestions.report_id = reports.id "
        "LEFT JOIN cases ON cases.report_id = reports.id "
        "WHERE reports.seq > :after ORDER BY reports.seq LIMIT :batch"
    )
    change = text("UPDATE cases SET reasons = :reasons WHERE report_id = :report_id")
    after = 0
    while rows := connection.execute(page, {"after": after, "batch": _BATCH}).all():
        after = rows[-1].seq
        for row in rows:
            if row.known is None:
                save_case(connection, row.id)
        connection.execute(change, [_reasons(connection, row) for row in rows])


def _reasons(connection: Connection, row: Row[Any]) -> dict[str, str]:
    said = json.loads(row.triage)["review"]["reasons"]
    return {"report_id": row.id, "reasons": marked([*requests_of(connection, row.id), *said])}
