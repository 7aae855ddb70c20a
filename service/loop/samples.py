"""Which reports people are asked to look at although the machine is sure, and why.

A share of the sure answers is drawn for an audit (the only unbiased measure of their precision),
and a share of the decided reports for a second, independent opinion: any of them to measure how far
people agree, and those in which a person overruled a likely suggestion, because a slip there would
be held against the machine. The draw is a hash of the report's id, so that it is the same at every
start and nobody chooses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, insert, select

from pilah.evaluation.agreement import Agreement, cohen, fleiss
from pilah.service import reads
from pilah.service.codecs import dump, now_text
from pilah.service.desk.tables import cases
from pilah.service.loop.informative import INFORMATIVE, most_informative
from pilah.service.loop.refusing import ask
from pilah.service.loop.tables import review_requests, second_opinions
from pilah.service.problems import Problem
from pilah.service.tables import reports, suggestions

if TYPE_CHECKING:
    from pilah.models.answer import Triage
    from pilah.service.writes import Decision

AUDIT = "audit"
"""Reason of a sure report that waits for a look."""
FIELDS = ("topic_main", "topic_sub", "agency", "outcome", "klasifikasi", "hoax")
"""Label fields whose agreement is measured."""
OVERLAP = "overlap"
"""A second opinion on any decided report."""
OVERRULED = "overruled"
"""A second opinion where a person overruled a likely suggestion; it measures no agreement."""
LIKELY = 0.5
"""Probability from which a suggestion is likely."""
MIN_PAIR = 10
"""Two people need so many reports in common for a kappa of their own."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of reports, 0 to 1, that are drawn."""

    audit: float = 0.0
    overlap: float = 0.0
    overruled: float = 0.0
    informative: float = 0.0


NO_SAMPLES = Shares()
TOP_UP = 50
"""After so many new reports the queue gets new informative ones."""


class Sampler:
    """Asks people about reports of which the machine is sure."""

    def __init__(self, shares: Shares) -> None:
        """Draw these shares."""
        self.shares = shares
        self._since = 0

    def after_answer(self, connection: Connection, triage: Triage) -> None:
        """A report was answered, inside the transaction that stores it."""
        sure = not triage.review.needed
        if sure and drawn(AUDIT, triage.report_id, self.shares.audit):
            ask(connection, triage.report_id, AUDIT)
        self._since += 1
        if self.shares.informative and self._since >= TOP_UP:
            self._since = 0
            for report_id in most_informative(connection, self._wanted(connection)):
                ask(connection, report_id, INFORMATIVE)

    def after_decision(
        self, connection: Connection, decision: Decision, triage: Mapping[str, Any]
    ) -> None:
        """A person decided; a drawn report keeps the labels as the first opinion."""
        if decision.action not in ("label", "forward"):
            return
        labels = {k: v for k, v in decision.labels.items() if k in FIELDS} or suggested(triage)
        asked = self._second(decision, triage)
        if asked is not None:
            keep_first_opinion(connection, decision.report_id, decision.actor, labels, asked)

    def _second(self, decision: Decision, triage: Mapping[str, Any]) -> str | None:
        """Why a second person is asked, if so."""
        if drawn(OVERLAP, decision.report_id, self.shares.overlap):
            return OVERLAP
        against = overrules(decision.labels, triage)
        wanted = against and drawn(OVERRULED, decision.report_id, self.shares.overruled)
        return OVERRULED if wanted else None

    def _wanted(self, connection: Connection) -> int:
        """How many informative reports the queue lacks."""
        mine = review_requests.c.reason == INFORMATIVE
        there = select(func.count()).where(mine, review_requests.c.decision.is_(None))
        waiting = reads.review_count(connection) - (have := connection.execute(there).scalar_one())
        return min(TOP_UP, int(self.shares.informative * waiting) - have)


def drawn(kind: str, report_id: str, share: float) -> bool:
    """Whether a report belongs to a sample of this share; the same answer every time."""
    number = int.from_bytes(hashlib.sha256(f"{kind}:{report_id}".encode()).digest()[:8], "big")
    return number < share * 2**64


def suggested(triage: Mapping[str, Any]) -> dict[str, Any]:
    """The label fields that an answer suggests."""
    found = {
        "topic_main": triage["topic"]["main"],
        "topic_sub": triage["topic"]["sub"],
        "agency": triage["agency"]["name"],
        "outcome": triage["outcome"]["label"],
        "klasifikasi": triage["klasifikasi"]["label"],
    }
    return {name: value for name, value in found.items() if value is not None}


