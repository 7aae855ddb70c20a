"""The line that makes encoders, through the real libraries on a handful of sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from pilah.datasets.errors import BundleError, InputError
from pilah.models.encoder_folder import CARD
from pilah.models.encoders import load_encoder
from pilah.models.gram_encoder import GramEncoder
from pilah.models.grams import Grams, ngrams, stems
from pilah.training.pretrain.config import (
    EncoderConfig,
    PairSource,
    Similarity,
    Static,
    TextSource,
    Transformer,
    load_encoder_config,
)
from pilah.training.pretrain.grams import learn_grams
from pilah.training.pretrain.pairs import held_rows, read_pairs
from pilah.training.pretrain.places import place_traps
from pilah.training.pretrain.table import train_pieces, train_table
from pilah.training.pretrain.texts import halves, normalise_file

if TYPE_CHECKING:
    from pathlib import Path

SUBJECTS = ("jalan", "lampu", "saluran air", "sampah", "pohon", "trotoar", "jembatan", "parkir")
TROUBLES = ("rusak parah", "mati total", "tersumbat lumpur", "belum diangkut", "roboh", "amblas")
LINES = [
    f"{s} di depan rumah saya {t} sejak minggu lalu dan belum juga ditangani oleh petugas, "
    f"padahal {s} itu dipakai warga setiap hari" for s in SUBJECTS for t in TROUBLES
]  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a text file and a file of pairs."""
    (tmp_path / "teks.txt").write_text("\n".join(LINES * 3), "utf-8")
    rows = {
        "a": [f"{s} {t}" for s in SUBJECTS for t in TROUBLES],
        "b": [f"ada {s} yang {t}" for s in SUBJECTS for t in TROUBLES],
        "label": [1] * (len(LINES) - 1) + [0],
        "score": [5.0] * (len(LINES) - 1) + [0.0],
        "split": ["train"] * (len(LINES) - 2) + ["test"] * 2,
    }
    parquet.write_table(pa.table(rows), tmp_path / "pasangan.parquet")
    return tmp_path


