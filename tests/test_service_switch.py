"""A promoted bundle takes over under load: nothing is dropped, no answer is of two bundles."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from pilah.datasets.records import Report
from pilah.models.bundle import Bundle
from pilah.models.reading import Analysis
from pilah.models.registry import Pointer, Registry
from pilah.models.triage import Triager
from pilah.service.app import create_app, opened
from pilah.service.cli_service import engine as real_engine
from pilah.service.deciding import decide
from pilah.service.fake import FakeEngine
from pilah.service.index_check import compare_index
from pilah.service.intake import CHUNK, Reply, make_item
from pilah.service.live import LiveEngine
from pilah.service.settings import Settings
from pilah.service.state import Service
from pilah.service.switch import Switcher
from pilah.service.tables import fingerprints
from pilah.service.testing import served
from pilah.service.writes import Decision
from pilah.training.config import TrainConfig
from pilah.training.train import train

DATA = Path(__file__).parent / "data" / "latihan.jsonl"
TEXTS = ("jalan berlubang besar di depan pasar", "kartu keluarga belum terbit", "listrik padam")
WAIT_SECONDS = 60


class Versioned(FakeEngine):
    """A fake whose answers name a bundle."""

    def __init__(self, bundle: str, vectors: str = "fake-1") -> None:
        super().__init__(vectors)
        self.bundle = bundle
        self.during: Callable[[], object] = lambda: None

    def analyse(self, items: Sequence[tuple[str, Report]]) -> list[Analysis]:
        self.during()
        return [self.named(analysis) for analysis in super().analyse(items)]

    def named(self, analysis: Analysis) -> Analysis:
        versions = dataclasses.replace(analysis.draft.versions, bundle=self.bundle)
        draft = dataclasses.replace(analysis.draft, versions=versions)
        return dataclasses.replace(analysis, draft=draft)

    def describe(self) -> dict[str, object]:
        facts = super().describe()
        return facts | {"versions": dataclasses.replace(facts["versions"], bundle=self.bundle)}


def take(service: Service, *ids: str, text: str = "jalan rusak") -> Reply:
    items = [make_item(Report(text, id=i), claim=None) for i in ids]
    return service.intake.take(
        items, lambda o: {"bundles": [x.triage["versions"]["bundle"] for x in o]}
    )


def switcher(service: Service, engine: FakeEngine) -> Switcher:
    """One that finds the pointer moved, and makes this engine."""
    return Switcher(service, lambda _: engine, Pointer("before", 0))


def test_what_an_earlier_engine_read_is_read_again() -> None:
    one, two = Versioned("a"), Versioned("b")
    live = LiveEngine(one)
    analysis = live.analyse([("r", Report("jalan rusak"))])[0]
    live.switch(two, {})
    answer = live.settle(analysis)
    assert answer.triage.versions.bundle == "b"
    assert live.describe()["since"] == live.since


def test_the_new_engine_knows_what_came_while_it_was_filled(tmp_path: Path) -> None:
    one, two = Versioned("a"), Versioned("b", vectors="fake-2")
    with opened(Settings(data_dir=tmp_path), lambda _: one) as service:
        take(service, "r1")
        take(service, "r2", text="lampu mati")

        def meanwhile() -> None:
            two.during = lambda: None
            take(service, "r3")
            decide(service.intake, Decision("r2", "a", {"incident": "incident-r1"}))

        two.during = meanwhile
        switcher(service, two).look()
        assert service.intake.engine.bundle == "b"
        assert {i: m[1] for i, m in two.memory.items()} == {
            "r1": "incident-r1", "r2": "incident-r1", "r3": "incident-r1"
        }  # fmt: skip
        with service.intake.store.reading() as connection:
            made_by = connection.execute(select(fingerprints.c.made_by)).scalars().all()
        assert made_by == ["fake-2"] * 3
        assert '"b"' in take(service, "r4").body


def test_the_new_engine_knows_what_a_person_told_apart(tmp_path: Path) -> None:
    one, two = Versioned("a"), Versioned("b")
    with opened(Settings(data_dir=tmp_path), lambda _: one) as service:
        take(service, "r1", "r2")
        decide(service.intake, Decision("r2", "a", {"incident": "new"}))
        switcher(service, two).look()
    assert two.apart == one.apart != []


def test_a_long_request_keeps_its_engine_and_the_switch_waits(tmp_path: Path) -> None:
    one, two = Versioned("a"), Versioned("b")
    with opened(Settings(data_dir=tmp_path), lambda _: one) as service:
        waiting = switcher(service, two)
        thread = threading.Thread(target=waiting.look)

        def meanwhile() -> None:
            one.during = lambda: None
            thread.start()
            while not service.intake.engine._switching:
                time.sleep(0.001)

        one.during = meanwhile
        reply = take(service, *(f"r{i}" for i in range(2 * CHUNK)))
        thread.join()
        assert '"a"' in reply.body
        assert '"b"' not in reply.body
        assert '"b"' in take(service, "later").body
        assert len(two.memory) == 2 * CHUNK + 1


def test_an_engine_that_cannot_be_made_or_asked_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Versioned):
        def analyse(self, items: Sequence[tuple[str, Report]]) -> list[Analysis]:
            raise RuntimeError(str(items))

    with opened(Settings(data_dir=tmp_path), lambda _: Versioned("a")) as service:
        with caplog.at_level(logging.ERROR):
            switcher(service, Broken("b")).look()
        assert "refused, a goes on: RuntimeError at" in caplog.text
        assert "Jalan berlubang" not in caplog.text
        assert '"a"' in take(service, "r1").body
        refused = service.intake.engine.describe()["refused"]
        assert isinstance(refused, dict)
        assert refused["bundle"] == "bawaan"
        switcher(service, Versioned("c")).look()
        assert service.intake.engine.describe()["refused"] is None
        text = service.metrics.render(0).decode()
        for result in ("refused", "switched"):
            assert f'pilah_bundle_switches_total{{result="{result}"}} 1.0' in text


@pytest.fixture(scope="module")
def second_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with another encoder and other heads than ``bundle_folder``."""
    folder = tmp_path_factory.mktemp("bundle") / "lain"
    train(TrainConfig(data=(DATA,), name="lain", min_df=1, dim=16, strength=2.0)).save(folder)
    return folder


