"""One database behind a store URL: its connections and its transactions."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from urllib.parse import quote
from weakref import WeakValueDictionary, finalize

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from .engines import BUSY_S, WRITE, make_engine
from .url import check_url, is_memory, is_sqlite, resolved, sqlite_path

# Two processes that open one new store at once must not both create it.
_MIGRATION_LOCK = "SELECT pg_advisory_xact_lock(7165312418402)"
# How long a writer waits for locks of others before it says so; and where many stand in line, for all before it, whose
# turns take a second or two each when there is much to do.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '10s'"
_LINE_TIMEOUT = "SET LOCAL lock_timeout = '60s'"
# A host that went away, or a process that was stopped, while others stand in line behind it.
_SILENCE_TIMEOUT = "SET LOCAL idle_in_transaction_session_timeout = '45s'"

_logger = logging.getLogger("recorder")
_in_memory: WeakValueDictionary[str, Database] = WeakValueDictionary()
_opening = threading.Lock()


class Database:
    """The engine of one store; made by `open_database`.

    A SQLite database in memory has one connection, which all threads share behind a lock. It lives
    as long as somebody holds this object.
    """

    def __init__(self, url: str, *, keep: bool, durable: bool = False) -> None:
        self.url = url
        self.path = sqlite_path(resolved(url))
        self.shared = is_memory(url)
        self.engine = make_engine(resolved(url), keep=keep, durable=durable)
        self.checked: object = None
        """The identity of the file whose schema was found to be current."""
        self._lock = threading.RLock()
        if self.shared:
            finalize(self, self.engine.dispose)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite, in a file or in memory."""
        return is_sqlite(self.url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and leaves no trace."""
        with self._exclusive(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; committed at the end, or undone."""
        with self._exclusive(), self.engine.connect() as connection:
            connection.execution_options(**{WRITE: True})
            with connection.begin():
                if not self.is_sqlite:
                    connection.exec_driver_sql(_LOCK_TIMEOUT)
                yield connection

    @contextmanager
    def migrate(self) -> Iterator[Connection]:
        """A writing transaction for changes of the schema, with foreign keys checked at its end only.

        SQLite changes a table by copying it and dropping the old one; with foreign keys on, that
        would delete what refers to its rows.
        """
        with self._exclusive(), self.engine.connect() as connection:
            if not self.is_sqlite:
                with connection.begin():
                    # Others may be at it, for as long as it takes; a reader that stays must not block all others.
                    connection.exec_driver_sql("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
                    connection.exec_driver_sql(_MIGRATION_LOCK)
                    connection.exec_driver_sql("SET LOCAL lock_timeout = '30s'")
                    yield connection
                return
            driver = cast("sqlite3.Connection", connection.connection.driver_connection)
            driver.execute("PRAGMA foreign_keys=OFF")
            try:
                connection.execution_options(**{WRITE: True})
                with connection.begin():
                    yield connection
            finally:
                driver.execute("PRAGMA foreign_keys=ON")

    def use_wal(self) -> None:
        """Switch a SQLite file to write-ahead logging, which lets readers and a writer go on together."""
        if self.path is None:
            return
        with self.engine.connect() as connection:
            driver = cast("sqlite3.Connection", connection.connection.driver_connection)
            if driver.execute("PRAGMA page_count").fetchone()[0] == 0:
                # Can be said of a new file alone; what is pruned later can then be given back while others write.
                driver.execute("PRAGMA auto_vacuum=INCREMENTAL")
            mode = _journal_mode(driver, time.monotonic() + BUSY_S)
        if mode != "wal":
            _logger.warning(
                "SQLite keeps journal mode %r for %s (a network file system?): readers and writers will wait",
                mode,
                self.url,
            )

    def identity(self) -> tuple[int, int] | None:
        """What tells the database file from another one of the same name; None where there is no file."""
        try:
            status = os.stat(self.path) if self.path is not None else None
        except OSError:
            return None
        return None if status is None else (status.st_dev, status.st_ino)

    def freeze(self) -> bool:
        """Go on reading a file whose directory cannot be written; false where that could miss something.

        In such a directory SQLite cannot create the index of its log. Without a log there is nothing to miss.
        """
        if self.path is None or _size(self.path + "-wal"):
            return False
        self.engine = make_engine(f"sqlite:///file:{quote(self.path)}?immutable=1&uri=true", keep=False)
        return True

    def finish_log(self) -> None:
        """Write what is in SQLite's log alone into the file, which somebody may have moved without its log."""
        if self.path is None:
            return
        try:
            with self.engine.connect() as connection:
                driver = cast("sqlite3.Connection", connection.connection.driver_connection)
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (SQLAlchemyError, sqlite3.Error) as error:
            _logger.warning(
                "%s was moved while it was open, and may lack its last calls: %s", self.url, error
            )

    def close(self) -> None:
        """Close idle connections; the next use opens new ones."""
        if not self.shared:
            self.engine.dispose()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        if not self.shared:
            yield
            return
        with self._lock:
            yield


def open_database(url: str, *, keep: bool = False, durable: bool = False) -> Database:
    """The database of a store URL; connects to nothing yet.

    With `keep` one connection stays open between uses; with `durable` what is committed is on the disk
    itself. Raises StoreError or MissingExtra for a URL that cannot be used.
    """
    check_url(url)
    if not is_memory(url):
        return Database(url, keep=keep, durable=durable)
    with _opening:
        if (database := _in_memory.get(resolved(url))) is None:
            database = _in_memory[resolved(url)] = Database(url, keep=keep)
        return database


def stand_in_line(connection: Connection, lock: str) -> None:
    """Take an advisory lock of a server until the transaction ends, after all who have asked for it before.

    The server ends the transaction of who has it and is not heard of, so that the others get their turn.
    """
    connection.exec_driver_sql(f"{_LINE_TIMEOUT}; {_SILENCE_TIMEOUT}; SELECT {lock}; {_LOCK_TIMEOUT}")


def _journal_mode(connection: sqlite3.Connection, deadline: float) -> str:
    """Ask for WAL and say which mode it is then; SQLite itself does not wait for others here."""
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > deadline:
                return str(connection.execute("PRAGMA journal_mode").fetchone()[0])
        time.sleep(0.01)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _forget_shared() -> None:
    """In a forked child: a lock may be held by a thread that exists in the parent alone."""
    global _opening
    _opening = threading.Lock()
    _in_memory.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_shared)
