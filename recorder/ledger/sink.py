"""Batches of records into the tables, each in one transaction."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from ..bare import bare_call, bare_exchange
from ..call import Call
from ..exchange import Exchange
from ..pricing import not_spent
from .bulk import insert_new
from .content.keeping import Keeper
from .content.learning import learn
from .copies import CallCopy
from .database import Database, open_database
from .intake import Record, nothing
from .partitions import MonthsAhead
from .pricer import Pricer
from .rollups import add_rows, count_rows, restore
from .rows import call_row, cost_columns, narrow_row, storable
from .schema import ensure
from .tables import calls, losses, payloads


class Sink:
    """The writing side of one store; opened, created or upgraded when the first batch comes.

    A `durable` one has SQLite sync each batch to the disk, as servers do anyway. `between` is called between
    the pieces of a batch. Calls that were not `spent`, since they came with cassettes, get no cost.
    """

    def __init__(
        self,
        url: str,
        *,
        durable: bool = False,
        between: Callable[[], None] = nothing,
        spent: bool = True,
    ) -> None:
        self.waited_s = 0.0
        """How long the last batch waited for others to end."""
        self.held_s = 0.0
        """How long it kept all others from writing, but for its commit."""
        self._url = url
        self._between = between
        self._durable = durable
        self._spent = spent
        self._database: Database | None = None
        self._pricer = Pricer()
        self._open = False
        self._file: tuple[int, int] | None = None
        self._months = MonthsAhead()
        self._keeper = Keeper(between)

    def store(self, records: Sequence[Record], lost: int = 0, reason: str = "") -> None:
        """Store records, and how many were lost before them; all or nothing. Known ids are skipped."""
        database = self._opened()
        with database.read() as connection:
            if records:
                self._pricer.refresh(connection)
            kept = [(each.call.id, each.exchange) for each in records if each.content == "kept"]
            batch = self._keeper.prepare(connection, kept)
        call_rows = []
        for record in records:
            call, exchange, content = record.call, record.exchange, record.content
            if content == "not stored":
                call, exchange = bare_call(call), bare_exchange(exchange)
            row = call_row(call, exchange)
            row.update(self._cost_columns(call, exchange), content=content)
            call_rows.append(row)
            self._between()
        counted = count_rows(call_rows, self._between)
        asked = time.monotonic()
        with database.write() as connection:
            began = time.monotonic()
            payload_rows = self._keeper.insert(connection, batch)
            new_rows = insert_new(connection, calls, "id", call_rows, self._between)
            # After their calls, of which they may be fewer.
            insert_new(connection, payloads, "call_id", payload_rows, self._between)
            if lost:
                connection.execute(losses.insert(), [_loss_row(lost, reason)])
            add_rows(connection, new_rows, counted if len(new_rows) == len(records) else None, self._between)
            # Those of a server do not exclude each other, and stand in line for the rollups alone.
            if database.is_sqlite:
                self.waited_s, self.held_s = began - asked, time.monotonic() - began
        self._keeper.settle(batch)
        if self._keeper.may_learn and learn(database):
            self._keeper.renew()
        self._months.keep(database)

    def _cost_columns(self, call: Call, exchange: Exchange) -> dict[str, Any]:
        return self._pricer.columns(call, exchange) if self._spent else cost_columns(not_spent())

    def copy(self, copies: Sequence[CallCopy]) -> None:
        """Store calls as another store had them, with their costs; all or nothing. Known ids are skipped."""
        database = self._opened()
        exchanges = [(copy.row["id"], copy.exchange) for copy in copies if copy.exchange is not None]
        with database.read() as connection:
            batch = self._keeper.prepare(connection, exchanges)
        with database.write() as connection:
            payload_rows = self._keeper.insert(connection, batch)
            rows = [narrow_row(_copied_row(copy)) for copy in copies]
            new_rows = insert_new(connection, calls, "id", rows)
            restore(connection, calls.c.id.in_([row["id"] for row in new_rows]))
            insert_new(connection, payloads, "call_id", payload_rows)
        self._keeper.settle(batch)
        self._months.keep(database)

    def close(self) -> None:
        """Close the connection; the next batch looks at the store anew."""
        database = self._database
        if database is None:
            return
        if self._open and database.identity() != self._file:
            database.finish_log()
        self._open = False
        database.close()

    def _opened(self) -> Database:
        database = self._database
        if database is None:
            database = self._database = open_database(self._url, keep=True, durable=self._durable)
        # A file removed while it is open would go on taking rows that nobody can read.
        if self._open and database.identity() != self._file:
            self.close()
        if not self._open:
            database.use_wal()
            ensure(database)
            self._file = database.identity()
            self._keeper.renew()
            self._open = True
        return database


def _copied_row(copy: CallCopy) -> dict[str, Any]:
    """The row, and in it why there is no content, where that is not copied."""
    if copy.exchange is not None:
        return {**copy.row, "content": "kept"}
    content = copy.row.get("content") or "kept"
    return {**copy.row, "content": "not copied" if content == "kept" else content}


def _loss_row(lost: int, reason: str) -> dict[str, Any]:
    return {
        "at_us": time.time_ns() // 1000,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "calls": lost,
        # A path in it may hold bytes that are no text.
        "reason": storable(reason),
    }
