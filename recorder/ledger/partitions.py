"""Monthly partitions of `calls` and `payloads` on PostgreSQL: made ahead of time, and for what came before its time.

Both tables are cut by id, whose first 48 bits are a time in milliseconds (UUIDv7). What belongs to no month that
was made is in the default partition, so that no insert can fail.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from .database import Database
from .failure import diagnose

PARTITIONED: Final = {"calls": "id", "payloads": "call_id"}
"""The tables that are cut by month, and the column by which they are."""

MONTHS_AHEAD: Final = 2

_FIRST = date(2020, 1, 1)
_LOOK_EVERY_S = 3600.0
_AGAIN_S = 300.0
_PATIENCE_S = 30
_PATIENCE_IN_WRITER_S = 2
# Others who make partitions wait here, and find them made.
_LOCK = "SELECT pg_advisory_xact_lock(7165312418403)"
# Not to_regclass(), which after a wait for an advisory lock may answer from a cache of before.
_THERE = text("SELECT EXISTS (SELECT FROM pg_class WHERE relname = :name AND pg_table_is_visible(oid))")
_logger = logging.getLogger("recorder")


def smallest_id(month: date) -> str:
    """Where a month begins among the ids."""
    begins_ms = int(datetime(month.year, month.month, 1, tzinfo=UTC).timestamp()) * 1000
    digits = f"{begins_ms:012x}"
    return f"{digits[:8]}-{digits[8:]}"


def months_from(month: date) -> Iterator[date]:
    """The first days of a month and of all that follow."""
    year, number = month.year, month.month - 1
    while True:
        yield date(year + number // 12, number % 12 + 1, 1)
        number += 1


def partition_name(table: str, month: date) -> str:
    """What the partition of a month is called."""
    return f"{table}_{month:%Y_%m}"


def arrange(database: Database, now: datetime) -> None:
    """Make the partitions of this month, of the next ones, and of every earlier month that has rows.

    Those rows are moved out of the default partition.
    """
    make_ahead(database, now, patience_s=_PATIENCE_S)
    for table in PARTITIONED:
        with database.read() as connection:
            misplaced = _misplaced(connection, table, _ahead(now)[-1])
        for month in misplaced:
            _make(database, table, [month], _PATIENCE_S)


def make_ahead(database: Database, now: datetime, *, patience_s: int) -> None:
    """Make the partitions of this month and of the next ones, where they are missing."""
    for table in PARTITIONED:
        with database.read() as connection:
            missing = [month for month in _ahead(now) if not _there(connection, table, month)]
        if missing:
            _make(database, table, missing, patience_s)


class MonthsAhead:
    """Looks once an hour whether the partitions of the next months are there, and makes them."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._now = now
        self._look_at: float | None = None
        self._warned = False

    def keep(self, database: Database) -> None:
        """Make what is missing; where that fails, rows go to the default partition, and one warning says so."""
        if database.is_sqlite or (self._look_at is not None and self._clock() < self._look_at):
            return
        self._look_at = self._clock() + _LOOK_EVERY_S
        try:
            make_ahead(database, self._now(), patience_s=_PATIENCE_IN_WRITER_S)
        except SQLAlchemyError as error:
            self._look_at = self._clock() + _AGAIN_S
            failure = diagnose(error, database.url)
            if not failure.transient and not self._warned:
                self._warned = True
                _logger.warning(
                    "the coming months have no partitions yet, and calls go to the default one (%s); "
                    "as the owner of the tables, run: recorder db upgrade",
                    failure.message,
                )


def _ahead(now: datetime) -> list[date]:
    return list(islice(months_from(now.astimezone(UTC).date()), MONTHS_AHEAD + 1))


def _misplaced(connection: Connection, table: str, last: date) -> list[date]:
    """The months up to `last` whose rows are in the default partition."""
    count = 12 * (last.year - _FIRST.year) + last.month
    candidates = list(islice(months_from(_FIRST), count + 1))
    bounds = [smallest_id(month) for month in candidates]
    key = PARTITIONED[table]
    query = text(
        "SELECT position FROM unnest(cast(:begins AS text[]), cast(:ends AS text[])) "
        "WITH ORDINALITY AS month (begins, ends, position) WHERE EXISTS "
        f'(SELECT FROM {table}_default WHERE {key} >= begins COLLATE "C" AND {key} < ends COLLATE "C")'
    )
    found = connection.scalars(query, {"begins": bounds[:-1], "ends": bounds[1:]})
    return [candidates[position - 1] for position in found]


def _there(connection: Connection, table: str, month: date) -> bool:
    return bool(connection.scalar(_THERE, {"name": partition_name(table, month)}))


def _make(database: Database, table: str, months: Iterable[date], patience_s: int) -> None:
    """Make partitions of one table in one transaction: one that locked two tables could block a reader for good."""
    with database.write() as connection:
        # Rows may have to be moved, which takes as long as it takes.
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{patience_s}s'")
        connection.exec_driver_sql(_LOCK)
        for month in months:
            if not _there(connection, table, month):
                for statement in _statements(table, month):
                    connection.exec_driver_sql(statement)


def _statements(table: str, month: date) -> Iterator[str]:
    """What makes one partition, with the rows of its month that are in the default one.

    It is filled before it is attached: creating it in place would lock all who read or write the table.
    """
    name, key, default = partition_name(table, month), PARTITIONED[table], f"{table}_default"
    begins, ends = (smallest_id(each) for each in islice(months_from(month), 2))
    within = f"{key} >= '{begins}' AND {key} < '{ends}'"
    yield f"LOCK TABLE {default} IN SHARE ROW EXCLUSIVE MODE"
    yield f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)"
    yield (
        f"WITH moved AS (DELETE FROM {default} WHERE {within} RETURNING *) INSERT INTO {name} SELECT * FROM moved"
    )
    yield f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{begins}') TO ('{ends}')"
