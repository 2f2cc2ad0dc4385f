"""Moments and durations as people read them."""

from __future__ import annotations

from datetime import datetime

from ..amounts import UNKNOWN, show_duration

__all__ = ["UNKNOWN", "show_duration", "show_moment"]


def show_moment(epoch_s: float, *, now: datetime | None = None) -> tuple[str, ...]:
    """Local time, with the date where that is not today; after it a spelling of at most 11 characters.

    What no calendar has stays a number.
    """
    now = now or datetime.now()
    try:
        moment = datetime.fromtimestamp(epoch_s)
    except (ValueError, OverflowError, OSError):  # of a clock that was set to the year 10000 or later
        return (f"{epoch_s:.0f}",)
    if moment.date() == now.date():
        return (f"{moment:%H:%M:%S}",)
    if moment.year == now.year:
        return f"{moment:%m-%d %H:%M:%S}", f"{moment:%m-%d %H:%M}"
    return f"{moment:%Y-%m-%d %H:%M:%S}", f"{moment:%Y-%m-%d}"
