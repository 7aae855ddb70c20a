"""The duplicate index: equals brute force, survives saving, refuses damage."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.datasets.errors import IndexMismatchError
from pilah.models.index import VectorIndex
from pilah.models.index_kinds import Inverted, inverted, lists_for
from pilah.models.saved import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DIM = 8


def unit(seed: int, count: int) -> NDArray[np.float32]:
    matrix = np.random.default_rng(seed).standard_normal((count, DIM))
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), np.float32)


def filled(count: int = 5) -> VectorIndex:
    index = VectorIndex(DIM, "e1")
    index.add([f"r{i}" for i in range(count)], unit(0, count))
    return index


@settings(max_examples=50)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 30),
    k=st.integers(1, 40),
    gone=st.sets(st.integers(0, 29)),
)
def test_search_equals_brute_force(seed: int, count: int, k: int, gone: set[int]) -> None:
    vectors, query = unit(seed, count), unit(seed + 1, 3)
    index = VectorIndex(DIM, "e1")
    index.add([f"r{i}" for i in range(count)], vectors)
    held = [i for i in range(count) if i not in gone]
    assert index.remove(f"r{i}" for i in gone) == count - len(held)
    for row, found in zip(query, index.search(query, k), strict=True):
        cosines = vectors[held] @ row
        assert len(found) == min(k, len(held))
        best = [float(cosines[i]) for i in np.argsort(-cosines)[: len(found)]]
        assert [score for _, score in found] == pytest.approx(best, abs=1e-5)
        by_name = {f"r{i}": float(c) for i, c in zip(held, cosines, strict=True)}
        assert all(by_name[name] == pytest.approx(score, abs=1e-5) for name, score in found)


def test_empty_index_finds_nothing() -> None:
    assert VectorIndex(DIM, "e1").search(unit(1, 2), 3) == [[], []]


def test_adding_again_replaces() -> None:
    index = filled()
    index.add(["r1"], unit(7, 1))
    assert len(index) == 5
    assert index.search(unit(7, 1), 1)[0][0][0] == "r1"


def test_unknown_ids_are_passed_over_on_removal() -> None:
    index = filled()
    assert index.remove(["nobody", "r2", "r2"]) == 1
    assert "r2" not in index
    assert len(index) == 4


@pytest.mark.parametrize(
    ("ids", "matrix"),
    [
        (["a"], np.zeros((1, 3), np.float32)),
        (["a"], np.zeros(DIM, np.float32)),
        (["a", "a"], np.zeros((2, DIM), np.float32)),
        (["a", "b"], np.zeros((1, DIM), np.float32)),
        (["a"], np.full((1, DIM), np.nan, np.float32)),
    ],
)
def test_wrong_vectors_are_refused(ids: list[str], matrix: NDArray[np.float32]) -> None:
    index = filled()
    with pytest.raises(ValueError, match="vector"):
        index.add(ids, matrix)
    assert len(index) == 5


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), count=st.integers(0, 20))
def test_save_and_load_round_trip(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int
) -> None:
    folder = tmp_path_factory.mktemp("index")
    index = VectorIndex(DIM, "e1")
    index.add([f"laporan-{i}-é" for i in range(count)], unit(seed, count))
    index.remove(["laporan-0-é"])
    index.save(folder)
    again = VectorIndex.load(folder)
    assert (len(again), again.version, again.dim) == (len(index), "e1", DIM)
    assert again.search(unit(seed + 1, 2), 5) == index.search(unit(seed + 1, 2), 5)
    again.add(["new"], unit(3, 1))
    assert again.search(unit(3, 1), 1)[0][0][0] == "new"


def test_saving_again_leaves_only_what_counts(tmp_path: Path) -> None:
    index = filled()
    index.save(tmp_path)
    index.add(["r9"], unit(9, 1))
    (tmp_path / ".new-a1b2.npy.tmp").write_bytes(b"cut off by a kill")
    index.save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    assert len(VectorIndex.load(tmp_path)) == 6


def test_a_failed_save_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = filled()
    index.save(tmp_path)
    index.add(["r9"], unit(9, 1))
    monkeypatch.setattr("pilah.models.index.commit", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        index.save(tmp_path)
    assert len(VectorIndex.load(tmp_path)) == 5


@pytest.mark.parametrize("pattern", ["*.npy", "*.ids.json"])
def test_one_corrupt_byte_is_noticed(tmp_path: Path, pattern: str) -> None:
    filled().save(tmp_path)
    victim = next(tmp_path.glob(pattern))
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(bytes(data))
    with pytest.raises(IndexMismatchError, match=r"checksum.*pilah index rebuild"):
        VectorIndex.load(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"format": 99}', '{"format": 3, "files": {}}']
)
def test_a_broken_manifest_names_the_cure(tmp_path: Path, content: str) -> None:
    filled().save(tmp_path)
    (tmp_path / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(IndexMismatchError, match="pilah index rebuild"):
        VectorIndex.load(tmp_path)


def test_a_missing_folder_names_the_cure(tmp_path: Path) -> None:
    with pytest.raises(IndexMismatchError, match="pilah index rebuild"):
        VectorIndex.load(tmp_path / "none")


# ---- growing beyond exact search


def grown(aside: bool, count: int = 600) -> VectorIndex:
    index = VectorIndex(DIM, "e1", exact_up_to=200, grow_aside=aside)
    for start in range(0, count, 50):
        ids = [f"r{i}" for i in range(start, start + 50)]
        index.add(ids, unit(start, 50))
    index.wait()
    return index


@pytest.mark.parametrize("aside", [False, True])
def test_a_grown_index_loses_nothing(aside: bool) -> None:
    index = grown(aside)
    assert index.kind.startswith("ivf64,pq4")
    assert len(index) == len(index.ids()) == 600
    assert index.recall >= 0.95
    for start in range(0, 600, 50):
        found = index.search(unit(start, 50), 1)
        assert [row[0][0] for row in found] == [f"r{i}" for i in range(start, start + 50)]


def test_an_index_that_looks_at_fewer_lists_finds_most() -> None:
    index = VectorIndex(DIM, "e1", exact_up_to=1_000)
    vectors, query = unit(0, 4_000), unit(1, 50)
    index.add([f"r{i}" for i in range(4_000)], vectors)
    assert 0.98 <= index.recall <= 1
    found = [{name for name, _ in row} for row in index.search(query, 20)]
    truth = [{f"r{i}" for i in row} for row in np.argsort(-(query @ vectors.T))[:, :20].tolist()]
    hits = sum(len(one & other) for one, other in zip(found, truth, strict=True))
    assert hits / (20 * 50) >= 0.95


def test_an_index_of_which_much_was_removed_is_built_anew() -> None:
    index = VectorIndex(DIM, "e1", exact_up_to=1_000)
    vectors = unit(0, 1_500)
    index.add([f"r{i}" for i in range(1_500)], vectors)
    index.remove(f"r{i}" for i in range(200))
    assert index.search(vectors[100:101], 1)[0][0][0] != "r100"
    index.add(["late"], unit(7, 1))
    assert int(index._lists.faiss.ntotal) == len(index) == 1_301  # type: ignore[union-attr]
    assert index.search(unit(7, 1), 1)[0][0][0] == "late"
    assert index.search(vectors[300:301], 1)[0][0][0] == "r300"


def test_a_copy_stays_as_it_is_while_the_index_goes_on(tmp_path: Path) -> None:
    index, query = grown(aside=False), unit(9, 4)
    before, copy = index.search(query, 9), index.copy()
    index.remove(f"r{i}" for i in range(0, 600, 2))
    index.add([f"new{i}" for i in range(3_000)], unit(5, 3_000))
    copy.save(tmp_path)
    again = VectorIndex.load(tmp_path)
    assert again.search(query, 9) == copy.search(query, 9) == before
    assert (len(again), again.kind) == (600, copy.kind)


def test_growing_at_once_gives_the_same_index_each_time() -> None:
    query = unit(9_999, 5)
    assert grown(aside=False).search(query, 20) == grown(aside=False).search(query, 20)


def test_what_changes_while_a_larger_index_is_built_is_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go = threading.Event()

    def slow(*args: Any, **options: Any) -> Inverted:  # noqa: ANN401
        assert go.wait(20)
        return inverted(*args, **options)

    monkeypatch.setattr("pilah.models.index.inverted", slow)
    index = VectorIndex(DIM, "e1", exact_up_to=200, grow_aside=True)
    index.add([f"r{i}" for i in range(250)], unit(0, 250))
    assert index.kind == "exact"
    assert index.remove(["r3", "r4"]) == 2
    index.add(["new", "r4"], unit(7, 2))
    assert index.search(unit(7, 2), 1)[0][0][0] == "new"
    go.set()
    index.wait()
    assert index.kind.startswith("ivf")
    assert len(index) == 250
    assert "r3" not in index
    assert [row[0][0] for row in index.search(unit(7, 2), 1)] == ["new", "r4"]
    assert {name for row in index.search(unit(0, 250), 5) for name, _ in row} <= set(index.ids())


def test_a_larger_index_that_cannot_be_built_leaves_the_smaller(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Inverted:  # noqa: ANN401
        raise RuntimeError("no memory")

    monkeypatch.setattr("pilah.models.index.inverted", broken)
    index = VectorIndex(DIM, "e1", exact_up_to=200)
    index.add([f"r{i}" for i in range(250)], unit(0, 250))
    assert (index.kind, len(index)) == ("exact", 250)
    assert "was not built" in caplog.text


@settings(max_examples=10)
@given(gone=st.sets(st.integers(0, 599), max_size=100))
def test_a_grown_index_is_saved_with_what_was_removed(
    tmp_path_factory: pytest.TempPathFactory, gone: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("grown")
    index = grown(aside=False)
    assert index.remove(f"r{i}" for i in gone) == len(gone)
    index.add(["late"], unit(77_777, 1))
    index.save(folder)
    again = VectorIndex.load(folder)
    assert (again.kind, again.recall, len(again)) == (index.kind, index.recall, 601 - len(gone))
    assert again.ids() == index.ids()
    query = unit(5, 3)
    assert again.search(query, 10) == index.search(query, 10)
    names, scores = zip(*again.search(query[:1], 10)[0], strict=True)
    assert again.cosines([*names, "nobody"], query[0]) == pytest.approx([*scores, 0.0], abs=1e-3)
    assert again.holds("late", unit(77_777, 1)[0])
    assert again.remove(["late"]) == 1
    assert again.cosines(["late"], unit(77_777, 1)[0]) == [0.0]


def test_it_knows_the_very_vector_that_it_was_given() -> None:
    index = filled()
    assert index.holds("r1", unit(0, 5)[1])
    assert not index.holds("r1", unit(0, 5)[2])
    assert not index.holds("nobody", unit(0, 5)[1])


@pytest.mark.parametrize(("count", "lists"), [(50_000, 1024), (200_000, 2048), (1_000_000, 4096)])
def test_more_vectors_get_more_lists(count: int, lists: int) -> None:
    assert lists_for(count) == lists
