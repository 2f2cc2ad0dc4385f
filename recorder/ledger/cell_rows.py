"""The rows of cells in SQL: many read, written and removed at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, select

from .cells import ALL, ANY, BEFORE_MARK, VALUES, Cell, cell_of, many, row_of
from .kept_cells import Kept
from .tables import rollups

_KEY: Final = ("dimension", "hours", "begins", "value")
_VALUES: Final = ("calls", "replayed", "figures", "cuts")
# In binary: of a list of bytes as text each would take fifty microseconds.
_ARRAYS: Final = "%b::text[], %b::smallint[], %b::bigint[], %b::text[]"
_r = rollups.c


def kept_cells(connection: Connection, cells: Sequence[Cell]) -> dict[Cell, Kept]:
    """What is kept of cells; those of which nothing is are left out."""
    names = ", ".join(_KEY)
    columns = ", ".join(f"kept.{name}" for name in (*_KEY, *_VALUES))
    on = " AND ".join(f"kept.{name} = asked.{name}" for name in _KEY)
    if connection.dialect.name == "sqlite":
        places = ", ".join(["(?,?,?,?)"] * len(cells))
        parameters: tuple[Any, ...] = tuple(part for cell in cells for part in cell)
        asked = f"WITH asked ({names}) AS (VALUES {places}) SELECT {columns} FROM asked CROSS JOIN rollups AS kept"
    else:
        parameters = tuple(list(column) for column in zip(*cells, strict=True))
        asked = f"SELECT {columns} FROM unnest({_ARRAYS}) AS asked ({names}) JOIN rollups AS kept"
    cursor = connection.exec_driver_sql(f"{asked} ON {on}", parameters).cursor
    assert cursor is not None, "a query has rows"
    return {Cell(*row[:4]): Kept(*row[4:]) for row in cursor.fetchall()}


def write_cells(connection: Connection, cells: Mapping[Cell, Kept]) -> None:
    """Put cells in, or in the place of those that are there."""
    if not cells:
        return
    rows = [(*cell, *kept) for cell, kept in cells.items()]
    names = ", ".join((*_KEY, *_VALUES))
    values = ", ".join(f"{name} = excluded.{name}" for name in _VALUES)
    instead = f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {values}"
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"INSERT INTO rollups ({names}) VALUES (?,?,?,?,?,?,?,?) {instead}", rows)
        return
    columns = tuple(list(column) for column in zip(*rows, strict=True))
    connection.exec_driver_sql(
        f"INSERT INTO rollups ({names}) SELECT * FROM "
        f"unnest({_ARRAYS}, %b::bigint[], %b::bigint[], %b::bytea[], %b::bytea[]) {instead}",
        columns,
    )


def remove_cells(connection: Connection, cells: Sequence[Cell]) -> None:
    """Remove cells."""
    if cells:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        where = " AND ".join(f"{name} = {mark}" for name in _KEY)
        connection.exec_driver_sql(f"DELETE FROM rollups WHERE {where}", [tuple(cell) for cell in cells])


def count_values(connection: Connection, new: Iterable[Cell], gone: Iterable[Cell]) -> None:
    """Keep how many values each dimension has, some cells being new, and some gone."""
    numbers = Counter(cell.dimension for cell in new if _is_value(cell))
    numbers.subtract(cell.dimension for cell in gone if _is_value(cell))
    for dimension, number in numbers.items():
        cell = Cell(VALUES, ALL, 0, dimension)
        known = kept_cells(connection, [cell]).get(cell)
        if now := number + (known.calls if known else 0):
            write_cells(connection, {cell: Kept(now, 0, b"", b"")})
        else:
            remove_cells(connection, [cell])


def forget_value(connection: Connection, dimension: str, value: str) -> None:
    """Remove all cells of one value of a dimension."""
    columns = [_r[name] for name in _KEY]
    of_value = (_r.dimension == dimension, _r.value == value)
    cells = [Cell(*row) for row in connection.execute(select(*columns).where(*of_value))]
    cut = select(*columns).where(_r.dimension == dimension, _r.hours < 0, _is_cut_of(value))
    rows = [Cell(*row) for row in connection.execute(cut)]
    remove_cells(connection, [row for row in rows if cell_of(row).value == value])
    connection.execute(delete(rollups).where(*of_value))
    count_values(connection, (), cells)


def kept_rows(connection: Connection, cell: Cell) -> dict[Cell, Kept]:
    """The cuts of a cell that are in rows of their own."""
    return {
        Cell(cell.dimension, -1 - cell.hours, cell.begins, value): Kept(*kept)
        for value, *kept in cuts_in_rows(connection, cell)
    }


def cuts_in_rows(connection: Connection, cell: Cell) -> Iterator[Any]:
    """The same for readers: the value of each row, and what is kept in it."""
    query = select(*(_r[name] for name in ("value", *_VALUES))).where(
        _r.dimension == cell.dimension,
        _r.hours == -1 - cell.hours,
        _r.begins == cell.begins,
        _is_cut_of(cell.value),
    )
    cursor = connection.execute(query).cursor
    assert cursor is not None, "a query has rows"
    length = len(row_of(cell, ("", "", "")).value)
    return (row for row in cursor.fetchall() if len(row[0]) == length)


def _is_cut_of(value: str) -> ColumnElement[bool]:
    """Which rows of cuts may belong to a value, as an index finds them; those of few others begin so too."""
    return (_r.value > value + BEFORE_MARK) & (_r.value < value + chr(ord(BEFORE_MARK) + 1))


def _is_value(cell: Cell) -> bool:
    return cell.hours == ALL and many(cell.dimension) and not cell.dimension.startswith(ANY)
