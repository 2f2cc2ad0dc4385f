"""What went wrong with a store: told apart by kind, said in one sentence."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from typing import Literal

from msgspec import Struct
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)

from ..errors import RecorderError, StoreError
from .url import argument, is_sqlite, resolved, shown, sqlite_path

Kind = Literal[
    "locked",
    "unreachable",
    "refused",
    "slow",
    "full",
    "readonly",
    "path",
    "not_a_store",
    "corrupt",
    "unusable",
    "url",
    "record",
    "other",
]

_SQLITE_KINDS: dict[int, Kind] = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_PROTOCOL: "locked",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "readonly",
    sqlite3.SQLITE_PERM: "readonly",
    sqlite3.SQLITE_CANTOPEN: "path",
    sqlite3.SQLITE_NOTADB: "not_a_store",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_TOOBIG: "record",
}
# SQLSTATE classes and codes of PostgreSQL.
_POSTGRES_KINDS: dict[str, Kind] = {
    "08": "unreachable",
    "57014": "slow",
    "57P": "unreachable",
    "25P03": "slow",
    "25P04": "slow",
    "28": "refused",
    "3D": "refused",
    "53100": "full",
    "53": "unreachable",
    "25006": "readonly",
    "42501": "readonly",
    "55P03": "locked",
    "40": "locked",
    "XX001": "corrupt",
    "42": "other",
}
# A server that refuses a connection says so in words alone; some reasons pass.
_REFUSAL = re.compile(r"\bFATAL: +(?!.*(?:starting up|shutting down|recovery|too many|connection slots))(.+)")


class Failure(Struct, frozen=True):
    """A kind of failure, and the sentence that says what to do about it.

    `locked`, `unreachable` and `slow` may pass by themselves; `record` concerns one record alone and not the store.
    """

    kind: Kind
    message: str

    @property
    def transient(self) -> bool:
        """Whether trying again soon may help."""
        return self.kind in ("locked", "unreachable", "slow")


def explain(error: Exception, url: str) -> StoreError:
    """The StoreError that says what an error met at this store means and what to do."""
    return error if isinstance(error, StoreError) else StoreError(diagnose(error, url).message)


def diagnose(error: Exception, url: str) -> Failure:
    """Tell what kind of failure an error met at this store is."""
    if isinstance(error, RecorderError):
        return Failure("unusable", str(error))
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    kind = _kind(error, cause, url)
    return Failure(kind, _sentence(kind, _said(cause, url), url))


def _kind(error: Exception, cause: BaseException, url: str) -> Kind:
    code = getattr(cause, "sqlite_errorcode", None)
    if isinstance(code, int):
        # Also of the index of its log, which it makes even to read; without one nothing can be written either.
        if code & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY) and _device_is_full(url):
            return "full"
        if (kind := _SQLITE_KINDS.get(code & 0xFF)) is not None:
            return kind
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        for length in (5, 3, 2):
            if (kind := _POSTGRES_KINDS.get(state[:length])) is not None:
                return kind
    if isinstance(error, ArgumentError):
        return "url"
    if state is None and not is_sqlite(url) and (kind := _connection_kind(error)) is not None:
        return kind
    if isinstance(error, (DataError, IntegrityError, InterfaceError, ProgrammingError)):
        return "record"
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return "record"  # a value that the driver does not take
    if isinstance(error, OperationalError) and not is_sqlite(url):
        return "unreachable"
    if isinstance(error, OSError):
        return "full" if error.errno == errno.ENOSPC else "other"
    return "other" if isinstance(error, (SQLAlchemyError, sqlite3.Error, ImportError)) else "record"


def _connection_kind(error: Exception) -> Kind | None:
    """What keeps a server's driver from its server, where it is that."""
    if isinstance(error, OperationalError):
        return "refused" if _REFUSAL.search(str(error.orig)) else "unreachable"
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error, InterfaceError) or error.connection_invalidated:
        return "unreachable"
    return "other" if error.statement is None else None


def _device_is_full(url: str) -> bool:
    path = sqlite_path(resolved(url))
    try:
        if path is None:
            return False
        device = os.statvfs(os.path.dirname(path))
        return device.f_bavail == 0 and not device.f_flag & os.ST_RDONLY  # as images of CDs are, always full
    except (OSError, AttributeError):
        return False


def _said(cause: BaseException, url: str) -> str:
    """The first line of what the driver said, without the URL's password."""
    text = next(iter(str(cause).strip().splitlines()), "") or type(cause).__name__
    secret = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    return text.replace(secret, "***") if secret else text


def _sentence(kind: Kind, said: str, url: str) -> str:
    store = shown(url)
    path = sqlite_path(resolved(url))
    match kind:
        case "locked":
            return f"{store} is locked by another program; end that program, or let it finish its transaction"
        case "unreachable":
            return f"{store} cannot be reached ({said}); check that the server runs and that the URL is right"
        case "refused":
            return f"{store} cannot be opened: {_refusal(said)}"
        case "slow":
            return f"{store} took too long ({said}); try again when it has less to do"
        case "full":
            return f"there is no space left for {store}; free some, or choose another store"
        case "readonly" if path is None:
            return (
                f"{store} does not permit that ({said}); grant its user the rights, or choose another store"
            )
        case "readonly":
            return (
                f"{store} cannot be written; allow writing the file, its -wal and -shm and the directory, "
                "or choose another store"
            )
        case "path":
            return _path_sentence(store, path)
        case "not_a_store":
            return f"{store} is not a SQLite database; choose another store, or move that file away"
        case "corrupt":
            return f"{store} is damaged ({said}); run: recorder db check --store {argument(url)}; or move it away"
        case "url":
            return (
                f"{store!r} is not a database URL; write sqlite:///recorder.db or postgresql://user@host/name"
            )
        case "record":
            return f"a record cannot be stored in {store}: {said}"
        case _:
            return f"{store} cannot be used: {said}"


def _refusal(said: str) -> str:
    """What the server said, without the way to it, and what helps against it."""
    words = found[1] if (found := _REFUSAL.search(said)) is not None else said
    missing = re.search(r'database "(.+)" does not exist', words)
    if missing is not None:
        return f"{words}; create it (createdb {missing[1]}), or choose another store"
    return f"{words}; check user, password and database in its URL"


def _path_sentence(store: str, path: str | None) -> str:
    directory = os.path.dirname(path or "")
    if path is None or (os.path.isdir(directory) and not os.path.isdir(path)):
        return f"{store} cannot be opened; check the permissions of the file and of its directory"
    if os.path.isdir(path):
        return f"{path} is a directory; name a file in it, such as {store.rstrip('/')}/recorder.db"
    return f"the directory {directory} does not exist; create it, or choose another store than {store}"
