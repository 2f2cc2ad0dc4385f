"""The numbers of users and sessions: given when the first call of one is counted, taken back with the last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, select

from .cells import ALL, SESSION, USER, Cell
from .tables import value_numbers

NUMBERED: Final = (USER, SESSION)
"""The dimensions whose values have numbers."""

_PIECE: Final = 500
_v = value_numbers.c

Value = tuple[str, str]
"""A dimension, and a value in it."""


def number_values(connection: Connection, values: Collection[Value]) -> dict[Value, int]:
    """The numbers of some values; who has none is given one."""
    known = numbers_of(connection, values)
    new = [value for value in values if value not in known]
    if new:
        first = (connection.scalar(select(func.max(_v.number))) or 0) + 1
        given = dict(zip(new, range(first, first + len(new)), strict=True))
        mark = "?, ?, ?" if connection.dialect.name == "sqlite" else "%s, %s, %s"
        insert = f"INSERT INTO value_numbers (number, dimension, value) VALUES ({mark})"
        connection.exec_driver_sql(insert, [(number, *value) for value, number in given.items()])
        known |= given
    return known


def numbers_of(connection: Connection, values: Iterable[Value]) -> dict[Value, int]:
    """The numbers that some values have."""
    found: dict[Value, int] = {}
    for dimension, texts in _pieces(values):
        for text, number in _known(connection, dimension, texts):
            found[dimension, text] = number
    return found


def _known(connection: Connection, dimension: str, texts: Sequence[str]) -> Sequence[Any]:
    query = "SELECT value, number FROM value_numbers WHERE dimension = "
    if connection.dialect.name == "sqlite":
        query += f"? AND value IN ({', '.join('?' * len(texts))})"
        cursor = connection.exec_driver_sql(query, (dimension, *texts)).cursor
    else:
        cursor = connection.exec_driver_sql(
            f"{query} %s AND value = ANY(%b::text[])", (dimension, list(texts))
        ).cursor
    assert cursor is not None, "a query has rows"
    return cursor.fetchall()


def values_of(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """The values that have some numbers, all of one dimension."""
    found: dict[int, str] = {}
    for start in range(0, len(numbers), _PIECE):
        query = select(_v.number, _v.value).where(_v.number.in_(numbers[start : start + _PIECE]))
        found |= {row.number: row.value for row in connection.execute(query)}
    return found


def forget_numbers(connection: Connection, gone: Iterable[Cell]) -> None:
    """Take back the numbers of values whose cells of all time are gone."""
    for dimension, texts in _pieces((cell.dimension, cell.value) for cell in gone if cell.hours == ALL):
        connection.execute(value_numbers.delete().where(_v.dimension == dimension, _v.value.in_(texts)))


def _pieces(values: Iterable[Value]) -> Iterator[tuple[str, Sequence[str]]]:
    """Values that have numbers, by their dimension, as many at a time as a query takes."""
    texts: dict[str, list[str]] = {dimension: [] for dimension in NUMBERED}
    for dimension, text in values:
        if dimension in texts:
            texts[dimension].append(text)
    for dimension, some in texts.items():
        for start in range(0, len(some), _PIECE):
            yield dimension, some[start : start + _PIECE]
