"""Which bundle is live: promoting, rolling back, and what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.datasets.errors import BundleError
from pilah.models.bundle import Bundle
from pilah.models.registry import SHIPPED, Registry

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copy(bundle_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(bundle_folder, tmp_path / "salinan")


@pytest.fixture
def other(bundle: Bundle, tmp_path: Path) -> Path:
    replace(bundle, name="lain", agency_sure=0.5).save(tmp_path / "lain")
    return tmp_path / "lain"


def test_promoting_and_rolling_back(bundle_folder: Path, other: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "bundles")
    assert (registry.live(), registry.history(), registry.versions()) == (SHIPPED, [], [])
    with pytest.raises(BundleError, match="nothing to roll back"):
        registry.rollback("coba")
    first = registry.promote(str(bundle_folder), "pertama")
    second = registry.promote(str(other), "kedua")
    assert registry.versions() == [first, second]
    assert registry.live() == second
    assert Bundle.load(registry.path()).version == second
    assert registry.rollback("salah rute") == first
    assert registry.live() == first
    assert registry.rollback("lebih jauh") == SHIPPED
    with pytest.raises(BundleError, match="nothing to roll back"):
        registry.rollback("terlalu jauh")
    assert registry.promote(second, "lagi") == second
    assert registry.promote(SHIPPED, "bawaan") == SHIPPED
    assert registry.rollback("") == second
    told = [(e["action"], e["version"], e["reason"]) for e in registry.history()]
    assert told == [
        ("promote", first, "pertama"),
        ("promote", second, "kedua"),
        ("rollback", first, "salah rute"),
        ("rollback", SHIPPED, "lebih jauh"),
        ("promote", second, "lagi"),
        ("promote", SHIPPED, "bawaan"),
        ("rollback", second, ""),
    ]
    assert all(e["at"].endswith("+00:00") for e in registry.history())


@settings(max_examples=40)
@given(moves=st.lists(st.sampled_from(["a", "b", "back"]), max_size=12))
def test_history_is_a_stack(moves: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Rolling back undoes the last promotion that still stands, and nothing is forgotten."""
    folder = tmp_path_factory.mktemp("bundles")
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "manifest.json").touch()
    registry = Registry(folder)
    stack, done = [SHIPPED], 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Registry, "add", lambda _, source: source.name)
        for move in moves:
            if move != "back":
                registry.promote(move, "")
                stack.append(move)
            elif len(stack) > 1:
                stack.pop()
                assert registry.rollback("") == stack[-1]
            else:
                with pytest.raises(BundleError):
                    registry.rollback("")
                continue
            done += 1
            assert registry.live() == stack[-1]
    assert len(registry.history()) == done


def test_a_name_that_is_no_bundle_lists_what_there_is(bundle_folder: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "bundles")
    version = registry.promote(str(bundle_folder), "")
    with pytest.raises(BundleError, match=rf"no bundle 'x'; known here: {SHIPPED}, {version};"):
        registry.path("x")
    with pytest.raises(BundleError, match="no bundle 'x'"):
        registry.promote("x", "")
    shutil.rmtree(tmp_path / "bundles" / version)
    with pytest.raises(BundleError, match=f"no bundle '{version}'"):
        registry.path()
    assert registry.live() == version


def test_a_damaged_bundle_is_not_promoted(copy: Path, tmp_path: Path) -> None:
    (copy / "features.json").write_text("{}", "utf-8")
    registry = Registry(tmp_path / "bundles")
    with pytest.raises(BundleError, match="checksum differs"):
        registry.promote(str(copy), "")
    assert (registry.live(), registry.versions()) == (SHIPPED, [])


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"live": "x"}'])
def test_a_broken_pointer_names_the_cure(tmp_path: Path, content: str) -> None:
    (tmp_path / "live.json").write_text(content, "utf-8")
    with pytest.raises(BundleError, match=r"remove it and promote a bundle again"):
        Registry(tmp_path).live()
