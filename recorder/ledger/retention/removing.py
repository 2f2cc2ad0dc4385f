"""Calls and payloads removed by id, a few in one short transaction, so that writers get their turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, exists, func, or_, select

from ..database import Database
from ..rollups import withdraw
from ..tables import calls, cassette_entries, cost_changes, former_payloads, payloads
from .plan import payload_bytes, with_payloads

Sleep = Callable[[float], None]

SHORT_S: Final = 0.05
"""How long a transaction should hold the lock that writers wait for."""

_FEWEST = 5
_MOST = 500  # SQLite takes so many parameters in one statement in every build
_LONGEST_REST_S = 0.5


class Removed(Struct, frozen=True):
    """How many calls and payloads one transaction has removed, and what these payloads took."""

    calls: int = 0
    payloads: int = 0
    payload_bytes: int = 0


class Turns:
    """How many rows the next transaction takes, and the rest after it, in which writers of SQLite have their turn."""

    def __init__(self, database: Database, sleep: Sleep = time.sleep) -> None:
        self.size = 20
        self._sleep = sleep if database.is_sqlite else lambda seconds: None

    def took(self, seconds: float) -> None:
        """The last transaction took so long; come back when others have had as much time."""
        wanted = int(self.size * SHORT_S / max(seconds, SHORT_S / 4))
        self.size = min(_MOST, max(_FEWEST, wanted))
        self._sleep(min(_LONGEST_REST_S, seconds + SHORT_S / 5))


def hold_cassettes(connection: Connection) -> None:
    """Let nobody add to a cassette before this transaction ends; SQLite has one writer at a time anyway."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("LOCK TABLE cassette_entries IN SHARE MODE")


def remove(connection: Connection, ids: Sequence[str], *, payloads_only: bool) -> Removed:
    """Remove calls with all that belongs to them, or their payloads alone; what a cassette refers to stays."""
    hold_cassettes(connection)
    named = select(cassette_entries.c.call_id).where(cassette_entries.c.call_id.in_(ids))
    kept = set(connection.scalars(named))
    free = [id for id in ids if id not in kept]
    if not free:
        return Removed()
    measured = select(func.sum(payload_bytes())).select_from(with_payloads()).where(calls.c.id.in_(free))
    size = int(connection.scalar(measured) or 0)
    bodies = sum(
        connection.execute(delete(table).where(table.c.call_id.in_(free))).rowcount
        for table in (payloads, former_payloads)
    )
    if payloads_only:
        return Removed(0, bodies, size)
    withdraw(connection, calls.c.id.in_(free))
    connection.execute(delete(cost_changes).where(cost_changes.c.call_id.in_(free)))
    rows = connection.execute(delete(calls).where(calls.c.id.in_(free))).rowcount
    return Removed(rows, bodies, size)


def has_payload() -> ColumnElement[bool]:
    """Whether a call has its payload."""
    tables = (payloads, former_payloads)
    return or_(*(exists().where(table.c.call_id == calls.c.id).correlate(calls) for table in tables))