def config(**changes: object) -> EncoderConfig:
    """A very small encoder."""
    base = EncoderConfig(
        "kecil", (TextSource("teks.txt", halves=40),), (PairSource("pasangan.parquet"),),
        pieces=300, dim=16,
        static=Static(400, 100, dim=16, places=8, similarity=Similarity(batch=16)),
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def test_neighbours_of_the_same_words_get_like_vectors(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "teks.normal"
    assert normalise_file(data / "teks.txt", target) == len(LINES) * 3
    tokenizer = train_pieces([target], 300)
    table = train_table(tokenizer, [(target, 1.0)], config())
    assert table.shape == (tokenizer.get_vocab_size(), 16)
    rows = {w: table[tokenizer.token_to_id(w)] for w in ("jembatan", "trotoar", "petugas")}
    unit = {w: row / np.linalg.norm(row) for w, row in rows.items()}
    assert unit["jembatan"] @ unit["trotoar"] > unit["jembatan"] @ unit["petugas"]
    assert np.linalg.norm(rows["jembatan"]) > np.linalg.norm(rows["petugas"])
    again = train_table(tokenizer, [(target, 1.0)], config())
    assert (again == table).all()


def test_the_most_frequent_ngrams_and_stems_are_known_and_rare_ones_weigh_more(
    data: Path, tmp_path: Path
) -> None:
    target = tmp_path / "teks.normal"
    normalise_file(data / "teks.txt", target)
    grams, lengths = learn_grams([(target, 1.0)], config(static=Static(50, 28)))
    assert len(grams.keys) == len(lengths) == 78
    assert (np.diff(grams.keys) > 0).all()
    length = dict(zip(grams.keys.tolist(), lengths.tolist(), strict=True))
    everywhere, seldom = stems(["petugas", "roboh"])[1].tolist()
    assert length[seldom] > length[everywhere] > 0
    assert stems(["jembatan"])[1][0] not in grams.keys


def test_a_place_trap_is_the_same_words_elsewhere() -> None:
    pair = ("lampu di depan rumah", "sudah mati seminggu")
    found = place_traps([pair], 30, seed=1)
    assert found == place_traps([pair], 30, seed=1)
    for anchor, positive, negative in zip(*found.values(), strict=True):
        here, there = added(anchor, pair[0]), added(positive, pair[1])
        assert here == there
        assert added(negative, pair[1]) not in ([], here)
    assert len(set(found["anchor"])) > 20


def added(text: str, base: str) -> list[str]:
    """The words of the place that was put into ``base``."""
    words, known = text.split(), base.split()
    size = len(words) - len(known)
    (found, *_) = [
        words[i : i + size] for i in range(len(known) + 1) if words[:i] + words[i + size :] == known
    ]
    return found


def test_halves_are_of_one_text_and_the_same_at_every_call(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "teks.normal"
    normalise_file(data / "teks.txt", target)
    cut = halves(target, 10, seed=1)
    assert len(cut) == 10
    assert cut == halves(target, 10, seed=1)
    whole = set(target.read_text("utf-8").split("\n"))
    assert {f"{a} {b}" for a, b in cut} <= whole


def test_held_and_left_out_rows_never_teach(data: Path) -> None:
    source = PairSource("pasangan.parquet", hold=5, leave=("test",))
    (found,) = read_pairs(data, source)
    rows = parquet.read_table(data / "pasangan.parquet").to_pylist()
    held = {rows[i]["a"] for i in held_rows(len(rows), 5)}
    taught = set(found.columns["anchor"])
    assert len(held) == 5
    assert not held & taught
    assert not {r["a"] for r in rows if r["split"] == "test"} & taught
    scores, alike = read_pairs(data, replace(source, kind="scored"))
    assert (scores.scored, alike.scored) == (True, False)
    assert set(scores.columns["score"]) == {1.0}


def test_a_config_names_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    for text, match in (
        ("name = 'x'", r"no \[\[text\]\]"),
        ("[[text]]\nfile = 'a'\nhalf = 3\nname = 'x'", "text: unknown key 'half'"),
        ("name = 'x'\n[[text]]\nfile = 'a'\n[[pairs]]\nfile = 'b'\nkind = 'c'", "kind must be"),
        ("[[text]]\nfile = 'a'", "the file: .*name"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(InputError, match=match):
            load_encoder_config(path)
    with pytest.raises(InputError, match="no such file"):
        load_encoder_config(tmp_path / "b.toml")


@pytest.mark.train
@pytest.mark.filterwarnings("ignore")
class TestWithTorch:
    """Needs the train extra; `make traintest` installs it and runs these."""

    @pytest.fixture(autouse=True)
    def _libraries(self) -> None:
        pytest.importorskip("sentence_transformers", reason="needs the train extra")

    def test_a_static_encoder_from_nothing(self, data: Path, tmp_path: Path) -> None:
        from pilah.training.pretrain.build import build_encoder

        out = tmp_path / "kecil"
        folder = build_encoder(config(), out, data=data, work=tmp_path / "work")
        encoder = load_encoder(out)
        assert (folder.kind, encoder.dim, encoder.version) == ("grams", 16, folder.version)
        assert folder.about["facts"]["parity"] >= 0.99
        a, b, c = encoder.encode(["jembatan roboh", "ada jembatan yang roboh", "lampu mati total"])
        assert a @ b > a @ c
        assert folder.version in (out / CARD).read_text("utf-8")
        with pytest.raises(BundleError, match="exists"):
            build_encoder(config(), out, data=data, work=tmp_path / "work")

    def test_another_recipe_goes_on_from_the_same_ngrams(self, data: Path, tmp_path: Path) -> None:
        from pilah.training.pretrain.build import build_encoder

        work, first = tmp_path / "work", config()
        softer = replace(first.static, similarity=Similarity(batch=16, ranking=5.0, scoring=5.0))
        fewer = replace(first.static, grams=200)
        seen = []
        for name, size in (("a", first.static), ("b", softer), ("c", fewer)):
            folder = build_encoder(
                replace(first, static=size), tmp_path / name, data=data, work=work
            )
            seen.append((folder.version, len(list(work.glob("keys-*.npy")))))
        assert [count for _, count in seen] == [1, 1, 2]
        assert len({version for version, _ in seen}) == 3

    def test_the_trained_module_and_the_served_encoder_give_one_vector(
        self, tmp_path: Path
    ) -> None:
        from sentence_transformers import SentenceTransformer

        from pilah.training.pretrain.gram_module import GramModule
        from pilah.training.pretrain.grams import directions

        keys = np.unique(np.concatenate([ngrams(LINES, 3, 4)[1], stems(LINES)[1]]))
        lengths = np.linspace(0.5, 3, len(keys), dtype=np.float32)
        grams = Grams(keys, 3, 4)
        module = GramModule(grams, lengths, directions(len(keys), 64, 0))
        module.save(str(tmp_path))
        model = SentenceTransformer(modules=[GramModule.load(str(tmp_path))], device="cpu")
        GramEncoder.write(tmp_path / "e", grams, module.table(), {"name": "kecil", "facts": {}})
        torch_rows = model.encode(LINES, normalize_embeddings=True)
        cosines = (torch_rows * load_encoder(tmp_path / "e").encode(LINES)).sum(axis=1)
        assert cosines.min() > 0.999

    def test_a_transformer_goes_on_where_it_stopped_and_exports_alike(
        self, data: Path, tmp_path: Path
    ) -> None:
        from pilah.training.pretrain import transformer
        from pilah.training.pretrain.build import build_encoder

        small = Transformer(2, 16, 2, length=32, batch=8, steps=6, save=3)
        size = replace(small, similarity=Similarity(1, 8, 1e-4))
        work, real = tmp_path / "work", transformer.pretrain

        def stopped(*args: object, work: Path, seed: int) -> object:
            half = [replace(a, steps=3) if isinstance(a, Transformer) else a for a in args]
            real(*half, work=work, seed=seed)  # type: ignore[arg-type]
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transformer, "pretrain", stopped)
            with pytest.raises(KeyboardInterrupt):
                build_encoder(config(transformer=size), tmp_path / "t", data=data, work=work)
        assert not (tmp_path / "t").exists()
        (checkpoint,) = work.glob("*/pretraining/checkpoint-3")
        folder = build_encoder(config(transformer=size), tmp_path / "t", data=data, work=work)
        assert [p.name for p in checkpoint.parent.iterdir()] == ["checkpoint-6"]
        assert folder.about["facts"]["parity"] >= 0.99
        rows = load_encoder(tmp_path / "t").encode(["jalan rusak parah", "lampu mati total"])
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)

    def test_a_sentence_transformers_folder_is_read_by_the_real_code(self, tmp_path: Path) -> None:
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import StaticEmbedding
        from tokenizers import Tokenizer, models, pre_tokenizers

        from pilah.models.external_encoder import SentenceEncoder

        tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "query:": 1, "jalan": 2}, "[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        table = np.array([[0, 0], [0, 1], [1, 0]], dtype=np.float32)
        model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=table)])
        path = tmp_path / "model-e5-kecil"
        model.save(str(path))
        encoder = SentenceEncoder.named(str(path))
        row = encoder.encode(["jalan"])[0]
        np.testing.assert_allclose(row, [2**-0.5, 2**-0.5], atol=1e-6)  # with "query: " before
        encoder.folder.copy_to(tmp_path / "copy")
        again = load_encoder(tmp_path / "copy")
        assert again.version == encoder.version
        assert (again.encode(["jalan"])[0] == row).all()
        with pytest.raises(BundleError, match="give the folder of a sentence-transformers model"):
            SentenceEncoder.named(str(tmp_path / "nothing"))
