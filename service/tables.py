"""The tables of the store. Suggestions (machine) and decisions (human) never overwrite each other.

Times are ISO 8601 text; ``received_at``, ``made_at``, ``decided_at`` and ``saved_at`` are UTC with
microseconds, so that their text order is their time order.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

schema_version = Table(
    "schema_version",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("applied_at", String(40), nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("created_from", String(500), nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("status", String(20), nullable=False, server_default="open"),  # open, closed, merged
    Column("closed_at", String(40)),
    Column("merged_into", String(200), ForeignKey("incidents.id")),
    # The closed incident whose problem came back.
    Column("recurs_of", String(200), ForeignKey("incidents.id"), index=True),
)

incident_events = Table(
    "incident_events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False),  # see incidents.py
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("before", Text, nullable=False),  # JSON: incident -> its state before
    Column("after", Text, nullable=False),  # JSON: incident -> its state after
    Column("undoes", Integer, ForeignKey("incident_events.number")),
    Column("happened_at", String(40), nullable=False),
)

incidents_touched = Table(
    "incidents_touched",
    metadata,
    Column("incident_id", String(200), ForeignKey("incidents.id"), primary_key=True),
    Column("event", Integer, ForeignKey("incident_events.number"), primary_key=True),
)

# Pairs of incidents that a person told apart: the machine never takes them for one again.
incidents_apart = Table(
    "incidents_apart",
    metadata,
    Column("one", String(200), ForeignKey("incidents.id"), primary_key=True),
    Column("other", String(200), ForeignKey("incidents.id"), primary_key=True),
    Column("event", Integer, ForeignKey("incident_events.number"), nullable=False),
)

reports = Table(
    "reports",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(500), nullable=False, unique=True),
    Column("hash", String(64), nullable=False),
    Column("title", Text),
    Column("text", Text, nullable=False),
    Column("region", Text),  # JSON: a string or an object
    Column("lat", Float),
    Column("lon", Float),
    Column("reported_at", String(40)),
    Column("received_at", String(40), nullable=False),
    Column("channel", Text),
    Column("reporter_ref", Text),
    Column("visibility", String(20), nullable=False),
    Column("chosen_agency", Text),
    # Where the report belongs now: the last decision that names an incident, else the suggestion.
    Column("incident_id", String(200), ForeignKey("incidents.id"), nullable=False, index=True),
    # As the machine read them: topic of the suggestion, Kemendagri code of the fingerprint.
    Column("topic", String(200)),
    Column("place", String(20)),
    sqlite_autoincrement=True,
)

suggestions = Table(
    "suggestions",
    metadata,
    Column("report_id", String(500), ForeignKey("reports.id"), primary_key=True),
    Column("triage", Text, nullable=False),  # JSON of the contract
    Column("versions", Text, nullable=False),  # JSON, to find answers of a bundle
    Column("incident_id", String(200), nullable=False),
    Column("review_needed", Boolean, nullable=False),
    Column("made_at", String(40), nullable=False),
    Index("suggestions_review", "review_needed"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("report_id", String(500), ForeignKey("reports.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("actor", Text, nullable=False),
    Column("labels", Text, nullable=False),  # JSON: label fields that the person set
    Column("note", Text),
    Column("decided_at", String(40), nullable=False, index=True),
    # What was done: label, forward, ask, refuse, archive, undo; see desk/standing.py.
    Column("action", String(20), nullable=False, server_default="label"),
    Column("reason", String(40)),  # of an archived report
    Column("undoes", Integer),  # number of the decision that it takes out of force
    Column("before", Text),  # JSON: labels in force and incident before it
    Column("versions", Text),  # JSON: of the suggestion that the person had before the eyes
)

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("report_id", String(500), ForeignKey("reports.id"), primary_key=True),
    Column("fingerprint", Text, nullable=False),  # JSON
    Column("vector", LargeBinary, nullable=False),  # little-endian float32
    Column("made_by", String(200), nullable=False),
    Index("fingerprints_made_by", "made_by"),
)

replies = Table(
    "replies",
    metadata,
    Column("client", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),  # JSON, sent again byte for byte
    Column("saved_at", String(40), nullable=False),
)

write_checks = Table(
    "write_checks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("checked_at", String(40), nullable=False),
)
