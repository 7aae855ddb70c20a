"""The duplicate index: equals brute force, survives saving, refuses damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.datasets.errors import IndexMismatchError
from pilah.models.index import MANIFEST, VectorIndex

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


@settings(max_examples=50, deadline=None)
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


@settings(max_examples=20, deadline=None)
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
    index.save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    assert len(VectorIndex.load(tmp_path)) == 6


def test_a_failed_save_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = filled()
    index.save(tmp_path)
    index.add(["r9"], unit(9, 1))
    monkeypatch.setattr("pilah.models.index._commit", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        index.save(tmp_path)
    assert len(VectorIndex.load(tmp_path)) == 5


@pytest.mark.parametrize("pattern", ["*.faiss", "*.ids.json"])
def test_one_corrupt_byte_is_noticed(tmp_path: Path, pattern: str) -> None:
    filled().save(tmp_path)
    victim = next(tmp_path.glob(pattern))
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(bytes(data))
    with pytest.raises(IndexMismatchError, match=r"checksum.*pilah index rebuild"):
        VectorIndex.load(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"format": 99}', '{"format": 1, "vectors": {}}']
)
def test_a_broken_manifest_names_the_cure(tmp_path: Path, content: str) -> None:
    filled().save(tmp_path)
    (tmp_path / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(IndexMismatchError, match="pilah index rebuild"):
        VectorIndex.load(tmp_path)


def test_a_missing_folder_names_the_cure(tmp_path: Path) -> None:
    with pytest.raises(IndexMismatchError, match="pilah index rebuild"):
        VectorIndex.load(tmp_path / "none")
