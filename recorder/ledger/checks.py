"""Looking for damage in a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, Table, exists, func, select
from sqlalchemy.exc import SQLAlchemyError

from ..errors import StoreError
from .access import stored_state
from .content.reading import Reader
from .database import Database
from .failure import explain
from .retention.missing import count_damaged
from .schema import HEAD, revision, state
from .tables import former_payloads, metadata, payloads

_PAGE = 200

Progress = Callable[[int, int], None]


def problems(database: Database, progress: Progress | None = None) -> list[str]:
    """All that is wrong with a store; nothing is repaired, and nothing upgraded."""
    found: list[str] = []
    try:
        stored_state(database)
        with database.read() as connection:
            found.extend(_all(connection, database, progress))
    except (SQLAlchemyError, StoreError) as error:
        found.append(str(explain(error, database.url)))
    return found


def _all(connection: Connection, database: Database, progress: Progress | None) -> Iterator[str]:
    if database.is_sqlite:
        yield from _sqlite_problems(connection)
    if (schema := state(connection)) != "current":
        yield f"the schema is {schema}: revision {revision(connection)}, where this recorder needs {HEAD}"
        return
    if not database.is_sqlite:
        yield from _dangling(connection)
    yield from _orphans(connection)
    yield from _unreadable(connection, progress)


def _sqlite_problems(connection: Connection) -> Iterator[str]:
    for (finding,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if finding != "ok":
            yield f"SQLite finds damage: {finding}"
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} refers to a row of {parent} that does not exist"


def _dangling(connection: Connection) -> Iterator[str]:
    """What SQLite finds by itself: rows that refer to none; PostgreSQL does not hold all references."""
    for table in metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            pairs = [element.parent == element.column for element in key.elements]
            parent = exists().where(*pairs)
            query = select(func.count()).select_from(table).where(~parent.correlate(table))
            if count := connection.scalar(query):
                yield f"{count} rows of {table.name} refer to rows of {key.referred_table.name} that do not exist"


def _orphans(connection: Connection) -> Iterator[str]:
    # Not by NOT IN, for which PostgreSQL reads all payloads again for each call where they do not fit its memory.
    if count := count_damaged(connection):
        yield f"{count} calls have no payload"


def _unreadable(connection: Connection, progress: Progress | None) -> Iterator[str]:
    tables = (payloads, former_payloads)
    total = sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
    reader, done = Reader(connection), 0
    for table in tables:
        last = ""
        while ids := _page(connection, table, last):
            for payload in reader.read(ids).values():
                try:
                    payload.exchange()
                except StoreError as error:
                    yield str(error)
            last = ids[-1]
            done += len(ids)
            if progress is not None:
                progress(done, total)


def _page(connection: Connection, table: Table, last: str) -> list[str]:
    query = select(table.c.call_id).where(table.c.call_id > last).order_by(table.c.call_id).limit(_PAGE)
    return list(connection.scalars(query))
