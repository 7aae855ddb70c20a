"""What was saved at a clean stop stands in for the store, once, and only for the same state."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_remembered import fingerprint

from pilah.datasets.errors import IndexMismatchError
from pilah.datasets.records import Report
from pilah.models.remembered import Remembered
from pilah.models.remembered_files import forget_saved, load_remembered, save_remembered
from pilah.models.saved import MANIFEST
from pilah.models.triage import Triager
from pilah.service import incident_reads, incidents
from pilah.service.app import opened
from pilah.service.incidents import Act
from pilah.service.intake import make_item
from pilah.service.settings import Settings

if TYPE_CHECKING:
    from pilah.models.bundle import Bundle
    from pilah.service.state import Service

HOLE = "Lubang besar di Jalan Anggrek KM 5 depan toko cat Makmur, dua motor jatuh tadi malam"

names = st.integers(0, 30).map(lambda n: f"laporan {n} é")
acts = st.lists(st.tuples(names, st.none() | st.sets(st.sampled_from("abcd"))), max_size=60)


@settings(max_examples=30, deadline=None)
@given(acts=acts)
def test_what_is_saved_comes_back(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, set[str] | None]]
) -> None:
    folder, known = tmp_path_factory.mktemp("memory"), Remembered()
    for name, blocks in acts:
        if blocks is None:
            known.drop(name)
        else:
            known.put(fingerprint(name), f"inc {name}", sorted(blocks))
    save_remembered(known, folder, "now")
    again = load_remembered(folder, "now")
    assert again is not None
    assert len(again) == len(known)
    for name in (f"laporan {n} é" for n in range(31)):
        assert again.get(name) == known.get(name)
        assert again.incident(name) == known.incident(name)
    for block in "abcd":
        told = [[memory.name(row) for row in memory.block(block)] for memory in (again, known)]
        assert told[0] == told[1]
    again.put(fingerprint("new"), "inc", ["a"])
    assert again.name(next(again.block("a"))) == "new"


def test_another_mark_is_another_state(tmp_path: Path) -> None:
    known = Remembered()
    known.put(fingerprint("a"), "inc", [])
    assert load_remembered(tmp_path, "now") is None
    save_remembered(known, tmp_path, "now")
    assert load_remembered(tmp_path, "then") is None
    forget_saved(tmp_path)
    assert load_remembered(tmp_path, "now") is None


@pytest.mark.parametrize("victim", ["*.npz", MANIFEST])
def test_damage_is_noticed(tmp_path: Path, victim: str) -> None:
    known = Remembered()
    known.put(fingerprint("a"), "inc", ["b"])
    save_remembered(known, tmp_path, "now")
    path = next(tmp_path.glob(victim))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(IndexMismatchError, match="pilah index rebuild"):
        load_remembered(tmp_path, "now")


# ---- the service


def factory(bundle: Bundle) -> Any:  # noqa: ANN401
    return lambda s: Triager.from_bundle(
        bundle, service_version="test", key=b"k", index_folder=s.data_dir / "index"
    )


def take(service: Service, name: str) -> str:
    item = make_item(Report(HOLE, id=name, region="34.04.07"), claim=None)
    reply = service.intake.take([item], lambda o: o[0].triage["duplicates"])  # type: ignore[union-attr]
    return reply.body


def test_a_clean_stop_spares_the_next_start_the_store(
    tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Settings(data_dir=tmp_path)
    with opened(chosen, factory(bundle)) as service:
        take(service, "a")
        take(service, "b")
    monkeypatch.setattr("pilah.service.reads.remembered", lambda *_: ())  # nothing to read
    with opened(chosen, factory(bundle)) as service:
        assert '"duplicate"' in take(service, "c")


@pytest.mark.parametrize("what", ["crash", "act", "damage"])
def test_otherwise_the_store_is_read(
    tmp_path: Path, bundle: Bundle, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    chosen, folder = Settings(data_dir=tmp_path), tmp_path / "index" / "memory"
    with opened(chosen, factory(bundle)) as service:
        take(service, "a")
        take(service, "b")
    if what == "crash":  # what a start takes away stays away
        forget_saved(folder)
    if what == "damage":
        next(folder.glob("*.npz")).write_bytes(b"")
    if what == "act":  # somebody restored an older memory than the store
        kept = {path: path.read_bytes() for path in folder.iterdir()}
        index = {path: path.read_bytes() for path in folder.parent.iterdir() if path.is_file()}
        with opened(chosen, factory(bundle)) as service:
            incidents.split(service.intake, home(service, "a"), ["b"], Act("ani", "lain"))
        for path, content in (kept | index).items():
            path.write_bytes(content)
    caplog.set_level(logging.INFO)
    with opened(chosen, factory(bundle)) as service:
        told = [r.message for r in caplog.records if r.name == "pilah.models.triage"]
        assert "index: 2 reports, 0 added, 0 removed" in told
        found = home(service, "a") == home(service, "b")
        assert found == (what != "act")


def home(service: Service, report_id: str) -> str:
    with service.intake.store.reading() as connection:
        return incident_reads.homes(connection, [report_id])[report_id]
