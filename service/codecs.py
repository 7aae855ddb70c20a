"""Stored forms of reports, fingerprints, vectors and answers, and back again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from pilah.datasets.records import Location, Report, parse_report
from pilah.models.packing import from_plain
from pilah.models.reading import Fingerprint, Vector


def now_text() -> str:
    """This moment in UTC, as the store writes times."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def dump(value: object) -> str:
    """JSON text in the order of the fields; NaN is refused."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON of a value, in hex."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def report_columns(report: Report) -> dict[str, object]:
    """The columns of ``reports`` that come from the report itself, without its id."""
    region = dict(report.region) if isinstance(report.region, Mapping) else report.region
    place = report.location
    return {
        "title": report.title,
        "text": report.text,
        "region": None if region is None else dump(region),
        "lat": place.lat if place else None,
        "lon": place.lon if place else None,
        "reported_at": report.reported_at.isoformat() if report.reported_at else None,
        "channel": report.channel,
        "reporter_ref": report.reporter_ref,
        "visibility": report.visibility,
        "chosen_agency": report.chosen_agency,
    }


def report_from_columns(row: Mapping[Any, Any]) -> Report:
    """Undo :func:`report_columns` for a row of ``reports``."""
    plain = {name: row[name] for name in ("id", "title", "text", "reported_at", "channel")}
    plain |= {name: row[name] for name in ("reporter_ref", "visibility", "chosen_agency")}
    plain["region"] = None if row["region"] is None else json.loads(row["region"])
    report = parse_report(plain)
    if row["lat"] is None:
        return report
    return dataclasses.replace(report, location=Location(row["lat"], row["lon"]))


def fingerprint_to_text(fingerprint: Fingerprint) -> str:
    """A fingerprint as JSON; sets are sorted lists, times are ISO 8601."""
    plain = dataclasses.asdict(fingerprint)
    return json.dumps(plain, sort_keys=True, allow_nan=False, default=_plain)


def fingerprint_from_text(text: str) -> Fingerprint:
    """Undo :func:`fingerprint_to_text`; fields that it lacks get their default."""
    return from_plain(json.loads(text))


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no stored form")


def vector_to_bytes(vector: Vector) -> bytes:
    """An embedding as little-endian float32."""
    return vector.astype("<f4").tobytes()


def vector_from_bytes(blob: bytes) -> Vector:
    """Undo :func:`vector_to_bytes`; shape (dim,), writable."""
    return np.frombuffer(blob, dtype="<f4").astype(np.float32)
