"""The step that adds the tables of the loop; frozen.

It leaves the rows of the facts to ``rebuild_facts``, which comes after the last step.
"""

from __future__ import annotations

from sqlalchemy import Connection, text


def to_4(connection: Connection) -> None:
    """Refusals, offers, requests, looks, second opinions, routes, facts, shadow answers."""
    for statement in _STATEMENTS:
        connection.execute(text(statement))


_STATEMENTS = (
    "CREATE TABLE refusals (report_id VARCHAR(500) NOT NULL, number INTEGER NOT NULL, agency "
    "TEXT NOT NULL, government TEXT, withdrawn BOOLEAN NOT NULL, PRIMARY KEY (report_id, "
    "number), FOREIGN KEY(report_id) REFERENCES reports (id))",
    "CREATE TABLE offers (report_id VARCHAR(500) NOT NULL, number INTEGER NOT NULL, agency "
    "TEXT NOT NULL, versions TEXT NOT NULL, made_at VARCHAR(40) NOT NULL, PRIMARY KEY "
    "(report_id, number), FOREIGN KEY(report_id) REFERENCES reports (id))",
    "CREATE TABLE review_requests (report_id VARCHAR(500) NOT NULL, reason VARCHAR(40) NOT "
    "NULL, made_at VARCHAR(40) NOT NULL, decision INTEGER, PRIMARY KEY (report_id, reason, "
    "made_at), FOREIGN KEY(report_id) REFERENCES reports (id))",
    "CREATE INDEX review_requests_open ON review_requests (decision, reason)",
    "CREATE TABLE looks (report_id VARCHAR(500) NOT NULL, number INTEGER NOT NULL, look "
    "VARCHAR(20), role VARCHAR(40), PRIMARY KEY (report_id, number), FOREIGN KEY(report_id) "
    "REFERENCES reports (id))",
    "CREATE TABLE second_opinions (report_id VARCHAR(500) NOT NULL, actor VARCHAR(500) NOT "
    "NULL, labels TEXT NOT NULL, given_at VARCHAR(40) NOT NULL, PRIMARY KEY (report_id, "
    "actor), FOREIGN KEY(report_id) REFERENCES reports (id))",
    "CREATE TABLE route_changes (number INTEGER NOT NULL, action VARCHAR(10) NOT NULL, route "
    "TEXT NOT NULL, actor TEXT NOT NULL, note TEXT, made_at VARCHAR(40) NOT NULL, proposal "
    "VARCHAR(64), cases TEXT NOT NULL, PRIMARY KEY (number))",
    "CREATE TABLE proposal_verdicts (proposal VARCHAR(64) NOT NULL, number INTEGER NOT NULL, "
    "verdict VARCHAR(10) NOT NULL, actor TEXT NOT NULL, note TEXT, made_at VARCHAR(40) NOT "
    "NULL, change INTEGER, PRIMARY KEY (proposal, number))",
    "CREATE TABLE facts (report_id VARCHAR(500) NOT NULL, day VARCHAR(10) NOT NULL, "
    "week VARCHAR(10) NOT NULL, "
    "government TEXT, agency TEXT, outcome VARCHAR(40) NOT NULL, sure BOOLEAN NOT NULL, "
    "merged BOOLEAN NOT NULL, hoax BOOLEAN NOT NULL, doubt FLOAT NOT NULL, PRIMARY KEY "
    "(report_id), FOREIGN KEY(report_id) REFERENCES reports (id))",
    "CREATE INDEX facts_day ON facts (day)",
    "CREATE INDEX facts_week ON facts (week)",
    "CREATE INDEX facts_doubt ON facts (doubt)",
    "CREATE TABLE shadow_answers (report_id VARCHAR(500) NOT NULL, bundle VARCHAR(200) NOT "
    "NULL, live VARCHAR(200) NOT NULL, differences TEXT NOT NULL, made_at VARCHAR(40) NOT "
    "NULL, PRIMARY KEY (report_id, bundle), FOREIGN KEY(report_id) REFERENCES reports (id))",
)
