"""When a store gets better dictionaries: a pair each time, for content and for records."""

from __future__ import annotations

from typing import Final

_FROM: Final = (0, 100, 1_000, 50_000)


def due(grown: int) -> int:
    """Which pair a store of so many blobs should have; the first comes with the store."""
    return sum(grown >= least for least in _FROM)


def first_of(pair: int) -> int:
    """The number of a pair's dictionary for content; that for records has the next."""
    return 2 * pair - 1
