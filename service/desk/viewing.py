"""One report as its page shows it: everything that helps to decide, shielded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from pilah.datasets.records import OUTCOMES
from pilah.service import incident_reads, reads, shield
from pilah.service.accounts.roles import User
from pilah.service.desk import claims
from pilah.service.desk.access import visible_case
from pilah.service.desk.asking import ask_text
from pilah.service.desk.cases import Case, case_of, last_offer, standing
from pilah.service.desk.differences import side_by_side
from pilah.service.desk.labels import (
    agency_value,
    search_agencies,
    search_topics,
    split_value,
    topic_value,
)
from pilah.service.desk.past import PastCase, past_cases
from pilah.service.desk.standing import Standing
from pilah.service.engine import Engine
from pilah.service.highlight import Segment, segments
from pilah.service.reads import Record

LIKELY = 0.02
"""Probability below which an alternative is left to the search: few of them are ever right."""
_LINK = re.compile(r"https://[\w.-]+(?:/[\w./%~-]*)?")


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a label; ``probability`` is None where the machine said nothing of it."""

    value: str
    probability: float | None
    chosen: bool = False

    @property
    def name(self) -> str:
        """The value as people read it: a body without units is named once."""
        first, second = split_value(self.value)
        return first if second == first else self.value


@dataclass(frozen=True, slots=True)
class Candidate:
    """An earlier report that may tell of the same incident; ``left`` is the report's own text."""

    report_id: str
    probability: float
    evidence: Sequence[str]
    same_incident: bool
    apart: bool
    left: Sequence[Segment]
    right: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the page of one report; ``hidden``: its content is secret."""

    record: Mapping[str, Any]
    case: Case
    now: Standing
    holder: str | None
    hidden: bool
    text: Sequence[Segment]
    topics: Sequence[Option]
    agencies: Sequence[Option]
    outcomes: Sequence[Option]
    candidates: Sequence[Candidate]
    past: Sequence[PastCase]
    question: str
    events: Sequence[Mapping[str, Any]]
    closed: Mapping[str, Any] | None

    @property
    def version(self) -> int:
        """How many decisions the page shows."""
        return len(self.record["decisions"])


def page_of(
    connection: Connection,
    engine: Engine,
    user: User,
    report_id: str,
    *,
    search: str = "",
    picked: Mapping[str, str] | None = None,
) -> Page:
    """Put the page together.

    Args:
        connection: a read connection.
        engine: asked for the nearest reports.
        user: who looks; decides what is shown of other reports.
        report_id: of the report.
        search: words to look for among all labels, or "".
        picked: topic, agency and outcome of a form that could not be stored; they stay chosen.

    Raises:
        Problem: ``report-unknown``.
    """
    case = visible_case(connection, user, report_id)
    record = reads.record(connection, report_id)
    assert record is not None  # noqa: S101 - a case has a report
    secret = reads.secret_among(connection, shield.match_ids(record.triage))
    shown = shield.report_view(record, secret)
    hidden = record.visibility == "secret"
    suggestion = shown["suggestion"]
    now = standing(connection, report_id, unsure=True)
    held = picked or {}
    return Page(
        record=shown,
        case=case,
        now=now,
        holder=claims.holder(case),
        hidden=hidden,
        text=_marked(suggestion) if not hidden else (),
        topics=_topics(suggestion, now, search, held.get("topic")),
        agencies=_agencies(
            last_offer(connection, report_id) or suggestion["agency"], now, held.get("agency")
        )
        + _found_agencies(search, case),
        outcomes=_outcomes(suggestion, now, held.get("outcome")),
        candidates=[] if hidden else _candidates(connection, user, record, secret),
        past=[] if hidden else past_cases(connection, engine, user, report_id),
        question=ask_text(suggestion["outcome"]["missing"]),
        events=incident_reads.events_of(connection, record.incident_id),
        closed=None if hidden else _closed(connection, user, suggestion["duplicates"]),
    )


def links_of(kind: str, detail: str) -> list[str]:
    """Links to show beside a sign of a hoax: only of known claims, never of the report itself."""
    return _LINK.findall(detail) if kind == "known_claim" else []


def _marked(suggestion: Mapping[str, Any]) -> list[Segment]:
    why = suggestion["explanation"]
    terms = [term["term"] for term in why["terms"]]
    places = [place["text"] for place in why["places"]]
    return segments(suggestion["masked_text"], terms=terms, places=places)


def _topics(
    suggestion: Mapping[str, Any], now: Standing, search: str, picked: str | None
) -> list[Option]:
    said = suggestion["topic"]
    decided = now.labels.get("topic_main")
    found = [(topic_value(o["main"], o["sub"]), o["probability"]) for o in said["alternatives"]]
    if said["main"] is not None:
        found.append((topic_value(said["main"], said["sub"]), said["probability"]))
    chosen = topic_value(str(decided), _text(now.labels.get("topic_sub"))) if decided else None
    others = [topic_value(*pair) for pair in search_topics(search)]
    return options_of(found, picked or chosen, others)


def _agencies(said: Mapping[str, Any], now: Standing, picked: str | None) -> list[Option]:
    found = [
        (agency_value(o["name"], o["government"]), o["probability"])
        for o in (said, *said["alternatives"])
        if o["name"] is not None
    ]
    decided = now.labels.get("agency")
    government = _text(now.labels.get("government"))
    chosen = agency_value(str(decided), government) if decided else None
    return options_of(found, picked or chosen, [])


def _found_agencies(search: str, case: Case) -> list[Option]:
    return [Option(agency_value(*pair), None) for pair in search_agencies(search, case.region)]


def _outcomes(suggestion: Mapping[str, Any], now: Standing, picked: str | None) -> list[Option]:
    said = suggestion["outcome"]
    found = [(said["label"], said["probability"])]
    decided = _text(now.labels.get("outcome"))
    others = [name for name in OUTCOMES if name != said["label"]]
    return options_of(found, picked if picked in OUTCOMES else decided, others)


def options_of(
    found: Sequence[tuple[str, float]], chosen: str | None, others: Sequence[str]
) -> list[Option]:
    """Sorted by probability; what was decided is chosen, else the likeliest."""
    known = dict(sorted(found, key=lambda pair: -pair[1]))
    first = chosen or next(iter(known), None)
    likely = [name for name, share in known.items() if share >= LIKELY or name == first]
    names = dict.fromkeys([*likely, *([chosen] if chosen else []), *others])
    return [Option(name, known.get(name), name == first) for name in names]


def _candidates(
    connection: Connection, user: User, record: Record, secret: frozenset[str]
) -> list[Candidate]:
    apart = incident_reads.apart_from(connection, record.incident_id)
    own = record.triage["masked_text"]
    found = []
    for match in record.triage["duplicates"]["matches"]:
        case = case_of(connection, match["report_id"])
        if match["report_id"] in secret or case is None or not user.sees(case.government):
            continue
        other = reads.record(connection, match["report_id"])
        if other is None:
            continue
        left, right = side_by_side(own, other.triage["masked_text"])
        found.append(
            Candidate(
                other.report_id,
                match["probability"],
                match["evidence"],
                other.incident_id == record.incident_id,
                other.incident_id in apart,
                left,
                right,
            )
        )
    return found


def _closed(
    connection: Connection, user: User, duplicates: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Who closed the incident that came back, when and why, for who may see one of its reports."""
    before = duplicates.get("recurs_of")
    if before is None:
        return None
    cases = (case_of(connection, name) for name in incident_reads.members_of(connection, before))
    seen = any(case is not None and user.sees(case.government) for case in cases)
    return incident_reads.closing(connection, before) if seen else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
