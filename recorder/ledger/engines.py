"""Engines: how connections to a database are opened, and how their transactions begin."""

from __future__ import annotations

import sqlite3
import time
from typing import Any, cast

from sqlalchemy import Connection, Engine, NullPool, QueuePool, StaticPool, create_engine, event

from ..errors import MissingExtra
from .url import is_memory, is_sqlite

BUSY_S = 5.0
"""How long SQLite waits for locks of others."""

WRITE = "recorder_write"
"""The execution option of a connection whose transactions take SQLite's write lock from their start."""

# Between two questions for SQLite's write lock: from a fiftieth of a second down to a thousandth, after two seconds.
_LONGEST_S, _SHORTEST_S, _HURRY = 0.02, 0.001, 0.0095

# libpq's: without them a server that went away without a word would be waited for a quarter of an hour.
_SERVER_ARGUMENTS = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "fallback_application_name": "recorder",
}


def make_engine(target: str, *, keep: bool, durable: bool = False) -> Engine:
    """The engine of a database URL, as SQLAlchemy reads it; connects to nothing yet.

    With `keep` one connection stays open between uses; with `durable` what SQLite commits is on the disk itself,
    as a server's is anyway. Raises MissingExtra where there is no driver.
    """
    return _sqlite_engine(target, keep, durable) if is_sqlite(target) else _server_engine(target, keep)


def _sqlite_engine(target: str, keep: bool, durable: bool) -> Engine:
    arguments: dict[str, Any] = {"check_same_thread": False}
    if "timeout=" not in target.partition("?")[2]:
        arguments["timeout"] = BUSY_S
    if is_memory(target):
        engine = create_engine(target, connect_args=arguments, poolclass=StaticPool)
    elif keep:
        engine = create_engine(target, connect_args=arguments, poolclass=QueuePool, pool_size=1)
    else:
        engine = create_engine(target, connect_args=arguments, poolclass=NullPool)
    event.listen(engine, "connect", _prepare)
    if keep:
        event.listen(engine, "connect", _remember_pages)
    if durable:
        event.listen(engine, "connect", _sync_always)
    event.listen(engine, "begin", _begin)
    return engine


def _server_engine(target: str, keep: bool) -> Engine:
    query = target.partition("?")[2]
    arguments = {name: value for name, value in _SERVER_ARGUMENTS.items() if f"{name}=" not in query}
    try:
        if keep:
            return create_engine(target, connect_args=arguments, pool_size=1, pool_pre_ping=True)
        return create_engine(target, connect_args=arguments, poolclass=NullPool)
    except ModuleNotFoundError as error:
        raise MissingExtra("psycopg", "postgres") from error


def _prepare(connection: sqlite3.Connection, record: object) -> None:
    # Without this the driver begins transactions by itself, but not before DDL.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=NORMAL")


def _remember_pages(connection: sqlite3.Connection, record: object) -> None:
    """Who writes meets pages of indexes in any order, more of them than the 2 MB that SQLite keeps."""
    connection.execute("PRAGMA cache_size=-8192")


def _sync_always(connection: sqlite3.Connection, record: object) -> None:
    connection.execute("PRAGMA synchronous=FULL")


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get(WRITE):
        connection.exec_driver_sql("BEGIN")
        return
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    (patience_ms,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute("PRAGMA busy_timeout=0")
    try:
        if not _begin_in_turn(driver, patience_ms / 1000):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout={patience_ms}")


def _begin_in_turn(driver: sqlite3.Connection, patience_s: float) -> bool:
    """Begin to write when others have ended; false where that is in vain.

    Who has waited longer asks more often, and so comes before those who came later. SQLite's own way is to ask less
    and less often, up to ten times a second, with which one of several writers may wait for very long.
    """
    began = time.monotonic()
    while (waited_s := time.monotonic() - began) < patience_s:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                break
            time.sleep(max(_SHORTEST_S, _LONGEST_S - waited_s * _HURRY))
        else:
            return True
    return False
