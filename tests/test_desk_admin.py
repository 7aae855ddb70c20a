"""The admin's pages: users, and the keys of the interface."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_kit import PASSWORD, SLEMAN, Desk, open_desk
from sqlalchemy import update

from pilah.service import words
from pilah.service.desk.standing import ACTIONS
from pilah.service.desk.tables import cases
from pilah.service.words import WORDS


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        yield desk


def test_the_admin_manages_users(desk: Desk) -> None:
    admin = desk.browser("adi")
    fields = {"name": "baru", "role": "analyst", "password": "kata-sandi-yang-lama"}
    assert admin.post("/pengguna", **fields).status_code == 303
    again = admin.post("/pengguna", **fields)
    assert (again.status_code, "sudah ada; pilih nama lain" in again.text) == (422, True)
    assert admin.post("/pengguna/ubah", name="baru", what="disable").status_code == 303
    assert "Nonaktif<br>" in admin.get("/pengguna").text
    sign_in = {"name": "baru", "password": "kata-sandi-yang-lama"}
    assert desk.api.post("/masuk", data=sign_in).status_code == 401
    admin.post("/pengguna/ubah", name="baru", what="enable")
    assert desk.api.post("/masuk", data=sign_in).status_code == 303
    admin.post("/pengguna/ubah", name="baru", what="password", password=PASSWORD)
    assert desk.api.post("/masuk", data=sign_in).status_code == 401
    assert admin.post("/pengguna/ubah", name="adi", what="disable").status_code == 422
    assert "Mengganti kata sandi" in admin.get("/catatan", tentang="baru").text


def test_a_moderator_belongs_to_a_body_that_exists(desk: Desk) -> None:
    admin = desk.browser("adi")
    fields = {"name": "baru", "role": "moderator", "password": PASSWORD}
    wrong = admin.post("/pengguna", **fields, government="Pemkab Slemen")
    assert (wrong.status_code, "tidak dikenal; pilih dari daftar" in wrong.text) == (422, True)
    assert f'<option value="{SLEMAN}">' in wrong.text
    saved = admin.post("/pengguna", **fields, government=SLEMAN)
    assert "Perubahan tersimpan" in admin.get(saved.headers["location"]).text
    desk.classify("halo", id="B1")
    with desk.store.writing() as connection:
        connection.execute(update(cases).values(government="Badan Kota Sendiri"))
    other = {**fields, "name": "lain", "government": "Badan Kota Sendiri"}  # reports name it
    assert admin.post("/pengguna", **other).status_code == 303


def test_a_changed_password_is_confirmed(desk: Desk) -> None:
    admin = desk.browser("adi")
    assert "sudah diganti" not in admin.get("/akun").text
    done = admin.post("/akun", old=PASSWORD, new=f"{PASSWORD}-baru")
    assert done.headers["location"] == "/akun?tersimpan=1"
    assert "Kata sandi sudah diganti" in admin.get(done.headers["location"]).text


def test_keys_are_shown_once_and_revoked(desk: Desk) -> None:
    admin = desk.browser("adi")
    assert desk.api.get("/v1/review").status_code == 200
    page = admin.post("/kunci", name="kanal kota").text
    found = re.search(r"<code>(pilah_[\w-]+)</code>", page)
    assert found
    assert found[1] not in admin.get("/kunci").text
    bearer = {"authorization": f"Bearer {found[1]}"}
    assert desk.api.get("/v1/review").status_code == 401
    assert desk.api.get("/v1/review", headers=bearer).status_code == 200
    assert 'name="api_key"' in desk.api.get("/").text
    other = admin.post("/kunci", name="lain").text
    assert other.count("<strong>kanal kota</strong>") == 1
    key_id = re.findall(r'name="id" value="(\w+)"', other)
    for name in key_id:
        admin.post("/kunci/cabut", id=name)
    assert desk.api.get("/v1/review", headers=bearer).status_code == 200  # keys are off again
    assert "Dicabut" in admin.get("/kunci").text


def logged_actions() -> set[str]:
    """What the code writes into the audit log; an f-string stands for its beginning."""
    found = set[str]()
    for file in Path(words.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "audit.record":
                for part in ast.walk(call.args[2]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        found.add(part.value)
    return found


def test_every_action_of_the_audit_log_has_its_words() -> None:
    actions = logged_actions()
    assert {"case.claimed", "decision.", "incident.", "sign_in.locked"} <= actions
    known = WORDS["audit"]
    assert [a for a in actions if a not in known and not a.endswith(".")] == []
    for group, names in (("decision", ACTIONS), ("incident", WORDS["event"])):
        assert {f"{group}.{name}" for name in names} <= set(known)
