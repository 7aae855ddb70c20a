"""The steps of the migrations that add the cases and what decisions say more; frozen.

They leave the rows of the cases to ``rebuild_cases``, which comes after the last step.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

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
        connection.execute(text(statement))


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
