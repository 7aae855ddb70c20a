"""For how many reports a decided one stands, so that decisions can speak for all reports.

What people decide is no fair sample: they see what the machine is unsure of, and little of what
passed alone. Two kinds of decided reports are one: those that waited because a person was needed,
and those that the audit drew by a hash from the sure ones. A report of either kind that was seen
stands for N / n reports, N all of its kind and n those of it that were seen: the inverse of its
chance to be seen (Horvitz and Thompson 1952), estimated within the kind (Little 1986), so that it
holds whatever the audit share and however long the queue. All others were looked at for a reason
that has to do with being wrong: they stand for nobody, the audits stand for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select

from pilah.service.loop.refusing import REFUSED
from pilah.service.loop.samples import AUDIT
from pilah.service.loop.tables import facts, refusals, review_requests
from pilah.service.tables import reports

WAITED = "waited"
"""The machine needed a person."""
OPENED = "opened"
"""The machine was sure, and somebody opened the report unasked."""
SEEN = ("read", "blind")
"""Looks whose labels may judge: a nod agrees with the machine by construction, and a client that
does not say how it looked may have nodded too."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Why reports came to be decided.

    Attributes:
        waited: ids of the reports that needed a person.
        sure: how many did not.
        asked: sure report -> why it was asked for: ``audit`` above all, ``refused``,
            ``informative``.
    """

    waited: frozenset[str]
    sure: int
    asked: Mapping[str, str]

    def of(self, report_id: str) -> str:
        """Why a report came to be decided."""
        return WAITED if report_id in self.waited else self.asked.get(report_id, OPENED)

    def represents(self, seen: Iterable[str]) -> dict[str, float]:
        """Reports that each one stands for, of each kind that stands for any.

        Args:
            seen: the kind of every decided report that a person had before the eyes.

        Returns:
            Nothing where sure reports passed and none was audited: nobody knows of them.
        """
        count = Counter(seen)
        if self.sure and not count[AUDIT]:
            return {}
        whole = {WAITED: len(self.waited), AUDIT: self.sure}
        return {kind: whole[kind] / count[kind] for kind in whole if count[kind]}


def selection(connection: Connection, *, secret: bool) -> Selection:
    """Why the reports of a store came to be decided; secret ones only where they are wanted."""

    def ids(query: Select[Any]) -> frozenset[str]:
        return frozenset(row.report_id for row in connection.execute(query))

    mine = select(facts.c.report_id).join(reports, reports.c.id == facts.c.report_id)
    if not secret:
        mine = mine.where(reports.c.visibility != "secret")
    requests = select(review_requests.c.report_id, review_requests.c.reason)
    asked = {row.report_id: row.reason for row in connection.execute(requests)}
    asked |= dict.fromkeys(ids(select(refusals.c.report_id)), REFUSED)
    drawn = select(review_requests.c.report_id).where(review_requests.c.reason == AUDIT)
    asked |= dict.fromkeys(ids(drawn), AUDIT)
    return Selection(ids(mine.where(~facts.c.sure)), len(ids(mine.where(facts.c.sure))), asked)
