"""What the tests of the loop share: a service that asks about everything, and who speaks to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pilah.service.api import take_one
from pilah.service.app import opened
from pilah.service.checks import check_decision
from pilah.service.deciding import decide
from pilah.service.fake import FakeEngine
from pilah.service.loop.export import training_rows
from pilah.service.settings import Settings
from pilah.service.state import Service


@contextmanager
def asking(folder: Path) -> Iterator[Service]:
    """A service in which every report is audited and asked of a second person."""
    settings = Settings(data_dir=folder, audit_share=1.0, overlap_share=1.0, informative_share=0.0)
    with opened(settings, FakeEngine.make) as service:
        yield service


def send(service: Service, name: str, text: str = "jalan rusak", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Take a report in; its answer."""
    body = {"id": name, "text": f"{text} {name}", **fields}
    triage: dict[str, Any] = json.loads(take_one(service, body, None).body)
    return triage


def say(service: Service, name: str, **fields: Any) -> None:  # noqa: ANN401
    """A person decides."""
    decision, after = check_decision(name, {"actor": "mimi", **fields})
    decide(service.intake, decision, after=after)


def rows(service: Service, **options: bool) -> dict[str, dict[str, Any]]:
    """The exported rows, by report."""
    with service.intake.store.reading() as connection:
        return {row["id"]: row for row in training_rows(connection, **options)}


def how(row: dict[str, Any]) -> dict[str, str]:
    """How each label of a row came about."""
    return {name: part["how"] for name, part in row["provenance"].items()}
