"""The command line: what it writes, what it says, and how it ends. No row is ever lost."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from cli_kit import ROWS, TRAINING, Ended, Pilah, lines, write

from pilah.models.bundle import Bundle
from pilah.models.index import VectorIndex
from pilah.models.registry import SHIPPED
from pilah.service.app import create_app
from pilah.service.cli import command_line
from pilah.service.cli_service import engine
from pilah.service.lockfile import only_process
from pilah.service.settings import Settings
from pilah.service.testing import served
from pilah.service.version import service_version

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands(command: Any, *path: str) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - click's
    if not hasattr(command, "commands"):
        yield path
        return
    for name, inner in command.commands.items():
        yield from commands(inner, *path, name)


COMMANDS = tuple(commands(typer.main.get_command(command_line())))
CONTRACT = {
    "classify", "compare", "encoder", "serve",
    "data check", "data import", "data split", "data suspects",
    "train", "evaluate", "bundle list", "bundle show", "bundle history", "bundle promote",
    "bundle rollback", "index verify", "index rebuild", "users add", "users list",
    "users password", "users disable", "users enable", "audit verify", "claims", "incidents",
    "routes list", "routes retire",
    "data export", "data agreement", "drift", "shadow report",
}  # fmt: skip


def test_the_commands_are_those_of_the_contract() -> None:
    assert {" ".join(c) for c in COMMANDS} == CONTRACT


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_helps_with_an_example(pilah: Pilah, command: tuple[str, ...]) -> None:
    told = pilah(*command, "--help")
    assert (told.code, told.err) == (0, "")
    assert "Example: " in told.out
    assert f"pilah {' '.join(command)}" in told.out.partition("Example: ")[2]


def test_version_and_help(pilah: Pilah) -> None:
    assert pilah("--version") == Ended(0, f"{service_version()}\n", "")
    assert "classify" in pilah("--help").out
    assert pilah("tiada").code == 2
    assert pilah("classify").code == 2


def test_classify_keeps_order_and_loses_nothing(pilah: Pilah) -> None:
    told = pilah("classify", TRAINING, "-o", "hasil.jsonl")
    assert told.code == 0
    assert [t["report_id"] for t in lines("hasil.jsonl")] == [r["id"] for r in ROWS]
    assert not list(Path().glob("*.errors.jsonl"))


def test_classify_writes_to_stdout_without_an_output(pilah: Pilah) -> None:
    path = write("in.jsonl", [{"text": "air mati sejak kemarin"}, {"text": "KTP belum jadi"}])
    told = pilah("classify", path, "--region", "Kab. Sleman")
    assert told.code == 0
    answers = [json.loads(line) for line in told.out.splitlines()]
    assert [a["report_id"] for a in answers] == ["line-1", "line-2"]
    assert {a["agency"]["government"] for a in answers} <= {
        "Pemerintah Kabupaten Sleman", "PT PLN (Persero)",
    }  # fmt: skip


BAD = [
    {"text": "lampu jalan mati sejak kemarin"},
    "{",
    {"text": ""},
    {"text": "x" * 20_001},
    {"text": "ok", "region": "Negeri Dongeng"},
    {"id": "sama", "text": "air keruh sejak kemarin"},
    {"id": "sama", "text": "gas langka sejak lebaran"},
    '{"text": "\\ud800"}',
    {"text": "kartu keluarga belum terbit"},
]


def test_bad_rows_go_to_a_file_of_their_own(pilah: Pilah) -> None:
    path = write("in.jsonl", BAD)
    told = pilah("classify", path, "-o", "hasil.jsonl")
    assert told.code == 1
    assert "6 bad row(s): see hasil.jsonl.errors.jsonl" in told.err
    good, bad = lines("hasil.jsonl"), lines("hasil.jsonl.errors.jsonl")
    assert len(good) + len(bad) == len(BAD)
    assert [t["report_id"] for t in good] == ["line-1", "sama", "line-9"]
    assert [(b["line"], b["field"]) for b in bad] == [
        (2, "-"), (3, "text"), (4, "text"), (5, "region"), (7, "id"), (8, "text"),
    ]  # fmt: skip
    assert all(b["problem"] and b["cure"] for b in bad)
    assert "x" * 30 not in Path("hasil.jsonl.errors.jsonl").read_text("utf-8")


def test_an_old_file_of_bad_rows_does_not_stay(pilah: Pilah) -> None:
    path = write("in.jsonl", BAD)
    assert pilah("classify", path).code == 1
    assert Path("in.jsonl.errors.jsonl").exists()
    write("in.jsonl", BAD[:1])
    assert pilah("classify", path).code == 0
    assert not Path("in.jsonl.errors.jsonl").exists()


def test_classify_reads_csv_and_parquet_alike(pilah: Pilah) -> None:
    texts = ["air mati sejak kemarin", "jalan berlubang di pasar", "KTP belum jadi sejak Mei"]
    table = {"isi": texts, "wilayah": ["34.04"] * 3}
    pq.write_table(pa.table(table), "in.parquet")
    Path("in.csv").write_text("isi,wilayah\n" + "".join(f'"{t}",34.04\n' for t in texts), "utf-8")
    write("in.jsonl", [{"text": t, "region": "34.04"} for t in texts])
    options = ("--map", "text=isi", "--map", "region=wilayah")
    assert pilah("classify", "in.csv", "-o", "a", *options).code == 0
    assert pilah("classify", "in.csv", "-o", "b", "--format", "sp4n").code == 0
    assert pilah("classify", "in.parquet", "-o", "c", *options).code == 0
    assert pilah("classify", "in.jsonl", "-o", "d").code == 0
    answers = [
        [{k: v for k, v in t.items() if k not in ("report_id", "duplicates")} for t in lines(name)]
        for name in "abcd"
    ]
    assert answers[0] == answers[1] == answers[2] == answers[3]


def test_the_table_is_for_people(pilah: Pilah) -> None:
    path = write("in.jsonl", [{"text": "air PDAM mati sejak kemarin", "region": "34.04"}, "{"])
    told = pilah("classify", path, "--table")
    assert told.code == 1
    assert "Perumda Air Minum Tirta Sembada" in told.out
    assert "aturan air-minum" in told.out.replace("\n", " ")
    assert "1 bad row(s)" in told.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("tiada.jsonl",), "tiada.jsonl: no such file"),
        ((".",), "no such file"),
        (("in.txt",), "in.txt: unknown suffix; use .jsonl, .csv or .parquet"),
        (("isi.csv",), "no column 'text'; it has isi, tanggal; name yours with --map text=COLUMN"),
        (("isi.csv", "--map", "text=uraian"), "no column 'uraian'"),
        (("in.jsonl", "--map", "teks=isi"), "--map teks=: unknown field; use one of"),
        (("in.jsonl", "--map", "isi"), "--map isi: write FIELD=COLUMN"),
        (("in.jsonl", "--map", "text=a", "--map", "text=b"), "text was mapped before"),
        (("in.jsonl", "--format", "excel"), "--format excel: unknown; use sp4n"),
        (("in.jsonl", "--bundle", "tiada"), f"no bundle 'tiada'; known here: {SHIPPED}"),
        (("in.jsonl", "-o", "tiada/hasil.jsonl"), "tiada/hasil.jsonl: No such file or directory"),
        (("in.jsonl", "-o", "in.jsonl"), "in.jsonl: is the input itself; name another output"),
    ],
)
def test_a_wrong_call_says_what_to_do(pilah: Pilah, args: tuple[str, ...], message: str) -> None:
    write("in.jsonl", [{"text": "air mati"}])
    Path("in.txt").touch()
    Path("isi.csv").write_text("isi,tanggal\nair mati,2026-05-01\n", "utf-8")
    before = sorted(p.name for p in Path().iterdir())
    told = pilah("classify", *args)
    assert told.code == 2
    assert told.err.startswith("pilah: ")
    assert message in told.err
    assert told.out == ""
    assert "Traceback" not in told.err
    assert sorted(p.name for p in Path().iterdir()) == before
    assert lines("in.jsonl") == [{"text": "air mati"}]


def test_a_wrong_input_leaves_the_earlier_output(pilah: Pilah) -> None:
    Path("hasil.jsonl").write_text("berharga\n", "utf-8")
    Path("isi.csv").write_text("isi\nair mati\n", "utf-8")
    for name in ("tiada.jsonl", "isi.csv"):
        assert pilah("classify", name, "-o", "hasil.jsonl").code == 2
        assert pilah("data", "import", name, "-o", "hasil.jsonl").code == 2
        assert pilah("compare", name, "-o", "hasil.jsonl").code == 2
    assert Path("hasil.jsonl").read_text("utf-8") == "berharga\n"


def test_compare(pilah: Pilah) -> None:
    road = {"text": "Lubang besar di Jalan Kaliurang km 9 depan Pasar Gentan", "region": "34.04"}
    water = {"text": "Air PDAM mati sejak kemarin", "region": "51.03"}
    rows = [
        {"a": road, "b": road},
        {"a": road, "b": water},
        "",
        "bukan json",
        {"a": road},
        {"a": road, "b": {"text": ""}},
        {"a": {"text": "x", "region": "Negeri Dongeng"}, "b": road},
    ]
    told = pilah("compare", write("pasangan.jsonl", rows), "-o", "jawaban.jsonl")
    assert told.code == 1
    good, bad = lines("jawaban.jsonl"), lines("jawaban.jsonl.errors.jsonl")
    assert [set(g) for g in good] == [{"probability", "verdict", "evidence"}] * 2
    assert good[0]["verdict"] != "none" == good[1]["verdict"]
    assert good[0]["evidence"]
    assert [(b["line"], b["field"]) for b in bad] == [
        (4, ""), (5, "b"), (6, "b.text"), (7, "a.region"),
    ]  # fmt: skip
    assert len(good) + len(bad) == sum(1 for r in rows if r)
    assert bad[0]["problem"] == "is not JSON"
    assert pilah("compare", write("p.jsonl", rows[:2])).out.count("\n") == 2
    shown = pilah("compare", write("p.jsonl", rows[:2]), "--table").out
    for words in ("jalan sama", "kabupaten/kota berbeda", "Bukan"):
        assert words in shown
    assert "unknown suffix; pairs are read from .jsonl" in pilah("compare", write("p.txt", [])).err


def taken_in(data_dir: Path, *reports: dict[str, str]) -> None:
    """Let the service, with the real engine, take reports in and stop."""
    app = create_app(Settings(data_dir=data_dir), engine)
    with served(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        for report in reports:
            assert client.post("/v1/classify", json=report).status_code == 200


def test_the_index_of_an_empty_store(pilah: Pilah) -> None:
    missing = pilah("index", "verify")
    assert missing.code == 2
    assert "pilah index rebuild" in missing.err
    assert pilah("index", "rebuild").code == 0
    told = pilah("index", "verify")
    assert told.code == 0, told.err
    assert "0 stored, 0 indexed" in told.out


def test_the_index_of_a_running_service_is_left_alone(pilah: Pilah, tmp_path: Path) -> None:
    assert pilah("index", "rebuild").code == 0
    with only_process(tmp_path / "var"):
        told = pilah("index", "rebuild")
    assert (told.code, "another Pilah serves" in told.err) == (2, True)
    assert pilah("index", "verify").code == 0


def test_the_index_is_compared_with_the_store_and_rebuilt(
    pilah: Pilah, bundle: Bundle, tmp_path: Path
) -> None:
    water = {"text": "air PDAM mati sejak kemarin", "region": "34.04"}
    reports = [{**water, "id": "1"}, {**water, "id": "2"}, {**water, "id": "3"}]
    taken_in(tmp_path / "var", *reports[:2], {**reports[2], "visibility": "secret"})
    agreed = pilah("index", "verify")
    assert (agreed.code, agreed.err) == (0, "")
    assert "2 stored, 2 indexed: 0 missing, 0 stray, 0 different" in agreed.out
    folder = tmp_path / "var" / "index"
    index = VectorIndex.load(folder)
    index.remove(["1"])
    index.add(["tamu"], np.eye(1, index.dim, dtype=np.float32))
    index.save(folder)
    apart = pilah("index", "verify")
    assert (apart.code, apart.err) == (1, "run `pilah index rebuild`\n")
    assert "2 stored, 2 indexed: 1 missing, 1 stray, 0 different" in apart.out
    assert "2 reports indexed by lsa32" in pilah("index", "rebuild").out
    assert pilah("index", "verify").out == agreed.out
    next(folder.glob("*.npy")).write_bytes(b"rusak")
    assert (pilah("index", "verify").code, pilah("index", "rebuild").code) == (2, 0)
    replace(
        bundle, encoder=replace(bundle.encoder, components=bundle.encoder.components[:, :8])
    ).save(Path("lain"))
    assert pilah("bundle", "promote", "lain").code == 0
    assert pilah("index", "verify").code != 0
    assert "2 reports indexed by lsa8" in pilah("index", "rebuild").out
    assert pilah("index", "verify").code == 0


def test_classifying_loads_neither_training_nor_torch() -> None:
    """In a process of its own: the command line starts fast and needs no training extra."""
    code = "import sys, pilah.service.cli; print(*sorted(sys.modules))"
    told = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in told.stdout.split()}
    assert not loaded & {"torch", "transformers", "sentence_transformers", "datasets"}
    assert "pilah.training" not in told.stdout
