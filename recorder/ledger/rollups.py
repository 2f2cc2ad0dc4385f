"""Rollups: figures of calls by the hour and the day, kept in the transactions that write the calls themselves.

Every call in the store is counted in them, but for those whose numbers lie in the range that `rollup_state` names:
these came before there were rollups, or a rebuild has not got to them yet, and `fill` counts them in batches. Who
adds calls, changes what of them is counted, or removes them, says so here, in the same transaction. On PostgreSQL
writers take turns from the moment they do so until their transaction ends; on SQLite they do anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from .access import reading, writing
from .cell_rows import forget_value
from .cells import COUNTED, COUNTED_COLUMNS
from .changing_cells import Between, add_finer, change_cells
from .database import Database, stand_in_line
from .histogram import Inconsistent
from .intake import nothing
from .stretches import bound_complete, bound_new, forget_bounds, lack_bounds, widen
from .tables import calls, rollup_state, rollups
from .tallying import Tallies, tally
from .value_counts import clear_counts, forget_counts

Progress = Callable[[int, int], None]

_LOCK = "pg_advisory_xact_lock(7165312418404)"
_BATCH = 5_000
_counted = itemgetter(*COUNTED)
_state = rollup_state.c


def count_rows(rows: Iterable[Mapping[str, Any]], between: Between = nothing) -> Tallies:
    """What rows of `calls` come to; may be done before the transaction that adds them."""
    return tally(map(_counted, rows), between)


def add_rows(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    counted: Tallies | None = None,
    between: Between = nothing,
) -> None:
    """Count rows that were just inserted; `counted` is what they come to, where that is known already."""
    if not rows:
        return
    _take_turn(connection)
    bound_new(connection, [row["id"] for row in rows])
    if (pending := _pending(connection)) is not None:
        ids = [row["id"] for row in rows]
        waiting = set(connection.scalars(select(calls.c.id).where(calls.c.id.in_(ids), pending)))
        if waiting:
            rows = [row for row in rows if row["id"] not in waiting]
            counted = None
    change_cells(connection, count_rows(rows, between) if counted is None else counted, between=between)


def withdraw(connection: Connection, condition: ColumnElement[bool]) -> None:
    """Take calls out, before they are removed or changed; after a change, `restore` takes them in again."""
    _recount(connection, condition, -1)


def restore(connection: Connection, condition: ColumnElement[bool]) -> None:
    """Take calls in again that were withdrawn in the same transaction, as they are now."""
    bound_complete(connection)
    widen(connection, condition)
    _recount(connection, condition, 1)


def forget(connection: Connection, dimension: str, value: str, its_calls: ColumnElement[bool]) -> None:
    """Leave no figures of a value of a dimension, if its calls are all gone: some may have come since it was asked."""
    _take_turn(connection)
    if connection.scalar(select(calls.c.seq).where(its_calls).limit(1)) is None:
        forget_counts(connection, dimension, value)
        forget_value(connection, dimension, value)


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
    clear_counts(connection)
    forget_bounds(connection)
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
    _bound_all(database)
    return done


def fill_finer(connection: Connection) -> None:
    """Count all calls that are counted in the finer cells too, in a store that has none of these."""
    pending = _pending(connection)
    newest = connection.scalar(select(func.max(calls.c.seq))) or 0
    for start in range(0, newest, _BATCH):
        query = select(*COUNTED_COLUMNS).where(calls.c.seq > start, calls.c.seq <= start + _BATCH)
        rows = _rows(connection, query if pending is None else query.where(~pending))
        add_finer(connection, tally(rows))


def _bound_all(database: Database) -> None:
    """Find the bounds of all stretches that lack them, in a short transaction for some at a time."""
    with reading(database) as connection:
        more = lack_bounds(connection)
    while more:
        with writing(database) as connection:
            more = bound_complete(connection)


def _fill_some(connection: Connection) -> int:
    """Count the next batch; how many calls it has."""
    if (pending := _pending(connection)) is None:
        return 0
    query = select(calls.c.seq, *COUNTED_COLUMNS).where(pending).order_by(calls.c.seq).limit(_BATCH)
    rows = _rows(connection, query)
    change_cells(connection, tally(row[1:] for row in rows))
    if rows and connection.dialect.name != "sqlite":
        widen(connection, calls.c.seq.between(rows[0][0], rows[-1][0]))
    last = rows[-1][0] if len(rows) == _BATCH else _state.upto_seq
    connection.execute(rollup_state.update().values(after_seq=last))
    return len(rows)


def _recount(connection: Connection, condition: ColumnElement[bool], sign: int) -> None:
    _take_turn(connection)
    query = select(*COUNTED_COLUMNS).where(condition)
    if (pending := _pending(connection)) is not None:
        query = query.where(~pending)
    try:
        change_cells(connection, tally(_rows(connection, query)), sign)
    except Inconsistent:
        _begin_anew(connection)


def _take_turn(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        stand_in_line(connection, _LOCK)


def _pending(connection: Connection) -> ColumnElement[bool] | None:
    """Which calls are not counted; None where all are."""
    after, upto = connection.execute(select(_state.after_seq, _state.upto_seq)).one()
    return None if after >= upto else (calls.c.seq > after) & (calls.c.seq <= upto)


def _rows(connection: Connection, query: Any) -> Sequence[Any]:
    """Rows as the driver gives them, for a third of the time."""
    cursor = connection.execute(query).cursor
    assert cursor is not None, "a query has rows"
    return cursor.fetchall()
