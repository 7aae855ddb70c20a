"""Page: whether the model still keeps its promise, people agree, and a candidate is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection, select
from starlette.responses import Response

from pilah.datasets.regions import load_regions
from pilah.evaluation.shift import OTHER
from pilah.service.accounts.guard import PageRoute, needs, page
from pilah.service.accounts.sessions import Session
from pilah.service.codecs import now_text
from pilah.service.loop.drift import last_report
from pilah.service.loop.labels import decided_labels
from pilah.service.loop.samples import agreement
from pilah.service.loop.shadow import summary
from pilah.service.loop.tables import shadow_answers
from pilah.service.state import service_of
from pilah.service.words import word

router = APIRouter(include_in_schema=False, route_class=PageRoute)
DIFFERING = 20
"""Differing reports of a candidate that are listed."""
AGENCIES = 20
"""Agencies whose precision is shown, the worst first."""
MOVED = 3
"""Labels that are named of each shift."""


@router.get("/mutu")
def quality_page(
    request: Request, session: Annotated[Session, Depends(needs("read_learning"))]
) -> Response:
    """The last drift report, agreement between moderators, and candidates beside the live model."""
    del session
    service = service_of(request)
    drift = last_report(service.settings.data_dir)
    return page(
        request,
        "quality.html",
        drift=drift,
        moved={name: _moved(name, s) for name, s in (drift["shifts"] if drift else {}).items()},
        most=AGENCIES,
        **service.learned(""),
    )


def learned(connection: Connection, _: str) -> dict[str, Any]:
    """What the page reads from the store; kept for a while, for it reads every decision."""
    beside = connection.execute(select(shadow_answers.c.report_id).limit(1)).first()
    decided = decided_labels(connection) if beside else {}
    found = agreement(connection)
    return {
        "agreed": {field: a for field, a in found["fields"].items() if a.reports},
        "candidates": summary(connection, decided, limit=DIFFERING),
        "read_at": now_text(),
    }


def _moved(name: str, shift: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """Label for people, share before, share now."""
    pairs = list(shift["moved"].items())[:MOVED]
    return [(label_of(name, label), before, now) for label, (before, now) in pairs]


def label_of(name: str, label: str) -> str:
    """A label of a shift as people read it."""
    if label in ("-", OTHER):
        return "belum pasti" if label == "-" else "lainnya"
    if name == "region" and label in load_regions().by_code:
        return load_regions().by_code[label].name
    if name.endswith("_confidence"):  # a tenth, named by its lower end
        low = round(100 * float(label))
        return f"{low} sampai {low + 10} %"
    return word(name, label)
