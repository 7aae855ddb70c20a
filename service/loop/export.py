"""Decisions as training data: one row a report in the contract's fields, with where each came from.

Not every label is worth the same. A person who changes a suggestion, or labels without seeing it,
tells something new; one who confirms it may only have nodded. What each label is worth stands in
``weight_<field>`` and is honoured by ``pilah train``; why, in ``provenance``. Nor are decided
reports a fair sample of all: why one came to be decided stands in ``selection``, for how many it
stands in ``represents``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from pilah.datasets.bodies import target_of
from pilah.evaluation.thresholds import effective_rows
from pilah.models.masking import mask
from pilah.service.desk.standing import Entry, in_force, standing_of
from pilah.service.loop.representing import SEEN, selection
from pilah.service.loop.samples import second_labels, suggested
from pilah.service.loop.tables import looks, offers
from pilah.service.tables import decisions, reports, suggestions

WORTH: Mapping[str, float] = {
    "changed": 1.0,  # the suggestion was another
    "blind": 1.0,  # labelled without seeing a suggestion
    "confirmed": 0.7,  # read, and left as suggested
    "disputed": 0.3,  # a second person, who did not see it, said otherwise
    "unsaid": 0.3,  # left as suggested; nobody said whether it was read
    "unread": 0.1,  # accepted without opening the report
}
"""How a label came about -> its weight in training. Chosen by judgement, not measured."""
FIELDS = ("topic_main", "topic_sub", "agency", "outcome", "klasifikasi", "hoax")
"""Fields that carry a weight; ``incident`` does not."""
LITTLE = 0.5
"""Decided reports that prove less than this share of their number are few where it matters."""
_CLOSED = ("decided", "archived", "asked")
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Said:
    """One label in force and how it came about; ``decision`` is the row of its decision."""

    value: Any
    how: str
    decision: Row[Any]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        rows: decided reports.
        judging: of those, the ones that stand for any report.
        worth: equally weighted rows that would prove as much, see
            :func:`pilah.evaluation.thresholds.effective_rows`.
    """

    rows: int
    judging: int
    worth: float

    def __str__(self) -> str:
        """For people; with the cure where they prove nothing, or little."""
        text = f"{self.rows:,} decided reports, {self.judging:,} of them can judge"
        if not self.judging:
            cure = "; no threshold is proved on them: audit sure answers (PILAH_AUDIT_SHARE)"
            return text + cure * bool(self.rows)
        text += f" and prove as much as {self.worth:,.0f} drawn by chance"
        few = self.worth < LITTLE * self.judging
        return text + "; a larger PILAH_AUDIT_SHARE proves more" * few


def training_rows(connection: Connection, *, secret: bool = False) -> Iterator[dict[str, Any]]:
    """One row per decided report, oldest first; texts are masked.

    Args:
        connection: of a read.
        secret: secret reports too. They are left out otherwise.
    """
    chosen = selection(connection, secret=secret)
    decided = _decided(connection, secret=secret)
    stands = chosen.represents(chosen.of(row.id) for row, said in decided if _seen(said))
    for row, said in _decided(connection, secret=secret):
        kind = chosen.of(row.id)
        represents = stands.get(kind, 0.0) if _seen(said) else 0.0
        yield _training_row(row, said) | {"selection": kind, "represents": round(represents, 4)}


def export(
    connection: Connection,
    output: Path,
    *,
    secret: bool = False,
    columns: Mapping[str, str] | None = None,
) -> Exported:
    """Write the rows as JSONL; returns their numbers.

    Args:
        connection: of a read.
        output: the file, overwritten.
        secret: secret reports too.
        columns: field -> another name to write it under.
    """
    stands, names = list[float](), columns or {}
    with output.open("w", encoding="utf-8") as out:
        for row in training_rows(connection, secret=secret):
            named = {names.get(name, name): value for name, value in row.items()}
            out.write(json.dumps(named, ensure_ascii=False) + "\n")
            stands.append(row["represents"])
    weights = np.array(stands)
    return Exported(len(weights), int((weights > 0).sum()), effective_rows(weights))


def _decided(connection: Connection, *, secret: bool) -> Iterator[tuple[Row[Any], dict[str, Said]]]:
    """Every decided report that waits for nobody, oldest first, and its labels in force."""
    after, others = 0, second_labels(connection)
    while rows := _page(connection, after):
        after = rows[-1].seq
        for row in rows:
            if secret or row.visibility != "secret":
                said = _labels(connection, row.id, json.loads(row.triage))
                if said:
                    yield row, _disputed(said, others.get(row.id, ()))


