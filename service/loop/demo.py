"""Example data for a first look: reports of the written corpus, decided by their gold labels.

Nothing here is a measurement. Moments are spread over the weeks before now, so that the pages have
something to show; the audit log alone says when all this was really written. The store is meant to
be thrown away.
"""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select, update

from pilah.datasets.readers import read_rows
from pilah.datasets.records import LabelledReport
from pilah.datasets.tables import data_folder
from pilah.service.accounts.users import NewUser, add_user
from pilah.service.api import take_one
from pilah.service.checks import check_decision
from pilah.service.deciding import decide
from pilah.service.desk.cases import save_case
from pilah.service.loop.facts import day_of, week_of
from pilah.service.loop.tables import facts
from pilah.service.state import Service
from pilah.service.tables import reports

REPORTS = 400
"""Reports taken in."""
WEEKS = 10
"""Weeks over which they are spread."""
PILOT_REGIONS = ("13", "34", "51", "36.03")
"""Codes of the pilot governments; Sleman and Badung lie in them."""
USER = "demo"
DECIDED = 0.97
"""Share of reports that somebody decides some day; the others wait past their deadline."""
DAYS = 2.0
"""Mean time until that decision, exponentially distributed."""
REFUSED = 0.3
"""Share of wrong suggestions that the agency itself turns down."""
_SEED = 20_261_101


def fill(service: Service, tick: Callable[[int], object]) -> str:
    """Fill an empty store and make a supervisor; returns the password.

    Args:
        service: open, on a store without reports.
        tick: called with the number of reports done.
    """
    chance = random.Random(_SEED)  # noqa: S311 - example data, not secrets
    rows = _rows(chance)
    now = datetime.now(UTC)
    received = [now - timedelta(weeks=WEEKS) * (1 - n / len(rows)) for n in range(len(rows))]
    for number, (row, moment) in enumerate(zip(rows, received, strict=True)):
        suggested = _take(service, f"contoh-{number}", row)
        decided = moment + timedelta(days=chance.expovariate(1 / DAYS))
        if decided < now and chance.random() < DECIDED:
            right = row.labels.agency
            wrong = suggested is not None and right is not None and suggested != right
            refused = wrong and chance.random() < REFUSED
            _decide(service, f"contoh-{number}", row, decided, refused=refused)
        tick(1)
    password = secrets.token_urlsafe(9)
    with service.intake.store.writing() as connection:
        _spread(connection, received)
        person = NewUser(USER, "supervisor", "Pengunjung", password=password)
        add_user(connection, person, by="demo")
    return password


def _rows(chance: random.Random) -> list[LabelledReport]:
    """Rows that the shipped bundle was not trained on, those of the pilots first in number."""
    folder = Path(str(data_folder())) / "corpus"
    rows = [
        row.content
        for name in ("dev", "test")
        for row in read_rows(folder / f"{name}.jsonl")
        if isinstance(row.content, LabelledReport)
    ]
    pilots = [row for row in rows if str(row.report.region or "").startswith(PILOT_REGIONS)]
    others = [row for row in rows if row not in pilots]
    chance.shuffle(others)
    chosen = [*pilots[: REPORTS * 3 // 4], *others][:REPORTS]
    return sorted(chosen, key=lambda row: str(row.report.reported_at))


def _take(service: Service, report_id: str, row: LabelledReport) -> str | None:
    """Take a report in; gives the agency that was suggested."""
    report = row.report
    body = {"text": report.text, "title": report.title, "region": report.region}
    reply = take_one(service, {**body, "channel": report.channel, "id": report_id}, None)
    agency: str | None = json.loads(reply.body)["agency"]["name"]
    return agency


def _decide(
    service: Service, report_id: str, row: LabelledReport, moment: datetime, *, refused: bool
) -> None:
    labels = row.labels
    said = {
        name: value
        for name in ("topic_main", "topic_sub", "agency", "outcome")
        if (value := getattr(labels, name)) is not None
    }
    steps: list[dict[str, object]] = [{"look": "read", **said}]
    if labels.hoax is not None:
        steps[0]["hoax"] = labels.hoax
    if refused:
        steps.insert(0, {"action": "refuse"})
    for step in steps:
        decision, after = check_decision(report_id, {"actor": "skrip-contoh", **step})
        decide(service.intake, replace(decision, decided_at=_text(moment)), after=after)


def _spread(connection: Connection, received: Sequence[datetime]) -> None:
    """Give the reports the moments in which they came."""
    ids = connection.execute(select(reports.c.id).order_by(reports.c.seq)).scalars().all()
    for report_id, moment in zip(ids, received, strict=True):
        text = _text(moment)
        mine = reports.c.id == report_id
        connection.execute(update(reports).where(mine).values(received_at=text))
        day = day_of(text)
        mine = facts.c.report_id == report_id
        connection.execute(update(facts).where(mine).values(day=day, week=week_of(day)))
        save_case(connection, report_id)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
