"""Hours of the week in a time zone, except on holidays: `Mon-Fri 09:00-12:00,14:00-18:00 Asia/Shanghai except CN`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Calendars = Mapping[tuple[str, int], frozenset[date]]
"""The holidays of a country in a year; a year that is not there is not known."""

_SPAN = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_FORM = "write for example: Mon-Fri 09:00-12:00,14:00-18:00 Asia/Shanghai except CN"
_ALL_DAYS = tuple(range(7))
_DAY_MINUTES = 24 * 60


class Hours(Struct, frozen=True):
    """When a row holds, on the clocks of `zone`.

    `spans` are minutes of the day, the first included and the last not; one that ends before it begins
    goes on past midnight and belongs to the day on which it began. `days` count from Monday, 0. `holidays`
    names the country on whose holidays the row does not hold. `decided_by` says which moment of a call counts.
    """

    zone: str
    spans: tuple[tuple[int, int], ...]
    days: tuple[int, ...] = _ALL_DAYS
    holidays: str | None = None
    decided_by: Literal["start", "end"] = "start"

    def cover(self, at_us: int, calendars: Calendars) -> tuple[bool, str | None]:
        """Whether a moment lies within, and what is doubtful about that.

        Where the list of holidays does not reach, the day counts as none, and the doubt says so.
        """
        try:
            local = datetime.fromtimestamp(at_us // 1_000_000, find_zone(self.zone))
            day = self._day(local)
        except (OverflowError, ValueError, OSError):
            return False, None  # no moment of this calendar
        if day is None or day.weekday() not in self.days:
            return False, None
        if self.holidays is None:
            return True, None
        known = calendars.get((self.holidays, day.year))
        if known is None:
            return True, _unknown_year(self.holidays, day, calendars)
        return day not in known, None

    def __str__(self) -> str:
        words = [] if self.days == _ALL_DAYS else [_day_text(self.days)]
        words += [",".join(f"{_clock(first)}-{_clock(last)}" for first, last in self.spans), self.zone]
        if self.holidays is not None:
            words += ["except", self.holidays]
        if self.decided_by == "end":
            words += ["by", "end"]
        return " ".join(words)

    def _day(self, local: datetime) -> date | None:
        """The day to which the moment belongs, or None outside of all spans."""
        minute = local.hour * 60 + local.minute
        for first, last in self.spans:
            if first < last:
                if first <= minute < last:
                    return local.date()
            elif minute >= first:
                return local.date()
            elif minute < last:
                return local.date() - timedelta(days=1)
        return None


def read_hours(text: str) -> Hours:
    """The hours in a text of the form that `str` gives. Raises ValueError."""
    words = text.split()
    days = _ALL_DAYS
    if words and not _SPAN.match(words[0]):
        days = _read_days(words.pop(0))
    if len(words) < 2:
        raise ValueError(f"{text!r} are no hours; {_FORM}")
    spans, zone, rest = words[0], words[1], words[2:]
    find_zone(zone)
    options = dict(zip(rest[::2], rest[1::2], strict=False))
    if (
        len(rest) % 2
        or options.keys() - {"except", "by"}
        or options.get("by", "start") not in ("start", "end")
    ):
        raise ValueError(f"{text!r} has more than hours; {_FORM}")
    return Hours(
        zone,
        tuple(_read_span(span) for span in spans.split(",")),
        days,
        options.get("except"),
        "end" if options.get("by") == "end" else "start",
    )


@lru_cache(maxsize=256)
def find_zone(name: str) -> ZoneInfo:
    """A time zone by its name. Raises ValueError where it is not known."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"the time zone {name!r} is not known here; check its name, or run: pip install tzdata"
        ) from None


def _read_span(text: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} are no hours; {_FORM}")
    hour, minute, last_hour, last_minute = map(int, found.groups())
    first, last = hour * 60 + minute, last_hour * 60 + last_minute
    if first >= _DAY_MINUTES or last > _DAY_MINUTES or first == last:
        raise ValueError(f"{text!r} is no span of a day; {_FORM}")
    return first, last


def _read_days(text: str) -> tuple[int, ...]:
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            begin, end = DAYS.index(first.title()), DAYS.index((last or first).title())
        except ValueError:
            raise ValueError(f"{text!r} are no days of the week; {_FORM}") from None
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return tuple(sorted(days))


def _day_text(days: Sequence[int]) -> str:
    """`Mon-Fri`, `Mon,Wed`, `Sat-Sun`."""
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}" for run in runs)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _unknown_year(country: str, day: date, calendars: Calendars) -> str:
    years = [year for of, year in calendars if of == country]
    ends = f"ends with {max(years)}" if years and day.year > max(years) else f"has no {day.year}"
    return f"the list of {country} holidays {ends}: {day} was taken for a working day"
