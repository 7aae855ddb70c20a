"""A training that is cut off goes on where it stopped, to the same bundle."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pilah.models.bundle import Bundle
from pilah.training import heads
from pilah.training.config import TrainConfig
from pilah.training.stages import Stages
from pilah.training.train import train

DATA = Path(__file__).parent / "data" / "latihan.jsonl"
FAST = TrainConfig(data=(DATA,), name="kecil", min_df=1, dim=4, views=("word",), folds=2)
WAIT_SECONDS = 120


def test_arrays_are_made_once_and_come_back_bit_by_bit(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"x": np.float32([0.1, np.pi])}

    stages = Stages(tmp_path / "work")
    rows = np.arange(3)
    first, second = (stages.arrays("a", {"rows": rows, "c": 1}, make) for _ in range(2))
    assert first["x"].tobytes() == second["x"].tobytes()
    assert len(made) == 1
    for other in (
        {"rows": rows + 1, "c": 1},
        {"rows": rows, "c": 2},
        {"rows": rows.reshape(3, 1), "c": 1},
    ):
        stages.arrays("a", other, make)
    assert len(made) == 4
    for path in (tmp_path / "work").iterdir():
        path.write_bytes(path.read_bytes()[:40])
    stages.arrays("a", {"rows": rows, "c": 1}, make)
    assert len(made) == 5
    Stages().arrays("a", {"rows": rows, "c": 1}, make)
    assert len(made) == 6


def test_a_training_that_goes_on_gives_the_same_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[int] = []
    fits = heads._fits
    monkeypatch.setattr(heads, "_fits", lambda *args: fitted.append(1) or fits(*args))

    def stop(step: str) -> None:
        if step == "routing":
            raise KeyboardInterrupt

    stages = Stages(tmp_path / "work")
    with pytest.raises(KeyboardInterrupt):
        train(FAST, stop, stages=stages)
    assert len(fitted) == 4
    resumed = train(FAST, stages=stages).save(tmp_path / "a")
    assert len(fitted) == 4
    assert train(FAST).save(tmp_path / "b") == resumed
    train(replace(FAST, strength=1.0), stages=stages)
    assert len(fitted) == 12


def stopped(command: list[str], work: Path) -> tuple[subprocess.Popen[str], str, str]:
    """A training that got a SIGINT when its first head was kept, and what it printed."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + WAIT_SECONDS
    while process.poll() is None and not list(work.glob("head-*.npz")):
        assert time.monotonic() < end
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=WAIT_SECONDS)
    return process, out, err


def test_ctrl_c_leaves_no_half_bundle_and_the_next_run_goes_on(tmp_path: Path) -> None:
    """The real command in a process of its own, stopped as soon as its first head is kept."""
    command = [sys.executable, "-m", "pilah.service.cli", "train", str(DATA), "--seed", "3", "-o"]
    output, work = tmp_path / "kota", tmp_path / ".kota.work"
    for _ in range(5):  # so small a training may end before the signal comes: then once more
        process, out, err = stopped([*command, str(output)], work)
        if process.returncode:
            break
        shutil.rmtree(output)
    assert (process.returncode, out) == (130, "")
    assert "stopped; the same command goes on from" in err
    assert [p.name for p in tmp_path.iterdir()] == [".kota.work"]
    kept = {p.name for p in work.glob("head-*.npz")}
    assert kept
    for folder in (output, tmp_path / "lain" / "kota"):
        subprocess.run([*command, str(folder)], check=True, capture_output=True)  # noqa: S603
    assert not work.exists()
    assert Bundle.load(output).version == Bundle.load(tmp_path / "lain" / "kota").version
