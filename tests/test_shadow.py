"""A candidate beside the live bundle: differences are kept, answers and speed are not touched."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilah.datasets.records import Report
from pilah.models.answer import OutcomeAnswer
from pilah.service.api import take_one
from pilah.service.app import opened
from pilah.service.cli import main
from pilah.service.fake import FakeEngine
from pilah.service.loop.shadow import Shadow, differences, summary
from pilah.service.metrics import Metrics
from pilah.service.settings import Settings
from pilah.service.store import Store

if TYPE_CHECKING:
    from pilah.models.reading import Analysis


class Candidate(FakeEngine):
    """Answers "prank" where the text says "coba"; waits for its gate; breaks at "meledak"."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    def analyse(self, items: Sequence[tuple[str, Report]]) -> list[Analysis]:
        self.gate.wait(20)
        if any("meledak" in report.text for _, report in items):
            raise ValueError(items)
        return [self._moody(analysis) for analysis in super().analyse(items)]

    def _moody(self, analysis: Analysis) -> Analysis:
        versions = dataclasses.replace(analysis.draft.versions, bundle="calon")
        draft = dataclasses.replace(analysis.draft, versions=versions)
        if "coba" in analysis.clean.normal:
            draft = dataclasses.replace(draft, outcome=OutcomeAnswer("prank", 0.9))
        return dataclasses.replace(analysis, draft=draft)


def counted(metrics: Metrics, result: str) -> float:
    return metrics.registry.get_sample_value("pilah_shadow_answers_total", {"result": result}) or 0


def wait_until(metrics: Metrics, number: float) -> None:
    for _ in range(6_000):
        if sum(counted(metrics, r) for r in ("same", "different", "failed")) >= number:
            return
        time.sleep(0.01)
    raise AssertionError("the candidate did not answer")


def send(service: object, name: str, text: str) -> dict[str, object]:
    body: dict[str, object] = json.loads(take_one(service, {"id": name, "text": text}, None).body)  # type: ignore[arg-type]
    return body


def test_differences_are_stored_and_the_answer_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(data_dir=tmp_path, shadow_bundle="calon")
    metrics = Metrics()
    with opened(
        settings, lambda s: Candidate() if s.bundle == "calon" else FakeEngine(), metrics
    ) as service:
        answer = send(service, "S1", "jalan coba rusak")
        send(service, "S2", "jalan rusak parah")
        send(service, "S3", "jalan meledak")
        wait_until(metrics, 3)
    assert answer["outcome"] == {"label": "actionable", "probability": 0.8} | {
        "missing": [], "evidence": [],
    }  # fmt: skip
    assert (counted(metrics, "different"), counted(metrics, "same")) == (1, 1)
    assert counted(metrics, "failed") == 1
    with Store.open(settings.url) as store, store.reading() as connection:
        found = summary(connection, {"S1": {"outcome": "prank"}}, limit=5)
    assert len(found) == 1
    assert found[0] | {"live": "", "left_out": 0} == {
        "candidate": "calon",
        "live": "",
        "compared": 2,
        "differing": 1,
        "by_field": {"outcome": 1},
        "judged_by_people": {"outcome": {"candidate": 1}},
        "reports": [{"report_id": "S1", "differences": {"outcome": ["actionable", "prank"]}}],
        "left_out": 0,
    }
    monkeypatch.setenv("PILAH_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["pilah", "shadow", "report"])
    with pytest.raises(SystemExit):
        main()
    assert "2 compared, 1 differ" in capsys.readouterr().out


def test_a_full_queue_drops_and_never_waits(tmp_path: Path) -> None:
    metrics, candidate = Metrics(), Candidate()
    with Store.open(Settings(data_dir=tmp_path).url) as store:
        shadow = Shadow(store, candidate, metrics, waiting=3)
        candidate.gate.clear()
        with shadow.running():
            for n in range(100):
                shadow.offer(f"r{n}", Report("jalan rusak"))
            assert counted(metrics, "dropped") >= 100 - 3 - 16
            candidate.gate.set()


def test_what_the_candidate_cannot_know_is_no_difference() -> None:
    live = FakeEngine().analyse([("a", Report("jalan rusak"))])[0].draft.to_dict()
    marked = live | {"review": {"needed": True, "reasons": ["possible_duplicate"]}}
    assert differences(marked, live) == {}
    unsure = live | {"review": {"needed": True, "reasons": ["topic_uncertain"]}}
    assert differences(live, unsure) == {"review": (False, True)}
