"""The experiment file, and the rows it holds out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.datasets.errors import InputError
from pilah.datasets.splits import split_by
from pilah.training.config import TrainConfig, load_config
from pilah.training.data import hold_out, prepare
from pilah.training.train import train

DATA = Path(__file__).parent / "data" / "latihan.jsonl"
ROWS = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]
FAST = TrainConfig(data=(DATA,), name="kecil", min_df=1, dim=4, views=("word",))


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("\n".join(json.dumps(r) for r in rows), "utf-8")
    return path


TOML = 'data = ["data/a.jsonl"]\nname = "kota"\ntarget = ["topic"]\nstrength = 1\nseed = 7\n'


def test_an_experiment_file(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(TOML + 'map = {text = "isi"}\n', "utf-8")
    config = load_config(path)
    assert config.data == (tmp_path / "data" / "a.jsonl",)
    assert (config.name, config.target, config.strength, config.seed) == ("kota", ("topic",), 1, 7)
    assert config.map == {"text": "isi"}
    assert config.folds == TrainConfig().folds
    assert str(tmp_path) not in json.dumps(config.facts())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("kecepatan = 3", "unknown key 'kecepatan'; known: balance, data, dim"),
        ('seed = "tujuh"', "seed must be a int"),
        ("seed = true", "seed must be a int"),
        ("strength = true", "strength must be a float"),
        ('target = "topic"', "target must be a list of strings"),
        ("target = [3]", "target must be a list of strings"),
        ('target = ["hoax"]', "target: out of range; use any of"),
        ("target = []", "target: out of range"),
        ('views = ["stem"]', "views: out of range; use word and"),
        ("min_df = 0", "min_df: out of range; use 1 or more"),
        ("max_features = -1", "max_features: out of range"),
        ("min_count = 1", "min_count: out of range; use 2 or more"),
        ("dim = 1", "dim: out of range; use 2 to 1024"),
        ("strength = 0", "strength: out of range; use above 0"),
        ("balance = 1.5", "balance: out of range; use 0 to 1"),
        ("folds = 1", "folds: out of range; use 2 to 20"),
        ("stated_precision = 1.0", "stated_precision: out of range"),
        ("sure_precision = 0", "sure_precision: out of range"),
        ('holdout = "20%"', "holdout '20%': is no rule; use 'newest 20%'"),
        ('holdout = "newest 0%"', "is no rule"),
        ('holdout = "2026-13-01"', "is no rule"),
        ("seed = ", "not TOML"),
    ],
)
def test_a_wrong_experiment_file_says_what_to_do(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(f"{line}\n", "utf-8")
    with pytest.raises(InputError, match=message):
        load_config(path)


def test_a_missing_or_broken_experiment_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_config(tmp_path / "tiada.toml")
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not TOML"):
        load_config(tmp_path / "x.toml")


def test_the_shipped_experiment_can_be_read() -> None:
    folder = Path(__file__).parent.parent / "training" / "experiments"
    for path in folder.glob("*.toml"):
        assert load_config(path).data


def dated() -> list[dict[str, Any]]:
    """The rows, one a day from 1 January 2026 on, without incidents."""
    first = datetime(2026, 1, 1, 9, tzinfo=UTC)
    rows = [{k: v for k, v in r.items() if k not in ("incident", "hard_negative_of")} for r in ROWS]
    return [
        {**r, "reported_at": (first + timedelta(days=i)).isoformat()} for i, r in enumerate(rows)
    ]


def test_figures_of_the_card_come_from_held_out_rows(tmp_path: Path) -> None:
    rows = dated()
    rows[5]["text"], rows[119]["text"] = (f"{rows[119]['text']}{end}" for end in "!.")
    path = write(tmp_path / "d.jsonl", rows)
    bundle = train(replace(FAST, data=(path,), holdout="2026-04-01"))
    held = bundle.facts["holdout"]
    assert (held["rule"], held["rows"], held["dropped"]) == ("2026-04-01", 30, 1)
    assert bundle.facts["rows"] == 120 - 30 - 1
    assert 0 < held["targets"]["topic_main"]["rows"] <= 30
    assert "2026-04-01, 30 rows that neither fit, calibration nor thresholds saw" in bundle.card
    assert "0.000 | 0.000" not in bundle.card


def test_none_of_the_written_corpus_is_held_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it is newer; what is near to a held-out row leaves training."""
    rows = dated()
    city = [{**row, "agency": row["dinas"], "region": None} for row in rows[:60]]
    written = [{**row, "agency": "Dinas Jauh", "region": None} for row in rows[60:]]
    written[0]["text"] = city[59]["text"] + "!"
    (tmp_path / "corpus").mkdir()
    write(tmp_path / "corpus" / "train.jsonl", written)
    monkeypatch.setattr("pilah.training.data.data_folder", lambda: tmp_path)
    files = (write(tmp_path / "kota.jsonl", city), Path("bawaan"))
    config = replace(FAST, data=files, holdout="newest 25%", region="Kota Surabaya")
    data = prepare(config)
    assert {row.report.region for row in data.rows[:60]} == {"Kota Surabaya"}
    assert "Kota Surabaya" not in {row.report.region for row in data.rows[60:]}
    cut = hold_out(data, config)
    assert [data.places[i] for i in cut.test] == [("kota.jsonl", n) for n in range(46, 61)]
    assert ("bawaan", 1) in [data.places[i] for i in cut.dropped]
    assert "Dinas Jauh" not in {row.labels.agency for row in data.rows}


