"""The room that removed rows took in a SQLite file: how much is free, and giving it back to the disk."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

from ..database import Database, open_database
from ..url import is_memory, is_sqlite, resolved
from .removing import Sleep, Turns

_PATIENCE_S = 60
_INCREMENTAL: Final = 2
_TRIES = 20
_PAUSE_S = 0.05


def patient(url: str) -> Database:
    """The database of a store, for work that would rather wait a minute for others than fail."""
    url = resolved(url)
    if is_sqlite(url) and not is_memory(url) and "timeout=" not in url.partition("?")[2]:
        url += f"{'&' if '?' in url else '?'}timeout={_PATIENCE_S}"
    return open_database(url, keep=True)


def free_bytes(database: Database) -> int:
    """How much of a SQLite file is free for new rows."""
    if not database.is_sqlite:
        return 0
    with _driver(database) as driver:
        return _pragma(driver, "freelist_count") * _pragma(driver, "page_size")


def give_back(database: Database, sleep: Sleep = time.sleep) -> int:
    """Cut free pages off a SQLite file, some at a time, while others go on; how many bytes that were.

    Files that were made by an earlier version have to be vacuumed as a whole for that.
    """
    if database.path is None:
        return 0
    before = free_bytes(database)
    with _driver(database) as driver:
        incremental = _pragma(driver, "auto_vacuum") == _INCREMENTAL
    turns = Turns(database, sleep)
    left = before if incremental else 0
    while left:
        begun = time.monotonic()
        with _driver(database) as driver:
            # A script, since of this statement each step frees one page, and `execute` takes but one.
            driver.executescript(f"PRAGMA incremental_vacuum({turns.size})")
        turns.took(time.monotonic() - begun)
        now = free_bytes(database)
        if now >= left:
            break
        left = now
    shorten_log(database, tries=1)
    return before - free_bytes(database)


def vacuum(database: Database) -> None:
    """Write the whole file anew, without what was removed; writers wait meanwhile, readers do not."""
    if database.is_sqlite:
        with _driver(database) as driver:
            driver.execute("VACUUM")


def shorten_log(database: Database, *, tries: int = _TRIES, sleep: Sleep = time.sleep) -> bool:
    """Carry the write-ahead log into the file and cut it to nothing; false where readers stood in the way."""
    if database.path is None:
        return True
    for attempt in range(tries):
        if attempt:
            sleep(_PAUSE_S)
        with _driver(database) as driver:
            # Waiting here would keep writers waiting as well.
            timeout = _pragma(driver, "busy_timeout")
            driver.execute("PRAGMA busy_timeout=0")
            try:
                if driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                    return True
            except sqlite3.OperationalError:  # somebody else is at it
                pass
            finally:
                driver.execute(f"PRAGMA busy_timeout={timeout}")
    return False


@contextmanager
def _driver(database: Database) -> Iterator[sqlite3.Connection]:
    """SQLite's own connection, outside all transactions."""
    with database.engine.connect() as connection:
        yield cast("sqlite3.Connection", connection.connection.driver_connection)


def _pragma(driver: sqlite3.Connection, name: str) -> int:
    return int(driver.execute(f"PRAGMA {name}").fetchone()[0])
