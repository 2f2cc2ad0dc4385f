"""Moments as people write them, in options and filters."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

_AGO = re.compile(r"(?:\d+[smhdw])+")
_AGO_PART = re.compile(r"(\d+)([smhdw])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str, *, end: bool = False, now: datetime | None = None) -> int:
    """Epoch microseconds of `90s`, `2h`, `1d12h` (that long ago), `today`, a date or a date with a time.

    Without a zone it is local time. A bare date is its first moment, or with `end` the first moment
    of the day after, so that `--until` takes in the day that it names. Raises ValueError.
    """
    now = now or datetime.now().astimezone()
    word = text.strip()
    try:
        if _AGO.fullmatch(word.lower()):
            return _microseconds(now - _ago(word.lower()))
        days = {"today": 0, "yesterday": 1}.get(word.lower())
        if days is not None:
            return _day(now.date() - timedelta(days), end)
        if _DATE.fullmatch(word):
            return _day(date.fromisoformat(word), end)
        return _microseconds(datetime.fromisoformat(word))
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is no time; write 7d, 2h, 2026-11-01 or 2026-11-01T12:00") from None


def _ago(word: str) -> timedelta:
    total = timedelta()
    for amount, unit in _AGO_PART.findall(word):
        total += timedelta(**{_UNITS[unit]: int(amount)})
    return total


def _day(day: date, end: bool) -> int:
    return _microseconds(datetime.combine(day + timedelta(days=1) if end else day, time()))


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
