"""Stretches of calls that came in one after the other, each with the bounds that their numbers lie between.

SQLite's writers take turns: there a call's `seq` is larger than any before, so that a stretch is complete once a call
behind it is there, and only then its bounds are found. A server numbers calls before others that it stores earlier:
there bounds are widened with each batch, as they are on both for what is changed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Select,
    any_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from .tables import BOUNDED, calls, stretches

CALLS: Final = 64
"""How many numbers a stretch has: call 64 is the first of stretch 1."""

_AT_ONCE: Final = 64
_c, _s = calls.c, stretches.c


def stretch_of(seq: ColumnElement[int]) -> ColumnElement[int]:
    """The stretch that a call is in."""
    return seq.op("/")(literal_column(str(CALLS)))


def bound_new(connection: Connection, ids: Collection[str]) -> None:
    """Have calls that were just added lie between bounds: on a server these, on SQLite what is complete by now."""
    if connection.dialect.name == "sqlite":
        bound_complete(connection)
    else:
        some = bindparam("ids", list(ids), type_=ARRAY(_c.id.type))
        widen(connection, _c.id == any_(some))


def bound_complete(connection: Connection) -> bool:
    """Find the bounds of some stretches that are complete by now; whether there may be more of them."""
    first, last = _complete(connection)
    if first >= last:
        return False
    some = min(last, first + _AT_ONCE)
    found = _bounds().where(_c.seq >= first * CALLS, _c.seq < some * CALLS)
    connection.execute(sqlite.insert(stretches).from_select([column.name for column in _s], found))
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
    """Have the bounds of all stretches found anew, as where calls were changed past them.

    A server's stay as wide as they are, and are widened as the calls are counted anew.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(stretches.delete())


def widen(connection: Connection, changed: ColumnElement[bool]) -> None:
    """Have calls that were added on a server, or changed on either, lie between the bounds of their stretches."""
    found = _bounds().where(changed)
    if connection.dialect.name == "sqlite":
        known = stretch_of(_c.seq).in_(select(_s.stretch))
        _put(connection, sqlite.insert(stretches), found.where(known))
    else:
        _put(connection, postgresql.insert(stretches), found)


def _put(connection: Connection, insert: Any, found: Select[Any]) -> None:
    put = insert.from_select([column.name for column in _s], found)
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
