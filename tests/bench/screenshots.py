"""The pictures of ``docs/meja.md``: the real service, the shipped bundle, the written corpus.

python tests/bench/screenshots.py docs/img
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from common import console
from desk import BATCH, corpus
from playwright.sync_api import Browser, sync_playwright

from pilah.datasets.records import parse_report
from pilah.service.accounts import sessions, users
from pilah.service.accounts.signin import COOKIE
from pilah.service.accounts.users import NewUser
from pilah.service.app import create_app
from pilah.service.cli_service import engine
from pilah.service.intake import Intake, make_item
from pilah.service.loop import demo
from pilah.service.settings import Settings
from pilah.service.state import Service
from pilah.service.testing import served

REPORTS = 200
MAX_BYTES = 150_000
DESKTOP, PHONE = {"width": 1120, "height": 660}, {"width": 390, "height": 760}
TALL = {"width": 1180, "height": 860}
QUEUE = "/meja?reason=possible_duplicate"
"""Where incidents stand side by side."""


def main() -> None:
    """Take reports in, open pages, write pictures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    folder = arguments.parse_args().folder
    with tempfile.TemporaryDirectory() as data:
        settings = Settings(data_dir=Path(data), audit_share=0.2)
        with sync_playwright() as playwright, served(app := create_app(settings, engine)) as url:
            path = shutil.which("chromium") or shutil.which("google-chrome")
            chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            service: Service = app.state.service
            demo.fill(service, lambda _: None)
            shoot(chromium, url, prepare(service.intake), folder)
    for picture in sorted(folder.glob("*.png")):
        size = picture.stat().st_size
        console.print(f"{picture}: {size:,} bytes")
        if size > MAX_BYTES:
            raise SystemExit(f"{picture}: is larger than {MAX_BYTES:,} bytes")


def prepare(intake: Intake) -> str:
    """Store newer reports and a supervisor; gives the token of a session."""
    rows = [row for row, _ in zip(corpus(), range(REPORTS), strict=False)]
    for start in range(0, len(rows), BATCH):
        items = [make_item(parse_report(r), claim=None) for r in rows[start : start + BATCH]]
        intake.take(items, lambda _: {})
    with intake.store.writing() as connection:
        user = users.add_user(connection, NewUser("sari", "supervisor", "Sari"), by="docs")
        return sessions.begin(connection, user).token


def shoot(chromium: Browser, url: str, token: str, folder: Path) -> None:
    """The queue, a report and the indicators on a desk, a report on a phone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, size, path in (
        ("antrean", DESKTOP, QUEUE),
        ("laporan", DESKTOP, QUEUE),
        ("telepon", PHONE, QUEUE),
        ("indikator", TALL, "/indikator"),
    ):
        context = chromium.new_context(base_url=url, viewport=size, is_mobile=size is PHONE)
        context.add_cookies([{"name": COOKIE, "value": token, "url": url}])
        page = context.new_page()
        page.goto(path)
        if name in ("laporan", "telepon"):
            page.get_by_role("button", name="Kerjakan berikutnya").click()
            page.locator("h1 code").wait_for()
        page.screenshot(path=folder / f"{name}.png")
        context.close()


if __name__ == "__main__":
    main()
