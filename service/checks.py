"""From a JSON body to a Report or a Decision, with every wrong field named.

The rules are those of :mod:`pilah.datasets.records`; here they are only asked field by field, so
that one answer lists all errors.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pilah.datasets.errors import ReportError
from pilah.datasets.records import (
    MAX_SHORT,
    Labels,
    Report,
    json_kind,
    parse_labels,
    parse_report,
)
from pilah.service.desk.standing import ACTIONS, ARCHIVE_REASONS
from pilah.service.problems import FieldError, Problem, field_error
from pilah.service.writes import Decision

NEW_INCIDENT = "new"
"""Value of a decision's ``incident`` that takes the report out into an incident of its own."""
MAX_NOTE = 4_000
"""Longest note of a decision, in characters."""

MAX_IDS = 10_000
"""Most ids in one act on an incident."""

_REPORT_FIELDS = tuple(f.name for f in dataclasses.fields(Report) if f.name != "text")
_LABEL_FIELDS = tuple(f.name for f in dataclasses.fields(Labels))
LOOKS = ("blind", "read", "unread")
"""How a person looked at the suggestion: not at all, with the report, or without the report."""
_BODIES = ("refused_by", "taken_back_by")
_OTHERS = ("government", "action", "reason", "look", "actor", "note", "after")
_DECISION_FIELDS = frozenset((*_LABEL_FIELDS, *_BODIES, *_OTHERS))


@dataclass(frozen=True, slots=True)
class Asked:
    """Who acts on an incident, why, and how many events the person had seen (None: not said)."""

    actor: str
    reason: str
    after: int | None


def check_report(body: object) -> Report:
    """Turn one JSON value into a Report.

    Raises:
        Problem: ``report-invalid`` with one entry per wrong field.
    """
    row = _object(body, "report-invalid")
    errors = _errors(row, ("text",), lambda part: parse_report(part))
    errors += _errors(row, _REPORT_FIELDS, lambda part: parse_report({"text": "x", **part}))
    if errors:
        raise Problem("report-invalid", errors=errors)
    return parse_report(row)


def check_batch(body: object, *, limit: int) -> list[object]:
    """The items of a batch, not yet checked.

    Raises:
        Problem: ``batch-invalid`` or ``batch-too-large``.
    """
    items = _object(body, "batch-invalid").get("reports")
    if not isinstance(items, list):
        error = FieldError("reports", "is missing or not a list", "send a list of reports")
        raise Problem("batch-invalid", errors=[error])
    if not items:
        error = FieldError("reports", "is empty", "send at least one report")
        raise Problem("batch-invalid", errors=[error])
    if len(items) > limit:
        cure = f"send at most {limit:,} reports in one batch"
        error = FieldError("reports", f"has {len(items):,} reports", cure)
        raise Problem("batch-too-large", detail=cure, errors=[error])
    return items


def check_decision(report_id: str, body: object) -> tuple[Decision, int | None]:
    """A decision, and how many decisions the person had seen (None: not said).

    Raises:
        Problem: ``decision-invalid`` with one entry per wrong field.
    """
    row = _object(body, "decision-invalid")
    errors = _errors(row, _LABEL_FIELDS, parse_labels) + _own_errors(row)
    for name in _BODIES:
        errors += _errors({"channel": row.get(name)}, ("channel",), _as_short, rename=name)
    if all(row.get(name) for name in _BODIES):
        errors.append(FieldError("taken_back_by", "contradicts refused_by", "send one of them"))
    if errors:
        raise Problem("decision-invalid", errors=errors)
    labels = dataclasses.asdict(parse_labels(row))
    decided = {name: value for name, value in labels.items() if value is not None}
    note, refused_by = row.get("note"), _stripped(row.get("refused_by"))
    implied = "refuse" if refused_by and "agency" not in decided else "label"
    action = row.get("action") or implied
    if action == "archive":
        decided = {**ARCHIVE_REASONS[str(row["reason"])], **decided}
    if government := str(row.get("government") or "").strip():
        decided["government"] = government
    decision = Decision(
        report_id,
        str(row["actor"]).strip(),
        decided,
        note and str(note).strip(),
        refused_by=refused_by,
        taken_back_by=_stripped(row.get("taken_back_by")),
        action=action,
        reason=row.get("reason"),
        look=row.get("look"),
    )
    return decision, row.get("after")


def _stripped(value: object) -> str | None:
    return str(value).strip() or None if value is not None else None


