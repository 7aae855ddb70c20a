"""What the tests of incidents share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pilah.datasets.records import Report
from pilah.service.incident_views import incident_body
from pilah.service.incidents import Act
from pilah.service.intake import make_item

if TYPE_CHECKING:
    import httpx

    from pilah.service.state import Service

ROAD = "Jalan Kaliurang berlubang besar di Sleman"
LAMP = "Lampu taman padam semua malam ini"
ACT = Act("ani", "satu lubang")


def send(client: httpx.Client, name: str, text: str = ROAD, **fields: object) -> dict[str, Any]:
    answer = client.post("/v1/classify", json={"id": name, "text": text, **fields})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()["duplicates"]
    return found


def take(service: Service, name: str, text: str = ROAD, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    item = make_item(Report(text, id=name, **fields), claim=None)
    reply = service.intake.take([item], lambda outcomes: outcomes[0].triage)  # type: ignore[union-attr]
    found: dict[str, Any] = json.loads(reply.body)["duplicates"]
    return found


def members(service: Service, incident: str) -> list[str]:
    with service.intake.store.reading() as connection:
        return [m["report_id"] for m in incident_body(connection, incident)["members"]]
