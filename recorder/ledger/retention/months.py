"""Whole months removed at once on PostgreSQL: dropping a partition takes no longer for many calls than for few."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from ..database import Database
from ..failure import diagnose
from ..partitions import PARTITIONED, months_from, partition_name, smallest_id
from ..rollups import withdraw
from ..tables import calls, payloads
from .plan import payload_bytes, with_payloads
from .removing import Removed, hold_cassettes

_TRIES = 5
_PAGE = 20_000
# While a dropping waits for readers, all others wait for it.
_PATIENCE = "SET LOCAL lock_timeout = '500ms'"
_OF_TABLE = text(
    "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
    "WHERE inhparent = cast(:table AS regclass)"
)
_NEEDED = text(
    "SELECT EXISTS (SELECT FROM cassette_entries WHERE call_id >= :begins AND call_id < :ends) "
    "OR coalesce((SELECT max(started_us) FROM calls WHERE id >= :begins AND id < :ends), 0) >= :before_us"
)
_HAS_PAYLOADS = text(
    "SELECT EXISTS (SELECT FROM payloads WHERE call_id >= :begins AND call_id < :ends) "
    "OR EXISTS (SELECT FROM former_payloads WHERE call_id >= :begins AND call_id < :ends)"
)
_FORGET_COSTS = text("DELETE FROM cost_changes WHERE call_id >= :begins AND call_id < :ends")


def drop_months(database: Database, before_us: int, *, payloads_only: bool) -> Removed:
    """Drop the partitions of months that ended before a moment and that no cassette refers to.

    One that others hold, or that belongs to another user, is left; its rows can still be deleted.
    """
    if database.is_sqlite:
        return Removed()
    with database.read() as connection:
        months = sorted({month for table in PARTITIONED for month in _months(connection, table)})
    rows = bodies = size = 0
    for month in months:
        if _end_us(month) <= before_us:
            taken = _payload_bytes(database, month)
            if gone := _drop(database, "payloads", month, before_us):
                bodies, size = bodies + gone, size + taken
            rows += 0 if payloads_only else _drop(database, "calls", month, before_us)
    return Removed(rows, bodies, size)


def _payload_bytes(database: Database, month: date) -> int:
    """What the payloads of a month take."""
    begins, ends = (smallest_id(each) for each in islice(months_from(month), 2))
    id = payloads.c.call_id
    with database.read() as connection:
        taken = connection.scalar(
            select(func.sum(payload_bytes())).select_from(with_payloads()).where(id >= begins, id < ends)
        )
    return int(taken or 0)


def _drop(database: Database, table: str, month: date, before_us: int) -> int:
    """How many rows went with the partition."""
    name = partition_name(table, month)
    with database.read() as connection:
        if name not in set(connection.scalars(_OF_TABLE, {"table": table})):
            return 0
        rows = int(connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0)
    for _ in range(_TRIES):
        try:
            return rows if _dropped(database, table, month, before_us) else 0
        except SQLAlchemyError as error:
            kind = diagnose(error, database.url).kind
            if kind not in ("locked", "readonly"):
                raise
            if kind == "readonly":
                break
    return 0


def _dropped(database: Database, table: str, month: date, before_us: int) -> bool:
    begins, ends = (smallest_id(each) for each in islice(months_from(month), 2))
    bounds = {"begins": begins, "ends": ends}
    with database.write() as connection:
        connection.exec_driver_sql(_PATIENCE)
        hold_cassettes(connection)
        # The whole first, else a reader that has it and waits for the part would wait for us as we for it.
        connection.exec_driver_sql(f"LOCK TABLE ONLY {table} IN ACCESS EXCLUSIVE MODE")
        if connection.scalar(_NEEDED, {**bounds, "before_us": before_us}):
            return False
        if table == "calls":
            if connection.scalar(_HAS_PAYLOADS, bounds):
                return False
            connection.execute(_FORGET_COSTS, bounds)
            _withdraw(connection, begins, ends)
        connection.exec_driver_sql(f"DROP TABLE {partition_name(table, month)}")
        return True


def _withdraw(connection: Connection, begins: str, ends: str) -> None:
    """Take the calls of a month out of the rollups, so many at a time as fit in memory."""
    id = calls.c.id
    while begins < ends:
        page = select(id).where(id >= begins, id < ends).order_by(id).offset(_PAGE).limit(1)
        until = connection.scalar(page) or ends
        withdraw(connection, (id >= begins) & (id < until))
        begins = until


def _months(connection: Connection, table: str) -> Iterator[date]:
    for name in connection.scalars(_OF_TABLE, {"table": table}):
        if (found := re.fullmatch(rf"{table}_(\d{{4}})_(\d{{2}})", name)) is not None:
            yield date(int(found[1]), int(found[2]), 1)


def _end_us(month: date) -> int:
    _, after = islice(months_from(month), 2)
    return int(datetime(after.year, after.month, 1, tzinfo=UTC).timestamp()) * 1_000_000
