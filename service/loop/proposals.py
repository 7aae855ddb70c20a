"""Refusals that repeat become a proposal for a routing row, which a person accepts or dismisses."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from pilah.datasets.bodies import area_kind, seat_of, target_of
from pilah.datasets.regions import load_regions
from pilah.datasets.taxonomy import load_taxonomy
from pilah.service.codecs import now_text
from pilah.service.loop.routes import Why, add_route
from pilah.service.loop.tables import facts, offers, proposal_verdicts, refusals
from pilah.service.loop.telling import telling_words, words_of
from pilah.service.problems import Problem
from pilah.service.tables import decisions, reports, suggestions

MIN_CASES = 3
"""So many refusals of one pattern make a proposal."""
MAX_OTHERS = 500
"""Reports that were not refused with which the refused ones are compared, the newest."""
MOST = 20
"""Proposals shown at once, those with the most cases; the next follow as these are judged."""


@dataclass(frozen=True, slots=True)
class Case:
    """One refused report.

    Attributes:
        topic: id of the main topic, and of the sub-topic or "".
        asked: name and government that the report went to afterwards, if anybody decided.
        offered: name and government that the machine offered instead.
    """

    report_id: str
    topic: tuple[str, str]
    agency: str
    government: str | None
    place: str | None
    masked: str
    asked: str | None
    offered: tuple[str, str | None] | None
    refused_at: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pattern of refusals and the row that would end it.

    Attributes:
        id: the same for the same pattern.
        topic: printed name of the main topic.
        agency: who refused, of which government, in which kind of area (``area``).
        cases: ids of the refused reports.
        kept: reports of that topic and agency that were not refused.
        route: the proposed row, or None where nobody was found to take the reports.
        target: name of the body that the row leads to.
        decided: how many of the cases a person sent there.
    """

    id: str
    topic: str
    agency: str
    government: str | None
    area: str
    cases: tuple[str, ...]
    kept: int
    terms: tuple[str, ...]
    route: dict[str, Any] | None
    target: str | None
    decided: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "cases": list(self.cases), "terms": list(self.terms)}


@dataclass(frozen=True, slots=True)
class Proposals:
    """The open proposals, those with the most cases first; ``more``: how many are not shown."""

    shown: Sequence[Proposal]
    more: int


def find_proposals(connection: Connection) -> Proposals:
    """Every pattern that was refused often enough since a person last judged it."""
    patterns = sorted(_patterns(connection).items(), key=lambda p: (-len(p[1]), p[0]))
    shown = [_proposal(connection, key, cases) for key, cases in patterns[:MOST]]
    return Proposals(shown, len(patterns[MOST:]))


def changed(connection: Connection) -> tuple[int, int, int]:
    """Counts that change whenever the proposals may: refusals, verdicts, what became of reports."""
    refused = select(refusals.c.report_id)
    tables = (
        select(func.count()).select_from(refusals),
        select(func.count()).select_from(proposal_verdicts),
        select(func.count()).select_from(decisions).where(decisions.c.report_id.in_(refused)),
    )
    one, two, three = (int(connection.execute(query).scalar_one()) for query in tables)
    return one, two, three


def _patterns(connection: Connection) -> dict[str, list[Case]]:
    table = proposal_verdicts
    latest = select(table.c.proposal, func.max(table.c.made_at)).group_by(table.c.proposal)
    judged = {row[0]: row[1] for row in connection.execute(latest)}
    grouped: dict[str, list[Case]] = defaultdict(list)
    for case in _cases(connection):
        key = _key(case)
        if case.refused_at > judged.get(key, ""):
            grouped[key].append(case)
    return {k: c for k, c in grouped.items() if len({x.report_id for x in c}) >= MIN_CASES}


def accept(
    connection: Connection, proposal: Proposal, route: dict[str, Any], *, actor: str, note: str
) -> int:
    """Write the row of a proposal, as a person may have changed it; gives its number.

    Raises:
        TableError: the row names something that no table has.
    """
    why = Why(actor, note or None, proposal.id, proposal.cases)
    number = add_route(connection, route, why)
    _judge(connection, proposal.id, "accepted", actor=actor, note=note, change=number)
    return number


def dismiss(connection: Connection, proposal: Proposal, *, actor: str, note: str) -> None:
    """Write that a person does not want the row; the pattern shows again after new refusals."""
    _judge(connection, proposal.id, "dismissed", actor=actor, note=note, change=None)


def proposal_of(connection: Connection, proposal_id: str) -> Proposal:
    """One open proposal.

    Raises:
        Problem: ``proposal-unknown``.
    """
    cases = _patterns(connection).get(proposal_id)
    if cases is None:
        raise Problem("proposal-unknown")
    return _proposal(connection, proposal_id, cases)


def _judge(
    connection: Connection, proposal_id: str, verdict: str, *, actor: str, note: str,
    change: int | None,
) -> None:  # fmt: skip
    table = proposal_verdicts
    mine = table.c.proposal == proposal_id
    number = connection.execute(select(func.count()).where(mine)).scalar_one() + 1
    connection.execute(
        insert(table).values(
            proposal=proposal_id,
            number=number,
            verdict=verdict,
            actor=actor,
            note=note or None,
            made_at=now_text(),
            change=change,
        )
    )


