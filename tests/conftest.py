"""What several tests share: a copy of the tables that may be broken, and one tiny bundle."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilah.datasets.tables import data_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilah.models.bundle import Bundle

# The test workers share the cores already; read when numpy is first imported, by a test module.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
DATA = Path(__file__).parent / "data"


@pytest.fixture
def edit_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """A function (file, old, new) that edits a copy of the domain tables, which is then in use.

    An empty ``old`` appends a line. Loaders keep what they read: call ``__wrapped__``.
    """
    folder = tmp_path / "tables"
    folder.mkdir()
    for table in Path(str(data_folder())).glob("*.csv"):
        shutil.copy(table, folder)
    monkeypatch.setattr("pilah.datasets.tables.data_folder", lambda: folder)

    def edit(name: str, old: str, new: str) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        changed = text.replace(old, new, 1) if old else f"{text.rstrip()}\n{new}\n"
        (folder / name).write_text(changed, "utf-8")

    return edit


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle that the tiny data set gives, on disk."""
    from pilah.training.config import TrainConfig
    from pilah.training.train import train

    folder = tmp_path_factory.mktemp("bundle") / "kecil"
    train(TrainConfig(data=(DATA / "latihan.jsonl",), name="kecil", min_df=1, dim=32)).save(folder)
    return folder


@pytest.fixture(scope="session")
def bundle(bundle_folder: Path) -> Bundle:
    """That bundle, loaded."""
    from pilah.models.bundle import Bundle

    return Bundle.load(bundle_folder)
