"""Who may see what: the forms of stored things that leave the service.

The raw text, title, region and reporter reference of a report never leave it. Of a secret report
nothing leaves that tells its content; of an anonymous one nothing that tells its reporter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pilah.models.hoax import AMONG
from pilah.service.loop.refusing import is_ping_pong
from pilah.service.reads import Member, Record

SECRET_EVIDENCE = "laporan rahasia"  # noqa: S105 - a phrase shown to people, not a password
"""Stands in for the evidence of a match with a secret report."""
TOLD_ONLY = ("target_burst", "contradicts_closed")
"""Signs that happen to honest people too: shown apart from those of a hoax."""

NAMING = ("campaign", "target_burst")
"""Signs whose detail ends with ids of other reports."""


def for_public(triage: Mapping[str, Any]) -> dict[str, Any]:
    """What its sender sees, as the page without a sign-in shows it: only the signs of a hoax."""
    signs = [sign for sign in triage["hoax"]["evidence"] if sign["kind"] not in TOLD_ONLY]
    return dict(triage) | {"hoax": dict(triage["hoax"]) | {"evidence": signs}}


def for_sender(triage: Mapping[str, Any], secret: Collection[str]) -> dict[str, Any]:
    """The triage as its sender sees it: matches with secret reports keep no evidence.

    Signs of a hoax do not name the reports of others.
    """
    signs = [_sign(sign) for sign in triage["hoax"]["evidence"]]
    return _matched(triage, secret) | {"hoax": dict(triage["hoax"]) | {"evidence": signs}}


def _sign(sign: Mapping[str, Any]) -> dict[str, Any]:
    if sign["kind"] not in NAMING:
        return dict(sign)
    return dict(sign) | {"detail": sign["detail"].partition(AMONG)[0]}


def _matched(triage: Mapping[str, Any], secret: Collection[str]) -> dict[str, Any]:
    duplicates = dict(triage["duplicates"])
    duplicates["matches"] = [_match(match, secret) for match in duplicates["matches"]]
    return dict(triage) | {"duplicates": duplicates}


def match_ids(triage: Mapping[str, Any]) -> list[str]:
    """The ids of the reports that a triage names as matches."""
    return [match["report_id"] for match in triage["duplicates"]["matches"]]


def _match(match: Mapping[str, Any], secret: Collection[str]) -> dict[str, Any]:
    if match["report_id"] not in secret:
        return dict(match)
    return dict(match) | {"evidence": [SECRET_EVIDENCE]}


def for_reader(
    triage: Mapping[str, Any], visibility: str, secret: Collection[str]
) -> dict[str, Any]:
    """The triage as a moderator sees it; that of a secret report tells nothing of its content."""
    shown = _matched(triage, secret)
    if visibility != "secret":
        return shown
    shown["masked_text"] = None
    shown["explanation"] = {"terms": [], "places": []}
    shown["outcome"] = dict(shown["outcome"]) | {"evidence": []}
    shown["hoax"] = dict(shown["hoax"]) | {
        "evidence": [dict(e) | {"detail": ""} for e in shown["hoax"]["evidence"]]
    }
    shown["duplicates"]["matches"] = [
        dict(m) | {"evidence": [SECRET_EVIDENCE]} for m in shown["duplicates"]["matches"]
    ]
    return shown


def report_view(record: Record, secret: Collection[str]) -> dict[str, Any]:
    """One report for ``GET /v1/reports/{id}``."""
    hidden = record.visibility == "secret"
    return {
        "report_id": record.report_id,
        "visibility": record.visibility,
        "received_at": record.received_at,
        "reported_at": record.reported_at,
        "channel": record.channel,
        "chosen_agency": None if hidden else record.chosen_agency,
        "incident_id": record.incident_id,
        "suggestion": for_reader(record.triage, record.visibility, secret),
        "decisions": [_decision(decision, hidden) for decision in record.decisions],
        "refusals": record.refusals,
        "offers": record.offers,
        "ping_pong": is_ping_pong(record.refusals),
    }


def _decision(decision: Mapping[str, Any], hidden: bool) -> dict[str, Any]:
    return dict(decision) | ({"note": None} if hidden else {})


def member_view(member: Member) -> dict[str, Any]:
    """One report of an incident for ``GET /v1/incidents/{id}``; a secret one is only counted in."""
    hidden = member.visibility == "secret"
    return {
        "report_id": member.report_id,
        "visibility": member.visibility,
        "received_at": member.received_at,
        "topic": None if hidden else member.triage["topic"]["main"],
        "agency": None if hidden else member.triage["agency"]["name"],
        "masked_text": None if hidden else member.triage["masked_text"],
    }


def queue_view(member: Member, secret: Collection[str]) -> dict[str, Any]:
    """One report of the review queue."""
    return {
        "report_id": member.report_id,
        "visibility": member.visibility,
        "received_at": member.received_at,
        "incident_id": member.incident_id,
        "reasons": list(member.why),
        "suggestion": for_reader(member.triage, member.visibility, secret),
    }


def incident_view(
    incident_id: str, created_from: str, counts: Sequence[Any], members: Sequence[Member]
) -> dict[str, Any]:
    """An incident: how many reports, of which visibility, from when to when, and its members."""
    total = sum(row.number for row in counts)
    return {
        "incident_id": incident_id,
        "created_from": created_from,
        "count": total,
        "counts": {row.visibility: row.number for row in counts},
        "first_received_at": min((row.first for row in counts), default=None),
        "last_received_at": max((row.last for row in counts), default=None),
        "members": [member_view(member) for member in members],
        "members_left_out": total - len(members),
    }
