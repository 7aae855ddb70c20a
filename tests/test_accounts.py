"""Users, sessions, lock-out and the audit log by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text, update
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from pilah.service.accounts import attempts, audit, passwords, sessions, users
from pilah.service.accounts.passwords import PasswordError
from pilah.service.accounts.roles import ACTIONS, MAY, ROLES, User
from pilah.service.accounts.tables import audit as audit_table
from pilah.service.accounts.users import NewUser, UserError
from pilah.service.cli import command_line
from pilah.service.store import Store

WORD = "kuda-lumping-hijau-7"
SLEMAN = "Pemerintah Kabupaten Sleman"
ADMIN = NewUser("Siti ", "admin", "Siti", password=WORD)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'p.sqlite3'}") as store:
        yield store


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    with store.writing() as connection:
        yield connection


# ---- users and passwords


def test_a_user_is_found_by_name_in_any_case(connection: Connection) -> None:
    users.add_user(connection, ADMIN, by="cli")
    found = users.find_user(connection, "SITI")
    assert found
    assert found[0] == User("siti", "Siti", "admin", None)
    assert passwords.matches(found[1], WORD)
    assert not passwords.matches(found[1], WORD + "x")
    assert WORD not in (found[1] or "")


@pytest.mark.parametrize(
    ("new", "match"),
    [
        (NewUser("siti", "admin"), "exists already"),
        (NewUser("x", "admin"), "name is not valid"),
        (NewUser("a b", "admin"), "name is not valid"),
        (NewUser("budi", "boss"), "role is unknown"),
        (NewUser("budi", "moderator"), "belongs to a body"),
        (NewUser("budi", "analyst", government=SLEMAN), "only a moderator"),
        (NewUser("budi", "analyst", password="pendek"), "12 to 200"),  # noqa: S106
        (NewUser("budi", "analyst", password="aaaaaaaaaaaaaaa"), "5 different"),  # noqa: S106
    ],
)
def test_wrong_users_are_refused(connection: Connection, new: NewUser, match: str) -> None:
    users.add_user(connection, ADMIN, by="cli")
    with pytest.raises((UserError, PasswordError), match=match):
        users.add_user(connection, new, by="cli")


def test_without_a_password_no_password_matches() -> None:
    assert not passwords.matches(None, "tidak ada pengguna ini")
    assert not passwords.matches("not a hash", WORD)


def test_the_last_admin_stays(connection: Connection) -> None:
    users.add_user(connection, ADMIN, by="cli")
    with pytest.raises(UserError, match="last admin"):
        users.set_active(connection, "siti", active=False, by="siti")
    users.add_user(connection, NewUser("budi", "admin"), by="siti")
    users.set_active(connection, "siti", active=False, by="budi")
    assert users.find_user(connection, "siti") is None
    users.set_active(connection, "siti", active=True, by="budi")
    assert users.find_user(connection, "siti")


def test_roles_see_what_they_must() -> None:
    moderator = User("m", "M", "moderator", SLEMAN)
    assert moderator.sees(SLEMAN)
    assert not moderator.sees("Pemerintah Kabupaten Badung")
    assert not moderator.sees(None)
    assert User("s", "S", "supervisor").sees(None)
    assert User("a", "A", "analyst").sees(SLEMAN)
    assert not User("d", "D", "admin").sees(SLEMAN)
    assert set(MAY) == set(ROLES)
    assert set().union(*MAY.values()) == set(ACTIONS)


# ---- sessions


def test_a_session_holds_until_it_rests_too_long_or_ends(connection: Connection) -> None:
    user = users.add_user(connection, ADMIN, by="cli")
    session = sessions.begin(connection, user)
    assert sessions.find(connection, session.token, idle=HOUR) == session
    assert sessions.find(connection, session.token + "x", idle=HOUR) is None
    assert sessions.find(connection, session.token, idle=timedelta(0)) is None
    assert session.accepts(session.csrf)
    assert not sessions.begin(connection, user).accepts(session.csrf)
    sessions.end(connection, session.token)
    assert sessions.find(connection, session.token, idle=HOUR) is None


@pytest.mark.parametrize("what", ["password", "disable"])
def test_sessions_end_with_a_new_password_or_a_shut_out_user(
    connection: Connection, what: str
) -> None:
    user = users.add_user(connection, ADMIN, by="cli")
    users.add_user(connection, NewUser("budi", "admin"), by="cli")
    session = sessions.begin(connection, user)
    if what == "password":
        users.set_password(connection, "siti", WORD[::-1], by="siti")
    else:
        users.set_active(connection, "siti", active=False, by="budi")
    assert sessions.find(connection, session.token, idle=HOUR) is None


def test_sessions_that_ended_are_dropped(connection: Connection) -> None:
    user = users.add_user(connection, ADMIN, by="cli")
    sessions.begin(connection, user)
    assert sessions.drop_ended(connection, idle=HOUR) == 0
    assert sessions.drop_ended(connection, idle=timedelta(0)) == 1


# ---- lock-out


def test_guessing_locks_the_name_known_or_not(connection: Connection) -> None:
    tried = attempts.subjects("nobody", "10.0.0.1")
    locks = [attempts.failed(connection, tried) for _ in range(5)]
    assert locks == [False] * 4 + [True]
    assert attempts.locked(connection, tried)
    assert attempts.locked(connection, attempts.subjects(" NOBODY", "10.9.9.9"))
    assert not attempts.locked(connection, attempts.subjects("siti", "10.0.0.1"))


def test_guessing_many_names_locks_the_address(connection: Connection) -> None:
    for number in range(50):
        attempts.failed(connection, attempts.subjects(f"n{number}", "10.0.0.1"))
    assert attempts.locked(connection, attempts.subjects("siti", "10.0.0.1"))
    assert not attempts.locked(connection, attempts.subjects("siti", "10.0.0.2"))


def test_a_good_password_forgets_the_failures_of_the_name(connection: Connection) -> None:
    tried = attempts.subjects("siti", "10.0.0.1")
    for _ in range(4):
        attempts.failed(connection, tried)
    attempts.passed(connection, tried)
    assert not attempts.failed(connection, tried)


# ---- audit


def fill(store: Store) -> str:
    with store.writing() as connection:
        for number in range(3):
            audit.record(connection, "siti", "tested", subject=f"r{number}", detail={"n": number})
        return audit.verify(connection).head


def test_the_chain_holds_and_knows_its_heads(store: Store) -> None:
    head = fill(store)
    with store.writing() as connection:
        audit.record(connection, "siti", "tested")
        found = audit.verify(connection, head)
        assert (found.rows, found.broken_at, found.has_head) == (4, None, True)
        assert audit.verify(connection, "f" * 64).has_head is False
        assert [e.seq for e in audit.entries(connection, limit=2)] == [4, 3]
        assert [e.seq for e in audit.entries(connection, before=3, limit=9)] == [2, 1]
        assert [e.detail for e in audit.entries(connection, subject="r2", limit=9)] == [{"n": 2}]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'x' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit VALUES (2, '', '', '', '', '{}', '', '')",
        "REPLACE INTO audit VALUES (3, '', '', '', '', '{}', '', '')",
    ],
)
def test_the_application_cannot_change_the_log(store: Store, statement: str) -> None:
    fill(store)
    with pytest.raises(IntegrityError, match="append-only"), store.writing() as connection:
        connection.execute(text(statement))
    with store.reading() as connection:
        assert audit.verify(connection).rows == 3


@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        ("UPDATE audit SET detail = '[9]' WHERE seq = 2", 2),
        ("UPDATE audit SET actor = 'budi' WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 1", 1),
    ],
)
def test_a_change_behind_the_triggers_shows(store: Store, change: str, broken_at: int) -> None:
    fill(store)
    with store.writing() as connection:
        for name in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER audit_no_{name}"))
        connection.execute(text(change))
        assert audit.verify(connection).broken_at == broken_at


def test_rows_cut_off_at_the_end_show_against_a_noted_head(store: Store) -> None:
    head = fill(store)
    with store.writing() as connection:
        connection.execute(text("DROP TRIGGER audit_no_delete"))
        connection.execute(text("DELETE FROM audit WHERE seq = 3"))
        found = audit.verify(connection, head)
    assert (found.broken_at, found.has_head) == (None, False)


def test_a_forged_row_at_the_end_shows(store: Store) -> None:
    fill(store)
    with store.writing() as connection:
        row = {"seq": 4, "at": "", "actor": "x", "action": "x", "subject": "", "detail": "{}"}
        connection.execute(insert(audit_table).values(**row, previous="0" * 64, hash="0" * 64))
        assert audit.verify(connection).broken_at == 4


# ---- command line


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("PILAH_DATA_DIR", str(tmp_path))
    return CliRunner()


def test_users_are_managed_on_the_command_line(run: CliRunner, tmp_path: Path) -> None:
    twice = f"{WORD}\n{WORD}\n"
    added = run.invoke(command_line(), ["users", "add", "siti", "--role", "admin"], input=twice)
    assert (added.exit_code, WORD in added.output) == (0, False)
    moderator = ["users", "add", "budi", "--role", "moderator", "--government", SLEMAN, "--oidc"]
    assert run.invoke(command_line(), moderator).exit_code == 0
    assert run.invoke(command_line(), ["users", "password", "siti"], input=twice).exit_code == 0
    assert run.invoke(command_line(), ["users", "disable", "budi"]).exit_code == 0
    assert run.invoke(command_line(), ["users", "enable", "budi"]).exit_code == 0
    listed = run.invoke(command_line(), ["users", "list"]).output
    assert "siti" in listed
    assert "budi" in listed
    verified = run.invoke(command_line(), ["audit", "verify"])
    assert verified.exit_code == 0
    assert verified.output.startswith("5 rows, head ")
    head = verified.output.splitlines()[0].split()[-1]
    assert verified.output.splitlines()[1] == "0 decisions"
    assert run.invoke(command_line(), ["audit", "verify", "--head", head]).exit_code == 0
    assert run.invoke(command_line(), ["audit", "verify", "--head", "f" * 64]).exit_code == 1
    url = f"sqlite:///{tmp_path / 'pilah.sqlite3'}"
    with Store.open(url) as store, store.writing() as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(update(audit_table).values(actor="x"))
    assert run.invoke(command_line(), ["audit", "verify"]).exit_code == 1


def test_passwords_that_differ_add_nobody(run: CliRunner) -> None:
    result = run.invoke(
        command_line(), ["users", "add", "s1", "--role", "admin"], input=f"{WORD}\nother\n"
    )
    assert result.exit_code == 1
    assert "s1" not in run.invoke(command_line(), ["users", "list"]).output