def test_held_out_rows_change_nothing_of_the_bundle(tmp_path: Path) -> None:
    """The bundle is that of the other rows alone: labels and texts held out have no say."""
    rows = dated()
    config = replace(FAST, data=(write(tmp_path / "all.jsonl", rows),), holdout="newest 25%")
    split = split_by("newest 25%", [r.report.reported_at for r in prepare(config).rows],
                     prepare(config).groups)  # fmt: skip
    alone = write(tmp_path / "part.jsonl", [rows[i] for i in split.train])
    first = train(config).save(tmp_path / "a")
    second = train(replace(config, data=(alone,), holdout="")).save(tmp_path / "b")
    assert first == second


@given(
    days=st.lists(st.integers(0, 30), min_size=4, max_size=40),
    rule=st.sampled_from(["newest 20%", "random 30%", "2026-01-15"]),
    seed=st.integers(0, 5),
)
def test_no_group_stands_on_both_sides(days: list[int], rule: str, seed: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(days=d) for d in days]
    group = np.arange(len(days), dtype=np.int64) // 3
    try:
        cut = split_by(rule, moments, group, seed=seed)
    except InputError:
        return
    assert not set(group[cut.train]) & set(group[cut.test])
    assert sorted([*cut.train, *cut.test, *cut.dropped]) == list(range(len(days)))
    if rule.startswith("2026"):
        assert {i for i, d in enumerate(days) if d >= 14} == set(cut.test.tolist())
    if rule.startswith("newest"):
        assert len(cut.test) == round(0.2 * len(days))
        rest = [*cut.train, *cut.dropped]
        assert max(days[i] for i in rest) <= min(days[i] for i in cut.test)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("newest 20%", "needs reported_at in every row, 1 have none; map the column, or use"),
        ("2026-01-01", "needs reported_at in every row"),
    ],
)
def test_a_split_by_time_needs_times(rule: str, message: str) -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC), None]
    with pytest.raises(InputError, match=message):
        split_by(rule, moments, np.arange(2, dtype=np.int64))
    assert len(split_by("random 50%", moments, np.arange(2, dtype=np.int64)).test)


@pytest.mark.parametrize(
    ("rule", "side"), [("2025-01-01", "train on"), ("2027-01-01", "measure on")]
)
def test_a_split_with_an_empty_side_is_refused(rule: str, side: str) -> None:
    moments = [datetime(2026, 1, d, tzinfo=UTC) for d in (1, 2)]
    with pytest.raises(InputError, match=f"leaves nothing to {side}; use 'newest 20%'"):
        split_by(rule, moments, np.arange(2, dtype=np.int64))


def test_renamed_labels_are_learned_under_their_new_name(tmp_path: Path) -> None:
    rows = [{"text": r["text"], "agency": r["dinas"]} for r in ROWS]
    names = sorted({r["agency"] for r in rows})
    path = write(tmp_path / "d.jsonl", rows)
    config = replace(FAST, data=(path,), target=("agency",), rename={names[0]: "Dinas Baru"})
    bundle = train(config)
    assert set(bundle.heads["agency"].labels) == {"Dinas Baru", *names[1:]}
    assert bundle.facts["config"]["rename"] == {names[0]: "Dinas Baru"}


def test_what_the_check_finds_is_told_before_the_fit(tmp_path: Path) -> None:
    told: list[str] = []
    rows = [*ROWS, {"text": "hubungi saya di 081234567890", "outcome": "actionable"}, {"text": ""}]
    bundle = train(
        replace(FAST, data=(write(tmp_path / "d.jsonl", rows),)),
        progress=told.append,
        checked=lambda found: told.append(f"found {found}"),
    )
    findings = bundle.facts["check"]
    assert findings["error personal-data"] == findings["error schema"] == 1
    told_at = told.index(f"found {findings}")
    assert told_at < next(i for i, s in enumerate(told) if s.startswith("n-grams"))
