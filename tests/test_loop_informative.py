"""The most informative reports join the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from loop_kit import asking, send

from pilah.datasets.records import Report
from pilah.service.app import opened
from pilah.service.fake import FakeEngine
from pilah.service.loop.facts import doubt, week_of
from pilah.service.loop.informative import most_informative, spread
from pilah.service.reads import review_queue
from pilah.service.settings import Settings
from pilah.service.state import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with asking(tmp_path) as service:
        yield service


def test_margins_make_the_doubt() -> None:
    triage = FakeEngine().analyse([("a", Report("jalan rusak"))])[0].draft.to_dict()
    assert doubt(triage) == pytest.approx(1 - 0.65)
    assert week_of("2026-11-22") == "2026-11-16"


def test_a_diverse_choice_takes_the_farthest() -> None:
    vectors = np.array([[1, 0], [0.99, 0.14], [0.9, 0.43], [0, 1]], dtype=np.float32)
    assert spread(vectors, 2) == [0, 3]
    assert sorted(spread(vectors, 9)) == [0, 1, 2, 3]


def test_informative_reports_join_the_queue(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, audit_share=0.0, overlap_share=0.0, informative_share=0.2
    )
    with opened(settings, FakeEngine.make) as service:
        for n in range(60):
            send(service, f"Q{n}", "tidak jelas" if n % 2 else "jalan rusak")
        send(service, "rahasia", "jalan gang", visibility="secret")
        with service.intake.store.reading() as connection:
            waiting = review_queue(connection, reason="informative", after=0, limit=50)
            again = most_informative(connection, 5)
        assert len(waiting) == int(0.2 * 25)  # the queue is topped up at the 50th report
        assert all(m.why == ("informative",) for m in waiting)
        assert not {m.report_id for m in waiting} & set(again)
        assert "rahasia" not in most_of(service)


def most_of(service: Service) -> list[str]:
    with service.intake.store.reading() as connection:
        return most_informative(connection, 200)