def check_act(body: object, *, ids: str | None = None) -> tuple[Asked, tuple[str, ...]]:
    """What a person asks of an incident, and the ids in the field ``ids`` (None: it has none).

    Raises:
        Problem: ``incident-invalid`` with one entry per wrong field.
    """
    row = _object(body, "incident-invalid")
    allowed = {"actor", "reason", "after", *([ids] if ids else [])}
    errors = _unknown(row, allowed) + _actor_errors(row) + _after_errors(row)
    reason = row.get("reason")
    if not _is_note(reason) or not str(reason or "").strip():
        cure = f"say why, in at most {MAX_NOTE:,} characters"
        errors.append(FieldError("reason", "is missing or not valid text", cure))
    named = row.get(ids) if ids else []
    if not _are_ids(named, needed=ids is not None):
        cure = f"send a list of 1 to {MAX_IDS:,} ids"
        errors.append(FieldError(str(ids), "is not a list of ids", cure))
    if errors:
        raise Problem("incident-invalid", errors=errors)
    asked = Asked(str(row["actor"]).strip(), str(reason).strip(), row.get("after"))
    return asked, tuple(named or ())


def _are_ids(named: object, *, needed: bool) -> bool:
    if not isinstance(named, list) or len(named) > MAX_IDS or (needed and not named):
        return False
    return all(isinstance(name, str) and 0 < len(name) <= MAX_SHORT for name in named)


def _look_errors(row: Mapping[str, Any]) -> list[FieldError]:
    if row.get("look") in (None, *LOOKS):
        return []
    return [FieldError("look", "is unknown", f"use one of {', '.join(LOOKS)}")]


def _action_errors(row: Mapping[str, Any]) -> list[FieldError]:
    action, reason = row.get("action"), row.get("reason")
    if action is not None and action not in ACTIONS:
        return [FieldError("action", "is unknown", f"use one of {', '.join(ACTIONS)}")]
    if action == "archive" and reason not in tuple(ARCHIVE_REASONS):  # it may be a list
        cure = f"use one of {', '.join(ARCHIVE_REASONS)}"
        return [FieldError("reason", "is missing or unknown", cure)]
    if action != "archive" and reason is not None:
        return [FieldError("reason", "belongs to action archive only", "leave it out")]
    if action == "refuse" and row.get("agency"):
        cure = "send refused_by with the agency and leave the action out"
        return [FieldError("action", "refuse decides no agency", cure)]
    if action == "undo" and set(row) & {*_LABEL_FIELDS, *_BODIES, "government"}:
        return [FieldError("action", "undo decides no label", "leave the labels out")]
    return []


def _own_errors(row: Mapping[str, Any]) -> list[FieldError]:
    errors = _unknown(row, _DECISION_FIELDS) + _actor_errors(row)
    if not _is_note(row.get("note")):
        cure = f"send a string of at most {MAX_NOTE:,} characters"
        errors.append(FieldError("note", "is not valid text", cure))
    body = {"channel": row.get("government")}
    errors += _errors(body, ("channel",), _as_short, rename="government")
    return errors + _action_errors(row) + _look_errors(row) + _after_errors(row)


def _unknown(row: Mapping[str, Any], known: Collection[str]) -> list[FieldError]:
    if set(row) <= set(known):
        return []
    return [FieldError("", "has an unknown field", f"use {', '.join(sorted(known))}")]


def _actor_errors(row: Mapping[str, Any]) -> list[FieldError]:
    actor = row.get("actor")
    if not isinstance(actor, str) or not actor.strip():
        return [FieldError("actor", "is missing or not a string", "say who decides")]
    return _errors({"channel": actor}, ("channel",), _as_short, rename="actor")


def _after_errors(row: Mapping[str, Any]) -> list[FieldError]:
    after = row.get("after")
    if after is not None and (isinstance(after, bool) or not isinstance(after, int) or after < 0):
        return [FieldError("after", "is not a count", "send how many you saw")]
    return []


def _as_short(row: Mapping[str, Any]) -> object:
    return parse_report({"text": "x", **row})


def _is_note(note: object) -> bool:
    if note is None:
        return True
    if not isinstance(note, str) or len(note) > MAX_NOTE:
        return False
    return not any(c == "\x00" or 0xD800 <= ord(c) <= 0xDFFF for c in note)


def _object(body: object, slug: str) -> Mapping[str, Any]:
    if isinstance(body, Mapping):
        return body
    error = FieldError("", f"is {json_kind(body)}, not an object", "send a JSON object")
    raise Problem(slug, errors=[error])


def _errors(
    row: Mapping[str, Any],
    names: tuple[str, ...],
    parse: Callable[[Mapping[str, Any]], object],
    *,
    rename: str | None = None,
) -> list[FieldError]:
    """What ``parse`` says about each named field by itself."""
    errors = []
    for name in names:
        try:
            parse({name: row.get(name)})
        except ReportError as error:
            found = field_error(error)
            errors.append(dataclasses.replace(found, place=rename or found.place))
        except (OverflowError, ValueError):  # e.g. an integer of 400 digits as a latitude
            errors.append(FieldError(rename or name, "is out of range", "send a usual value"))
    return errors
