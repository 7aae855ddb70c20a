"""What several tests share: a copy of the tables that may be broken, and one tiny bundle."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_kit import Ended, Pilah
from hypothesis import settings

from pilah.datasets.tables import data_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pilah.models.bundle import Bundle

# The test workers share the cores already; read when numpy is first imported, by a test module.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
DATA = Path(__file__).parent / "data"
# Every run tries the same examples, so that a red run means a change; `--hypothesis-profile search`
# tries new ones. A busy machine breaks no property, so no example has a time limit.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def _pages_show_what_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, no page of a test's small store shows what was a while ago."""
    monkeypatch.setattr("pilah.service.loop.kept.QUICK_SECONDS", float("inf"))


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
    train(
        TrainConfig(data=(DATA / "latihan.jsonl",), name="kecil", min_df=1, encoder="lsa", dim=32)
    ).save(folder)
    return folder


@pytest.fixture(scope="session")
def bundle(bundle_folder: Path) -> Bundle:
    """That bundle, loaded."""
    from pilah.models.bundle import Bundle

    return Bundle.load(bundle_folder)


@pytest.fixture
def pilah(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    bundle_folder: Path,
) -> Pilah:
    """Runs ``pilah ARGS`` in an empty folder; the tiny bundle stands in for the shipped one."""
    for name in [n for n in os.environ if n.startswith("PILAH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("pilah.models.registry.shipped_bundle", lambda: bundle_folder)
    monkeypatch.chdir(tmp_path)
    from pilah.service.cli import main

    def run(*args: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["pilah", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Ended(int(ended.value.code or 0), told.out, told.err)

    return run


@pytest.fixture(autouse=True)
def _on_postgresql(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With PILAH_TEST_DATABASE, services keep their data there, each data folder in its schema."""
    if not (given := os.environ.get("PILAH_TEST_DATABASE")):
        yield
        return
    from sqlalchemy import create_engine, text

    from pilah.service.settings import Settings

    database, made = create_engine(given), set[str]()

    def url_of(settings: Settings) -> str:
        name = "t" + hashlib.sha256(str(settings.data_dir.absolute()).encode()).hexdigest()[:16]
        if name not in made:
            with database.begin() as connection:
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {name}"))
            made.add(name)
        return settings.database_url or f"{given}?options=-csearch_path%3D{name}"

    monkeypatch.setattr(Settings, "url", property(url_of))
    yield
    with database.begin() as connection:
        for name in made:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    database.dispose()
