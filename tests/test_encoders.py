"""Encoders in folders: what is written comes back, damage is named, a bundle carries them."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from tokenizers import Tokenizer, models, pre_tokenizers

from pilah.datasets.errors import BundleError
from pilah.models.encoder_folder import ABOUT, BUNDLED, EncoderFolder, open_folder, write_about
from pilah.models.encoders import load_encoder
from pilah.models.features import NgramFeatures, beside
from pilah.models.gram_encoder import BATCH, GramEncoder
from pilah.models.grams import Grams, ngrams, stems

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Make = Callable[[Path], Path]
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "jalan", "rusak", "lampu", "mati")
TABLE = np.array(
    [[0, 0, 0]] * 5 + [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 2], [0, 0.1, 1]], dtype=np.float32
)


def words() -> Tokenizer:
    """One piece a word."""
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, WORDS[1]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def grams(folder: Path) -> Path:
    """An encoder of some words' n-grams and stems, with random vectors."""
    known = ["jalan rusak parah", "lampu mati", "banjir"]
    keys = np.unique(np.concatenate([ngrams(known, 3, 4)[1], stems(known)[1]]))
    table = np.random.default_rng(0).standard_normal((len(keys), 3), dtype=np.float32)
    GramEncoder.write(folder, Grams(keys, 3, 4), table, {"name": "kecil", "facts": {}})
    return folder


