"""``pilah train``, ``pilah evaluate`` and ``pilah bundle``, from a history to a live bundle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import ROWS, TRAINING, Pilah, lines, write

from pilah.models.bundle import Bundle
from pilah.models.registry import SHIPPED


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small written corpus stands in for the shipped one; its agencies are of another place."""
    (tmp_path / "tabel" / "corpus").mkdir(parents=True)
    rows = [{**row, "agency": "Dinas Jauh"} for row in ROWS]
    write(str(tmp_path / "tabel" / "corpus" / "train.jsonl"), rows)
    monkeypatch.setattr("pilah.training.data.data_folder", lambda: tmp_path / "tabel")


@pytest.mark.usefixtures("corpus")
def test_a_city_goes_from_its_history_to_its_own_bundle(pilah: Pilah) -> None:
    """The README's walk: check, split, train, evaluate, promote, classify, roll back."""
    write("riwayat.jsonl", [
        {"isi": r["text"], "dinas": r["dinas"], "tanggal": r["reported_at"]} for r in ROWS
    ])  # fmt: skip
    columns = ("--map", "text=isi", "--map", "agency=dinas", "--map", "reported_at=tanggal")
    assert pilah("data", "check", "riwayat.jsonl", *columns).code == 0
    assert pilah("data", "split", "riwayat.jsonl", "-o", "bagian", *columns).code == 0
    told = pilah("train", "bagian/train.jsonl", "bawaan", "-o", "kota", "--seed", "1")
    assert told.code == 0, told.err
    assert "Dinas Jauh" not in Bundle.load(Path("kota")).heads["agency"].labels
    assert "agency: accuracy" in told.out
    version = Bundle.load(Path("kota")).version
    assert f"bundle {version} in kota; card: kota/card.md" in told.out
    assert Bundle.load(Path("kota")).name == "kota"
    told = pilah("evaluate", "--bundle", "kota", "--data", "bagian/test.jsonl", "-o", "hasil")
    assert told.code == 0, told.err
    assert "agency answer:" in told.out
    metrics = json.loads(Path("hasil/metrics.json").read_text("utf-8"))
    assert metrics["bundle"] == version
    assert metrics["agency"]["rows"] == len(lines("bagian/test.jsonl"))
    assert Path("hasil/report.html").exists()
    against = ("--against", "bagian/test.jsonl")
    told = pilah("bundle", "promote", "kota", *against, "--reason", "riwayat 2025")
    assert told.out == f"live: {version}\n"
    (live,) = [row for row in pilah("bundle", "list").out.splitlines() if "*" in row]
    assert version in live
    assert pilah("bundle", "show").out.startswith(f"# Bundle kota ({version})")
    pilah("classify", write("in.jsonl", [{"text": "KTP belum jadi"}]), "-o", "h.jsonl")
    (answer,) = lines("h.jsonl")
    assert answer["agency"]["name"] == "Dukcapil"
    assert answer["topic"]["main"] == "KEPENDUDUKAN"
    assert answer["versions"]["bundle"] == version
    assert pilah("bundle", "rollback", "--reason", "salah").out == f"live: {SHIPPED}\n"
    again = pilah("bundle", "rollback")
    message = "pilah: nothing to roll back: no bundle was promoted here\n"
    assert (again.code, again.err) == (2, message)


def experiment(*settings: str) -> Path:
    """An experiment that trains fast."""
    fast = ('views = ["word"]', "dim = 4", "min_df = 1", "folds = 2")
    Path("x.toml").write_text("\n".join((*settings, *fast)), "utf-8")
    return Path("x.toml")


def test_train_from_an_experiment_file(pilah: Pilah) -> None:
    experiment(f'data = ["{TRAINING}"]', 'name = "percobaan"')
    assert pilah("train", "x.toml", "-o", "satu").code == 0
    assert pilah("train", "x.toml", "-o", "dua").code == 0
    one, two = Bundle.load(Path("satu")), Bundle.load(Path("dua"))
    assert one.version == two.version
    assert one.name == "percobaan"
    assert pilah("train", "x.toml", "-o", "tiga", "--target", "outcome", "--seed", "9").code == 0
    assert set(Bundle.load(Path("tiga")).heads) == {"outcome"}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("tiada.jsonl",), "tiada.jsonl: no such file"),
        (("tiada.toml",), "tiada.toml: no such file"),
        (("x.toml",), "x.toml: unknown key 'kecepatan'; known: balance"),
        (("x.toml", "in.jsonl"), "give one .toml experiment, or data files, not both"),
        (("in.jsonl",), "has two labels with 5 rows each; check --map, or lower min_count"),
        (("in.jsonl", "--target", "hoax"), "target: out of range; use any of"),
        (("in.jsonl", "--min-count", "1"), "min_count: out of range; use 2 or more"),
        (("in.jsonl", "--map", "text=isi"), "no usable row in 1 file(s), 1 bad rows"),
    ],
)
def test_train_says_what_is_wrong(pilah: Pilah, args: tuple[str, ...], message: str) -> None:
    write("in.jsonl", [{"text": "air mati", "agency": "PDAM"}])
    Path("x.toml").write_text("kecepatan = 3\n", "utf-8")
    told = pilah("train", *args, "-o", "baru")
    assert told.code == 2
    assert message in told.err
    assert not Path("baru").exists()


