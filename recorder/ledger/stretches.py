"""Stretches of calls that came in one after the other, each with the bounds that their numbers lie between.

They are kept in SQLite, whose writers take turns: there a call's `seq` is larger than any before, so that a stretch is
complete once a call behind it is there. What is added then can only be a change, for which bounds are widened.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal_column, or_, select
from sqlalchemy.dialects.sqlite import insert

from .tables import BOUNDED, calls, stretches

CALLS: Final = 512
"""How many numbers a stretch has: call 512 is the first of stretch 1."""

_AT_ONCE: Final = 8
_c, _s = calls.c, stretches.c


def stretch_of(seq: ColumnElement[int]) -> ColumnElement[int]:
    """The stretch that a call is in."""
    return seq.op("/")(literal_column(str(CALLS)))


def bound_complete(connection: Connection) -> bool:
    """Find the bounds of some stretches that are complete by now; whether there may be more of them."""
    first, last = _complete(connection)
    if first >= last:
        return False
    some = min(last, first + _AT_ONCE)
    found = _bounds().where(_c.seq >= first * CALLS, _c.seq < some * CALLS)
    connection.execute(insert(stretches).from_select([column.name for column in _s], found))
    return some < last


def lack_bounds(connection: Connection) -> bool:
    """Whether there are stretches that are complete, and whose bounds nobody found."""
    first, last = _complete(connection)
    return first < last


def _complete(connection: Connection) -> tuple[int, int]:
    """From which stretch on, and before which other, stretches are complete and have no bounds yet."""
    if connection.dialect.name != "sqlite":
        return 0, 0
    last = (connection.scalar(select(func.max(_c.seq))) or 0) // CALLS
    known = connection.scalar(select(func.max(_s.stretch)))
    first = 0 if known is None else known + 1
    if first >= last:
        return first, last
    lowest = connection.scalar(select(func.min(_c.seq)).where(_c.seq >= first * CALLS)) or 0
    return lowest // CALLS, last


def forget_bounds(connection: Connection) -> None:
    """Have the bounds of all stretches found anew, as where calls were changed past them."""
    if connection.dialect.name == "sqlite":
        connection.execute(stretches.delete())


def widen(connection: Connection, changed: ColumnElement[bool]) -> None:
    """Have calls that were changed lie between the bounds of their stretches."""
    if connection.dialect.name != "sqlite":
        return
    known = stretch_of(_c.seq).in_(select(_s.stretch))
    put = insert(stretches).from_select([column.name for column in _s], _bounds().where(changed, known))
    wider = {}
    for name in BOUNDED:
        for bound, beyond in ((f"least_{name}", "__lt__"), (f"most_{name}", "__gt__")):
            new = put.excluded[bound]
            wider[bound] = case(
                (or_(_s[bound].is_(None), getattr(new, beyond)(_s[bound])), new), else_=_s[bound]
            )
    connection.execute(put.on_conflict_do_update(index_elements=["stretch"], set_=wider))


def _bounds() -> Select[Any]:
    """The bounds of calls, by their stretch."""
    bounds: list[Any] = [of(_c[name]) for name in BOUNDED for of in (func.min, func.max)]
    number = stretch_of(_c.seq)
    return select(number, *bounds).group_by(number)
