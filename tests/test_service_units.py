"""Settings, codecs, store, checks, shield and highlight by themselves."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from pilah.datasets.records import Location, Report
from pilah.models.bursts import Burst, Target, TargetBurst
from pilah.models.hoax import look_for_hoax
from pilah.models.hoax_signs import HoaxInput
from pilah.models.reading import Fingerprint, PlaceReading
from pilah.models.text import read_text
from pilah.service import codecs, reads, shield
from pilah.service.app import create_app, openapi_document, opened
from pilah.service.deciding import decide
from pilah.service.fake import FakeEngine
from pilah.service.highlight import segments
from pilah.service.intake import Claim, make_item
from pilah.service.lockfile import only_process
from pilah.service.migrations import StoreError
from pilah.service.problems import KINDS, Problem
from pilah.service.secret import installation_key
from pilah.service.settings import Settings, SettingsError
from pilah.service.store import Store
from pilah.service.tables import fingerprints, replies
from pilah.service.words import WORDS, word
from pilah.service.writes import Decision

KEY = "kunci-yang-cukup-panjang"
DOCS = Path(__file__).parent.parent / "docs" / "api.md"


# ---- settings


def test_settings_have_safe_defaults() -> None:
    settings = Settings.from_environment({})
    assert (settings.host, settings.port, settings.api_keys) == ("127.0.0.1", 8000, ())
    assert settings.url == "sqlite:///var/pilah.sqlite3"


def test_settings_are_read_from_the_environment() -> None:
    environ = {
        "PILAH_DATA_DIR": "/data",
        "PILAH_HOST": "0.0.0.0",  # noqa: S104 - only parsed here
        "PILAH_PORT": "9000",
        "PILAH_API_KEYS": f" {KEY} ,{KEY}2,",
        "PILAH_MAX_BATCH": "7",
        "PILAH_BUNDLE": "b1",
    }
    settings = Settings.from_environment(environ)
    assert settings.api_keys == (KEY, KEY + "2")
    assert (settings.port, settings.max_batch, settings.bundle) == (9000, 7, "b1")
    assert settings.url == "sqlite:////data/pilah.sqlite3"
    assert KEY not in repr(settings)


def test_misspelt_settings_are_told() -> None:
    environ = {"PILAH_MAXBATCH": "7", "PILAH_PORT": "1", "PILAH_BENCHMARKS": "x", "PATH": "x"}
    assert Settings.misspelt(environ) == {"PILAH_MAXBATCH": "PILAH_MAX_BATCH"}


@pytest.mark.parametrize(
    ("environ", "match"),
    [
        ({"PILAH_PORT": "http"}, "PILAH_PORT: is not a whole number"),
        ({"PILAH_PORT": "70000"}, "PILAH_PORT: is 70,000"),
        ({"PILAH_MAX_BATCH": "0"}, "PILAH_MAX_BATCH"),
        ({"PILAH_MAX_BODY_BYTES": "1"}, "PILAH_MAX_BODY_BYTES"),
        ({"PILAH_MAX_CONCURRENCY": "-1"}, "PILAH_MAX_CONCURRENCY"),
        ({"PILAH_API_KEYS": "short"}, "key 1 is shorter"),
        ({"PILAH_HOST": "0.0.0.0"}, "set PILAH_API_KEYS"),  # noqa: S104 - refused
        ({"PILAH_HOST": "pilah.example"}, "set PILAH_API_KEYS"),
        ({"PILAH_HOST": "::"}, "set PILAH_API_KEYS"),
    ],
)
def test_wrong_settings_name_the_variable_and_the_cure(environ: dict[str, str], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        Settings.from_environment(environ)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_keys(host: str) -> None:
    assert Settings(host=host).api_keys == ()


# ---- codecs

words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
moments = st.datetimes(timezones=st.just(timezone(timedelta(hours=7))))


@given(
    fingerprint=st.builds(
        Fingerprint,
        report_id=words,
        text_hash=words,
        words=st.frozensets(st.integers(0, 2**32 - 1)),
        place=st.none() | words,
        streets=st.frozensets(words),
        numbers=st.dictionaries(words, st.lists(words).map(tuple)),
        landmarks=st.frozensets(words),
        cases=st.frozensets(words),
        received_at=moments,
        lat=st.none() | st.floats(-90, 90),
    )
)
def test_fingerprints_survive_the_store(fingerprint: Fingerprint) -> None:
    text = codecs.fingerprint_to_text(fingerprint)
    assert codecs.fingerprint_from_text(text) == fingerprint


def test_every_field_of_a_fingerprint_has_a_stored_form() -> None:
    analysis = FakeEngine().analyse([("a", Report("jalan km 5"))])[0]
    stored = json.loads(codecs.fingerprint_to_text(analysis.fingerprint))
    assert stored.keys() == {f.name for f in dataclasses.fields(Fingerprint)}


def test_old_fingerprints_get_defaults_for_new_fields() -> None:
    analysis = FakeEngine().analyse([("a", Report("jalan km 5"))])[0]
    stored = json.loads(codecs.fingerprint_to_text(analysis.fingerprint))
    del stored["lat"]
    stored["a field of the future"] = 1
    assert codecs.fingerprint_from_text(json.dumps(stored)) == analysis.fingerprint


def test_vectors_survive_bit_by_bit() -> None:
    vector = np.array([0.1, -3e-30, np.float32(1) / 3], dtype=np.float32)
    again = codecs.vector_from_bytes(codecs.vector_to_bytes(vector))
    assert again.dtype == np.float32
    assert np.array_equal(vector, again)


REPORTS = [
    Report("a"),
    Report("a", region="34.04"),
    Report("a", region={"province": "Bali", "regency": "Badung"}),
    Report("a", id="x", title="t", location=Location(-7.7, 110.4), channel="sms"),
    Report("a\nb", reported_at=datetime(2026, 5, 1, tzinfo=UTC), visibility="secret"),
]


@pytest.mark.parametrize("report", REPORTS)
def test_reports_survive_the_store(report: Report) -> None:
    row = codecs.report_columns(report) | {"id": report.id}
    assert codecs.report_from_columns(row) == report


def test_different_reports_have_different_hashes() -> None:
    hashes = {make_item(report, claim=None).report_hash for report in REPORTS}
    assert len(hashes) == len(REPORTS)


def test_ids_are_the_same_for_the_same_claim_only() -> None:
    def given_id(claim: Claim | None, index: int = 0) -> str:
        return make_item(Report("a"), claim=claim, index=index).report_id

    claim = Claim("client", "key", "hash")
    assert given_id(claim) == given_id(claim)
    others = [given_id(claim, 1), given_id(Claim("other", "key", "hash"))]
    assert len({given_id(claim), *others, given_id(None), given_id(None)}) == 5


# ---- store


def take(folder: Path, body: str, report_id: str, engine: FakeEngine | None = None) -> FakeEngine:
    """Open the service on a folder, take one report, close it."""
    engine = engine or FakeEngine()
    with opened(Settings(data_dir=folder), lambda _: engine) as service:
        item = make_item(Report(body, id=report_id), claim=None)
        service.intake.take([item], lambda outcomes: {"n": len(outcomes)})
    return engine


def test_sqlite_is_durable_and_private(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'a.sqlite3'}"
    with Store.open(url) as store, store.reading() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    assert (tmp_path / "new" / "a.sqlite3").stat().st_mode & 0o077 == 0


def test_memory_comes_back_after_a_restart(tmp_path: Path) -> None:
    first = take(tmp_path, "jalan rusak", "r1")
    second = take(tmp_path, "jalan rusak", "r2")
    assert second.memory["r1"] == first.memory["r1"]
    assert second.memory["r2"][1] == "incident-r1"


def test_decided_incidents_come_back_after_a_restart(tmp_path: Path) -> None:
    take(tmp_path, "jalan rusak", "r1")
    take(tmp_path, "jalan rusak", "r2")
    with opened(Settings(data_dir=tmp_path), FakeEngine.make) as service:
        decide(service.intake, Decision("r2", "a", {"incident": "new"}))
    engine = FakeEngine()
    with opened(Settings(data_dir=tmp_path), lambda _: engine):
        assert engine.memory["r2"][1] not in ("incident-r1", "new")


def test_vectors_of_another_encoder_are_made_anew(tmp_path: Path) -> None:
    take(tmp_path, "jalan rusak", "r1")
    received = take(tmp_path, "jalan lain", "r2").memory["r1"][0].received_at
    engine = FakeEngine(vectors="fake-2")
    running = opened(Settings(data_dir=tmp_path), lambda _: engine)
    with running as service, service.intake.store.reading() as connection:
        made_by = connection.execute(select(fingerprints.c.made_by)).scalars().all()
    assert made_by == ["fake-2", "fake-2"]
    assert engine.memory["r1"][0].received_at == received


def test_a_report_that_cannot_be_read_anew_does_not_stop_the_start(tmp_path: Path) -> None:
    class Picky(FakeEngine):
        def analyse(self, items):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            if any(report_id == "r1" for report_id, _ in items):
                raise ValueError("no")
            return super().analyse(items)

    take(tmp_path, "jalan rusak", "r1")
    take(tmp_path, "jalan lain", "r2")
    engine = Picky(vectors="fake-2")
    with opened(Settings(data_dir=tmp_path), lambda _: engine):
        assert set(engine.memory) == {"r2"}


def test_two_processes_on_one_folder_are_refused(tmp_path: Path) -> None:
    second = only_process(tmp_path)
    with only_process(tmp_path), pytest.raises(StoreError, match="another Pilah"):
        second.__enter__()
    with only_process(tmp_path):
        pass


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("nonsense", "not a usable SQLAlchemy URL"),
        ("nodriver://x", "use a SQLite or PostgreSQL database"),
        ("mysql+pymysql://localhost/x", "use a SQLite or PostgreSQL database"),
        ("postgresql+nodriver://x", "not a usable SQLAlchemy URL"),
        ("sqlite://", "needs a file"),
        ("sqlite:////proc/nowhere/a.sqlite3", "set PILAH_DATA_DIR"),
    ],
)
def test_unusable_databases(url: str, match: str) -> None:
    with pytest.raises(StoreError, match=match):
        Store.open(url)


def test_old_replies_are_dropped(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'a.sqlite3'}") as store:
        with store.writing() as connection:
            row = {"client": "", "request_hash": "", "status": 200, "body": "{}"}
            for key, moment in (("old", "2020-01-01T00:00:00"), ("new", codecs.now_text())):
                connection.execute(replies.insert().values(row | {"key": key, "saved_at": moment}))
        assert store.drop_old_replies() == 1
        with store.reading() as connection:
            assert reads.stored_reply(connection, "", "new") is not None


def test_rollback_leaves_nothing(tmp_path: Path) -> None:
    row = {"client": "", "request_hash": "", "status": 200, "body": "", "saved_at": ""}

    def fail(store: Store) -> None:
        with store.writing() as connection:
            connection.execute(replies.insert().values(row | {"key": "k"}))
            raise ZeroDivisionError

    with Store.open(f"sqlite:///{tmp_path / 'a.sqlite3'}") as store:
        with pytest.raises(ZeroDivisionError):
            fail(store)
        with store.reading() as connection:
            assert reads.stored_reply(connection, "", "k") is None


def test_secret_is_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    key = installation_key(folder)
    assert len(key) == 32
    assert installation_key(folder) == key
    assert [f.name for f in folder.iterdir()] == ["secret.key"]
    assert (folder / "secret.key").stat().st_mode & 0o077 == 0
    (folder / "secret.key").write_bytes(b"short")
    with pytest.raises(StoreError, match="damaged"):
        installation_key(folder)
    with pytest.raises(StoreError, match="PILAH_DATA_DIR"):
        installation_key(Path("/proc/nowhere"))


# ---- app, words, highlight, documents


def test_nothing_is_opened_before_the_start(tmp_path: Path) -> None:
    create_app(Settings(data_dir=tmp_path / "none"), FakeEngine.make)
    assert not (tmp_path / "none").exists()


def test_problem_keeps_its_parts() -> None:
    problem = Problem("not-found")
    assert problem.to_dict()["detail"] == KINDS["not-found"].cure


@given(st.text(max_size=80), st.lists(words, max_size=4), st.lists(words, max_size=4))
def test_segments_joined_give_the_text(body: str, terms: list[str], places: list[str]) -> None:
    assert "".join(s.text for s in segments(body, terms=terms, places=places)) == body


def test_segments_mark_whole_words_and_prefer_places() -> None:
    found = segments("Jalan Kaliurang, jalanan", terms=["jalan"], places=["Jalan Kaliurang"])
    assert [(s.text, s.kind) for s in found] == [("Jalan Kaliurang", "place"), (", jalanan", "")]


def test_unknown_codes_are_shown_as_they_are() -> None:
    assert word("reason", "code_of_tomorrow") == "code_of_tomorrow"
    assert word("level", None) == "-"
    assert set(WORDS["problem"]) <= set(KINDS)


def test_docs_name_every_problem_setting_and_address() -> None:
    page = DOCS.read_text(encoding="utf-8")
    names = [f"/problems/{slug}" for slug in KINDS]
    names += [f"PILAH_{f.name.upper()}" for f in dataclasses.fields(Settings)]
    names += list(openapi_document()["paths"])
    assert [name for name in names if name not in page] == []


def test_senders_see_no_reports_of_others_among_the_signs() -> None:
    words = read_text("pelayanan apotek mawar lambat dan petugasnya kurang ramah kepada warga")
    many = Burst(7, 6, 48, ("r5", "r4"))
    target = TargetBurst(Target("t", "landmark", "apotek mawar"), 7, 6, 48, ("r5", "r4"))
    nowhere = PlaceReading(code=None, probability=0.0)
    hoax = look_for_hoax(HoaxInput(words, nowhere, burst=many, target=target))
    full = {
        "duplicates": {"matches": []},
        "hoax": {"evidence": [dataclasses.asdict(e) for e in hoax.evidence]},
    }
    assert all("r5, r4 dan lainnya" in e["detail"] for e in full["hoax"]["evidence"])
    sent = shield.for_sender(full, ())["hoax"]["evidence"]
    assert {e["kind"] for e in sent} == {"campaign", "target_burst"}
    assert all("7 " in e["detail"] and "r5" not in e["detail"] for e in sent)
    assert [e["kind"] for e in shield.for_public(full)["hoax"]["evidence"]] == ["campaign"]
    assert shield.for_reader(full, "public", ()) == full