def overrules(labels: Mapping[str, Any], triage: Mapping[str, Any]) -> bool:
    """Whether labels contradict a main topic or an agency that the answer thought likely."""
    said, parts = suggested(triage), (("topic_main", "topic"), ("agency", "agency"))
    return any(
        labels.get(name, said.get(name)) != said.get(name) and triage[part]["probability"] >= LIKELY
        for name, part in parts
    )


def keep_first_opinion(
    connection: Connection, report_id: str, actor: str, labels: Mapping[str, Any], asked: str
) -> None:
    """Keep the labels of a report's first decision, so that a second person is asked."""
    mine = second_opinions.c.report_id == report_id
    taken = connection.execute(select(func.count()).where(mine)).scalar_one()
    if labels and not taken:
        _save(connection, report_id, actor, labels, asked)


def second_labels(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Report -> the labels of those who were asked for a second opinion on it."""
    table, found = second_opinions, dict[str, list[dict[str, Any]]]()
    for row in connection.execute(select(table).order_by(table.c.given_at)):
        found.setdefault(row.report_id, []).append(json.loads(row.labels))
    return {report_id: given[1:] for report_id, given in found.items() if len(given) > 1}


def waiting_for_opinion(
    connection: Connection, actor: str, *, limit: int, only: str | None = None
) -> list[dict[str, Any]]:
    """Drawn reports that one person labelled, not this one; without suggestion and first labels.

    ``only`` is the body whose reports alone are wanted; None: all.
    """
    table = second_opinions
    once = select(table.c.report_id).group_by(table.c.report_id).having(func.count() == 1)
    query = (
        select(reports.c.id, reports.c.visibility, reports.c.received_at, suggestions.c.triage)
        .join_from(reports, suggestions)
        .join(table, table.c.report_id == reports.c.id)
        .where(reports.c.id.in_(once), table.c.actor != actor, reports.c.visibility != "secret")
        .order_by(table.c.given_at)
        .limit(limit)
    )
    if only is not None:
        query = query.join(cases, cases.c.report_id == reports.c.id).where(
            cases.c.government == only
        )
    return [
        {
            "report_id": row.id,
            "visibility": row.visibility,
            "received_at": row.received_at,
            "masked_text": json.loads(row.triage)["masked_text"],
        }
        for row in connection.execute(query)
    ]


def save_opinion(
    connection: Connection, report_id: str, actor: str, labels: Mapping[str, Any]
) -> None:
    """Keep an independent second opinion; it changes nothing about the report.

    Raises:
        Problem: ``opinion-unasked`` when the report was not drawn or the person gave one already.
    """
    table = second_opinions
    given = select(table.c.actor, table.c.asked).where(table.c.report_id == report_id)
    asked = {row.actor: row.asked for row in connection.execute(given)}
    if not asked or actor in asked:
        raise Problem("opinion-unasked")
    _save(connection, report_id, actor, labels, next(iter(asked.values())))


def agreement(connection: Connection) -> dict[str, Any]:
    """Kappa of each label field over the drawn overlap, and of each two people with enough."""
    opinions: dict[str, dict[str, dict[str, Any]]] = {}
    mine = select(second_opinions).where(second_opinions.c.asked == OVERLAP)
    for row in connection.execute(mine.order_by(second_opinions.c.given_at)):
        opinions.setdefault(row.report_id, {})[row.actor] = json.loads(row.labels)
    return {
        "reports": sum(len(given) > 1 for given in opinions.values()),
        "fields": {field: _fleiss(opinions, field) for field in FIELDS},
        "pairs": _pairs(opinions),
    }


def _save(
    connection: Connection, report_id: str, actor: str, labels: Mapping[str, Any], asked: str
) -> None:
    values = {"labels": dump(dict(labels)), "given_at": now_text(), "asked": asked}
    connection.execute(insert(second_opinions).values(report_id=report_id, actor=actor, **values))


def _fleiss(opinions: Mapping[str, Mapping[str, Mapping[str, Any]]], field: str) -> Agreement:
    rows, raters = [], set()
    for given in opinions.values():
        said = {actor: str(x[field]) for actor, x in given.items() if x.get(field) is not None}
        if len(said) > 1:
            rows.append(list(said.values()))
            raters |= set(said)
    return fleiss(rows, len(raters))


def _pairs(
    opinions: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> list[dict[str, Any]]:
    found = []
    for field in FIELDS:
        common: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for given in opinions.values():
            said = {a: str(x[field]) for a, x in sorted(given.items()) if x.get(field) is not None}
            for one, two in _couples(list(said)):
                common.setdefault((one, two), []).append((said[one], said[two]))
        for (one, two), labels in common.items():
            if len(labels) >= MIN_PAIR:
                found.append({"field": field, "people": [one, two], "agreement": cohen(labels)})
    return found


def _couples(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(one, two) for i, one in enumerate(names) for two in names[i + 1 :]]
