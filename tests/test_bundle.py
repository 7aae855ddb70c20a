"""A bundle on disk: the same after a load, checked, replaced as a whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from texts_kit import NORMALS, UNSEEN

from pilah.datasets.errors import BundleError
from pilah.models.bundle import FORMAT, Bundle
from pilah.models.encoder import HashEncoder, unit
from pilah.models.pairs import plain_scorer
from pilah.models.scoring import DuplicateThresholds

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def test_encoders_give_unit_vectors(bundle: Bundle) -> None:
    for encoder in (bundle.encoder, HashEncoder()):
        rows = encoder.encode(NORMALS)
        assert rows.shape == (len(NORMALS), encoder.dim)
        assert rows.dtype == np.float32
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-5)
        assert (encoder.encode(NORMALS) == rows).all()
    features = bundle.features.transform(NORMALS)
    assert (bundle.encoder.project(features) == bundle.encoder.encode(NORMALS)).all()
    assert not unit(np.zeros((1, 4), np.float32)).any()


def spoken(bundle: Bundle) -> dict[str, NDArray[np.float32]]:
    rows = bundle.features.transform([*NORMALS, *UNSEEN])
    return {name: head.probabilities(rows) for name, head in bundle.heads.items()}


def test_a_bundle_comes_back_the_same(bundle: Bundle, tmp_path: Path) -> None:
    full = replace(
        bundle,
        pairs=plain_scorer(),
        duplicates=DuplicateThresholds(0.8, 0.3, 4, "uji"),
        agency_weight=0.25,
        agency_sure=0.7,
        card="# Kartu {version}\n",
    )
    version = full.save(tmp_path / "b")
    again = Bundle.load(tmp_path / "b")
    assert again.version == version
    assert again.card == f"# Kartu {version}\n"
    assert again.pairs is not None
    assert again.pairs.to_dict() == plain_scorer().to_dict()
    same = ("name", "label_set", "duplicates", "agency_weight", "agency_sure", "facts")
    assert [getattr(again, n) for n in same] == [getattr(full, n) for n in same]
    assert again.thresholds_version == full.thresholds_version
    assert list(again.heads) == sorted(full.heads)
    for name, rows in spoken(again).items():
        np.testing.assert_allclose(rows, spoken(full)[name], atol=1e-5)
        assert again.heads[name].stated == full.heads[name].stated


def test_quantising_a_trained_bundle_hardly_moves_a_probability(bundle: Bundle) -> None:
    """The loaded bundle is quantised already: noise of half a step moves an answer by little."""
    head = bundle.heads["topic_main"]
    step = np.abs(head.weights).max(axis=1, keepdims=True) / 254
    noise = np.random.default_rng(0).uniform(-1, 1, head.weights.shape).astype(np.float32)
    moved = replace(head, weights=head.weights + noise * step)
    rows = bundle.features.transform(NORMALS)
    assert np.abs(moved.probabilities(rows) - head.probabilities(rows)).max() < 0.02


def test_same_content_same_version_other_content_another(bundle: Bundle, tmp_path: Path) -> None:
    def saved(changed: Bundle, name: str) -> str:
        return changed.save(tmp_path / name)

    assert saved(bundle, "a") == saved(replace(bundle, name="lain", facts={}), "b")
    assert saved(bundle, "a") == Bundle.load(tmp_path / "b").version
    head = bundle.heads["topic_main"]
    others: list[dict[str, Any]] = [
        {"agency_sure": 0.5},
        {"agency_weight": 0.5},
        {"label_set": "own-1"},
        {"pairs": plain_scorer()},
        {"heads": {"topic_main": head}},
        {"heads": bundle.heads | {"topic_main": replace(head, scale=head.scale * 2)}},
        {"heads": bundle.heads | {"topic_main": replace(head, bias=head.bias + 1)}},
    ]
    versions = [saved(replace(bundle, **o), f"c{i}") for i, o in enumerate(others)]
    assert len({*versions, saved(bundle, "a")}) == len(others) + 1
    stated = {label: 0.5 for label in head.labels}  # noqa: C420 - reads as a table
    limits = replace(bundle, heads=bundle.heads | {"topic_main": replace(head, stated=stated)})
    assert limits.thresholds_version != bundle.thresholds_version


def test_a_bundle_holds_no_path_of_this_machine(bundle_folder: Path) -> None:
    for path in bundle_folder.iterdir():
        assert str(bundle_folder.parent).encode() not in path.read_bytes()
    assert {p.name for p in bundle_folder.iterdir()} == {
        "manifest.json", "features.json", "arrays.npz", "card.md",
    }  # fmt: skip


@pytest.fixture
def copy(bundle_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(bundle_folder, tmp_path / "salinan")


@pytest.mark.parametrize("name", ["features.json", "arrays.npz"])
def test_a_damaged_file_is_noticed(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(bytes(data))
    with pytest.raises(BundleError, match=rf"{name}: checksum differs; copy the bundle again"):
        Bundle.load(copy)


@pytest.mark.parametrize("name", ["features.json", "arrays.npz", "card.md"])
def test_a_missing_file_is_noticed(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=rf"{name}: missing; copy the bundle again"):
        Bundle.load(copy)


def changed(folder: Path, **values: object) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8")) | values
    path.write_text(json.dumps({k: v for k, v in manifest.items() if v is not None}), "utf-8")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": FORMAT + 1}, rf"format {FORMAT + 1}, this Pilah reads {FORMAT}; train it"),
        ({"format": None}, r"format None, this Pilah reads \d+; train it again"),
        ({"heads": None}, "incomplete; copy the bundle again"),
        ({"facts": None}, "incomplete; copy the bundle again"),
        ({"version": "0" * 12}, "changed since it was saved; copy the bundle again"),
        ({"agency": {"weight": 0.0, "sure": 0.0}}, "changed since it was saved; copy"),
        ({"files": {}}, "changed since it was saved; copy"),
    ],
)
def test_another_manifest_is_refused(copy: Path, values: dict[str, Any], message: str) -> None:
    changed(copy, **values)
    with pytest.raises(BundleError, match=message):
        Bundle.load(copy)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"3"])
def test_a_manifest_that_is_none_is_refused(copy: Path, content: bytes) -> None:
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"not JSON; copy|format None, this Pilah reads"):
        Bundle.load(copy)


def test_no_bundle_at_all_names_the_cure(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle here; `pilah bundle list` shows them"):
        Bundle.load(tmp_path / "tiada")


def test_saving_replaces_the_folder_as_a_whole(bundle: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "baru" / "kota"
    with_pairs = replace(bundle, pairs=plain_scorer())
    with_pairs.save(folder)
    (folder.parent / ".kota.old").mkdir()  # as a killed process leaves it
    (folder.parent / ".kota.old" / "sisa").touch()
    version = bundle.save(folder)
    assert not (folder / "pairs.json").exists()
    assert [p.name for p in folder.parent.iterdir()] == ["kota"]
    assert Bundle.load(folder).version == version


def test_a_failed_save_leaves_the_earlier_bundle(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kota"
    version = bundle.save(folder)
    monkeypatch.setattr("pilah.models.bundle._dump", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        replace(bundle, agency_sure=0.1).save(folder)
    assert Bundle.load(folder).version == version
    assert [p.name for p in tmp_path.iterdir()] == ["kota"]


def test_saving_never_replaces_something_else(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "catatan.txt").write_text("penting", "utf-8")
    with pytest.raises(BundleError, match="exists and is no bundle; name a new folder"):
        bundle.save(tmp_path)
    with pytest.raises(BundleError, match="exists and is no bundle"):
        bundle.save(tmp_path / "catatan.txt")
    assert (tmp_path / "catatan.txt").read_text("utf-8") == "penting"
    (tmp_path / "kosong").mkdir()
    bundle.save(tmp_path / "kosong")


def test_an_unlisted_pair_scorer_is_not_trusted(copy: Path) -> None:
    (copy / "pairs.json").write_text(json.dumps({"scorer": {}, "thresholds": {}}), "utf-8")
    assert Bundle.load(copy).pairs is None
