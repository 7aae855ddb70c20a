"""The example data of ``pilah serve --demo``: taken in, decided, spread, and signed in to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilah.service.accounts import audit, audited, passwords, users
from pilah.service.app import opened
from pilah.service.cli import main
from pilah.service.fake import FakeEngine
from pilah.service.loop import demo
from pilah.service.loop.columns import Span
from pilah.service.settings import Settings


def test_the_demo_fills_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "REPORTS", 44)
    done: list[int] = []
    with opened(Settings(data_dir=tmp_path, audit_share=1.0), FakeEngine.make) as service:
        password = demo.fill(service, done.append)
        total = service.counting.measures(Span())[()]
        weeks = service.counting.measures(Span(), ("week",))
        with service.intake.store.reading() as connection:
            user = users.find_user(connection, demo.USER)
            chain, compared = audit.verify(connection), audited.compare(connection)
    assert sum(done) == total.reports == 44
    assert 0 < total.decided < 44
    assert total.in_time < total.decided  # some decisions come late, as they do
    assert len(weeks) >= demo.WEEKS
    assert chain.broken_at is None
    assert compared.holds  # `pilah audit verify` finds nothing to complain of
    assert compared.decisions >= total.decided
    assert user is not None
    assert user[0].role == "supervisor"
    assert passwords.matches(user[1], password)


def test_the_demo_keeps_away_from_real_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["pilah", "serve", "--demo", "--data-dir", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "has a folder of its own" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
