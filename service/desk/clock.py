"""The clock of SP4N-LAPOR!: three working days to verify and forward a report.

A day counts when it is Monday to Friday in western Indonesian time and no national holiday (table
of the ``holidays`` library; collective leave of years to come is not in it until it is decreed).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from holidays import HolidayBase, country_holidays

from pilah.service.loop.facts import WIB

WORKING_DAYS = 3
"""Working days to verify a report, the day after it came counting as the first."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")


def due_at(received: datetime) -> datetime:
    """When a report must have been verified: the end of the third working day, UTC."""
    day, left = received.astimezone(WIB).date(), WORKING_DAYS
    while left:
        day += timedelta(days=1)
        left -= is_working(day)
    return datetime(day.year, day.month, day.day, tzinfo=WIB).astimezone(UTC) + timedelta(days=1)


def is_working(day: date) -> bool:
    """Whether offices work on this day."""
    return day.weekday() < 5 and day not in _holidays()


def day_start(moment: datetime) -> datetime:
    """The beginning of the day in western Indonesian time, UTC."""
    local = moment.astimezone(WIB)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def local_time(text: str | None) -> str:
    """An ISO 8601 time as people read it here."""
    if text is None:
        return "-"
    moment = datetime.fromisoformat(text).astimezone(WIB)
    return f"{local_day(moment.date().isoformat())} {moment:%H.%M} WIB"


def local_day(text: str) -> str:
    """An ISO 8601 date as people read it here: 7 Sep 2026."""
    day = date.fromisoformat(text)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def last_day(due: str) -> str:
    """The last day of a deadline, which ends when the day does."""
    moment = datetime.fromisoformat(due) - timedelta(seconds=1)
    return local_day(moment.astimezone(WIB).date().isoformat())


@lru_cache(maxsize=1)
def _holidays() -> HolidayBase:
    return country_holidays("ID")
