"""Rollups: figures of calls by the hour and the day, kept in the transactions that write the calls themselves.

Every call in the store is counted in them, but for those whose numbers lie in the range that `rollup_state` names:
these came before there were rollups, or a rebuild has not got to them yet, and `fill` counts them in batches. Who
adds calls, changes what of them is counted, or removes them, says so here, in the same transaction. On PostgreSQL
writers take turns from the moment they do so until their transaction ends; on SQLite they do anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from .access import reading, writing
from .cells import COUNTED, COUNTED_COLUMNS, FEW, Cell, tally
from .database import Database
from .figures import (
    NOTHING,
    Stored,
    Tally,
    joined,
    numbers_of_calls,
    pack_figures,
    unpack_figures,
)
from .histogram import Inconsistent
from .intake import nothing
from .tables import calls, rollup_state, rollups

Progress = Callable[[int, int], None]
Between = Callable[[], None]
"""What is called between pieces of work that take less than a millisecond each."""

_LOCK = "SELECT pg_advisory_xact_lock(7165312418404)"
_BATCH = 5_000
_PIECE = 1_000
_KEY: Final = ("dimension", "hours", "begins", "value", "provider", "host", "model")
_VALUES: Final = ("calls", "replayed", "figures")
_counted = itemgetter(*COUNTED)
_state = rollup_state.c


def count_rows(rows: Iterable[Mapping[str, Any]], between: Between = nothing) -> dict[Cell, Tally]:
    """What rows of `calls` come to; may be done before the transaction that adds them."""
    return tally(map(_counted, rows), between)


def add_rows(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    counted: dict[Cell, Tally] | None = None,
    between: Between = nothing,
) -> None:
    """Count rows that were just inserted; `counted` is what they come to, where that is known already."""
    if not rows:
        return
    _take_turn(connection)
    if (pending := _pending(connection)) is not None:
        ids = [row["id"] for row in rows]
        waiting = set(connection.scalars(select(calls.c.id).where(calls.c.id.in_(ids), pending)))
        if waiting:
            rows = [row for row in rows if row["id"] not in waiting]
            counted = None
    _apply(connection, count_rows(rows, between) if counted is None else counted, between=between)


def withdraw(connection: Connection, condition: ColumnElement[bool]) -> None:
    """Take calls out, before they are removed or changed; after a change, `restore` takes them in again."""
    _recount(connection, condition, -1)


def restore(connection: Connection, condition: ColumnElement[bool]) -> None:
    """Take calls in again that were withdrawn in the same transaction, as they are now."""
    _recount(connection, condition, 1)


def waiting(connection: Connection) -> bool:
    """Whether there are calls that are not counted yet."""
    return _pending(connection) is not None


def clear(database: Database) -> None:
    """Forget all figures; `fill` makes them anew."""
    with writing(database) as connection:
        _take_turn(connection)
        _begin_anew(connection)


def _begin_anew(connection: Connection) -> None:
    """Have all calls counted by who fills next; also where calls were changed past these figures."""
    connection.execute(rollups.delete())
    newest = connection.scalar(select(func.max(calls.c.seq))) or 0
    connection.execute(rollup_state.update().values(after_seq=0, upto_seq=newest))


def fill(database: Database, progress: Progress) -> int:
    """Count the calls that are not counted yet, in batches of a short transaction each; how many they were."""
    done = 0
    with reading(database) as connection:
        pending = _pending(connection)
        total = 0 if pending is None else connection.scalar(select(func.count()).where(pending)) or 0
    while pending is not None:
        with writing(database) as connection:
            _take_turn(connection)
            number = _fill_some(connection)
            pending = _pending(connection)
        done += number
        progress(done, max(total, done))
    return done


def _fill_some(connection: Connection) -> int:
    """Count the next batch; how many calls it has."""
    if (pending := _pending(connection)) is None:
        return 0
    query = select(calls.c.seq, *COUNTED_COLUMNS).where(pending).order_by(calls.c.seq).limit(_BATCH)
    rows = _rows(connection, query)
    _apply(connection, tally(row[1:] for row in rows))
    last = rows[-1][0] if len(rows) == _BATCH else _state.upto_seq
    connection.execute(rollup_state.update().values(after_seq=last))
    return len(rows)


def _recount(connection: Connection, condition: ColumnElement[bool], sign: int) -> None:
    _take_turn(connection)
    query = select(*COUNTED_COLUMNS).where(condition)
    if (pending := _pending(connection)) is not None:
        query = query.where(~pending)
    try:
        _apply(connection, tally(_rows(connection, query)), sign)
    except Inconsistent:
        _begin_anew(connection)


def _take_turn(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(_LOCK)


def _pending(connection: Connection) -> ColumnElement[bool] | None:
    """Which calls are not counted; None where all are."""
    after, upto = connection.execute(select(_state.after_seq, _state.upto_seq)).one()
    return None if after >= upto else (calls.c.seq > after) & (calls.c.seq <= upto)


def _rows(connection: Connection, query: Any) -> Sequence[Any]:
    """Rows as the driver gives them, for a third of the time."""
    cursor = connection.execute(query).cursor
    assert cursor is not None, "a query has rows"
    return cursor.fetchall()


def _apply(
    connection: Connection, cells: dict[Cell, Tally], sign: int = 1, between: Between = nothing
) -> None:
    """Add tallies to what is kept, or take them away; cells without calls go."""
    keys = list(cells)
    gone = []
    # To a server every piece is two ways to go and come back.
    size = FEW if connection.dialect.name == "sqlite" else _PIECE
    for start in range(0, len(keys), size):
        piece = keys[start : start + size]
        known = _known(connection, piece)
        now = {key: joined(known.get(key, NOTHING), cells[key], sign) for key in piece}
        empty = [key for key, figures in now.items() if numbers_of_calls(figures) == (0, 0)]
        for key in empty:
            del now[key]
        _write(connection, now)
        gone += empty
        between()
    if gone:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        where = " AND ".join(f"{name} = {mark}" for name in _KEY)
        connection.exec_driver_sql(f"DELETE FROM rollups WHERE {where}", gone)


def _known(connection: Connection, keys: Sequence[Cell]) -> dict[Cell, Stored]:
    names = ", ".join(_KEY)
    columns = ", ".join(f"kept.{name}" for name in (*_KEY, "figures"))
    on = " AND ".join(f"kept.{name} = asked.{name}" for name in _KEY)
    if connection.dialect.name == "sqlite":
        places = ", ".join(["(?,?,?,?,?,?,?)"] * len(keys))
        parameters: tuple[Any, ...] = tuple(part for key in keys for part in key)
        asked = f"WITH asked ({names}) AS (VALUES {places}) SELECT {columns} FROM asked CROSS JOIN rollups AS kept"
    else:
        parameters = tuple(list(column) for column in zip(*keys, strict=True))
        asked = f"SELECT {columns} FROM unnest({_ARRAYS}) AS asked ({names}) JOIN rollups AS kept"
    cursor = connection.exec_driver_sql(f"{asked} ON {on}", parameters).cursor
    assert cursor is not None, "a query has rows"
    return {Cell(*row[:7]): unpack_figures(row[7]) for row in cursor.fetchall()}


def _write(connection: Connection, cells: Mapping[Cell, Stored]) -> None:
    if not cells:
        return
    rows = [(*key, *numbers_of_calls(figures), pack_figures(figures)) for key, figures in cells.items()]
    names = ", ".join((*_KEY, *_VALUES))
    values = ", ".join(f"{name} = excluded.{name}" for name in _VALUES)
    instead = f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {values}"
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            f"INSERT INTO rollups ({names}) VALUES (?,?,?,?,?,?,?,?,?,?) {instead}", rows
        )
        return
    columns = tuple(list(column) for column in zip(*rows, strict=True))
    connection.exec_driver_sql(
        f"INSERT INTO rollups ({names}) SELECT * FROM "
        f"unnest({_ARRAYS}, %s::bigint[], %s::bigint[], %s::bytea[]) {instead}",
        columns,
    )


_ARRAYS = "%s::text[], %s::smallint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[]"
