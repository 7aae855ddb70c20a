"""What the tests of the desk share: a served app with one user per role, and browsers of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pilah.service.accounts import sessions, users
from pilah.service.accounts.roles import User
from pilah.service.accounts.sessions import Session
from pilah.service.accounts.signin import COOKIE
from pilah.service.accounts.users import NewUser
from pilah.service.app import create_app
from pilah.service.desk.labels import agency_value
from pilah.service.fake import FakeEngine
from pilah.service.settings import Settings
from pilah.service.state import Service
from pilah.service.testing import served

ROAD = "PEKERJAAN UMUM DAN PENATAAN RUANG"
PASSWORD = "kuda-lumping-hijau-7"  # noqa: S105 - of users that live as long as a test
SLEMAN = "Pemerintah Kabupaten Sleman"
BADUNG = "Pemerintah Kabupaten Badung"
PICK = {"topic": ROAD, "agency": agency_value("Dinas PU", SLEMAN), "outcome": "actionable"}
PEOPLE = {
    "mimi": NewUser("mimi", "moderator", "Mimi", SLEMAN),
    "bagus": NewUser("bagus", "moderator", "Bagus", BADUNG),
    "sari": NewUser("sari", "supervisor", "Sari"),
    "ani": NewUser("ani", "analyst", "Ani"),
    "adi": NewUser("adi", "admin", "Adi", password=PASSWORD),
}


@dataclass
class Browser:
    """A signed-in person: keeps the cookie, puts the token into forms."""

    client: httpx.Client
    session: Session

    def get(self, path: str, **params: str) -> httpx.Response:
        return self.client.get(path, params=params or None)

    def post(self, path: str, **fields: object) -> httpx.Response:
        data = {name: str(value) for name, value in fields.items()}
        return self.client.post(path, data={"csrf": self.session.csrf} | data)


class Desk:
    """A served app and its store."""

    def __init__(self, url: str, service: Service) -> None:
        self.url, self.service, self.store = url, service, service.intake.store
        self.api = httpx.Client(base_url=url, timeout=30)
        self._open = [self.api]

    def browser(self, name: str) -> Browser:
        with self.store.writing() as connection:
            found = users.find_user(connection, name)
            assert found
            session = sessions.begin(connection, found[0])
        client = httpx.Client(base_url=self.url, timeout=30, cookies={COOKIE: session.token})
        self._open.append(client)
        return Browser(client, session)

    def user(self, name: str) -> User:
        with self.store.reading() as connection:
            found = users.find_user(connection, name)
        assert found
        return found[0]

    def classify(self, text: str, **fields: object) -> dict[str, Any]:
        response = self.api.post("/v1/classify", json={"text": text, **fields})
        assert response.status_code == 200, response.text
        triage: dict[str, Any] = response.json()
        return triage

    def close(self) -> None:
        for client in self._open:
            client.close()


@contextmanager
def open_desk(folder: Path, *, api_keys: tuple[str, ...] = ()) -> Iterator[Desk]:
    """Serve the fake engine with everybody of ``PEOPLE``."""
    settings = Settings(data_dir=folder, api_keys=api_keys, audit_share=0.0, overlap_share=0.0)
    app = create_app(settings, FakeEngine.make)
    with served(app) as url:
        desk = Desk(url, app.state.service)
        with desk.store.writing() as connection:
            for person in PEOPLE.values():
                users.add_user(connection, person, by="test")
        try:
            yield desk
        finally:
            desk.close()


def forward(browser: Browser, name: str, version: int = 0, **fields: str) -> tuple[int, str]:
    """Accept a report with the labels of ``PICK``."""
    sent = {"id": name, "version": str(version), "action": "forward"} | PICK | fields
    response = browser.post("/meja/putusan", **sent)
    return response.status_code, response.text


def order(page: str) -> list[str]:
    """The reports of a page of the queue."""
    return re.findall(r'class="case" href="/meja/laporan\?id=([^"&]+)', page)


def csrf_of(page: str) -> str:
    """The token in a page's forms."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]