class Load:
    """Clients that post one report after the other, and batches, and keep every answer."""

    def __init__(self, url: str) -> None:
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.failed: list[object] = []
        self._url, self._stop = url, threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(3)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        with httpx.Client(base_url=self._url, timeout=WAIT_SECONDS) as client:
            for i in range(2_000):
                if self._stop.wait(0.005):
                    return
                rows = [{"text": TEXTS[j % 3], "id": f"{number}-{i}-{j}"} for j in range(70)]
                if number == 0:
                    reply = client.post("/v1/classify/batch", json={"reports": rows})
                    got = [r["triage"] for r in reply.json().get("results", [])]
                    if len({a["versions"]["bundle"] for a in got}) > 1:
                        self.failed.append("a batch of two bundles")
                else:
                    reply = client.post("/v1/classify", json=rows[0])
                    got = [reply.json()]
                if reply.status_code != 200:
                    self.failed.append((reply.status_code, reply.text))
                else:
                    self.answers += [(int(a["report_id"].split("-")[2]) % 3, a) for a in got]


def wait_for(client: httpx.Client, version: str) -> dict[str, Any]:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        model: dict[str, Any] = client.get("/v1/model").json()["model"]
        if model["versions"]["bundle"] == version:
            return model
        time.sleep(0.05)
    raise AssertionError(f"{version} does not answer")


def stated(bundle: Bundle) -> Iterator[tuple[str | None, float, str]]:
    """What a bundle says of each text by itself: topic, its probability, klasifikasi."""
    engine = Triager.from_bundle(bundle, service_version="x")
    for analysis in engine.analyse([(t, Report(t)) for t in TEXTS]):
        draft = analysis.draft
        yield draft.topic.main, draft.topic.probability, draft.klasifikasi.label


def test_promotion_and_rollback_under_load(
    tmp_path: Path, bundle_folder: Path, second_folder: Path
) -> None:
    registry = Registry(tmp_path / "bundles")
    first = registry.promote(str(bundle_folder), "uji")
    second = registry.add(second_folder)
    assert Bundle.load(bundle_folder).encoder.version != Bundle.load(second_folder).encoder.version
    app = create_app(Settings(data_dir=tmp_path), real_engine)
    with served(app) as url, httpx.Client(base_url=url, timeout=WAIT_SECONDS) as client:
        with Load(url) as load:
            assert wait_for(client, first)["refused"] is None
            while len(load.answers) < 80:
                time.sleep(0.01)
            registry.promote(second, "lebih baik")
            assert wait_for(client, second)["since"]
            registry.rollback("ternyata tidak")
            wait_for(client, first)
            (tmp_path / "bundles" / second / "arrays.npz").write_bytes(b"rusak")
            state = registry.folder / "live.json"
            state.write_text(
                state.read_text("utf-8").replace(f'"live": "{first}"', f'"live": "{second}"')
            )
            while not (refused := client.get("/v1/model").json()["model"])["refused"]:
                time.sleep(0.05)
        assert load.failed == []
        assert refused["refused"]["bundle"] == second
        assert refused["versions"]["bundle"] == first
        metrics = client.get("/metrics").text
        assert 'pilah_bundle_switches_total{result="switched"} 2.0' in metrics
        assert 'pilah_bundle_switches_total{result="refused"} 1.0' in metrics
    assert {a["versions"]["bundle"] for _, a in load.answers} == {first, second}
    known = {first: list(stated(Bundle.load(bundle_folder)))}
    known[second] = list(stated(Bundle.load(second_folder)))
    for text, answer in load.answers:
        topic, kind = answer["topic"], answer["klasifikasi"]["label"]
        main, probability, label = known[answer["versions"]["bundle"]][text]
        assert (topic["main"], kind) == (main, label)
        assert topic["probability"] == pytest.approx(probability, abs=1e-4)
    registry.promote(str(bundle_folder), "utuh lagi")
    assert compare_index(Settings(data_dir=tmp_path), "index").agrees