def _disputed(said: dict[str, Said], others: Sequence[Mapping[str, Any]]) -> dict[str, Said]:
    """The labels, those marked that another person contradicts."""

    def contradicted(name: str, value: object) -> bool:
        return any(name in labels and labels[name] != value for labels in others)

    return {
        name: replace(part, how="disputed")
        if contradicted(name, part.value) and WORTH[part.how] > WORTH["disputed"]
        else part
        for name, part in said.items()
    }


def _seen(said: Mapping[str, Said]) -> bool:
    """Whether every label was given with the report before the eyes."""
    return all(part.decision.look in SEEN for part in said.values())


def _page(connection: Connection, after: int) -> Sequence[Row[Any]]:
    decided = select(decisions.c.report_id).distinct()
    query = (
        select(reports, suggestions.c.triage)
        .join(suggestions)
        .where(reports.c.seq > after, reports.c.id.in_(decided))
        .order_by(reports.c.seq)
        .limit(_BATCH)
    )
    return connection.execute(query).all()


def _training_row(row: Row[Any], said: Mapping[str, Said]) -> dict[str, Any]:
    labels = {name: part.value for name, part in said.items() if part.value is not None}
    government = labels.pop("government", None) or _government(json.loads(row.triage), labels)
    target = target_of(str(labels["agency"]), government) if "agency" in labels else None
    weights = {f"weight_{name}": WORTH[said[name].how] for name in FIELDS if name in labels}
    fields = {
        "id": row.id,
        "title": mask(row.title) if row.title else None,
        "text": mask(row.text),
        "region": None if row.region is None else json.loads(row.region),
        "reported_at": row.reported_at or row.received_at,
        "channel": row.channel,
        "visibility": row.visibility,
        **labels,
        "level": target[0] if target else None,
        "unit": target[1] if target else None,
        **weights,
        "provenance": {name: _provenance(part) for name, part in said.items()},
    }
    return {name: value for name, value in fields.items() if value is not None}


def _labels(connection: Connection, report_id: str, triage: Mapping[str, Any]) -> dict[str, Said]:
    """Every label in force of one report; empty where it waits for a person again."""
    rows = _history(connection, report_id)
    entries = [Entry(r.number, r.action, json.loads(r.labels), r.undoes) for r in rows]
    now = standing_of(entries, unsure=True)
    if now.status not in _CLOSED:
        return {}
    by_number = {row.number: row for row in rows}
    found: dict[str, Said] = {}
    for entry in in_force(entries):
        decision = by_number[entry.number]
        if entry.action == "refuse":  # whoever was named before it is not competent
            found = {k: v for k, v in found.items() if k not in ("agency", "government")}
        suggested = _suggested(connection, report_id, triage, before=entry.number)
        given = entry.labels or (suggested if entry.action in ("label", "forward") else {})
        for name, value in given.items():
            how = _how(suggested.get(name), value, decision.look)
            found[name] = Said(value, how, decision)
    return found


def _how(suggested: object, value: object, look: str | None) -> str:
    if look == "blind":
        return "blind"
    if value != suggested:
        return "changed"
    return {"read": "confirmed", "unread": "unread"}.get(look or "", "unsaid")


def _history(connection: Connection, report_id: str) -> Sequence[Row[Any]]:
    seen = (looks.c.report_id == decisions.c.report_id) & (looks.c.number == decisions.c.number)
    query = select(decisions, looks.c.look, looks.c.role).outerjoin(looks, seen)
    mine = query.where(decisions.c.report_id == report_id)
    return connection.execute(mine.order_by(decisions.c.number)).all()


def _suggested(
    connection: Connection, report_id: str, triage: Mapping[str, Any], *, before: int
) -> dict[str, Any]:
    """What the machine said to the person of a decision: the suggestion, or a later offer."""
    query = select(offers.c.agency).where(offers.c.report_id == report_id, offers.c.number < before)
    offer = connection.execute(query.order_by(offers.c.number.desc()).limit(1)).scalar()
    found = suggested(triage)
    if offer and (name := json.loads(offer)["name"]):
        found["agency"] = name
    return found


def _government(triage: Mapping[str, Any], labels: Mapping[str, Any]) -> str | None:
    """The government that the answer gave to the decided agency, or to its own."""
    agency = triage["agency"]
    for option in (agency, *agency["alternatives"]):
        if option["name"] == labels.get("agency") and option["government"]:
            return str(option["government"])
    return str(agency["government"]) if agency["government"] else None


def _provenance(part: Said) -> dict[str, Any]:
    row = part.decision
    versions = json.loads(row.versions) if row.versions else {}
    return {
        "how": part.how,
        "worth": WORTH[part.how],
        "by": row.actor,
        "role": row.role,
        "at": row.decided_at,
        "decision": row.number,
        "look": row.look,
        "bundle": versions.get("bundle"),
        "routes": versions.get("routes"),
    }
