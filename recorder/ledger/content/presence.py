"""What of the content is in a store: looked up by hash, put there once, and safe from who collects meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Table, func, select, text

from ..bulk import copy_rows, insert_into_sqlite, select_known
from ..database import stand_in_line

_PARAMETERS = 500
_PIECE = 100
_LOCK: Final = 7165312418405
_TYPES = {
    "hash": "bytea",
    "data": "bytea",
    "pieces": "bytea",
    "messages": "bytea",
    "size": "int4",
    "form": "int2",
}


def look_up(connection: Connection, table: Table, hashes: Collection[bytes]) -> dict[bytes, int]:
    """The ids of those hashes that are there."""
    found: dict[bytes, int] = {}
    if connection.dialect.name == "sqlite":
        found.update(select_known(connection, table, ("hash", "id"), "hash", list(hashes)))
    elif hashes:
        # As one array, in binary: a parameter for each hash would cost more than looking for it.
        rows = connection.exec_driver_sql(
            f"SELECT hash, id FROM {table.name} WHERE hash = ANY(%b)", (list(hashes),)
        )
        found.update({bytes(hash): id for hash, id in rows})
    return found


def portions(values: Collection[Any], most: int = _PARAMETERS) -> Iterator[list[Any]]:
    """The values, so many at a time as one statement takes."""
    rest = iter(values)
    while some := list(islice(rest, most)):
        yield some


def next_ids(connection: Connection, table: Table, number: int) -> Sequence[int]:
    """So many ids that nobody else gets, rising."""
    if connection.dialect.name == "sqlite":
        last = connection.scalar(select(func.max(table.c.id))) or 0
        return range(last + 1, last + 1 + number)
    query = text(f"SELECT nextval('{table.name}_id_seq') FROM generate_series(1, :number)")
    return list(connection.scalars(query, {"number": number}))


def insert_hashed(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], between: Callable[[], None]
) -> int:
    """Insert those rows whose hash is not there; how many these were.

    On a server in the order of their hashes: of two who insert the same ones one waits for the other, never both.
    """
    if connection.dialect.name == "sqlite":
        inserted = 0
        for piece in portions(rows, _PIECE):
            inserted += insert_into_sqlite(connection, table, "hash", piece)
            between()
        return inserted
    rows = sorted(rows, key=_hash)
    if copy_rows(connection, table, rows):
        return len(rows)
    columns = tuple(rows[0])
    arrays = ", ".join(f"%b::{_TYPES.get(name, 'int8')}[]" for name in columns)
    insert = (
        f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({arrays}) "
        "ON CONFLICT (hash) DO NOTHING"
    )
    values = tuple([row[name] for row in rows] for name in columns)
    return connection.exec_driver_sql(insert, values).rowcount


def share_lock(connection: Connection) -> None:
    """Keep collectors out until the transaction ends; writers do not wait for each other."""
    if connection.dialect.name != "sqlite":
        stand_in_line(connection, f"pg_advisory_xact_lock_shared({_LOCK})")


def exclusive_lock(connection: Connection) -> None:
    """Wait until no writer has a transaction, and let none begin until this one ends."""
    if connection.dialect.name != "sqlite":
        stand_in_line(connection, f"pg_advisory_xact_lock({_LOCK})")


def _hash(row: Mapping[str, Any]) -> bytes:
    found: bytes = row["hash"]
    return found
