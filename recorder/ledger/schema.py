"""The schema's version: which one a store has, and the way to the current one."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import Connection, column, inspect, select, table

from ..errors import StoreError, StoreOutdated, StoreTooNew
from .database import Database
from .partitions import arrange
from .tables import metadata
from .url import argument, shown
from .views import VIEWS

HEAD: Final = "0013"
"""The newest revision in `migrations/`; Alembic is imported only where a store has another one."""

VERSION_TABLE: Final = "recorder_schema"
"""Where the revision is kept: not `alembic_version`, which another application may own."""

State = Literal["missing", "older", "current", "newer", "foreign"]

_version = table(VERSION_TABLE, column("version_num"))
# Alembic keeps the running migration in module globals.
_migrating = threading.Lock()


def migrations_path() -> Path:
    """The migration scripts: inside an installed wheel, beside the package in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def revision(connection: Connection) -> str | None:
    """The revision of the store, or None where there is none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.scalar(select(_version.c.version_num))
    return None if found is None else str(found)


def state(connection: Connection) -> State:
    """How the store's schema stands to this version of recorder.

    `foreign` is a database of another application that has tables with names of ours.
    """
    found = revision(connection)
    if found is None:
        return "foreign" if _clashes(connection) else "missing"
    if found == HEAD:
        return "current"
    return "older" if found.isdigit() and found < HEAD else "newer"


def refuse(found: State, url: str) -> None:
    """Raise StoreTooNew, or StoreError for a foreign one, where the store cannot even be upgraded."""
    if found == "newer":
        raise StoreTooNew(f"{shown(url)} was written by a newer recorder; upgrade llm-flight-recorder")
    if found == "foreign":
        raise StoreError(
            f"{shown(url)} belongs to another application, which has tables or views named like recorder's; "
            "choose another store"
        )


def ensure(database: Database) -> None:
    """Bring the store to the current schema; a server's older one is left to `recorder db upgrade`."""
    with database.read() as connection:
        found = state(connection)
    refuse(found, database.url)
    if found == "older" and not database.is_sqlite:
        raise StoreOutdated(
            f"{shown(database.url)} is older than this recorder; "
            f"run: recorder db upgrade --store {argument(database.url)}"
        )
    if found != "current":
        upgrade(database)


def upgrade(database: Database, target: str = "head") -> tuple[str | None, str]:
    """Upgrade the store; the revisions before and after. A new store is created.

    Of several processes that do this at once one does it, and the others wait for it.
    """
    with _migrating:
        database.use_wal()
        with database.migrate() as connection:
            before = revision(connection)
            found = state(connection)
            refuse(found, database.url)
            if found != "current":
                _run(connection, target)
            after = revision(connection) or ""
        if after == HEAD and not database.is_sqlite:
            arrange(database, datetime.now(UTC))
        return before, after


def downgrade(database: Database, target: str) -> None:
    """Take the store back to an older revision, or to `base`."""
    with _migrating, database.migrate() as connection:
        _run(connection, target, up=False)


def _run(connection: Connection, target: str, *, up: bool = True) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_path()).replace("%", "%%"))
    config.attributes["connection"] = connection
    (command.upgrade if up else command.downgrade)(config, target)


def _clashes(connection: Connection) -> bool:
    inspector = inspect(connection)
    there = {*inspector.get_table_names(), *inspector.get_view_names()}
    return not there.isdisjoint((*metadata.tables, *VIEWS))


def _renew_lock() -> None:
    global _migrating
    _migrating = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
