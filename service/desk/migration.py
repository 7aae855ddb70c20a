"""The step of the migrations that adds the cases and what decisions say more; frozen."""

from __future__ import annotations

from sqlalchemy import Connection, text

from pilah.service.desk.cases import save_case

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
        connection.execute(text(statement))
    page = text("SELECT seq, id FROM reports WHERE seq > :after ORDER BY seq LIMIT :batch")
    after = 0
    while rows := connection.execute(page, {"after": after, "batch": _BATCH}).all():
        after = rows[-1].seq
        for row in rows:
            save_case(connection, row.id)
