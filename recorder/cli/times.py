"""Moments and durations as people read them."""

from __future__ import annotations

from datetime import datetime

UNKNOWN = "–"


def show_moment(epoch_s: float, *, now: datetime | None = None) -> tuple[str, ...]:
    """Local time, with the date where that is not today; after it a spelling of at most 11 characters."""
    now = now or datetime.now()
    moment = datetime.fromtimestamp(epoch_s)
    if moment.date() == now.date():
        return (f"{moment:%H:%M:%S}",)
    if moment.year == now.year:
        return f"{moment:%m-%d %H:%M:%S}", f"{moment:%m-%d %H:%M}"
    return f"{moment:%Y-%m-%d %H:%M:%S}", f"{moment:%Y-%m-%d}"


def show_duration(seconds: float | None) -> str:
    """`0.042s`, `4.20s`, `42.0s`, `2m05s`, `1h02m`: about three digits, widest six characters."""
    if seconds is None:
        return UNKNOWN
    if seconds < 99.95:
        return f"{seconds:.{3 if seconds < 0.0995 else 2 if seconds < 9.995 else 1}f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours < 100 else f"{hours // 24}d{hours % 24:02}h"
