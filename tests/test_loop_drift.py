"""The scheduled check: drift and a broken promise propose a retrain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loop_kit import asking, say, send
from sqlalchemy import text as sql

from pilah.service.cli import main
from pilah.service.loop.drift import last_report, look_for_drift
from pilah.service.state import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with asking(tmp_path) as service:
        yield service


def test_drift_of_a_week_that_is_different(service: Service) -> None:
    today = datetime.now(UTC).date()
    for n in range(60):
        send(service, f"D{n}", "jalan rusak aspal")
    older = (today - timedelta(days=9)).isoformat()
    with service.intake.store.writing() as connection:
        connection.execute(sql("UPDATE facts SET day = :older"), {"older": older})
    for n in range(60):
        send(service, f"N{n}", "gempa tenda pengungsi", visibility="secret" if n % 2 else "public")
    with service.intake.store.reading() as connection:
        found = look_for_drift(
            connection, today + timedelta(days=1), days=7, reference_days=28, promise=0.9
        )
    assert (found.reference.reports, found.latest.reports) == (60, 60)
    assert found.shifts["topic"].drifted
    assert found.words.drifted
    assert found.words.new["gempa"] == 30  # words of secret reports are not read
    assert any(reason.startswith("topic: PSI") for reason in found.reasons)
    assert found.to_dict()["retrain"] is True
    quiet = replace(found, reasons=())
    assert quiet.to_dict()["retrain"] is False


def test_a_broken_promise_proposes_a_retrain(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    bundle_folder: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr("pilah.models.registry.shipped_bundle", lambda: bundle_folder)
    monkeypatch.setenv("PILAH_DATA_DIR", str(service.settings.data_dir))
    for n in range(12):
        send(service, f"P{n}")
        say(service, f"P{n}", agency="Dinas Z" if n < 6 else "Dinas PU", look="read")
    monkeypatch.setattr("sys.argv", ["pilah", "drift", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert found["retrain"] is True
    assert [reason.split(":")[0] for reason in found["reasons"]] == [
        "precision", "precision of Dinas PU (Pemerintah Kabupaten Sleman)"
    ]  # fmt: skip
    service.metrics.saw_drift(found)
    assert service.metrics.registry.get_sample_value("pilah_retrain_proposed") == 1


def test_the_drift_command_reports_and_keeps_its_report(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    bundle_folder: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr("pilah.models.registry.shipped_bundle", lambda: bundle_folder)
    monkeypatch.setenv("PILAH_DATA_DIR", str(service.settings.data_dir))
    send(service, "K1")
    monkeypatch.setattr("sys.argv", ["pilah", "drift", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    found = json.loads(capsys.readouterr().out)
    assert (found["latest"]["reports"], found["retrain"], found["promise"]) == (1, False, 0.9)
    kept = json.loads((service.settings.data_dir / "drift.json").read_text("utf-8"))
    assert kept == found
    monkeypatch.setattr("sys.argv", ["pilah", "drift"])
    with pytest.raises(SystemExit):
        main()
    assert "retrain: no reason" in capsys.readouterr().out
    service.metrics.saw_drift(last_report(service.settings.data_dir) or {})
    assert service.metrics.registry.get_sample_value("pilah_retrain_proposed") == 0
    assert service.metrics.registry.get_sample_value("pilah_drift_psi", {"what": "topic"}) == 0
    for other in ("{", "[]", '{"promise": 0.9}'):
        (service.settings.data_dir / "drift.json").write_text(other)
        assert last_report(service.settings.data_dir) is None
