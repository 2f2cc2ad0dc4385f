"""A consistent copy of a store in one SQLite file, made while others write to it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, delete, func, insert, select

from ...errors import StoreError
from ..access import check_exists, explaining, reading, stored_state
from ..database import Database, open_database
from ..rows import storable
from ..schema import ensure, refuse
from ..tables import metadata
from ..url import resolved, shown

Progress = Callable[[int, int], None]

_ROWS = 500
_INSTRUCTIONS = 50_000


def take_snapshot(database: Database, target: Path, progress: Progress, *, overwrite: bool = False) -> int:
    """Copy the store as it is now into a file, which is there as a whole or not at all; its size in bytes.

    A SQLite store is copied without its free pages; a server's is read in one transaction, table by table.
    Raises StoreError where the file is there already and not to be replaced.
    """
    _check_target(database, target, overwrite=overwrite)
    with _part_of(target) as part:
        with explaining(database.url):
            (_copy_file if database.is_sqlite else _copy_tables)(database, part, progress)
        _sync(part)
        size = part.stat().st_size
        os.replace(part, target)
    return size


def _check_target(database: Database, target: Path, *, overwrite: bool) -> None:
    if storable(str(target)) != str(target):
        raise StoreError(f"{str(target)!r} is no UTF-8, as names of SQLite files are; choose another file")
    if target.is_dir():
        raise StoreError(f"{target} is a directory; name a file in it")
    if not target.parent.is_dir():
        raise StoreError(f"the directory {target.parent} does not exist; create it, or choose another file")
    if target.exists():
        if database.path is not None and os.path.exists(database.path) and target.samefile(database.path):
            raise StoreError(f"{target} is the store itself; choose another file")
        if not overwrite:
            raise StoreError(f"{target} is there already; choose another file, or replace it with --force")


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """Where the copy is made, beside where it will be."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            part.with_name(part.name + suffix).unlink(missing_ok=True)


def _copy_file(database: Database, part: Path, progress: Progress) -> None:
    check_exists(database)
    found = stored_state(database)
    refuse(found, database.url)
    if found == "missing":
        raise StoreError(f"nothing was recorded in {shown(database.url)} yet, so there is nothing to copy")
    with database.engine.connect() as connection:
        driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        pages = driver.execute("PRAGMA page_count").fetchone()[0]
        free = driver.execute("PRAGMA freelist_count").fetchone()[0]
        total = (pages - free) * driver.execute("PRAGMA page_size").fetchone()[0]

        def tell() -> None:
            progress(part.stat().st_size if part.exists() else 0, total)

        driver.set_progress_handler(tell, _INSTRUCTIONS)
        try:
            driver.execute("VACUUM INTO ?", (str(part),))
        finally:
            driver.set_progress_handler(None, 0)


def _copy_tables(database: Database, part: Path, progress: Progress) -> None:
    copy = open_database(resolved(f"sqlite:///{part}"), keep=True)
    ensure(copy)
    try:
        # Nobody else sees this file yet, so that it needs neither a log nor syncs.
        with copy.engine.connect() as target:
            driver = cast("sqlite3.Connection", target.connection.driver_connection)
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF"):
                driver.execute(f"PRAGMA {pragma}")
            with reading(database) as source, target.begin():
                _copy_rows(source, target, progress)
            driver.execute("PRAGMA journal_mode=DELETE")
    finally:
        copy.close()


def _copy_rows(source: Connection, target: Connection, progress: Progress) -> None:
    tables = metadata.sorted_tables
    total = sum(int(source.scalar(select(func.count()).select_from(table)) or 0) for table in tables)
    done = 0
    for table in tables:
        target.execute(delete(table))  # the prices that a new store comes with
        with source.execution_options(yield_per=_ROWS).execute(select(table)) as rows:
            for some in rows.mappings().partitions(_ROWS):
                values: list[dict[str, Any]] = [dict(row) for row in some]
                target.execute(insert(table), values)
                done += len(values)
                progress(done, total)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
