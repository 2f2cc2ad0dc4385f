"""The rows of counts of values in SQL: many read, written and removed at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

_KEY: Final = ("dimension", "hours", "begins", "place", "part")
_ARRAYS: Final = "%b::text[], %b::smallint[], %b::bigint[], %b::text[], %b::bigint[]"

Counts = tuple[bytes, bytes]
"""Histograms of the calls of values, live ones and replayed ones."""


class Row(NamedTuple):
    """What a row is of: hours, from `begins` on (since 1970), a provider, host and model or all, a part of numbers."""

    dimension: str
    hours: int
    begins: int
    place: str
    part: int


def kept_rows(connection: Connection, rows: Sequence[Row]) -> dict[Row, Counts]:
    """What is kept of rows; those of which nothing is are left out."""
    names = ", ".join(_KEY)
    on = " AND ".join(f"kept.{name} = asked.{name}" for name in _KEY)
    columns = ", ".join(f"kept.{name}" for name in (*_KEY, "calls", "replayed"))
    if connection.dialect.name == "sqlite":
        parameters: tuple[Any, ...] = tuple(part for row in rows for part in row)
        values = ", ".join(["(?,?,?,?,?)"] * len(rows))
        asked = f"WITH asked ({names}) AS (VALUES {values}) SELECT {columns} FROM asked CROSS"
    else:
        parameters = tuple(list(column) for column in zip(*rows, strict=True))
        asked = f"SELECT {columns} FROM unnest({_ARRAYS}) AS asked ({names})"
    cursor = connection.exec_driver_sql(f"{asked} JOIN value_counts AS kept ON {on}", parameters).cursor
    assert cursor is not None, "a query has rows"
    return {Row(*row[:5]): row[5:] for row in cursor.fetchall()}


def write_rows(connection: Connection, rows: Mapping[Row, Counts]) -> None:
    """Put rows in, or in the place of those that are there."""
    if not rows:
        return
    values = [(*row, *counts) for row, counts in rows.items()]
    instead = (
        f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET calls = excluded.calls, replayed = excluded.replayed"
    )
    insert = f"INSERT INTO value_counts ({', '.join(_KEY)}, calls, replayed)"
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"{insert} VALUES (?,?,?,?,?,?,?) {instead}", values)
        return
    columns = tuple(list(column) for column in zip(*values, strict=True))
    query = f"{insert} SELECT * FROM unnest({_ARRAYS}, %b::bytea[], %b::bytea[]) {instead}"
    connection.exec_driver_sql(query, columns)


def remove_rows(connection: Connection, rows: Sequence[Row]) -> None:
    """Remove rows."""
    if rows:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        where = " AND ".join(f"{name} = {mark}" for name in _KEY)
        connection.exec_driver_sql(f"DELETE FROM value_counts WHERE {where}", [tuple(row) for row in rows])
