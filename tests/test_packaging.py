"""The packaging trap: our datasets/ folder must never shadow the library of the same name."""

import importlib
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("models", "service", "training", "datasets", "evaluation")
MODULES = [p for part in PARTS for p in sorted((ROOT / part).rglob("*.py"))]
NEED_TORCH = ("gram_module.py",)
"""Modules of classes that derive from torch's: only `pilah encoder` imports them."""


def test_datasets_has_no_init() -> None:
    assert not (ROOT / "datasets" / "__init__.py").exists()


def test_the_name_datasets_is_never_our_folder() -> None:
    spec = importlib.util.find_spec("datasets")
    ours = ROOT / "datasets"
    assert spec is None or (spec.origin and not Path(spec.origin).is_relative_to(ours))


def test_serving_loads_nothing_that_only_training_needs() -> None:
    command = (
        "import sys, pilah.service.app, pilah.service.cli, pilah.models.triage;"
        "print(*{'sklearn', 'pandas', 'pyarrow', 'scipy.stats', 'torch'} & set(sys.modules))"
    )
    told = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", command], check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == ""


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_is_installed(path: Path) -> None:
    if path.name in NEED_TORCH:
        pytest.importorskip("sentence_transformers", reason="needs the train extra")
    parts = path.relative_to(ROOT).with_suffix("").parts
    importlib.import_module(".".join(("pilah", *parts)).removesuffix(".__init__"))


def test_every_folder_with_code_is_listed_as_a_package() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {"pilah." + ".".join(p.relative_to(ROOT).parent.parts) for p in MODULES}
    assert folders == set(listed)
