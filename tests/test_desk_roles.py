"""Role x action: every route of the pages, asked by every role and by a stranger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from desk_kit import PASSWORD, Desk, open_desk
from fastapi.routing import APIRoute

from pilah.service.accounts import audit
from pilah.service.accounts.guard import PageRoute
from pilah.service.accounts.roles import MAY
from pilah.service.app import create_app
from pilah.service.fake import FakeEngine
from pilah.service.settings import Settings

KEY = "kunci-untuk-uji-peran"
OPEN = {("GET", "/masuk"), ("POST", "/masuk")}
"""What needs no session."""
NAMES = {"moderator": "mimi", "supervisor": "sari", "analyst": "ani", "admin": "adi"}
TABLE = {
    "GET /meja": "moderator supervisor analyst",
    "GET /meja/laporan": "moderator supervisor analyst",
    "GET /meja/label": "moderator supervisor analyst",
    "POST /meja/berikut": "moderator supervisor",
    "POST /meja/ambil": "moderator supervisor",
    "POST /meja/lepas": "moderator supervisor",
    "POST /meja/lewati": "moderator supervisor",
    "POST /meja/putusan": "moderator supervisor",
    "POST /meja/batal": "moderator supervisor",
    "POST /meja/kejadian": "moderator supervisor",
    "GET /pendapat": "moderator supervisor",
    "GET /pendapat/label": "moderator supervisor",
    "POST /pendapat": "moderator supervisor",
    "GET /indikator": "moderator supervisor analyst",
    "GET /indikator.csv": "moderator supervisor analyst",
    "GET /mutu": "supervisor analyst",
    "GET /usulan-rute": "supervisor analyst",
    "POST /usulan-rute": "supervisor",
    "POST /usulan-rute/{number}/cabut": "supervisor",
    "GET /pengguna": "admin",
    "POST /pengguna": "admin",
    "POST /pengguna/ubah": "admin",
    "GET /kunci": "admin",
    "POST /kunci": "admin",
    "POST /kunci/cabut": "admin",
    "GET /catatan": "supervisor admin",
    "GET /akun": "moderator supervisor analyst admin",
    "POST /akun": "moderator supervisor analyst admin",
    "POST /keluar": "moderator supervisor analyst admin",
}
"""Who may ask for what: written by hand, so that a change of the code must be meant."""


def routes() -> list[APIRoute]:
    app = create_app(Settings(), FakeEngine.make)
    found: list[APIRoute] = []

    def walk(items: list[object]) -> None:
        for item in items:
            if isinstance(item, PageRoute):
                found.append(item)
            inner = getattr(item, "original_router", None)
            walk(list(inner.routes) if inner is not None else [])

    walk(list(app.routes))
    return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("roles"), api_keys=(KEY,)) as desk:
        desk.api.headers["x-api-key"] = KEY  # the admin of these tests makes keys, too
        desk.classify("halo dari sleman", id="R1")
        yield desk


def test_every_page_is_in_the_table() -> None:
    pages = {(method, r.path) for r in routes() for method in r.methods or ()}
    assert {f"{method} {path}" for method, path in pages - OPEN} == set(TABLE)


@pytest.mark.parametrize("place", TABLE)
@pytest.mark.parametrize("role", MAY)
def test_role_and_route(desk: Desk, role: str, place: str) -> None:
    """Who may not is refused with 403 and noted; who may gets anything else."""
    method, path = place.replace("{number}", "1").split()
    browser = desk.browser(NAMES[role])
    response = browser.get(path) if method == "GET" else browser.post(path)
    allowed = role in TABLE[place].split()
    assert (response.status_code == 403) is not allowed, response.text
    assert response.status_code < 500
    if not allowed:
        assert "Peran Anda tidak boleh" in response.text
        with desk.store.reading() as connection:
            last = audit.entries(connection, limit=1)[0]
        assert (last.actor, last.action) == (NAMES[role], "access.refused")


@pytest.mark.parametrize("place", TABLE)
def test_a_stranger_gets_nothing(desk: Desk, place: str) -> None:
    method, path = place.replace("{number}", "1").split()
    response = desk.api.request(method, path, data={"id": "R1"} if method == "POST" else None)
    assert response.status_code == (303 if method == "GET" else 401)
    assert "halo dari sleman" not in response.text


@pytest.mark.parametrize("place", [p for p in TABLE if p.startswith("POST")])
def test_a_form_needs_the_token_of_its_session(desk: Desk, place: str) -> None:
    path = place.replace("{number}", "1").split()[1]
    role = TABLE[place].split()[0]
    response = desk.browser(NAMES[role]).post(path, csrf="0" * 64, password=PASSWORD)
    assert response.status_code == 403
    assert "Formulir" in response.text


SCOPED = [p for p in TABLE if "/meja/" in p and p != "POST /meja/berikut"]


@pytest.mark.parametrize("place", SCOPED)
def test_the_reports_of_another_government_are_unknown(desk: Desk, place: str) -> None:
    method, path = place.split()
    for name, wanted in (("bagus", 404), ("mimi", 200)):
        browser = desk.browser(name)
        fields = {"id": "R1", "version": "0", "action": "label", "what": "undo"}
        response = browser.get(path, id="R1") if method == "GET" else browser.post(path, **fields)
        assert (response.status_code == 404) == (wanted == 404), (name, response.text)
        if wanted == 404:
            assert "halo dari sleman" not in response.text


def test_the_queue_of_another_government_is_empty(desk: Desk) -> None:
    desk.classify("kabar dari sleman yang lain", id="R2")
    assert "R2" not in desk.browser("bagus").get("/meja").text
    for name in ("mimi", "sari", "ani"):
        assert "R2" in desk.browser(name).get("/meja").text
    assert desk.browser("bagus").post("/meja/berikut").headers["location"] == "/meja?bebas=0"
