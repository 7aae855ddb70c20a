"""Fingerprints as a few hundred bytes each, so that a million of them fit into memory."""

from __future__ import annotations

import json
import struct
from array import array
from dataclasses import fields
from datetime import datetime
from functools import cache, lru_cache
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


def pack(fingerprint: Fingerprint) -> bytes:
    """Everything but the report id: counts, hashed words, and the rest as a JSON list."""
    hashed = [sorted(getattr(fingerprint, name)) for name in _HASHED]
    rest = [getattr(fingerprint, name) for name in _OTHERS]
    text = json.dumps(rest, ensure_ascii=False, separators=(",", ":"), default=_plain)
    words = array("I", [word for part in hashed for word in part]).tobytes()
    return _COUNTS.pack(*map(len, hashed)) + words + text.encode()


@lru_cache(maxsize=MAX_UNPACKED)
def unpack(report_id: str, packed: bytes) -> Fingerprint:
    """The inverse of :func:`pack`; the latest are kept, for one report meets many."""
    counts = _COUNTS.unpack_from(packed)
    start, hashed = _COUNTS.size, []
    for count in counts:
        hashed.append(frozenset(array("I", packed[start : start + 4 * count])))
        start += 4 * count
    rest = json.loads(packed[start:])
    made = [v if v is None else make(v) for make, v in zip(_other_makers(), rest, strict=True)]
    found: dict[str, Any] = dict(zip(_PACKED, (*hashed, *made), strict=True))
    return Fingerprint(report_id, **found)


def written_bytes(packed: bytes) -> bytes:
    """The hashed written words of a packed fingerprint, four bytes each."""
    (count,) = _FIRST.unpack_from(packed)
    return packed[_COUNTS.size : _COUNTS.size + 4 * count]


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
