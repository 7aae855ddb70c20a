"""The table of the desk: one row a report, derived from suggestion and decisions, and the claims.

Everything but the claim can be derived again; it is kept so that the queue is one index scan.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text

from pilah.service.tables import metadata

cases = Table(
    "cases",
    metadata,
    Column("report_id", String(500), ForeignKey("reports.id"), primary_key=True),
    Column("status", String(20), nullable=False),
    Column("rank", Float, nullable=False),  # seconds since 1970; the smallest is next
    Column("harm", Float, nullable=False),  # hours by which risk and size bring it forward
    Column("risk", Float, nullable=False),  # 0 to 1: of a wrong route
    Column("size", Integer, nullable=False),  # reports of its incident when it was last ranked
    Column("due_at", String(40), nullable=False),
    Column("topic", String(200)),
    Column("agency", Text),
    Column("government", Text),
    Column("region", String(20)),
    # Why a person must look: codes apart by blanks, a blank at both ends; "" for none.
    Column("reasons", Text, nullable=False, server_default=""),
    Column("claimed_by", String(100)),
    Column("claimed_until", String(40)),
    Index("cases_queue", "status", "rank", "report_id", "reasons"),
    Index("cases_government", "status", "government", "rank"),
    Index("cases_topic", "status", "topic", "rank"),
    Index("cases_agency", "status", "agency", "rank"),
    Index("cases_region", "status", "region", "rank"),
    Index("cases_due", "status", "due_at"),
    Index("cases_reasons", "status", "reasons", "due_at"),
    Index("cases_claimed", "claimed_by"),
)