def test_training_never_replaces_another_folder(pilah: Pilah) -> None:
    Path("catatan").mkdir()
    Path("catatan/penting.txt").touch()
    told = pilah("train", TRAINING, "--target", "outcome", "-o", "catatan")
    assert told.code == 2
    assert "catatan: exists and is no bundle; name a new folder" in told.err
    assert Path("catatan/penting.txt").exists()


def test_bad_rows_of_training_and_evaluation_are_counted(pilah: Pilah) -> None:
    path = write("d.jsonl", [*ROWS, "{", {"text": ""}])
    told = pilah("train", experiment(f'data = ["{path}"]', 'target = ["outcome"]'), "-o", "baru")
    assert told.code == 0
    assert "2 bad rows left out" in told.err
    path = write("e.jsonl", [*ROWS[:20], "{", {**ROWS[0], "region": "Negeri Dongeng"}])
    told = pilah("evaluate", "--bundle", "baru", "--data", path, "-o", "hasil")
    assert told.code == 0
    assert "2 bad rows left out" in told.err
    assert json.loads(Path("hasil/metrics.json").read_text("utf-8"))["rows"] == 20


def test_evaluate_says_what_is_wrong(pilah: Pilah) -> None:
    assert "no such file" in pilah("evaluate", "--data", "tiada.jsonl").err
    assert "no row to measure on" in pilah("evaluate", "--data", write("a.jsonl", ["{"])).err
    path = write("b.jsonl", [{"text": "tanpa label"}])
    told = pilah("evaluate", "--data", path)
    assert (told.code, Path("evaluation").exists()) == (2, False)
    assert "no row has a label that this bundle predicts; check --map" in told.err


def test_two_bundles_are_compared_on_the_same_rows(pilah: Pilah) -> None:
    told = pilah(
        "train", experiment(f'data = ["{TRAINING}"]', 'target = ["outcome"]'), "-o", "baru"
    )
    assert told.code == 0
    path = write("uji.jsonl", ROWS)
    told = pilah("evaluate", "--compare", SHIPPED, "baru", "--data", path, "-o", "banding")
    assert told.code == 0, told.err
    stored = json.loads(Path("banding/comparison.json").read_text("utf-8"))
    assert stored["b"] == Bundle.load(Path("baru")).version
    outcome = stored["targets"]["outcome"]
    assert outcome["wins"] - outcome["losses"] == round(
        outcome["accuracy"]["difference"] * outcome["rows"]
    )
    assert {"topic_main", "klasifikasi"} <= set(stored["only_a"])
    assert "only A answers: topic_main" in told.out
    assert stored["b"] in Path("banding/comparison.html").read_text("utf-8")
    told = pilah("evaluate", "--compare", SHIPPED, "tiada", "--data", path)
    assert (told.code, "no bundle 'tiada'" in told.err) == (2, True)
    told = pilah("evaluate", "--compare", SHIPPED, "baru", "--bundle", "baru", "--data", path)
    assert (told.code, "not both" in told.err) == (2, True)


def test_bundles_that_are_none(pilah: Pilah) -> None:
    for command in ("show", "promote"):
        told = pilah("bundle", command, "tiada")
        assert told.code == 2
        assert f"no bundle 'tiada'; known here: {SHIPPED}; a folder works too" in told.err
    Path("var/bundles").mkdir(parents=True)
    Path("var/bundles/live.json").write_text("{", "utf-8")
    assert "remove it and promote a bundle again" in pilah("bundle", "list").err


def test_a_damaged_bundle_does_not_hide_the_others(pilah: Pilah, bundle_folder: Path) -> None:
    assert pilah("bundle", "promote", bundle_folder).code == 0
    version = Bundle.load(bundle_folder).version
    Path(f"var/bundles/{version}/features.json").write_text("{}", "utf-8")
    listed = pilah("bundle", "list")
    assert listed.code == 0
    assert SHIPPED in listed.out
    assert "checksum differs" in " ".join(listed.out.split())


def test_a_wrong_setting_is_said(pilah: Pilah, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILAH_PORT", "delapan")
    told = pilah("bundle", "list")
    assert told.code == 2
    assert "PILAH_PORT: is not a whole number" in told.err
