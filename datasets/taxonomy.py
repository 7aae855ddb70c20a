"""SP4N-LAPOR!'s topics: 38 main topics and their sub-topics, with stable ids.

Living topics are predicted. Retired ones stay readable, so that old data keeps its meaning. The
residue ("TOPIK LAINNYA") is what other topics should empty: readable, never predicted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast, get_args

from pilah.datasets.errors import TableError
from pilah.datasets.tables import read_table

FILE = "taxonomy.csv"
Status = Literal["living", "retired", "residue"]


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. ``sub`` is empty for a main topic; ids look like ``08`` and ``08.007``."""

    id: str
    main: str
    sub: str
    status: Status

    @property
    def main_id(self) -> str:
        """Id of the main topic it belongs to."""
        return self.id.split(".")[0]


class Taxonomy:
    """All topics by id and by name."""

    def __init__(self, topics: Iterable[Topic]) -> None:
        """Index the topics; names are compared without regard to case and spacing."""
        self.topics = tuple(topics)
        self.by_id = {t.id: t for t in self.topics}
        self._by_name = {(_key(t.main), _key(t.sub)): t for t in self.topics}

    def find(self, main: str, sub: str | None = None) -> Topic | None:
        """The topic with these names, or None."""
        return self._by_name.get((_key(main), _key(sub or "")))

    def mains(self) -> tuple[Topic, ...]:
        """All main topics, living or not."""
        return tuple(t for t in self.topics if not t.sub)

    @property
    def version(self) -> str:
        """Short hash over ids, names and states: the version of the label set."""
        lines = "\n".join(f"{t.id}|{t.main}|{t.sub}|{t.status}" for t in self.topics)
        return "sp4n-" + hashlib.sha256(lines.encode()).hexdigest()[:8]


@lru_cache(maxsize=1)
def load_taxonomy() -> Taxonomy:
    """Read the topic table.

    Raises:
        TableError: a repeated id or name, an unknown status, or a sub-topic without its main topic.
    """
    topics: list[Topic] = []
    seen: set[tuple[str, str]] = set()
    ids: set[str] = set()
    for line, row in read_table(FILE, ("id", "main", "sub", "status")):
        topic = Topic(row["id"], row["main"], row["sub"], cast(Status, row["status"]))
        key = (topic.main, topic.sub)
        if topic.status not in get_args(Status):
            raise TableError(FILE, line, "unknown status", "use living, retired or residue")
        if key in seen or topic.id in ids:
            raise TableError(FILE, line, "repeated topic", "keep one row")
        if topic.sub and (topic.main, "") not in seen:
            raise TableError(
                FILE, line, "sub-topic before its main topic", "add the main row first"
            )
        seen.add(key)
        ids.add(topic.id)
        topics.append(topic)
    return Taxonomy(topics)


def _key(name: str) -> str:
    return " ".join(name.upper().split())