def _cases(connection: Connection) -> list[Case]:
    """Standing refusals of reports that are not secret, with what became of each report."""
    query = (
        select(refusals, reports.c.place, suggestions.c.triage, decisions.c.decided_at)
        .join(reports, reports.c.id == refusals.c.report_id)
        .join(suggestions, suggestions.c.report_id == refusals.c.report_id)
        .join(
            decisions,
            (decisions.c.report_id == refusals.c.report_id)
            & (decisions.c.number == refusals.c.number),
        )
        .where(reports.c.visibility != "secret")
        .order_by(refusals.c.report_id, refusals.c.number)
    )
    standing: dict[tuple[str, str], Any] = {}
    for row in connection.execute(query):
        key = (row.report_id, row.agency.casefold())
        standing.pop(key, None)
        if not row.withdrawn:
            standing[key] = row
    labels, offered = _decided(connection), _offered(connection)
    cases = (
        _case(row, labels.get(row.report_id, {}), offered.get(row.report_id))
        for row in standing.values()
    )
    return [case for case in cases if case is not None]


def _case(row: Any, labels: dict[str, Any], offer: dict[str, Any] | None) -> Case | None:  # noqa: ANN401 - a row of _cases
    triage = json.loads(row.triage)
    main = labels.get("topic_main") or triage["topic"]["main"]
    sub = labels.get("topic_sub") or triage["topic"]["sub"]
    topic = load_taxonomy().find(main, sub) or load_taxonomy().find(main) if main else None
    if topic is None:
        return None
    return Case(
        report_id=row.report_id,
        topic=(topic.id[:2], topic.id if "." in topic.id else ""),
        agency=row.agency,
        government=row.government,
        place=row.place,
        masked=triage["masked_text"],
        asked=labels.get("agency"),
        offered=(offer["name"], offer["government"]) if offer and offer["name"] else None,
        refused_at=row.decided_at,
    )


def _decided(connection: Connection) -> dict[str, dict[str, Any]]:
    """The label fields of every refused report as the decisions so far leave them."""
    refused = decisions.c.report_id.in_(select(refusals.c.report_id))
    query = select(decisions.c.report_id, decisions.c.labels).where(refused)
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for report_id, labels in connection.execute(query.order_by(decisions.c.number)):
        found[report_id] |= json.loads(labels)
    return found


def _offered(connection: Connection) -> dict[str, dict[str, Any]]:
    """What was offered last for each report."""
    query = select(offers.c.report_id, offers.c.agency).order_by(offers.c.number)
    return {report_id: json.loads(agency) for report_id, agency in connection.execute(query)}


def _key(case: Case) -> str:
    parts = (case.topic[0], case.agency.casefold(), (case.government or "").casefold())
    return hashlib.sha256("|".join((*parts, area_kind(case.place))).encode()).hexdigest()[:16]


def _proposal(connection: Connection, key: str, cases: Sequence[Case]) -> Proposal:
    first = cases[0]
    main = load_taxonomy().by_id[first.topic[0]].main
    kept = _kept(connection, main, first, frozenset(case.report_id for case in cases))
    terms = telling_words([words_of(case.masked) for case in cases], kept) if kept else []
    target, decided = _target(cases)
    route = None
    if target is not None and (terms or not kept):
        subs = {case.topic[1] for case in cases}
        topic = subs.pop() if len(subs) == 1 and "" not in subs else first.topic[0]
        route = {"topic": topic, "terms": terms, "region": _region(cases)} | {
            "level": target[1][0],
            "target": target[1][1],
            "ground": f"{len(cases)} laporan ditolak {first.agency} (bukan wewenang)",
        }
    return Proposal(
        id=key,
        topic=main,
        agency=first.agency,
        government=first.government,
        area=area_kind(first.place),
        cases=tuple(dict.fromkeys(case.report_id for case in cases)),
        kept=len(kept),
        terms=tuple(terms),
        route=route,
        target=target[0] if target else None,
        decided=decided,
    )


def _kept(
    connection: Connection, main: str, like: Case, refused: frozenset[str]
) -> list[frozenset[str]]:
    """Words of the newest reports of the topic that went to the agency and were not refused."""
    same = (reports.c.topic == main) & (facts.c.agency == like.agency)
    if like.government is not None:
        same &= facts.c.government == like.government
    query = (
        select(reports.c.id, suggestions.c.triage)
        .join_from(reports, facts)
        .join(suggestions)
        .where(same, reports.c.visibility != "secret")
        .order_by(reports.c.seq.desc())
        .limit(MAX_OTHERS)
    )
    rows = [row for row in connection.execute(query) if row.id not in refused]
    texts = [json.loads(row.triage)["masked_text"] for row in rows]
    return [words_of(text) for text in texts]


def _target(cases: Sequence[Case]) -> tuple[tuple[str, tuple[str, str]] | None, int]:
    """Who took most of the cases by a person's word, else whom the machine offered most."""
    asked = [c.asked for c in cases if c.asked and c.asked.casefold() != c.agency.casefold()]
    votes = Counter(asked) or Counter(c.offered[0] for c in cases if c.offered)
    for name, number in votes.most_common(1):
        for case in cases:
            for government in _governments(case, name):
                if (target := target_of(name, government)) is not None:
                    return (name, target), number if asked else 0
    return None, 0


def _governments(case: Case, name: str) -> list[str | None]:
    """Where a body named without its government may belong: most local first."""
    codes = [case.place[:5], case.place[:2]] if case.place else []
    own = [load_regions().government(code) for code in dict.fromkeys(codes)]
    given = [case.offered[1]] if case.offered and case.offered[0] == name else []
    return [*given, case.government, *own, None]


def _region(cases: Sequence[Case]) -> str:
    """The seat of the body that refused; for a national body the region that holds every case."""
    seat = seat_of(cases[0].government)
    if seat is not None:
        return seat
    for length in (5, 2):
        codes = {(case.place or "")[:length] for case in cases}
        if len(codes) == 1 and len(code := codes.pop()) == length:
            return code
    return ""
