"""What the tests of the command line share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

DATA = Path(__file__).parent / "data"
TRAINING = DATA / "latihan.jsonl"
ROWS = [json.loads(line) for line in TRAINING.read_text("utf-8").splitlines()]


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code, stdout and stderr."""

    code: int
    out: str
    err: str


class Pilah(Protocol):
    def __call__(self, *args: object) -> Ended: ...


def lines(path: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def write(name: str, rows: list[Any]) -> Path:
    path = Path(name)
    path.write_text(
        "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows), "utf-8"
    )
    return path
