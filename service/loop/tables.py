"""Tables of the loop, beside those of :mod:`pilah.service.tables`; nothing is overwritten.

Only ``review_requests.decision`` is ever filled in later: it closes a request.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from pilah.service.tables import metadata

refusals = Table(
    "refusals",
    metadata,
    Column("report_id", String(500), ForeignKey("reports.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # of the decision
    Column("agency", Text, nullable=False),
    Column("government", Text),
    Column("withdrawn", Boolean, nullable=False),  # the body takes an earlier refusal back
)

offers = Table(
    "offers",
    metadata,
    Column("report_id", String(500), ForeignKey("reports.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # of the decision before it
    Column("agency", Text, nullable=False),  # JSON, as in a suggestion
    Column("versions", Text, nullable=False),  # JSON
    Column("made_at", String(40), nullable=False),
)

review_requests = Table(
    "review_requests",
    metadata,
    Column("report_id", String(500), ForeignKey("reports.id"), primary_key=True),
    Column("reason", String(40), primary_key=True),
    Column("made_at", String(40), primary_key=True),
    Column("decision", Integer),  # number of the decision that answered it
    Index("review_requests_open", "decision", "reason"),
)

looks = Table(
    "looks",
    metadata,
    Column("report_id", String(500), ForeignKey("reports.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # of the decision
    Column("look", String(20)),  # blind, read or unread; null: not said
    Column("role", String(40)),
)

second_opinions = Table(
    "second_opinions",
    metadata,
    Column("report_id", String(500), ForeignKey("reports.id"), primary_key=True),
    Column("actor", String(500), primary_key=True),
    Column("labels", Text, nullable=False),  # JSON
    Column("given_at", String(40), nullable=False),
    Column("asked", String(20), nullable=False, server_default="overlap"),  # overlap or overruled
)

route_changes = Table(
    "route_changes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("action", String(10), nullable=False),  # add or retire
    Column("route", Text, nullable=False),  # JSON of the row; of a retirement, its number
    Column("actor", Text, nullable=False),
    Column("note", Text),
    Column("made_at", String(40), nullable=False),
    Column("proposal", String(64)),
    Column("cases", Text, nullable=False),  # JSON: ids of the reports that spoke for it
)

proposal_verdicts = Table(
    "proposal_verdicts",
    metadata,
    Column("proposal", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("verdict", String(10), nullable=False),  # accepted or dismissed
    Column("actor", Text, nullable=False),
    Column("note", Text),
    Column("made_at", String(40), nullable=False),
    Column("change", Integer),  # number of the route change it led to
)

facts = Table(
    "facts",
    metadata,
    Column("report_id", String(500), ForeignKey("reports.id"), primary_key=True),
    Column("day", String(10), nullable=False),  # received, WIB
    Column("week", String(10), nullable=False),  # its Monday
    Column("government", Text),
    Column("agency", Text),
    Column("outcome", String(40), nullable=False),
    Column("sure", Boolean, nullable=False),  # no person was needed
    Column("merged", Boolean, nullable=False),  # told of a known incident
    Column("hoax", Boolean, nullable=False),
    Column("doubt", Float, nullable=False),  # 0 sure to 1, see pilah.service.loop.informative
    Index("facts_day", "day"),
    Index("facts_week", "week"),
    Index("facts_doubt", "doubt"),
)

shadow_answers = Table(
    "shadow_answers",
    metadata,
    Column("report_id", String(500), ForeignKey("reports.id"), primary_key=True),
    Column("bundle", String(200), primary_key=True),
    Column("live", String(200), nullable=False),  # bundle that answered
    Column("differences", Text, nullable=False),  # JSON: field -> [live, candidate]
    Column("made_at", String(40), nullable=False),
)
