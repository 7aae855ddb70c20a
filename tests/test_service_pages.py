"""The pages: complete without a script, safe with hostile text, nothing from elsewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from pilah.service.app import create_app
from pilah.service.fake import FakeEngine
from pilah.service.problems import KINDS
from pilah.service.samples import SAMPLES
from pilah.service.settings import Settings
from pilah.service.testing import served

KEY = "kunci-untuk-halaman-uji"
HOSTILE = '<script>alert(1)</script> "><img src=x onerror=alert(1)> jalan'


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    app = create_app(Settings(data_dir=tmp_path, max_body_bytes=100_000), FakeEngine.make)
    with served(app) as url, httpx.Client(base_url=url) as client:
        yield client


def test_start_page_stands_alone(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert 'lang="id"' in page.text
    assert "Pilah laporan" in page.text
    assert 'aria-live="polite"' in page.text
    assert '<option value="Kabupaten Sleman, Daerah Istimewa Yogyakarta">' in page.text
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert links
    for link in links:
        assert link.startswith(("/", "#"))
        if link.startswith("/"):
            assert client.get(link).status_code == 200, link


def test_pages_have_no_inline_script_or_style(client: httpx.Client) -> None:
    client.post("/", data={"text": HOSTILE})
    for path in ("/", "/docs", "/problems/report-invalid"):
        text = client.get(path).text
        assert not re.search(r"<script(?! src=)|<style|\son\w+=|\sstyle=", text)


class Balance(HTMLParser):
    """Every element that is opened is closed, in order; ids are unique."""

    VOID = frozenset(("meta", "link", "input", "br", "img"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_pages_are_well_formed(client: httpx.Client) -> None:
    client.post("/", data={"text": "sebarkan jalan di Sleman"})
    pages = [client.get(path) for path in ("/", "/docs", "/problems/not-found")]
    pages += [client.post("/", data={"text": t}) for t in ("sebarkan jalan di Sleman", "")]
    for page in pages:
        balance = Balance()
        balance.feed(page.text)
        assert balance.open == []
        assert len(balance.ids) == len(set(balance.ids))


def test_every_label_belongs_to_a_field(client: httpx.Client) -> None:
    text = client.get("/").text
    labels = set(re.findall(r'<label for="(\w+)"', text))
    fields = set(re.findall(r'<(?:input|textarea|select) id="(\w+)"', text))
    assert labels == fields == {"title", "text", "region", "date", "visibility"}


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_samples_fill_the_form(client: httpx.Client, number: int) -> None:
    text = client.get("/", params={"contoh": number}).text
    assert SAMPLES[number].text[:20] in text


@pytest.mark.parametrize("number", ["99", "-1", "x", "\u0661", "9" * 50])
def test_unknown_samples_leave_the_form_empty(client: httpx.Client, number: str) -> None:
    assert client.get("/", params={"contoh": number}).status_code == 200


def test_form_works_without_a_script(client: httpx.Client) -> None:
    form = {"title": "Lubang", "text": "jalan rusak di Sleman, 081234567890", "date": "2026-05-01"}
    page = client.post("/", data=form)
    assert page.status_code == 200
    for words in (
        "PEKERJAAN UMUM DAN PENATAAN RUANG",
        "Dinas PU",
        "jalan-kabupaten",
        "Dapat ditindaklanjuti",
        "Belum ada laporan tentang kejadian ini",
        '<mark class="term">jalan</mark>',
        '<mark class="place">Sleman</mark>',
        "JSON lengkap",
    ):
        assert words in page.text
    shown = page.text.partition('id="result"')[2]
    assert "081234567890" not in shown
    found = re.search(r"Laporan <code>([^<]+)</code>", page.text)
    assert found
    stored = client.get(f"/v1/reports/{found[1]}").json()
    assert stored["reported_at"] == "2026-05-01T00:00:00+07:00"
    assert stored["channel"] == "web"


def test_review_reasons_duplicates_and_hoax_are_shown(client: httpx.Client) -> None:
    for _ in range(2):
        page = client.post("/", data={"text": "sebarkan kabar ini"})
    for words in (
        "Topik belum pasti",
        "Berciri hoaks, periksa",
        "Gaya pesan berantai: sebarkan",
        "Kejadian ini sudah dilaporkan",
        "kata yang sama",
    ):
        assert words in page.text


def test_fragment_is_the_result_alone(client: httpx.Client) -> None:
    page = client.post("/", data={"text": "jalan"}, headers={"x-pilah-fragment": "1"})
    assert "<html" not in page.text
    assert "Hasil pilah" in page.text


def test_hostile_text_stays_text(client: httpx.Client) -> None:
    page = client.post("/", data={"text": HOSTILE, "title": HOSTILE, "region": HOSTILE})
    assert "<script>alert" not in page.text
    assert "<img" not in page.text


def test_errors_are_said_in_indonesian(client: httpx.Client) -> None:
    page = client.post("/", data={"text": " ", "date": "kemarin"})
    assert page.status_code == 422
    assert "Laporan belum lengkap atau ada isian yang salah." in page.text
    assert "Isi laporan" in page.text
    assert "Tanggal" in page.text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"text=a", "text/plain", 415),
        (b"text=%ff%fe", "application/x-www-form-urlencoded", 415),
        (b"text=\xff", "application/x-www-form-urlencoded", 415),
        (b"a=1&" * 50, "application/x-www-form-urlencoded", 415),
        (b"text=" + b"a" * 200_000, "application/x-www-form-urlencoded", 413),
        (b"", "application/x-www-form-urlencoded", 422),
    ],
)
def test_malformed_forms(client: httpx.Client, content: bytes, kind: str, status: int) -> None:
    page = client.post("/", content=content, headers={"content-type": kind})
    assert page.status_code == status
    assert "Laporan belum dipilah" in page.text


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}]
)
def test_forms_of_other_sites_are_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    page = client.post("/", data={"text": "jalan"}, headers=headers)
    assert page.status_code == 403
    assert client.get("/metrics").text.count("pilah_reports_total{") == 0


def test_docs_page_tells_every_address_and_problem(client: httpx.Client) -> None:
    text = client.get("/docs").text
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in text
    for slug in KINDS:
        assert f"/problems/{slug}" in text
        assert client.get(f"/problems/{slug}").status_code == 200


def test_form_needs_the_key_when_keys_are_on(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path, api_keys=(KEY,)), FakeEngine.make)
    with served(app) as url, httpx.Client(base_url=url) as client:
        assert 'name="api_key"' in client.get("/").text
        refused = client.post("/", data={"text": "jalan", "api_key": "salah"})
        assert refused.status_code == 401
        assert "Kunci API salah" in refused.text
        accepted = client.post("/", data={"text": "jalan", "api_key": KEY})
        assert accepted.status_code == 200
        assert KEY not in accepted.text
