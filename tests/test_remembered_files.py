"""What was saved stands in for the store up to its mark; what came since is read."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_remembered import fingerprint

from pilah.datasets.errors import IndexMismatchError
from pilah.datasets.records import Report
from pilah.models.index import VectorIndex
from pilah.models.rarity import Heard, Rarity, Texts
from pilah.models.remembered import Remembered
from pilah.models.remembered_files import load_remembered, save_remembered, saved_mark
from pilah.models.saved import MANIFEST
from pilah.models.triage import Triager
from pilah.service import incident_reads, incidents
from pilah.service.app import opened
from pilah.service.incidents import Act
from pilah.service.intake import make_item
from pilah.service.keeper import Keeper
from pilah.service.settings import Settings

if TYPE_CHECKING:
    from pilah.models.bundle import Bundle
    from pilah.service.state import Service

HOLE = "Lubang besar di Jalan Anggrek KM 5 depan toko cat Makmur, dua motor jatuh tadi malam"

names = st.integers(0, 30).map(lambda n: f"laporan {n} é")
acts = st.lists(st.tuples(names, st.none() | st.sets(st.sampled_from("abcd"))), max_size=60)


@settings(max_examples=30)
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
    copy = known.copy()
    known.put(fingerprint("later"), "inc", ["a"])
    save_remembered(copy, heard(7), folder, mark="now", index="files")
    known.drop("later")
    again, counted = load_remembered(folder)
    assert (counted.texts, counted.counts[7]) == (1, 1)
    assert len(again) == len(known)
    for name in (f"laporan {n} é" for n in range(31)):
        assert again.get(name) == known.get(name)
        assert again.incident(name) == known.incident(name)
    for block in "abcd":
        told = [[memory.name(row) for row in memory.block(block)] for memory in (again, known)]
        assert told[0] == told[1]
    again.put(fingerprint("new"), "inc", ["a"])
    assert again.name(next(again.block("a"))) == "new"


def heard(word: int) -> Heard:
    rarity = Rarity()
    words = np.array([word], dtype=np.uint32)
    rarity.add(Texts(words, np.array([0, 1], dtype=np.int64)))
    return rarity.heard()


def test_it_tells_its_mark_to_the_index_that_it_was_saved_with(tmp_path: Path) -> None:
    assert saved_mark(tmp_path, "files") is None
    save_remembered(Remembered(), heard(1), tmp_path, mark="now", index="files")
    assert saved_mark(tmp_path, "files") == "now"
    assert saved_mark(tmp_path, "others") is None


@pytest.mark.parametrize("victim", ["*.npz", "*.packed", "*.ids.json", MANIFEST])
def test_damage_is_noticed(tmp_path: Path, victim: str) -> None:
    known = Remembered()
    known.put(fingerprint("a"), "inc", ["b"])
    save_remembered(known, heard(1), tmp_path, mark="now", index="files")
    path = next(tmp_path.glob(victim))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(IndexMismatchError, match="pilah index rebuild"):
        load_remembered(tmp_path)


def test_counts_of_other_buckets_are_refused() -> None:
    with pytest.raises(ValueError, match="counts of shape"):
        Rarity().hear(Heard(np.zeros(3, dtype=np.int32), 1))


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
    monkeypatch.setattr("pilah.service.reads.remembered", lambda *_, **__: ())  # nothing to read
    with opened(chosen, factory(bundle)) as service:
        assert '"duplicate"' in take(service, "c")


def told_at_start(caplog: pytest.LogCaptureFixture) -> str:
    [found] = [r.message for r in caplog.records if r.name == "pilah.models.restoring"]
    return found


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put_back(folder: Path, files: dict[Path, bytes]) -> None:
    for path in files_of(folder):
        path.unlink()
    for path, content in files.items():
        path.write_bytes(content)


def test_after_a_kill_what_came_since_is_read_from_the_store(
    tmp_path: Path, bundle: Bundle, caplog: pytest.LogCaptureFixture
) -> None:
    chosen, folder = Settings(data_dir=tmp_path), tmp_path / "index"
    with opened(chosen, factory(bundle)) as service:
        take(service, "a")
        take(service, "b")
    before = files_of(folder)
    with opened(chosen, factory(bundle)) as service:
        take(service, "c")
        incidents.split(service.intake, home(service, "a"), ["b"], Act("ani", "lain"))
        wanted = {name: home(service, name) for name in "abc"}
        known = memory_of(service)
    put_back(folder, before)  # as if nothing had been saved since
    caplog.set_level(logging.INFO)
    with opened(chosen, factory(bundle)) as service:
        assert told_at_start(caplog) == "index: 3 reports, 1 of them stored since it was saved"
        assert {name: service.intake.engine._engine.finder.incident_of(name)
                for name in "abc"} == wanted  # type: ignore[attr-defined]  # fmt: skip
        assert memory_of(service) == known


def memory_of(service: Service) -> tuple[Any, ...]:
    finder = service.intake.engine._engine.finder  # type: ignore[attr-defined]
    counted = finder.rarity.heard()
    return len(finder), finder.index.ids(), counted.texts, counted.counts.tobytes()


@pytest.mark.parametrize("what", ["lost", "damage", "other store", "older store"])
def test_otherwise_the_store_is_read(
    tmp_path: Path, bundle: Bundle, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    chosen, folder = Settings(data_dir=tmp_path), tmp_path / "index"
    with opened(chosen, factory(bundle)) as service:
        take(service, "a")
        take(service, "b")
    stored = files_of(tmp_path)
    if what == "lost":
        (folder / "memory" / MANIFEST).unlink()
    if what == "damage":
        next((folder / "memory").glob("*.npz")).write_bytes(b"")
    if what == "older store":
        with opened(chosen, factory(bundle)) as service:
            take(service, "c")
        newer = files_of(folder)
        put_back(tmp_path, stored)
        put_back(folder, newer)
    if what == "other store":
        newer = files_of(folder)
        for path in tmp_path.glob("pilah.sqlite3*"):
            path.unlink()
        with opened(chosen, factory(bundle)) as service:
            take(service, "x")
            take(service, "y")
        put_back(folder, newer)
    caplog.set_level(logging.INFO)
    with opened(chosen, factory(bundle)) as service:
        added = 2 if what == "other store" else 0
        gone = {"other store": 2, "older store": 1}.get(what, 0)
        assert told_at_start(caplog) == f"index: 2 reports, {added} added, {gone} removed"
        names = "xy" if what == "other store" else "ab"
        assert home(service, names[0]) == home(service, names[1])


def test_memory_is_saved_again_when_much_has_come(
    tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, folder = Settings(data_dir=tmp_path), tmp_path / "index"
    with opened(chosen, factory(bundle)) as service:
        keeper = Keeper(service.intake, None)
        keeper.look()  # nothing is saved yet
        first = files_of(folder)
        take(service, "a")
        keeper.look()
        assert files_of(folder) == first
        monkeypatch.setattr("pilah.service.keeper.SAVE_EVERY", 1)
        keeper.look()
        assert files_of(folder) != first
        assert len(VectorIndex.load(folder)) == 1


def test_a_save_that_fails_at_the_end_hides_nothing(
    tmp_path: Path,
    bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with opened(Settings(data_dir=tmp_path), factory(bundle)) as service:
        keeper = Keeper(service.intake, None)

        def full() -> None:
            raise OSError("No space left on device")

        monkeypatch.setattr(keeper, "save", full)
        with pytest.raises(KeyError, match="why"), keeper.running():
            raise KeyError("why")
    assert "the memory was not saved at the end: OSError" in caplog.text


def home(service: Service, report_id: str) -> str:
    with service.intake.store.reading() as connection:
        return incident_reads.homes(connection, [report_id])[report_id]
