"""Places of calls in the order of their starts, by which pages of them are cut, however many there are."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_

from .tables import calls

Place = tuple[int, int]
"""When a call started, in epoch microseconds, and its `seq`."""

_c = calls.c


def earlier(place: Place) -> ColumnElement[bool]:
    """What is true of the calls before a place."""
    # The first half alone is what an index serves on both databases.
    return and_(_c.started_us <= place[0], or_(_c.started_us < place[0], _c.seq < place[1]))


def later(place: Place) -> ColumnElement[bool]:
    """What is true of the calls after a place."""
    return and_(_c.started_us >= place[0], or_(_c.started_us > place[0], _c.seq > place[1]))