def graph(folder: Path) -> Path:
    """An ONNX encoder that adds up the vectors of the pieces that the mask leaves."""
    folder.mkdir()
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    last = helper.make_tensor("last", TensorProto.INT64, [1], [2])
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["pieces"]),
        helper.make_node("Cast", ["attention_mask"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["floats", "last"], ["mask"]),
        helper.make_node("Mul", ["pieces", "mask"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "axis"], ["embedding"], keepdims=0),
    ]
    ids = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "pieces"])
        for name in ("input_ids", "attention_mask")
    ]
    out = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["texts", 3])
    table = helper.make_tensor("table", TensorProto.FLOAT, TABLE.shape, TABLE.ravel())
    made = helper.make_model(
        helper.make_graph(nodes, "small", ids, [out], [table, axis, last]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=10,
    )
    onnx.save(made, str(folder / "model.onnx"))
    words().save(str(folder / "tokenizer.json"))
    about = {"kind": "onnx", "name": "kecil", "dim": 3, "settings": {"max_pieces": 4}, "facts": {}}
    write_about(folder, about)
    return folder


def direction(*rows: int) -> NDArray[np.float32]:
    """The normalised sum of some rows of the table."""
    total = TABLE[list(rows)].sum(axis=0)
    return total / np.linalg.norm(total)


def test_texts_become_the_direction_of_the_sum_of_their_pieces(tmp_path: Path) -> None:
    encoder = load_encoder(graph(tmp_path / "e"))
    rows = encoder.encode(["jalan rusak", "", "lampu mati lampu", "asing"])
    assert (rows.shape, rows.dtype, encoder.dim) == ((4, 3), np.float32, 3)
    np.testing.assert_allclose(rows[0], direction(5, 6), atol=0.01)
    np.testing.assert_allclose(rows[2], direction(7, 8, 7), atol=0.01)
    assert not rows[1].any()
    assert not rows[3].any()
    assert (encoder.encode(["jalan rusak"])[0] == rows[0]).all()


def test_an_onnx_encoder_reads_no_further_than_its_longest_input(tmp_path: Path) -> None:
    encoder = load_encoder(graph(tmp_path / "e"))
    cut, whole = encoder.encode(["jalan jalan jalan jalan lampu", "jalan"])
    np.testing.assert_allclose(cut, whole)


def spelled(text: str) -> Counter[str]:
    """The n-grams of 3 and 4 characters inside words, by hand."""
    padded = [f" {word} " for word in text.split()]
    return Counter(w[i : i + n] for w in padded for n in (3, 4) for i in range(len(w) - n + 1))


@given(st.lists(st.text("abé \n0", max_size=12), max_size=4))
def test_ngrams_are_those_of_each_word(texts: list[str]) -> None:
    rows, keys = ngrams(texts, 3, 4)
    whole = [spelled(text) for text in texts]
    found = [Counter(keys[rows == i].tolist()) for i in range(len(texts))]
    assert [sorted(c.values()) for c in found] == [sorted(c.values()) for c in whole]
    pairs = [(i, j) for i in range(len(texts)) for j in range(i)]
    shared = [len(found[i].keys() & found[j].keys()) for i, j in pairs]
    assert shared == [len(whole[i].keys() & whole[j].keys()) for i, j in pairs]


def test_stems_are_of_words_and_no_ngrams() -> None:
    rows, keys = stems(["jalanan ! rusak", "", "rusak jalan"])
    assert rows.tolist() == [0, 0, 2, 2]
    assert set(keys[:2].tolist()) == set(keys[2:].tolist())
    assert not set(keys.tolist()) & set(ngrams(["jalan rusak"], 3, 7)[1].tolist())


def test_a_gram_encoder_adds_up_damped_rows(tmp_path: Path) -> None:
    encoder = load_encoder(grams(tmp_path / "e"))
    assert isinstance(encoder, GramEncoder)
    texts = ["banjir banjir di jalan", "", "xyz", "jalan"] * BATCH
    rows = encoder.encode(texts)
    assert (rows.shape, rows.dtype) == ((len(texts), 3), np.float32)
    assert (rows[4:8] == rows[:4]).all()
    assert not rows[1:3].any()
    counts = np.zeros(len(encoder.grams.keys))
    for keys in (ngrams(texts[:1], 3, 4)[1], stems(texts[:1])[1]):
        for key in keys[np.isin(keys, encoder.grams.keys)]:
            counts[np.searchsorted(encoder.grams.keys, key)] += 1
    damped = np.where(counts, 1 + np.log(np.maximum(counts, 1)), 0)
    wanted = damped @ (encoder.vectors * encoder.scales[:, None])
    np.testing.assert_allclose(rows[0], wanted / np.linalg.norm(wanted), atol=1e-5)
    assert encoder.encode([]).shape == (0, 3)


@pytest.mark.parametrize(
    ("make", "name"),
    [(graph, "tokenizer.json"), (grams, "keys.npy")],
)
def test_a_damaged_or_changed_folder_is_refused_by_name(
    make: Make, name: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "e")
    about = json.loads((folder / ABOUT).read_text("utf-8"))
    (folder / ABOUT).write_text(json.dumps(about | {"dim": 4}), "utf-8")
    with pytest.raises(BundleError, match=r"encoder\.json: changed"):
        load_encoder(folder)
    (folder / ABOUT).write_text(json.dumps(about), "utf-8")
    (folder / name).write_text("{}", "utf-8")
    with pytest.raises(BundleError, match=rf"{re.escape(name)}: missing or damaged"):
        load_encoder(folder)
    with pytest.raises(BundleError, match="no encoder"):
        load_encoder(tmp_path)


def test_the_version_is_of_what_decides_the_vectors(tmp_path: Path) -> None:
    keys = np.arange(len(TABLE), dtype=np.uint64)

    def written(name: str, longest: int, table: NDArray[np.float32], fact: int) -> EncoderFolder:
        about = {"name": "x", "facts": {"n": fact}}
        return GramEncoder.write(tmp_path / name, Grams(keys, 3, longest), table, about)

    one, same = written("a", 4, TABLE, 1), written("b", 4, TABLE, 2)
    assert one.version == same.version
    assert one.version != written("c", 4, 2 * TABLE, 1).version
    assert one.version != written("d", 5, TABLE, 1).version
    one.copy_to(tmp_path / "copy")
    assert open_folder(tmp_path / "copy").version == one.version


def test_the_embedding_stands_right_of_the_ngrams_or_not_at_all() -> None:
    features = NgramFeatures(("word",), min_df=1)
    ngrams = features.fit(["jalan rusak", "lampu mati"])
    vectors = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    assert beside(ngrams, vectors, 0.0) is ngrams
    joined = beside(ngrams, vectors, 0.5).toarray()
    assert (joined[:, : features.size] == ngrams.toarray()).all()
    np.testing.assert_allclose(joined[:, features.size :], vectors / 2)


def test_the_shipped_encoder_knows_who_says_the_same() -> None:
    encoder = load_encoder(BUNDLED)
    lamp, same, tax = encoder.encode(
        ["lampu jalan mati sudah seminggu", "penerangan jalan padam dari minggu lalu",
         "bagaimana cara membayar pajak motor lima tahunan"],
    )  # fmt: skip
    assert lamp @ same > lamp @ tax + 0.2
