"""A report that was answered 2xx is stored, whenever the process is killed."""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from pilah.service.app import opened
from pilah.service.fake import FakeEngine
from pilah.service.lockfile import only_process
from pilah.service.settings import Settings

KILLS = 10
CLIENTS = 6
PATIENCE = 60
"""Seconds that anything may take on a busy machine; nothing waits longer than it needs."""
SERVER = """
import sys
from pathlib import Path
from pilah.service.app import serve
from pilah.service.fake import FakeEngine
from pilah.service.settings import Settings
folder, url = sys.argv[1:]
serve(Settings(data_dir=Path(folder), port=0, database_url=url), FakeEngine.make)
"""

pytestmark = pytest.mark.fault


class Server:
    """The real server in a process of its own, on a port that the system chose for it."""

    def __init__(self, folder: Path) -> None:
        url = Settings(data_dir=folder).url
        command = [sys.executable, "-c", SERVER, str(folder), url]
        self._log = folder / "server.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, stderr=log)  # noqa: S603 - our own code
        self.url = self._started()

    def _started(self) -> str:
        """The address that the log names; a port picked before the start may be taken by then."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            log = self._log.read_text(encoding="utf-8")
            if address := re.search(r"running on (http://127\.0\.0\.1:\d+) ", log):
                return address[1]
            assert self.process.poll() is None, f"the server ended by itself:\n{log}"
            time.sleep(0.02)
        raise AssertionError(f"the server did not start in {PATIENCE} seconds")

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Clients:
    """Threads that post until told to stop, and remember what was acknowledged."""

    def __init__(self, url: str, round_number: int) -> None:
        self.acknowledged: dict[str, str] = {}
        self.sent: set[str] = set()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(url, f"{round_number}-{n}"))
            for n in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, number: int) -> None:
        """Wait until so many are acknowledged, however slow the machine is."""
        deadline = time.monotonic() + PATIENCE
        while len(self.acknowledged) < number:
            if time.monotonic() > deadline:
                raise AssertionError(f"only {len(self.acknowledged)} in {PATIENCE} seconds")
            time.sleep(0.005)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, url: str, name: str) -> None:
        with httpx.Client(base_url=url, timeout=10) as client:
            for n in range(2_000):
                if self._stop.is_set():
                    return
                try:
                    self._post(client, f"r{name}-{n}", batch=n % 3 == 0)
                except httpx.TransportError:  # killed under us: nothing was promised
                    return

    def _post(self, client: httpx.Client, name: str, *, batch: bool) -> None:
        rows = [
            {"id": f"{name}-{i}", "text": f"jalan {name} {i}"} for i in range(4 if batch else 1)
        ]
        self.sent |= {row["id"] for row in rows}
        if batch:
            response = client.post("/v1/classify/batch", json={"reports": rows})
            answers = [result["triage"] for result in response.json()["results"]]
        else:
            response = client.post("/v1/classify", json=rows[0])
            answers = [response.json()]
        assert response.status_code == 200
        self.acknowledged |= {a["report_id"]: a["masked_text"] for a in answers}


def test_no_acknowledged_report_is_lost(tmp_path: Path) -> None:
    random_moment = random.Random(20_260_501)  # noqa: S311 - moments, not secrets
    acknowledged: dict[str, str] = {}
    sent: set[str] = set()
    for number in range(KILLS):
        server = Server(tmp_path)
        clients = Clients(server.url, number)
        clients.wait_for(random_moment.randint(0, 60))
        time.sleep(random_moment.uniform(0.0, 0.05))  # not right after an acknowledgement
        server.kill()
        clients.stop()
        acknowledged |= clients.acknowledged
        sent |= clients.sent
    server = Server(tmp_path)
    try:
        with httpx.Client(base_url=server.url, timeout=10) as client:
            lost = [
                name for name, text in acknowledged.items() if not is_stored(client, name, text)
            ]
    finally:
        server.kill()
    assert len(acknowledged) > 100
    assert lost == []
    assert set(remembered(tmp_path)) >= acknowledged.keys()
    assert set(remembered(tmp_path)) <= sent
    print(f"{KILLS} kills, {len(sent)} sent, {len(acknowledged)} acknowledged, 0 lost")  # noqa: T201


DECISION_KILLS = 5


class Deciders(Clients):
    """Threads that decide, undo and refuse, and remember what was acknowledged."""

    def _post(self, client: httpx.Client, name: str, *, batch: bool) -> None:
        body = {"id": name, "text": f"jalan {name}"}
        assert client.post("/v1/classify", json=body).status_code == 200
        acts = [{"agency": "Dinas A"}, {"action": "undo"}, {"refused_by": "Dinas PU"}]
        for number, act in enumerate(acts[: 3 if batch else 1], start=1):
            path = f"/v1/reports/{name}/decision"
            self.sent.add(f"{name}#{number}")
            response = client.post(path, json={"actor": "m", "after": number - 1, **act})
            assert response.status_code == 201, response.text
            self.acknowledged[f"{name}#{number}"] = response.json()["decisions"][-1]["action"]


def test_no_acknowledged_decision_is_lost(tmp_path: Path) -> None:
    random_moment = random.Random(20_261_122)  # noqa: S311 - moments, not secrets
    acknowledged: dict[str, str] = {}
    sent: set[str] = set()
    for number in range(DECISION_KILLS):
        server = Server(tmp_path)
        deciders = Deciders(server.url, number)
        deciders.wait_for(random_moment.randint(5, 40))
        server.kill()
        deciders.stop()
        acknowledged |= deciders.acknowledged
        sent |= deciders.sent
    server = Server(tmp_path)
    try:
        with httpx.Client(base_url=server.url, timeout=10) as client:
            reports = {name.partition("#")[0] for name in acknowledged}
            stored = {name: client.get(f"/v1/reports/{name}").json() for name in reports}
    finally:
        server.kill()
    kept = {
        f"{name}#{decision['number']}": decision["action"]
        for name, report in stored.items()
        for decision in report["decisions"]
    }
    assert len(acknowledged) > 20
    assert {name: kept.get(name) for name in acknowledged} == acknowledged
    assert set(kept) <= sent
    for name, report in stored.items():
        refused = [r["decision"] for r in report["refusals"]]
        assert refused == [3] * (f"{name}#3" in kept), name  # a decision is whole or not there
        assert len(report["offers"]) == len(refused)


def is_stored(client: httpx.Client, name: str, text: str) -> bool:
    response = client.get(f"/v1/reports/{name}")
    return response.status_code == 200 and response.json()["suggestion"]["masked_text"] == text


def remembered(folder: Path) -> list[str]:
    """What the engine remembers after a start: it must agree with the store."""
    engine = FakeEngine()
    with opened(Settings(data_dir=folder), lambda _: engine):
        return list(engine.memory)


def test_second_server_on_the_same_folder_says_why(tmp_path: Path) -> None:
    url = Settings(data_dir=tmp_path).url
    command = [sys.executable, "-c", SERVER, str(tmp_path), url]
    with only_process(tmp_path):
        second = subprocess.run(command, capture_output=True, text=True, timeout=60)  # noqa: S603
    assert second.returncode == 1
    assert second.stderr.splitlines()[-1].startswith("pilah.service.migrations.StoreError: ")
    assert "set PILAH_DATA_DIR" in second.stderr.splitlines()[-1]
    assert second.stderr.count("Traceback") == 1  # python's own: the log has none beside it


def test_terminated_server_finishes_its_requests(tmp_path: Path) -> None:
    server = Server(tmp_path)
    clients = Clients(server.url, 0)
    clients.wait_for(20)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=30) in (0, -signal.SIGTERM)
    clients.stop()
    assert clients.acknowledged
    assert clients.acknowledged.keys() <= set(remembered(tmp_path))
