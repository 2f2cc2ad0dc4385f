"""Batches of records into the tables, each in one transaction."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from typing import Any

from .bulk import insert_new
from .database import Database, open_database
from .intake import Record
from .partitions import MonthsAhead
from .payloads import pack
from .pricer import Pricer
from .rows import call_row, storable
from .schema import ensure
from .tables import calls, losses, payloads


class Sink:
    """The writing side of one store; opened, created or upgraded when the first batch comes."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._database: Database | None = None
        self._pricer = Pricer()
        self._open = False
        self._file: tuple[int, int] | None = None
        self._months = MonthsAhead()

    def store(self, records: Sequence[Record], lost: int = 0, reason: str = "") -> None:
        """Store records, and how many were lost before them; all or nothing. Known ids are skipped."""
        database = self._opened()
        if records:
            with database.read() as connection:
                self._pricer.refresh(connection)
        call_rows = [
            {**call_row(record.call, record.exchange), **self._pricer.columns(record.call, record.exchange)}
            for record in records
        ]
        payload_rows = [{"call_id": record.call.id, **pack(record.exchange)} for record in records]
        with database.write() as connection:
            insert_new(connection, calls, "id", call_rows)
            insert_new(connection, payloads, "call_id", payload_rows)
            if lost:
                connection.execute(losses.insert(), [_loss_row(lost, reason)])
        self._months.keep(database)

    def close(self) -> None:
        """Close the connection; the next batch looks at the store anew."""
        self._open = False
        if self._database is not None:
            self._database.close()

    def _opened(self) -> Database:
        database = self._database
        if database is None:
            database = self._database = open_database(self._url, keep=True)
        # A file removed while it is open would go on taking rows that nobody can read.
        if self._open and database.identity() != self._file:
            self.close()
        if not self._open:
            database.use_wal()
            ensure(database)
            self._file = database.identity()
            self._open = True
        return database


def _loss_row(lost: int, reason: str) -> dict[str, Any]:
    return {
        "at_us": time.time_ns() // 1000,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "calls": lost,
        # A path in it may hold bytes that are no text.
        "reason": storable(reason),
    }
