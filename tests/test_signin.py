"""Signing in and out through the pages, and what a stranger or a forged form gets."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from desk_kit import PASSWORD, Desk, csrf_of, open_desk
from sqlalchemy import update

from pilah.service.accounts import audit
from pilah.service.accounts.signin import COOKIE
from pilah.service.accounts.tables import sessions

FORM = {"name": "adi", "password": PASSWORD}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        yield desk


@pytest.fixture
def client(desk: Desk) -> httpx.Client:
    return desk.api


def actions(desk: Desk) -> list[str]:
    with desk.store.reading() as connection:
        return [entry.action for entry in audit.entries(connection, limit=50)]


def test_a_stranger_is_led_to_the_form_and_back(client: httpx.Client) -> None:
    away = client.get("/akun?x=1")
    assert (away.status_code, away.headers["location"]) == (303, "/masuk?ke=%2Fakun%3Fx%3D1")
    form = client.get(away.headers["location"])
    assert 'value="/akun?x=1"' in form.text
    back = client.post("/masuk", data={**FORM, "ke": "/akun?x=1"})
    assert (back.status_code, back.headers["location"]) == (303, "/akun?x=1")
    cookie = back.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Adi" in client.get("/akun").text


@pytest.mark.parametrize(
    "ke", ["//evil.example", "https://evil.example", "/\\evil.example", "akun", "/\t/evil.example"]
)
def test_signing_in_never_leads_elsewhere(client: httpx.Client, ke: str) -> None:
    response = client.post("/masuk", data={**FORM, "ke": ke})
    assert response.status_code == 303
    assert "evil" not in response.headers["location"]


def test_the_cookie_is_secure_behind_https(client: httpx.Client) -> None:
    response = client.post("/masuk", data=FORM, headers={"x-forwarded-proto": "https"})
    assert "Secure" in response.headers["set-cookie"]


def test_wrong_names_and_passwords_read_alike(desk: Desk, client: httpx.Client) -> None:
    pages = [
        client.post("/masuk", data={"name": name, "password": "salah sekali"})
        for name in ("adi", "nobody", "sari")  # sari has no password
    ]
    assert {p.status_code for p in pages} == {401}
    assert len({p.text for p in pages}) == 1
    assert actions(desk)[:3] == ["sign_in.failed"] * 3


def test_guessing_locks_even_the_right_password(desk: Desk, client: httpx.Client) -> None:
    for _ in range(5):
        client.post("/masuk", data={"name": "adi", "password": "salah sekali"})
    response = client.post("/masuk", data=FORM)
    assert response.status_code == 429
    assert COOKIE not in response.headers.get("set-cookie", "")
    assert actions(desk)[0] == "sign_in.locked"


def test_nothing_that_was_typed_is_logged(
    desk: Desk, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.post("/masuk", data={"name": "kata-sandi-di-kolom-nama", "password": "rahasia-benar"})
    with desk.store.reading() as connection:
        entries = str(audit.entries(connection, limit=50))
    for word in ("kata-sandi-di-kolom-nama", "rahasia-benar"):
        assert word not in caplog.text + entries


def test_a_session_ends_by_rest(desk: Desk) -> None:
    browser = desk.browser("adi")
    old = (datetime.now(UTC) - timedelta(minutes=61)).isoformat(timespec="microseconds")
    assert browser.get("/akun").status_code == 200
    with desk.store.writing() as connection:
        connection.execute(update(sessions).values(seen_at=old))
    assert browser.get("/akun").status_code == 303
    page = browser.post("/akun", old="x", new="y")
    assert page.status_code == 401
    assert "Masuk lagi" in page.text


def test_use_keeps_a_session_alive(desk: Desk) -> None:
    browser = desk.browser("adi")
    old = (datetime.now(UTC) - timedelta(minutes=50)).isoformat(timespec="microseconds")
    for _ in range(2):
        with desk.store.writing() as connection:
            seen = connection.execute(update(sessions).values(seen_at=old))
        assert seen.rowcount == 1
        assert browser.get("/akun").status_code == 200
        with desk.store.reading() as connection:
            assert connection.execute(sessions.select()).one().seen_at > old


def test_signing_out_ends_the_session(desk: Desk) -> None:
    browser = desk.browser("adi")
    assert browser.post("/keluar").status_code == 303
    browser.client.cookies.set(COOKIE, browser.session.token)
    assert browser.get("/akun").status_code == 303


@pytest.mark.parametrize("csrf", ["", "0" * 64, "é"])
def test_a_form_without_its_token_is_refused(desk: Desk, csrf: str) -> None:
    browser = desk.browser("adi")
    assert browser.post("/keluar", csrf=csrf).status_code == 403
    assert browser.get("/akun").status_code == 200


def test_the_token_of_another_session_is_refused(desk: Desk) -> None:
    mine, other = desk.browser("adi"), desk.browser("sari")
    assert mine.post("/keluar", csrf=csrf_of(other.get("/akun").text)).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}]
)
def test_forms_of_other_sites_are_refused(desk: Desk, headers: dict[str, str]) -> None:
    browser = desk.browser("adi")
    fields = {"csrf": browser.session.csrf}
    assert browser.client.post("/keluar", data=fields, headers=headers).status_code == 403
    assert desk.api.post("/masuk", data=FORM, headers=headers).status_code == 403


def test_the_own_password_is_changed(desk: Desk) -> None:
    browser, other = desk.browser("adi"), desk.browser("adi")
    fresh = "sepeda-ontel-merah-9"
    assert browser.post("/akun", old="salah", new=fresh).status_code == 422
    assert browser.post("/akun", old=PASSWORD, new="pendek").status_code == 422
    assert browser.post("/akun", old=PASSWORD, new=fresh).status_code == 303
    assert browser.get("/akun").status_code == 200
    assert other.get("/akun").status_code == 303
    assert desk.api.post("/masuk", data=FORM).status_code == 401
    assert desk.api.post("/masuk", data=FORM | {"password": fresh}).status_code == 303
