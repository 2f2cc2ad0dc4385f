"""When a recording was made, and how its times stand in a document: to the millisecond, as far as they are news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from ...exchange import Exchange
from .document import Misfit, Times
from .structure import Flow, Number, Tree

MS: Final = 1_000_000
"""Nanoseconds of a millisecond."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_times(exchange: Exchange) -> Tree:
    """Times to the millisecond, and only what does not follow from the one before."""
    head = 0 if exchange.head is None else _ms(exchange.head.at_ns)
    chunks = [_ms(arrival) for arrival in exchange.arrivals_ns]
    end = _ms(exchange.ending.at_ns)
    tree: dict[str, Tree] = {"head": Number(head)} if head else {}
    if any(chunk != head for chunk in chunks):
        tree["chunks"] = [Number(chunk) for chunk in chunks]
    if end != (chunks[-1] if chunks else head):
        tree["end"] = Number(end)
    return Flow(tree) if tree else None


def read_arrivals(times: Times) -> tuple[int, ...]:
    """When chunks came, as far as a document tells."""
    return tuple([at * MS for at in times.chunks or [times.head]])


def arrivals_of(known: tuple[int, ...], count: int) -> tuple[int, ...]:
    """A time for each of so many chunks, also where an edit left more chunks than times."""
    return known if len(known) == count else (known + known[-1:] * (count - len(known)))[:count]


def write_time(epoch_us: int) -> Tree:
    """When a recording was made; nothing where that is unknown, or no time that a document can show."""
    try:
        moment = _EPOCH + timedelta(microseconds=epoch_us)
    except OverflowError:
        return None
    return None if not epoch_us else f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def read_time(text: str | None) -> int:
    """When a recording was made, in epoch microseconds; 0 is unknown. Raises Misfit."""
    if text is None:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misfit("$.recorded", "this is no time like 2026-11-21T12:00:00Z") from error
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _ms(ns: int) -> int:
    return (ns + MS // 2) // MS
