"""The desk in a real Chromium: keyboard, two people at once, expiry, phone, accessibility."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from desk_kit import PASSWORD, Desk, open_desk
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import delete, update

from pilah.service.accounts import users
from pilah.service.accounts.signin import COOKIE
from pilah.service.accounts.tables import sessions
from pilah.service.desk.tables import cases

KNOWN_AS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, KNOWN_AS)), None)
MISSING = "no Chromium on the path: install one, e.g. `apt-get install chromium`"
PHONE = {"width": 390, "height": 844}
SERIOUS = {"serious", "critical"}

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as desk:
        with desk.store.writing() as connection:
            users.set_password(connection, "sari", PASSWORD, by="test")
        yield desk


@pytest.fixture
def contexts() -> Iterator[list[BrowserContext]]:
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


class Visitor:
    """Opens pages as somebody who is signed in."""

    def __init__(self, chromium: Browser, desk: Desk, opened: list[BrowserContext]) -> None:
        self.chromium, self.desk, self.opened = chromium, desk, opened

    def page(self, name: str, path: str = "/meja", **options: object) -> Page:
        context = self.chromium.new_context(base_url=self.desk.url, **options)  # type: ignore[arg-type]
        self.opened.append(context)
        if name:
            token = self.desk.browser(name).session.token
            context.add_cookies([{"name": COOKIE, "value": token, "url": self.desk.url}])
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto(path)
        return page


@pytest.fixture
def visitor(chromium: Browser, desk: Desk, contexts: list[BrowserContext]) -> Visitor:
    return Visitor(chromium, desk, contexts)


def decisions(desk: Desk, name: str) -> list[str]:
    found = desk.api.get(f"/v1/reports/{name}").json()["decisions"]
    return [decision["action"] for decision in found]


def report_id(page: Page) -> str:
    return page.locator("h1 code").inner_text()


def test_a_day_at_the_desk_by_keyboard(desk: Desk, visitor: Visitor) -> None:
    """Sign in, decide, undo, archive, ask, refuse, search: no mouse."""
    for number in range(5):
        desk.classify(f"halo kabar nomor {number}{number}", id=f"R{number}")
    page = visitor.page("", "/meja")
    expect(page).to_have_url(re.compile("/masuk"))
    page.keyboard.type("sari")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Meja petugas")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("a.case").nth(1)).to_be_focused()
    page.keyboard.press("n")
    first = report_id_after(page, "")
    page.keyboard.press("1")  # the likeliest topic
    page.keyboard.press("q")  # the likeliest agency
    page.keyboard.press("a")  # the likeliest outcome
    page.keyboard.press("v")
    second = report_id_after(page, first)
    assert decisions(desk, first) == ["forward"]
    page.keyboard.press("z")  # undo what was decided just before
    assert report_id_after(page, second) == first
    assert decisions(desk, first) == ["forward", "undo"]
    page.keyboard.press("x")
    page.locator('input[name="reason"]').first.press("Space")
    page.get_by_role("button", name="Arsipkan").press("Enter")
    third = report_id_after(page, first)
    assert decisions(desk, first) == ["forward", "undo", "archive"]
    page.keyboard.press("m")
    expect(page.locator("#message")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Di mana tepatnya?")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    fourth = report_id_after(page, third)
    assert decisions(desk, third) == ["ask"]
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    expect(page.locator("h1 code")).not_to_have_text(fourth)
    assert decisions(desk, fourth) == ["refuse"]
    page.keyboard.press("/")
    page.keyboard.type("jembatan")
    expect(page.locator("#choices")).to_contain_text("JEMBATAN")
    page.keyboard.press("Escape")
    page.keyboard.press("%")  # a key that means nothing does nothing
    page.keyboard.press("?")
    expect(page.get_by_text("turun dan naik di antrean")).to_be_visible()


def test_what_a_search_found_stays_chosen_after_the_next_search(
    desk: Desk, visitor: Visitor
) -> None:
    desk.classify("halo", id="C1")
    page = visitor.page("sari", "/meja/laporan?id=C1")
    page.locator("#note").fill("catatan saya")
    page.locator("#cari").fill("jembatan")
    page.locator("#cari").press("Enter")
    page.get_by_label("JEMBATAN").first.check()
    expect(page.locator("#note")).to_have_value("catatan saya")
    page.locator("#cari").fill("kesehatan badung")
    page.get_by_label("Dinas Kesehatan").first.check()
    with page.expect_response(re.compile("cari=xyz")):
        page.locator("#cari").fill("xyz")
    expect(page.get_by_label("Dinas Kesehatan")).to_have_count(1)  # what was not chosen is gone
    page.get_by_role("button", name="Terima dan teruskan").click()
    expect(page.get_by_text("C1 tersimpan")).to_be_visible()
    labels = desk.api.get("/v1/reports/C1").json()["decisions"][0]["labels"]
    assert "JEMBATAN" in labels["topic_sub"]
    assert labels["agency"] == "Dinas Kesehatan"


def report_id_after(page: Page, before: str) -> str:
    """The report on the page, once it is another one."""
    expect(page.locator("h1 code")).not_to_have_text(before or "-")
    return report_id(page)


def test_incidents_are_merged_and_told_apart_by_keyboard(desk: Desk, visitor: Visitor) -> None:
    desk.classify("kabar pohon tumbang di sleman", id="I1")
    desk.classify("kabar pohon tumbang di godean", id="I2")
    page = visitor.page("sari", "/meja/laporan?id=I2")
    expect(page.locator("mark.only").first).to_be_visible()
    page.keyboard.press("l")
    expect(page.get_by_text("Sudah dinyatakan bukan kejadian yang sama")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_text("Sekarang satu kejadian")).to_be_visible()
    page.get_by_role("button", name="Batalkan perubahan kejadian terakhir").press("Enter")
    expect(page.get_by_text("Sekarang satu kejadian")).not_to_be_visible()
    incident = [desk.api.get(f"/v1/reports/I{n}").json()["incident_id"] for n in (1, 2)]
    assert incident[0] != incident[1]


def test_two_moderators_at_once(desk: Desk, visitor: Visitor) -> None:
    for name in ("T1", "T2"):
        desk.classify(f"halo {name}", id=name)
    one, two = visitor.page("mimi"), visitor.page("sari")
    one.keyboard.press("n")
    mine = report_id_after(one, "")
    two.keyboard.press("n")
    assert report_id_after(two, "") != mine
    two.goto(f"/meja/laporan?id={mine}")
    expect(two.get_by_text("sedang dikerjakan mimi")).to_be_visible()
    desk.api.post(f"/v1/reports/{mine}/decision", json={"actor": "api", "outcome": "prank"})
    one.locator("#note").fill("catatan saya")
    one.keyboard.press("Escape")
    one.keyboard.press("1")
    one.keyboard.press("v")
    expect(one.get_by_text("sejak Anda membukanya")).to_be_visible()
    expect(one.locator("#note")).to_have_value("catatan saya")
    assert decisions(desk, mine) == ["label"]


def test_an_ended_session_stores_nothing_and_leads_back(desk: Desk, visitor: Visitor) -> None:
    desk.classify("halo", id="S1")
    page = visitor.page("sari", "/meja/laporan?id=S1")
    with desk.store.writing() as connection:
        connection.execute(delete(sessions))
    page.keyboard.press("q")
    page.keyboard.press("1")
    page.keyboard.press("v")
    expect(page.get_by_text("Isian terakhir belum tersimpan")).to_be_visible()
    assert decisions(desk, "S1") == []
    page.goto("/meja/laporan?id=S1")
    page.locator("#name").fill("sari")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1 code")).to_have_text("S1")


@pytest.mark.parametrize("phone", [False, True])
def test_the_queue_is_filtered_by_keyboard_and_by_touch(
    desk: Desk, visitor: Visitor, phone: bool
) -> None:
    for number, code in enumerate(("34.04.07", "34.04.06", "51.03.02")):
        desk.classify(f"halo {number}", id=f"F{number}")
        with desk.store.writing() as connection:
            mine = cases.c.report_id == f"F{number}"
            connection.execute(update(cases).where(mine).values(region=code))
    screen = {"viewport": PHONE, "has_touch": True, "is_mobile": True} if phone else {}
    page = visitor.page("sari", **screen)
    if phone:
        page.get_by_text("Saring", exact=False).first.tap()
        page.locator("#region").select_option("34")
        page.get_by_role("button", name="Saring", exact=True).tap()
    else:
        page.keyboard.press("f")
        expect(page.locator("#status")).to_be_focused()
        for _ in range(4):  # reason, topic, agency, region
            page.keyboard.press("Tab")
        page.keyboard.type("Daerah")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    expect(page.locator("a.case")).to_have_count(2)
    expect(page.get_by_text("Wilayah: Daerah Istimewa Yogyakarta")).to_be_visible()
    assert "Kabupaten Sleman (2)" in (page.locator("#region option").nth(2).text_content() or "")
    page.get_by_text("Wilayah: Daerah Istimewa Yogyakarta").click()
    expect(page.locator("a.case")).to_have_count(3)


def test_it_fits_a_phone(desk: Desk, visitor: Visitor) -> None:
    text = "halo " + "panjangsekalitanpaspasi" * 12
    desk.classify(text, id="P1")
    page = visitor.page("sari", viewport=PHONE, has_touch=True, is_mobile=True)
    for path in (
        "/meja",
        "/meja/laporan?id=P1",
        "/indikator",
        "/usulan-rute",
        "/mutu",
        "/pendapat",
        "/akun",
    ):
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], path
    page.goto("/meja/laporan?id=P1")
    page.locator('input[name="topic"]').first.tap()
    page.get_by_role("button", name="Terima dan teruskan").tap()
    expect(page.get_by_text("P1 tersimpan")).to_be_visible()
    assert decisions(desk, "P1") == ["forward"]


def test_everything_works_without_a_script(desk: Desk, visitor: Visitor) -> None:
    desk.classify("halo", id="W1")
    page = visitor.page("sari", java_script_enabled=False)
    page.get_by_role("button", name="Kerjakan berikutnya").click()
    page.locator("#cari").fill("jembatan")
    page.get_by_role("button", name="Cari").click()
    page.get_by_label("JEMBATAN").first.check()
    page.get_by_role("button", name="Terima dan teruskan").click()
    assert decisions(desk, "W1") == ["forward"]
    labels = desk.api.get("/v1/reports/W1").json()["decisions"][0]["labels"]
    assert "JEMBATAN" in labels["topic_sub"]


def test_single_keys_can_be_switched_off(desk: Desk, visitor: Visitor) -> None:
    desk.classify("halo", id="O1")
    page = visitor.page("sari")
    page.locator("#pintasan").uncheck()
    page.locator("h1").click()
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("/meja$"))
    page.locator("#pintasan").check()
    page.locator("h1").click()
    page.keyboard.press("n")
    expect(page.locator("h1 code")).to_have_text("O1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_finding(desk: Desk, visitor: Visitor, scheme: str) -> None:
    for n in range(2):
        desk.classify(f"sebarkan kabar pohon tumbang {n}", id=f"A{n}")
    desk.browser("sari").post("/meja/putusan", id="A0", version=0, action="archive", reason="prank")
    found: dict[str, list[str]] = {}
    places = (
        ("", "/masuk"), ("sari", "/meja"), ("sari", "/meja/laporan?id=A1&cari=jalan"),
        ("sari", "/catatan"), ("adi", "/pengguna"), ("adi", "/kunci"), ("adi", "/akun"),
        ("adi", "/meja"), ("sari", "/indikator"), ("sari", "/usulan-rute"), ("sari", "/mutu"),
        ("sari", "/pendapat"),
        ("mimi", "/indikator"), ("sari", "/meja?region=34"),
    )  # fmt: skip
    for name, path in places:
        page = visitor.page(name, path, color_scheme=scheme)
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        results = Axe().run(page).response["violations"]
        found[path] = [v["id"] for v in results if v["impact"] in SERIOUS]
        page.close()
    assert found == {path: [] for _, path in places}
