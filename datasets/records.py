"""The row types of the contract: a Report, and a Report with its labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, cast, get_args

from pilah.datasets.errors import ReportError

MAX_TEXT = 20_000
"""Longest accepted text, in characters after trimming."""
MAX_SHORT = 500
"""Longest accepted value of any other string field, in characters."""

Visibility = Literal["public", "anonymous", "secret"]
Outcome = Literal[
    "actionable", "needs_information", "not_government", "out_of_scope", "prank",
    "praise_or_question",
]  # fmt: skip
Klasifikasi = Literal[
    "pengaduan", "pengaduan_pengawasan", "aspirasi", "permintaan_informasi", "whistleblowing"
]
Level = Literal["national", "bumn", "provinsi", "kabkota", "desa"]

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
KLASIFIKASI: tuple[Klasifikasi, ...] = get_args(Klasifikasi)
LEVELS: tuple[Level, ...] = get_args(Level)
REGION_PARTS = ("province", "regency", "district", "village")


@dataclass(frozen=True, slots=True)
class Location:
    """A point in degrees (WGS 84)."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Report:
    """One citizen report as it came in; field names are those of the contract.

    ``region`` is a Kemendagri code, a name, or a mapping with any of province, regency, district
    and village. It is resolved by :mod:`pilah.models.places`, not here.
    """

    text: str
    id: str | None = None
    title: str | None = None
    region: str | Mapping[str, str] | None = None
    location: Location | None = None
    reported_at: datetime | None = None
    channel: str | None = None
    reporter_ref: str | None = None
    visibility: Visibility = "public"
    chosen_agency: str | None = None

    @property
    def full_text(self) -> str:
        """Title and text as one string, the way every model reads a report."""
        return f"{self.title}\n{self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class Labels:
    """What people decided about a report; every field may be unknown."""

    topic_main: str | None = None
    topic_sub: str | None = None
    agency: str | None = None
    outcome: str | None = None
    klasifikasi: str | None = None
    hoax: bool | None = None
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class LabelledReport:
    """A report, its labels, and whatever other columns the row carried."""

    report: Report
    labels: Labels
    extra: Mapping[str, str] = field(default_factory=dict)


def parse_report(row: Mapping[str, object]) -> Report:
    """Check one row of input and turn it into a Report.

    Args:
        row: mapping with the contract's field names; unknown fields are ignored.

    Raises:
        ReportError: a field is missing or wrong; it names the field and the cure.
    """
    return Report(
        text=_text(row.get("text")),
        id=_short(row, "id"),
        title=_short(row, "title"),
        region=_region(row.get("region")),
        location=_location(row.get("location")),
        reported_at=_time(row.get("reported_at")),
        channel=_short(row, "channel"),
        reporter_ref=_short(row, "reporter_ref"),
        visibility=_visibility(row.get("visibility")),
        chosen_agency=_short(row, "chosen_agency"),
    )


def parse_labels(row: Mapping[str, object]) -> Labels:
    """Read the label fields of one row; absent and empty ones are None.

    Raises:
        ReportError: ``outcome``, ``klasifikasi`` or ``hoax`` has an unknown value.
    """
    return Labels(
        topic_main=_short(row, "topic_main"),
        topic_sub=_short(row, "topic_sub"),
        agency=_short(row, "agency"),
        outcome=_choice(row, "outcome", OUTCOMES),
        klasifikasi=_choice(row, "klasifikasi", KLASIFIKASI),
        hoax=_flag(row.get("hoax")),
        incident=_short(row, "incident"),
    )


def json_kind(value: object) -> str:
    """What a value is called in JSON, with its article; a value of no JSON kind by its class."""
    kinds = {
        bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array",
        dict: "an object", type(None): "null",
    }  # fmt: skip
    return kinds.get(type(value), type(value).__name__)


def _empty(value: object) -> bool:
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (isinstance(value, float) and math.isnan(value))
    )


def _text(value: object) -> str:
    if _empty(value):
        raise ReportError("text", "missing or empty", "give 1 to 20,000 characters")
    if not isinstance(value, str):
        raise ReportError("text", f"is {json_kind(value)}, not a string", "send a JSON string")
    text = value.strip()
    if "\x00" in text or not _encodes(text):
        raise ReportError("text", "holds a NUL or a lone surrogate", "send valid UTF-8 text")
    if len(text) > MAX_TEXT:
        raise ReportError("text", f"has {len(text):,} characters", f"send at most {MAX_TEXT:,}")
    return text


def _encodes(text: str) -> bool:
    """Whether a text is without lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _short(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    if _empty(value):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ReportError(name, f"is {json_kind(value)}, not a string", "send a JSON string")
    if isinstance(value, int) and abs(value) >= 10**MAX_SHORT:  # Python refuses to print it
        raise ReportError(name, f"has over {MAX_SHORT} digits", f"send at most {MAX_SHORT}")
    text = str(value).strip()
    if len(text) > MAX_SHORT:
        raise ReportError(name, f"has {len(text):,} characters", f"send at most {MAX_SHORT}")
    if any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise ReportError(name, "holds control characters", "send plain text")
    return text


def _region(value: object) -> str | Mapping[str, str] | None:
    if _empty(value):
        return None
    if isinstance(value, Mapping):
        unknown = set(value) - set(REGION_PARTS)
        if unknown:
            raise ReportError(
                "region", "has unknown keys", "use province, regency, district, village"
            )
        named = {f"region.{k}": v for k, v in value.items()}
        parts = {k: s for k in REGION_PARTS if (s := _short(named, f"region.{k}")) is not None}
        return parts or None
    return _short({"region": value}, "region")


def _location(value: object) -> Location | None:
    if _empty(value):
        return None
    if not isinstance(value, Mapping):
        raise ReportError("location", "is not an object", 'send {"lat": -7.79, "lon": 110.37}')
    lat, lon = (_degrees(value.get(k), f"location.{k}", m) for k, m in (("lat", 90), ("lon", 180)))
    return Location(lat, lon)


def _degrees(value: object, name: str, limit: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReportError(name, "is not a number", "send decimal degrees")
    if not -limit <= value <= limit:  # nor is NaN; an integer may be too large for a float
        raise ReportError(name, f"is outside ±{limit}", "send decimal degrees (WGS 84)")
    return float(value)


def _time(value: object) -> datetime | None:
    if _empty(value):
        return None
    if isinstance(value, datetime):
        moment = value
    else:
        try:
            moment = datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise ReportError(
                "reported_at", "is not ISO 8601", "send e.g. 2026-05-01T08:30:00+07:00"
            ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _visibility(value: object) -> Visibility:
    if _empty(value):
        return "public"
    if value not in get_args(Visibility):
        raise ReportError("visibility", "is unknown", "use public, anonymous or secret")
    return cast(Visibility, value)


def _choice(row: Mapping[str, object], name: str, allowed: tuple[str, ...]) -> str | None:
    value = _short(row, name)
    if value is not None and value not in allowed:
        raise ReportError(name, "is unknown", f"use one of {', '.join(allowed)}")
    return value


def _flag(value: object) -> bool | None:
    if _empty(value):
        return None
    known = {"true": True, "1": True, "false": False, "0": False}
    flag = known.get(value.strip().lower()) if isinstance(value, str) else value
    if flag not in (True, False):  # 1 and 0, also as floats, are equal to them
        raise ReportError("hoax", "is neither true nor false", "use true or false")
    return bool(flag)
