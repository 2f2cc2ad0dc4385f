"""Transactions on a store that is there and has the current schema, with errors explained."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from ..errors import StoreNotFound, StoreOutdated
from .database import Database
from .failure import diagnose, explain
from .schema import State, ensure, refuse, state
from .url import argument, shown


def check_exists(database: Database) -> None:
    """Raise StoreNotFound where a SQLite store has no file yet."""
    if database.path is not None and not os.path.exists(database.path):
        raise StoreNotFound(_not_found(database.url))


@contextmanager
def explaining(url: str) -> Iterator[None]:
    """Turn what the database raises into a StoreError."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise explain(error, url) from error


@contextmanager
def reading(database: Database) -> Iterator[Connection]:
    """A reading transaction; an older SQLite store is upgraded first.

    Raises StoreNotFound, StoreOutdated, StoreTooNew or StoreError.
    """
    check_exists(database)
    with explaining(database.url):
        file = (database.identity(),)
        if database.checked != file:
            _check(database)
            database.checked = file
        with database.read() as connection:
            yield connection


@contextmanager
def writing(database: Database) -> Iterator[Connection]:
    """A writing transaction; the store is created or upgraded first."""
    with explaining(database.url):
        ensure(database)
        with database.write() as connection:
            yield connection


def stored_state(database: Database) -> State:
    """How the schema stands; from here on, a file on a disk that cannot be written, or is full, can be read."""
    try:
        with database.read() as connection:
            return state(connection)
    except OperationalError as error:
        # A read-only file system says that it cannot open what it cannot create beside the file.
        if diagnose(error, database.url).kind not in ("readonly", "path", "full") or not database.freeze():
            raise
    with database.read() as connection:
        return state(connection)


def _check(database: Database) -> None:
    found = stored_state(database)
    refuse(found, database.url)
    if found == "missing":
        raise StoreNotFound(_not_found(database.url))
    if found == "older":
        _upgrade(database)


def _upgrade(database: Database) -> None:
    try:
        ensure(database)
    except (SQLAlchemyError, sqlite3.Error) as error:
        if diagnose(error, database.url).kind != "readonly":
            raise
        raise StoreOutdated(
            f"{shown(database.url)} is older than this recorder and cannot be written; allow it, then run: "
            f"recorder db upgrade --store {argument(database.url)}"
        ) from error


def _not_found(url: str) -> str:
    return f"nothing was recorded in {shown(url)} yet; record with `recorder run`, or choose another store"
