"""Fingerprints as a few hundred bytes each, so that a million of them fit into memory."""

from __future__ import annotations

import json
import struct
from array import array
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

from pilah.models.reading import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

_HASHED = ("written", "words", "names", "spots", "things")
"""Fields that are sets of unsigned 32-bit integers: packed as such, ``written`` first."""
_OTHERS = tuple(f.name for f in fields(Fingerprint) if f.name not in (*_HASHED, "report_id"))
_PACKED = (*_HASHED, *_OTHERS)
MAX_UNPACKED = 1 << 11
"""Most fingerprints that are kept unpacked, some 9 KB each."""
_FIRST = struct.Struct("<H")
_COUNTS = struct.Struct(f"<{len(_HASHED)}H")
_SENT = struct.Struct("<qQ")
_START = _COUNTS.size + _SENT.size
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DECODER = json.JSONDecoder()


def pack(fingerprint: Fingerprint) -> bytes:
    """Everything but the report id: counts, when and by whom, hashed words, the rest as JSON."""
    hashed = [sorted(getattr(fingerprint, name)) for name in _HASHED]
    rest = [getattr(fingerprint, name) for name in _OTHERS]
    text = json.dumps(rest, ensure_ascii=False, separators=(",", ":"), default=_plain)
    words = array("I", [word for part in hashed for word in part]).tobytes()
    sent = _SENT.pack(microseconds(fingerprint), sender(fingerprint))
    return _COUNTS.pack(*map(len, hashed)) + sent + words + text.encode()


def microseconds(fingerprint: Fingerprint) -> int:
    """When a report was received, since 1970."""
    return (fingerprint.received_at - _EPOCH) // timedelta(microseconds=1)


def sender(fingerprint: Fingerprint) -> int:
    """A 64-bit hash of who sent a report; 0 where that is not known."""
    if fingerprint.reporter is None:
        return 0
    return int.from_bytes(blake2b(fingerprint.reporter.encode(), digest_size=8).digest())


def sent(packed: bytes) -> tuple[int, int]:
    """:func:`microseconds` and :func:`sender` of a packed fingerprint, the rest left packed."""
    at, by = _SENT.unpack_from(packed, _COUNTS.size)
    return at, by


@lru_cache(maxsize=MAX_UNPACKED)
def unpack(report_id: str, packed: bytes) -> Fingerprint:
    """The inverse of :func:`pack`; the latest are kept, for one report meets many."""
    counts = _COUNTS.unpack_from(packed)
    start, hashed = _START, []
    for count in counts:
        hashed.append(frozenset(array("I", packed[start : start + 4 * count])))
        start += 4 * count
    rest = _DECODER.decode(packed[start:].decode())
    made = [v if v is None else make(v) for make, v in zip(_other_makers(), rest, strict=True)]
    found: dict[str, Any] = dict(zip(_PACKED, (*hashed, *made), strict=True))
    return Fingerprint(report_id, **found)


def written_bytes(packed: bytes) -> bytes:
    """The hashed written words of a packed fingerprint, four bytes each."""
    (count,) = _FIRST.unpack_from(packed)
    return packed[_START : _START + 4 * count]


def from_plain(plain: dict[str, Any]) -> Fingerprint:
    """A fingerprint from its JSON form; fields that are not known are left out."""
    makers = _makers()
    known = ((name, value) for name, value in plain.items() if name in makers)
    found: dict[str, Any] = {n: v if v is None else makers[n](v) for n, v in known}
    return Fingerprint(**found)


@cache
def _other_makers() -> tuple[Callable[[Any], Any], ...]:
    return tuple(_makers()[name] for name in _OTHERS)


@cache
def _makers() -> dict[str, Callable[[Any], Any]]:
    """Field -> what makes its value from JSON."""
    return {name: _maker(hint) for name, hint in get_type_hints(Fingerprint).items()}


def _maker(hint: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - an annotation
    if get_origin(hint) is frozenset:
        return frozenset
    if get_origin(hint) is dict:
        return lambda value: {key: tuple(part) for key, part in value.items()}
    if get_origin(hint) is tuple:
        return lambda value: tuple(map(tuple, value))
    return datetime.fromisoformat if hint is datetime else _same


def _same(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return value


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no packed form")
