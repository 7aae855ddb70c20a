"""N-gram features, heads and encoder: as they were after a bundle was saved and loaded."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from pilah.datasets.chargrams import char_counts
from pilah.datasets.errors import BundleError
from pilah.models.bundle import FORMAT, Bundle
from pilah.models.encoder import HashEncoder, unit
from pilah.models.features import VIEWS, NgramFeatures
from pilah.models.linear import LinearHead, calibrated, dequantise, quantise
from pilah.models.pairs import plain_scorer
from pilah.models.registry import SHIPPED, Registry
from pilah.models.scoring import DuplicateThresholds

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NORMALS = (
    "jalan berlubang di depan pasar",
    "jalan rusak dan berlubang parah",
    "air mati sejak kemarin",
    "air keruh dan berbau sejak kemarin",
    "lampu jalan mati !",
    "[NIK] saya tidak terbaca ?",
)
UNSEEN = ("lampu mati", "", "kata baru sama sekali", "jalan-jalan 2 kali !")


@pytest.mark.parametrize("views", [VIEWS, ("word",), ("char", "word")])
def test_features_come_back_the_same(views: tuple[str, ...]) -> None:
    features = NgramFeatures(views, min_df=1)
    fitted = features.fit(NORMALS)
    assert fitted.shape == (len(NORMALS), features.size)
    again = NgramFeatures.restore(*features.state())
    assert (again.views, again.size) == (views, features.size)
    assert again.words() == features.words()
    assert again.state()[0] == features.state()[0]
    for texts in (NORMALS, UNSEEN):
        one, two = features.transform(texts), again.transform(texts)
        assert one.dtype == two.dtype == np.float32
        np.testing.assert_allclose(one.toarray(), two.toarray(), atol=1e-6)
    np.testing.assert_allclose(features.transform(NORMALS).toarray(), fitted.toarray(), atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="ab1-[]?! \u00e9", max_size=30), min_size=1, max_size=4))
def test_features_are_those_that_scikit_learn_makes(texts: list[str]) -> None:
    features = NgramFeatures(("word", "char"), min_df=1)
    fitted = features.fit([*NORMALS, *texts])
    made = features.transform([*NORMALS, *texts])
    assert abs(made - fitted).max() < 1e-6
    assert made.has_sorted_indices


def test_each_view_has_length_one_and_words_know_their_column() -> None:
    features = NgramFeatures(min_df=1)
    rows = features.fit(NORMALS)
    assert np.square(rows.toarray()).sum(axis=1) == pytest.approx(3.0)
    words = features.words()
    row = features.transform(["berlubang"]).toarray()[0]
    assert row[words["word:berlubang"]] > 0
    assert row[words["stem:lubang"]] > 0
    assert "word:jalan berlubang" not in words


def test_limits_of_the_vocabulary() -> None:
    rare = NgramFeatures(("word",), min_df=2)
    rare.fit(NORMALS)
    assert "word:keruh" not in rare.words()
    few = NgramFeatures(("word",), min_df=1, max_features=3)
    assert few.fit(NORMALS).shape[1] == 3


TOKENS = st.text("abé ?-1", min_size=1, max_size=7)


@settings(max_examples=60, deadline=None)
@given(st.lists(TOKENS, min_size=1, max_size=6), st.sampled_from([(2, 5), (3, 5), (1, 2)]))
def test_counting_by_way_of_the_words_changes_no_count(
    texts: list[str], sizes: tuple[int, int]
) -> None:
    assume(any(t.strip() for t in texts))
    plain = CountVectorizer(analyzer="char_wb", ngram_range=sizes, lowercase=False)
    wanted = plain.fit_transform(texts).toarray()
    names, counts = char_counts(texts, sizes)
    assert names == list(plain.get_feature_names_out())
    assert (counts.toarray() == wanted).all()


def test_characters_obey_the_limits_of_the_vocabulary() -> None:
    wanted = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True, lowercase=False
    )
    values = wanted.fit_transform(NORMALS)
    features = NgramFeatures(("char",), min_df=2)
    np.testing.assert_allclose(features.fit(NORMALS).toarray(), values.toarray(), atol=1e-6)
    assert features.state()[0]["char"] == list(wanted.get_feature_names_out())
    few = NgramFeatures(("char",), min_df=1, max_features=2)
    few.fit(["aa ba", "aa ca", "a"])
    assert few.state()[0]["char"] == [" a", "a "]
    with pytest.raises(ValueError, match="no n-gram"):
        NgramFeatures(("char",), min_df=9).fit(NORMALS)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1000), rows=st.integers(1, 5), columns=st.integers(1, 30))
def test_quantising_loses_at_most_half_a_step(seed: int, rows: int, columns: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    weights[0] = 0.0
    values, scale = quantise(weights)
    assert values.dtype == np.int8
    error = np.abs(dequantise(values, scale) - weights)
    assert (error <= scale[:, None] * 0.501 + 1e-7).all()


def test_calibration_keeps_the_order_and_sums_to_one() -> None:
    scores = np.array([[1.0, 0.0, -1.0], [0.0, 5.0, 0.0]], np.float32)
    shift = np.zeros(3, np.float32)
    soft, sharp = calibrated(scores, 0.5, shift), calibrated(scores, 4.0, shift)
    assert soft.sum(axis=1) == pytest.approx(1.0)
    assert (sharp.max(axis=1) > soft.max(axis=1)).all()
    assert (soft.argmax(axis=1) == scores.argmax(axis=1)).all()
    moved = calibrated(scores, 0.5, np.array([0.0, 0.0, 9.0], np.float32))
    assert moved[0].argmax() == 2


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


@settings(max_examples=40, deadline=None)
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


def test_a_head_of_two_labels_has_two_columns() -> None:
    head = LinearHead(
        ("a", "b"),
        np.eye(2, 3, dtype=np.float32),
        np.zeros(2, np.float32),
        1.0,
        np.zeros(2, np.float32),
        {"a": 0.5, "b": 0.5},
        {"a": 0.9, "b": 0.9},
    )
    assert head.probabilities(np.eye(3, dtype=np.float32)).shape == (3, 2)
