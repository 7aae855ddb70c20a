"""Which bundle is live: a folder of bundles, a pointer, and the history of every change.

    <folder>/<version>/     a bundle
    <folder>/live.json      {"live": version, "history": [{"version", "at", "action", "reason",
                            and what else is known: who, on which set, with which figures}]}

Without a live bundle the one that ships inside the package is used.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from pilah.datasets.errors import BundleError
from pilah.models.bundle import Bundle

SHIPPED = "bawaan"
"""Name under which the bundle inside the package is known."""


def shipped_bundle() -> Path:
    """Folder of the bundle inside the installed package."""
    return Path(str(files("pilah.models") / "data" / "bundle"))


@dataclass(frozen=True, slots=True)
class Pointer:
    """What is live, and after how many promotions and rollbacks."""

    live: str
    changes: int


@dataclass(frozen=True, slots=True)
class Registry:
    """The bundles of one installation, under ``folder``."""

    folder: Path

    def versions(self) -> list[str]:
        """Versions of all bundles here, oldest first."""
        found = sorted(self.folder.glob("*/manifest.json"), key=lambda p: p.stat().st_mtime)
        return [p.parent.name for p in found]

    def live(self) -> str:
        """Version that is live, or the name of the shipped bundle."""
        return str(self._state()["live"])

    def pointer(self) -> Pointer:
        """What is live now; another pointer means that somebody promoted or rolled back."""
        state = self._state()
        return Pointer(str(state["live"]), len(state["history"]))

    def history(self) -> list[dict[str, Any]]:
        """Every promotion and rollback, oldest first."""
        return list(self._state()["history"])

    def path(self, name: str | None = None) -> Path:
        """Folder of a bundle by version, by path, or of the live one.

        Raises:
            BundleError: there is no such bundle; the message lists those there are.
        """
        name = name or self.live()
        if name == SHIPPED:
            return shipped_bundle()
        for candidate in (self.folder / name, Path(name)):
            if (candidate / "manifest.json").is_file():
                return candidate
        known = ", ".join([SHIPPED, *self.versions()])
        raise BundleError(f"no bundle {name!r}; known here: {known}; a folder works too")

    def add(self, source: Path) -> str:
        """Copy a bundle in, after verifying it; returns its version."""
        version = Bundle.load(source).version
        target = self.folder / version
        if not target.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self.folder / f".{version}.tmp"
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(source, draft)
            draft.replace(target)
        return version

    def promote(self, name: str, reason: str, **facts: object) -> str:
        """Make a bundle live; returns its version. The facts (who, figures) join the history."""
        version = SHIPPED if name == SHIPPED else self.add(self.path(name))
        self._record(version, "promote", reason, facts)
        return version

    def rollback(self, reason: str, **facts: object) -> str:
        """Make the bundle live that was live before; returns its version.

        Raises:
            BundleError: nothing was promoted yet.
        """
        stack = [SHIPPED]
        for entry in self.history():
            if entry["action"] == "promote":
                stack.append(entry["version"])
            elif len(stack) > 1:
                stack.pop()
        if len(stack) == 1:
            raise BundleError("nothing to roll back: no bundle was promoted here")
        self.path(stack[-2])
        self._record(stack[-2], "rollback", reason, facts)
        return stack[-2]

    def _state(self) -> dict[str, Any]:
        path = self.folder / "live.json"
        if not path.is_file():
            return {"live": SHIPPED, "history": []}
        try:
            state: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except ValueError:
            raise BundleError(f"{path}: not JSON; remove it and promote a bundle again") from None
        if not isinstance(state, dict) or not {"live", "history"} <= set(state):
            raise BundleError(f"{path}: incomplete; remove it and promote a bundle again")
        return state

    def _record(self, version: str, action: str, reason: str, facts: dict[str, object]) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"version": version, "at": at, "action": action, "reason": reason, **facts}
        state = {"live": version, "history": [*self.history(), entry]}
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / ".live.json.tmp"
        draft.write_text(json.dumps(state, ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(self.folder / "live.json")
