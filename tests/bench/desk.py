"""How long the desk's pages take over a store of 100,000 reports.

The store is filled with real shapes: reports of the written corpus are answered by the real engine
through the real intake, then copied row by row under new ids, a day earlier each time, until there
are enough; two in five are decided. The figures are what a client on the same machine sees of the
running service, one request at a time, so they hold the server's time and the way through HTTP;
``cpu`` is what the processor worked for server and client together, which other work on the machine
hardly changes.

    python tests/bench/desk.py -o var/bench/desk.json
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import httpx
import numpy as np
from common import console, finish
from sqlalchemy import Connection, text

from pilah.datasets.records import parse_report
from pilah.datasets.tables import data_folder
from pilah.service.accounts import sessions, users
from pilah.service.accounts.signin import COOKIE
from pilah.service.accounts.users import NewUser
from pilah.service.app import create_app, opened
from pilah.service.cli_service import INDEX, engine
from pilah.service.intake import make_item
from pilah.service.loop.counting import Counting
from pilah.service.loop.kept import Kept
from pilah.service.loop.quality_page import learned
from pilah.service.settings import Settings
from pilah.service.testing import served

SEED_REPORTS = 2_000
"""Reports that go through the engine; the rest are copies of theirs."""
BATCH = 64
WARM = 3
PEOPLE = (
    NewUser("pengawas", "supervisor"),
    NewUser("moderator", "moderator", government="Pemerintah Kabupaten Sleman"),
)


def main() -> None:
    """Fill a store, ask for pages, print and write the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--reports", type=int, default=100_000)
    arguments.add_argument("--requests", type=int, default=200, help="of each kind of page")
    arguments.add_argument("-o", "--output", type=Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        fill(settings, given.reports)
        result = measure(settings, given.requests)
    told = {"reports": given.reports, "requests": given.requests, "pages": result}
    finish("desk", told, given.output)


def fill(settings: Settings, wanted: int) -> None:
    """Answer the corpus, copy it, decide a part of it."""
    with opened(settings, engine) as service:
        reports = list(islice(corpus(), min(SEED_REPORTS, wanted)))
        for start in range(0, len(reports), BATCH):
            rows = [make_item(parse_report(r), claim=None) for r in reports[start : start + BATCH]]
            service.intake.take(rows, lambda _: {})
        with service.intake.store.writing() as connection:
            for person in PEOPLE:
                users.add_user(connection, person, by="bench")
            for number in range(1, -(-wanted // len(reports))):
                copy(connection, number)
            decide(connection)
        with service.intake.store.writing() as connection:
            connection.execute(text("ANALYZE"))
    shutil.rmtree(settings.data_dir / INDEX)  # it knows the seed only; the start makes it anew


def corpus() -> Iterator[dict[str, object]]:
    """Reports of the written corpus without their labels."""
    path = Path(str(data_folder())) / "corpus" / "train.jsonl"
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        yield {name: row[name] for name in ("id", "text", "region") if row.get(name)}


def copy(connection: Connection, number: int) -> None:
    """Copy every report of the seed under another id, ``number`` days earlier."""
    mark, seconds = f"~{number}", 86_400 * number
    for statement in COPIES:
        connection.execute(text(statement), {"mark": mark, "seconds": seconds})


COPIES = (
    "INSERT INTO incidents (id, created_from, created_at, status) SELECT id || :mark, "
    "created_from || :mark, created_at, status FROM incidents WHERE instr(id, '~') = 0",
    "INSERT INTO reports (id, hash, title, text, region, lat, lon, reported_at, received_at, "
    "channel, reporter_ref, visibility, chosen_agency, incident_id, topic, place) SELECT id || "
    ":mark, hash, title, text, region, lat, lon, reported_at, strftime('%Y-%m-%dT%H:%M:%f000+00:00'"
    ", received_at, -:seconds || ' seconds'), channel, reporter_ref, visibility, chosen_agency, "
    "incident_id || :mark, topic, place FROM reports WHERE instr(id, '~') = 0",
    "INSERT INTO suggestions SELECT report_id || :mark, triage, versions, incident_id || :mark, "
    "review_needed, made_at FROM suggestions WHERE instr(report_id, '~') = 0",
    "INSERT INTO fingerprints (report_id, fingerprint, vector, made_by) SELECT report_id || :mark, "
    "replace(fingerprint, '\"' || report_id || '\"', '\"' || report_id || :mark || '\"'), vector, "
    "made_by FROM fingerprints WHERE instr(report_id, '~') = 0",
    "INSERT INTO cases (report_id, status, rank, harm, risk, size, due_at, topic, agency, "
    "government, region, reasons) SELECT report_id || :mark, status, rank - :seconds, harm, risk, "
    "size, strftime('%Y-%m-%dT%H:%M:%S+00:00', due_at, -:seconds || ' seconds'), topic, agency, "
    "government, region, reasons FROM cases WHERE instr(report_id, '~') = 0",
    "INSERT INTO facts (report_id, day, week, government, agency, outcome, sure, merged, hoax, "
    "doubt) SELECT report_id || :mark, date(day, -:seconds || ' seconds'), "
    "date(day, -:seconds || ' seconds', '-6 days', 'weekday 1'), government, agency, outcome, "
    "sure, merged, hoax, doubt FROM facts WHERE instr(report_id, '~') = 0",
)


def decide(connection: Connection) -> None:
    """Decide two in five of what waits."""
    connection.execute(
        text(
            "INSERT INTO decisions (report_id, number, actor, labels, decided_at, action, before, "
            "versions) SELECT cases.report_id, 1, 'bench', CASE WHEN cases.reasons LIKE '%hoax%' "
            "THEN '{\"hoax\": true}' ELSE '{}' END, strftime('%Y-%m-%dT%H:%M:%f000+00:00', "
            "reports.received_at, (reports.seq % 120) || ' hours'), 'forward', "
            '\'{"labels": {}, "incident": ""}\', suggestions.versions FROM cases '
            "JOIN reports ON reports.id = cases.report_id JOIN suggestions ON "
            "suggestions.report_id = cases.report_id "
            "WHERE cases.status = 'waiting' AND reports.seq % 5 < 2"
        )
    )
    for statement in (
        "UPDATE cases SET status = 'decided' WHERE report_id IN (SELECT report_id FROM decisions)",
        "INSERT INTO refusals (report_id, number, agency, withdrawn) SELECT cases.report_id, 1, "
        "cases.agency, 0 FROM cases JOIN decisions ON decisions.report_id = cases.report_id "
        "WHERE cases.agency IS NOT NULL AND cases.report_id LIKE '%7'",
        "INSERT INTO second_opinions (report_id, actor, labels, given_at, asked) "
        "SELECT report_id, 'bench', labels, decided_at, 'overlap' FROM decisions "
        "WHERE report_id LIKE '%3'",
        "INSERT INTO shadow_answers (report_id, bundle, live, differences, made_at) "
        "SELECT report_id, 'calon', 'bench', '{\"agency\": [\"A\", \"B\"]}', decided_at "
        "FROM decisions WHERE report_id LIKE '%5'",
        "UPDATE review_requests SET decision = 1 "
        "WHERE report_id IN (SELECT report_id FROM decisions)",
    ):
        connection.execute(text(statement))


def measure(settings: Settings, requests: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each kind of page, p50 and p95."""
    app = create_app(settings, engine)
    with served(app) as url:
        store = app.state.service.intake.store
        with store.reading() as connection:
            ids = list(connection.execute(text(WAITING)).scalars())
            local = list(connection.execute(text(LOCAL)).scalars())
            waiting = connection.execute(text(COUNT)).scalar_one()
        console.print(f"{waiting:,} of the reports wait")
        found: dict[str, dict[str, float]] = {}
        for name in ("pengawas", "moderator"):
            with store.writing() as connection:
                user = users.find_user(connection, name)
                assert user is not None
                token = sessions.begin(connection, user[0]).token
            with httpx.Client(base_url=url, cookies={COOKIE: token}, timeout=60) as client:
                own = ids if name == "pengawas" else local
                kinds = [*paths(own), *(SUPERVISED if name == "pengawas" else ())]
                for kind, path in kinds:
                    figures = timed(client, path, requests)
                    found[f"{name} {kind}"] = figures
                    console.print(f"{name} {kind}: {figures}")
                unread = {"counting": Counting(store), "learned": Kept(store, learned, most=1)}
                app.state.service = replace(app.state.service, **unread)
                for path in ("/indikator", "/mutu") if name == "pengawas" else ("/indikator",):
                    found[f"{name} {path}, not yet read"] = first = once(client, path)
                    console.print(f"{name} {path}, not yet read: {first}")
    return found


WAITING = "SELECT report_id FROM cases WHERE status = 'waiting' ORDER BY rank LIMIT 5000"
LOCAL = (
    "SELECT report_id FROM cases WHERE status = 'waiting' "
    "AND government = 'Pemerintah Kabupaten Sleman' ORDER BY rank LIMIT 5000"
)
COUNT = "SELECT count(*) FROM cases WHERE status = 'waiting'"


def paths(ids: list[str]) -> list[tuple[str, Callable[[int], str]]]:
    """Kinds of pages, each with the address of its n-th request."""
    reports = [str(httpx.QueryParams({"id": name})) for name in ids]
    return [
        ("queue", lambda _: "/meja"),
        ("queue by reason", lambda _: "/meja?reason=needs_information"),
        ("queue by region", lambda _: "/meja?region=34"),
        ("queue by topic", lambda _: "/meja?topic=PENDIDIKAN"),
        ("queue by agency", lambda _: "/meja?agency=Dinas%20Pendidikan"),
        ("queue by all four", lambda _: f"/meja?{ALL_FOUR}"),
        ("what was decided", lambda _: "/meja?status=decided"),
        ("queue, page 20", lambda _: "/meja?mulai=950"),
        ("report", lambda n: f"/meja/laporan?{reports[n * 7 % len(reports)]}"),
        ("search", lambda n: f"/meja/label?cari=jalan&{reports[n * 7 % len(reports)]}"),
        ("second opinion", lambda _: "/pendapat"),
        ("indicators", lambda _: "/indikator"),
    ]


ALL_FOUR = "reason=agency_uncertain&topic=PENDIDIKAN&agency=Dinas%20Pendidikan&region=34"
SUPERVISED: tuple[tuple[str, Callable[[int], str]], ...] = (
    ("indicators of one government", lambda _: "/indikator?pemerintah=Pemerintah+Provinsi+Bali"),
    ("proposals", lambda _: "/usulan-rute"),
    ("quality of the model", lambda _: "/mutu"),
    ("audit log", lambda _: "/catatan"),
)
"""Pages that a moderator does not have."""


def once(client: httpx.Client, path: str) -> dict[str, float]:
    """Milliseconds of one request that cannot use what an earlier one left."""
    began, worked = time.perf_counter(), time.process_time()
    client.get(path).raise_for_status()
    took, busy = time.perf_counter() - began, time.process_time() - worked
    return {"ms": round(took * 1000), "cpu_ms": round(busy * 1000)}


def timed(client: httpx.Client, path: Callable[[int], str], requests: int) -> dict[str, float]:
    """p50 and p95 of so many requests after a few that warm up."""
    took, busy = [], []
    for number in range(WARM + requests):
        began, worked = time.perf_counter(), time.process_time()
        client.get(path(number)).raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - worked) * 1000)
    p50, p95 = np.percentile(took[WARM:], [50, 95])
    return {
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "cpu_p50_ms": round(float(np.median(busy[WARM:])), 1),
    }


if __name__ == "__main__":
    main()
