"""RSS 2.0 and Atom files. Entities, external references and DTDs are refused (defusedxml)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from pilah.datasets.errors import FileFormatError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES = 50_000_000
"""A larger feed file is refused: no fact-checker publishes one."""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One item (RSS) or entry (Atom); absent parts are empty."""

    title: str
    link: str
    date: str


def read_feed(path: Path) -> Iterator[FeedItem]:
    """Items of a feed file, in order.

    Raises:
        FileFormatError: it is too large, no XML, or holds entities or a DTD.
        OSError: it cannot be read.
    """
    if path.stat().st_size > MAX_BYTES:
        raise FileFormatError(f"{path}: larger than {MAX_BYTES:,} bytes; split it")
    try:
        root = parse(path, forbid_dtd=True).getroot()
    except ParseError as error:
        raise FileFormatError(f"{path}: not XML ({error}); save the feed again") from None
    except DefusedXmlException:
        raise FileFormatError(f"{path}: holds a DTD or entities; remove them") from None
    found = [element for element in root.iter() if _name(element) in ("item", "entry")]
    if not found and _name(root) not in ("rss", "feed", "rdf"):
        raise FileFormatError(f"{path}: neither RSS nor Atom; save the feed itself, not its page")
    return (_item(element) for element in found)


def _item(element: Element) -> FeedItem:
    parts = {_name(child): child for child in reversed(element)}
    return FeedItem(_text(parts, "title"), _link(element), _date(parts))


def _link(element: Element) -> str:
    links = [child for child in element if _name(child) == "link"]
    pages = [x for x in links if x.get("rel", "alternate") == "alternate"]
    return next(((x.get("href") or x.text or "").strip() for x in pages), "")


def _date(parts: dict[str, Element]) -> str:
    dates = (_text(parts, name) for name in ("pubdate", "published", "updated", "date"))
    return next((date for date in dates if date), "")


def _text(parts: dict[str, Element], name: str) -> str:
    return " ".join("".join(parts[name].itertext()).split()) if name in parts else ""


def _name(element: Element) -> str:
    """The tag without its namespace, in lower case; comments have none."""
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
