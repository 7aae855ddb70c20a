"""Bukan wewenang: the next best at once, never the same again, and proposals out of repetition."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import select

from pilah.datasets.local_routes import parse_local_route
from pilah.service.app import create_app, opened
from pilah.service.cli import main
from pilah.service.fake import MoodyEngine
from pilah.service.loop.routes import Why, add_route, load_routes, retire_route
from pilah.service.loop.tables import facts
from pilah.service.loop.telling import telling_words, words_of
from pilah.service.migrations import StoreError
from pilah.service.schemas import ReportOut
from pilah.service.settings import Settings
from pilah.service.store import Store
from pilah.service.testing import expect_problem, served

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEMAN = "Pemerintah Kabupaten Sleman"


@pytest.fixture
def engine() -> MoodyEngine:
    return MoodyEngine()


@pytest.fixture
def client(tmp_path: Path, engine: MoodyEngine) -> Iterator[httpx.Client]:
    app = create_app(Settings(data_dir=tmp_path), lambda _: engine)
    with served(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


def send(
    client: httpx.Client, name: str, text: str = "jalan rusak", **fields: str
) -> dict[str, Any]:
    answer = client.post("/v1/classify", json={"id": name, "text": f"{text} {name}", **fields})
    assert answer.status_code == 200
    triage: dict[str, Any] = answer.json()
    return triage


def decide(client: httpx.Client, name: str, **fields: object) -> httpx.Response:
    return client.post(f"/v1/reports/{name}/decision", json={"actor": "m", **fields})


def waiting(client: httpx.Client) -> dict[str, list[str]]:
    items = client.get("/v1/review").json()["items"]
    return {item["report_id"]: item["reasons"] for item in items}


def test_the_next_best_is_offered_and_the_suggestion_stays(client: httpx.Client) -> None:
    first = send(client, "A1")
    body = ReportOut.model_validate(decide(client, "A1", refused_by="dinas pu").json())
    assert [(r.agency, r.government) for r in body.refusals] == [("Dinas PU", SLEMAN)]
    offer = body.offers[0].agency
    assert (offer.name, offer.rule) == ("Dinas Perhubungan", "pju-kabkota")
    assert offer.probability == pytest.approx(0.75)
    assert body.suggestion.model_dump() == first
    assert not body.ping_pong
    assert waiting(client) == {"A1": ["refused"]}
    body = ReportOut.model_validate(decide(client, "A1", refused_by="Dinas Perhubungan").json())
    assert body.ping_pong
    assert [o.agency.name for o in body.offers] == ["Dinas Perhubungan", "PT PLN (Persero)"]
    last = ReportOut.model_validate(decide(client, "A1", refused_by="PT PLN (Persero)").json())
    assert last.offers[-1].agency.name is None


def test_a_body_that_refused_never_gets_it_again(client: httpx.Client) -> None:
    send(client, "B1")
    decide(client, "B1", refused_by="Dinas PU")
    expect_problem(decide(client, "B1", agency="DINAS PU"), "agency-refused")
    expect_problem(decide(client, "B1", refused_by="X", agency="X"), "agency-refused")
    assert decide(client, "B1", agency="Dinas Perhubungan").status_code == 201
    assert waiting(client) == {}
    expect_problem(decide(client, "B1", agency="Dinas PU"), "agency-refused")
    back = decide(client, "B1", taken_back_by="Dinas PU", agency="Dinas PU")
    assert back.status_code == 201
    assert back.json()["refusals"][-1]["withdrawn"] is True


def test_a_refusal_with_a_choice_needs_no_offer(client: httpx.Client) -> None:
    send(client, "C1")
    body = decide(client, "C1", refused_by="Dinas PU", agency="Dinas Perhubungan").json()
    assert (body["offers"], waiting(client)) == ([], {})


def test_a_copy_does_not_go_to_who_refused_the_incident(client: httpx.Client) -> None:
    text = {"text": "jalan gelap sekali di depan balai dusun kami", "id": "D1"}
    client.post("/v1/classify", json=text)
    decide(client, "D1", refused_by="Dinas PU")
    copy = client.post("/v1/classify", json={**text, "id": "D2"}).json()
    assert copy["duplicates"]["verdict"] == "duplicate"
    assert copy["agency"]["name"] == "Dinas Perhubungan"
    assert copy["review"] == {"needed": True, "reasons": ["refused_before"]}


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"refused_by": 7.5}, "refused_by"),
        ({"refused_by": "a\nb"}, "refused_by"),
        ({"refused_by": "A", "taken_back_by": "A"}, "taken_back_by"),
    ],
)
def test_wrong_refusals(client: httpx.Client, fields: dict[str, Any], place: str) -> None:
    send(client, "E1")
    found = expect_problem(decide(client, "E1", **fields), "decision-invalid")
    assert [error["place"] for error in found["errors"]] == [place]
    expect_problem(decide(client, "nobody", refused_by="A"), "report-unknown")


def refuse_pattern(client: httpx.Client, *, word: str, start: int = 0) -> None:
    for n in range(start, start + 3):
        send(client, f"P{n}", f"jalan {word} alpha{n} beta{n} gamma{n} delta{n}")
        decide(client, f"P{n}", refused_by="Dinas PU")
        decide(client, f"P{n}", agency="Dinas Perhubungan")


def test_repeated_refusals_become_a_row_that_routes(client: httpx.Client) -> None:
    for n in range(12):
        send(client, f"K{n}", f"jalan berlubang kilo{n} lima{n} enam{n}")
    refuse_pattern(client, word="gelap")
    proposals = client.get("/v1/routes/proposals").json()["proposals"]
    assert len(proposals) == 1
    found = proposals[0]
    assert found["cases"] == ["P0", "P1", "P2"]
    assert (found["terms"], found["kept"], found["decided"]) == (["gelap"], 12, 3)
    assert found["route"] == found["route"] | {
        "topic": "08", "region": "34.04", "level": "kabkota", "target": "dishub",
    }  # fmt: skip
    path = f"/v1/routes/proposals/{found['id']}"
    state = client.post(path, json={"actor": "sup", "verdict": "accepted", "note": "ya"})
    assert state.status_code == 201
    assert state.json()["version"] == "lokal-1"
    change = state.json()["changes"][0]
    assert (change["actor"], change["cases"]) == ("sup", found["cases"])
    triage = send(client, "N1", "jalan gelap omega")
    assert (triage["agency"]["rule"], triage["versions"]["routes"]) == ("lokal-1", "lokal-1")
    assert client.get("/v1/routes/proposals").json()["proposals"] == []
    retired = client.post("/v1/routes/1/retire", json={"actor": "sup"}).json()
    assert (retired["routes"], retired["version"], len(retired["changes"])) == ([], "lokal-2", 2)
    assert send(client, "N2", "jalan gelap sigma")["agency"]["name"] == "Dinas PU"
    expect_problem(client.post("/v1/routes/1/retire", json={"actor": "s"}), "route-unknown")


def test_a_dismissed_pattern_shows_again_after_new_refusals(client: httpx.Client) -> None:
    refuse_pattern(client, word="gelap")
    proposal = client.get("/v1/routes/proposals").json()["proposals"][0]
    path = f"/v1/routes/proposals/{proposal['id']}"
    dismissed = client.post(path, json={"actor": "s", "verdict": "dismissed"})
    assert (dismissed.status_code, dismissed.json()["version"]) == (201, "bawaan")
    expect_problem(
        client.post(path, json={"actor": "s", "verdict": "accepted"}), "proposal-unknown"
    )
    refuse_pattern(client, word="gelap", start=3)
    again = client.get("/v1/routes/proposals").json()["proposals"]
    assert [p["cases"] for p in again] == [["P3", "P4", "P5"]]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"actor": "s", "verdict": "mungkin"}, "verdict"),
        ({"verdict": "accepted"}, "actor"),
        ({"actor": "s", "verdict": "accepted", "rahasia": 1}, ""),
        ({"actor": "s", "verdict": "accepted", "route": {"target": "entah"}}, "route"),
    ],
)
def test_wrong_verdicts(client: httpx.Client, body: object, place: str) -> None:
    refuse_pattern(client, word="gelap")
    proposal = client.get("/v1/routes/proposals").json()["proposals"][0]
    answer = client.post(f"/v1/routes/proposals/{proposal['id']}", json=body)
    assert [e["place"] for e in expect_problem(answer, "verdict-invalid")["errors"]] == [place]


def test_secret_reports_make_no_proposal(client: httpx.Client) -> None:
    for n in range(3):
        send(client, f"S{n}", "jalan gelap", visibility="secret")
        decide(client, f"S{n}", refused_by="Dinas PU")
    assert client.get("/v1/routes/proposals").json() == {"proposals": [], "more": 0}


def test_rows_come_back_after_a_restart_and_a_broken_one_says_how(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    row = {"topic": "08", "terms": ["gapura"], "region": "", "level": "kabkota"}
    row |= {"target": "dispar", "ground": "uji"}
    with Store.open(settings.url) as store, store.writing() as connection:
        add_route(connection, row, Why("sup"))
    engine = MoodyEngine()
    with opened(settings, lambda _: engine):
        assert engine.routes == (parse_local_route(1, row),)
    with Store.open(settings.url) as store, store.writing() as connection:
        connection.exec_driver_sql("UPDATE route_changes SET route = replace(route, 'dispar', 'x')")
    with pytest.raises(StoreError, match=r"local routes:1: .*`pilah routes retire 1`"):
        opened(settings, lambda _: engine).__enter__()
    with Store.open(settings.url) as store, store.writing() as connection:
        retire_route(connection, 1, Why("sup"))
        assert load_routes(connection) == ([], "lokal-2")


def test_a_store_of_the_first_schema_gets_its_facts(tmp_path: Path) -> None:
    dump = Path(__file__).parent / "data" / "schema-1.sql"
    with sqlite3.connect(tmp_path / "pilah.sqlite3") as database:
        database.executescript(dump.read_text("utf-8"))
    database.close()
    url = f"sqlite:///{tmp_path / 'pilah.sqlite3'}"
    with Store.open(url) as store, store.reading() as connection:
        found = connection.execute(select(facts).order_by(facts.c.report_id)).all()
    assert [f.report_id for f in found] == ["r1", "r2", "r3"]
    assert found[0].agency == "Kementerian Pekerjaan Umum"
    assert all(0 <= f.doubt <= 1 for f in found)


def test_telling_words_stand_in_the_refused_and_hardly_elsewhere() -> None:
    refused = [words_of(t) for t in ("lampu jalan mati", "lampu taman padam", "lampu gang mati")]
    kept = [words_of("jalan rusak taman")] * 9 + [words_of("jalan mati")]
    assert telling_words(refused, kept) == ["lampu"]
    assert telling_words(refused, [words_of("lampu mati gang taman padam jalan")] * 3) == []
    assert telling_words([], kept) == []
    assert telling_words([words_of(f"yang itu juga {w}") for w in ("aaa", "bbb")], []) == []
    assert "nik" not in words_of("[NIK] lampu")


def test_the_command_line_lists_and_retires_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILAH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    row = {"topic": "08", "terms": ["gapura"], "region": "", "level": "kabkota"}
    row |= {"target": "dispar", "ground": "uji"}
    with Store.open(Settings(data_dir=tmp_path).url) as store, store.writing() as connection:
        add_route(connection, row, Why("sup"))
    for args, code in (
        (["retire", "1", "--actor", "budi"], 0),
        (["retire", "1", "--actor", "b"], 2),
    ):
        monkeypatch.setattr("sys.argv", ["pilah", "routes", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == code
    assert "no local route 1 is in force" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["pilah", "routes", "list"])
    with pytest.raises(SystemExit):
        main()
    told = capsys.readouterr().out
    assert "gapura" in told
    assert "retired" in told
