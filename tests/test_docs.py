"""The documents name every command, every option that they show, and every setting."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from pilah.service.cli import command_line
from pilah.service.problems import KINDS
from pilah.service.request_schemas import ReportIn
from pilah.service.schemas import TriageOut
from pilah.service.settings import Settings
from pilah.service.words import WORDS
from pilah.training.config import TrainConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PAGES = {p: p.read_text("utf-8") for p in sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))}
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
SETTING = re.compile(r"\bPILAH_[A-Z_]+[A-Z]\b")
FOLDERS = "datasets|models|service|training|evaluation|tests"
DOCS = "\n".join(text for path, text in PAGES.items() if path.name != "README.id.md")


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from commands(inner, *path, name)


COMMANDS = dict(commands(typer.main.get_command(command_line())))


def test_there_is_a_readme() -> None:
    assert ROOT / "README.md" in PAGES


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_is_documented(path: tuple[str, ...]) -> None:
    assert re.search(rf"`pilah {' '.join(path)}\b", DOCS)


@pytest.mark.parametrize("name", [f.name for f in fields(Settings)])
def test_every_setting_is_documented(name: str) -> None:
    assert re.search(rf"\bPILAH_{name.upper()}\b", DOCS)


@pytest.mark.parametrize("name", [f.name for f in fields(TrainConfig)])
def test_every_key_of_an_experiment_is_documented(name: str) -> None:
    rows = re.findall(r"^\| (`[^|]*) \|", PAGES[ROOT / "docs" / "training.md"], re.MULTILINE)
    assert f"`{name}`" in ", ".join(rows)


@pytest.mark.parametrize("slug", KINDS)
def test_every_error_is_documented(slug: str) -> None:
    assert re.search(rf"\b{slug}\b", DOCS)


def test_every_field_and_reason_of_the_api_is_documented() -> None:
    page = PAGES[ROOT / "docs" / "api.md"]
    names = [*ReportIn.model_fields, *TriageOut.model_fields, *WORDS["reason"]]
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_commands_that_a_page_shows_exist(page: Path) -> None:
    """Each ``pilah ...`` line of a code block is a command with the options that it has."""
    shown = re.findall(r"^(?: {4}|\$ )pilah ([a-z][^\n#]*)", PAGES[page], re.MULTILINE)
    for line in shown:
        words = line.split()
        path = tuple(words[:2]) if tuple(words[:2]) in COMMANDS else tuple(words[:1])
        assert path in COMMANDS, line
        known = {opt for p in COMMANDS[path].params for opt in p.opts} | {"--help"}
        assert {w for w in words if re.fullmatch(r"--?[a-z][a-z-]*", w)} <= known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_settings_that_a_page_names_exist(page: Path) -> None:
    known = {f"PILAH_{f.name.upper()}" for f in fields(Settings)} | set(SETTING.findall(MAKEFILE))
    assert set(SETTING.findall(PAGES[page])) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", PAGES[page])
    assert [link for link in links if not (page.parent / link).exists()] == []
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert set(re.findall(r"(?:^ {4}|`)make ([a-z]+)", PAGES[page], re.MULTILINE)) <= targets
    named = re.findall(rf"`((?:{FOLDERS})/[\w./-]+)`", PAGES[page])
    assert [name for name in named if not (ROOT / name).exists()] == []
