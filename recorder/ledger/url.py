"""Store URLs: which are usable, what they name, and how they are shown. Needs no SQLAlchemy."""

from __future__ import annotations

import os
import re
import shlex
from importlib.util import find_spec
from urllib.parse import unquote

from ..errors import MissingExtra, StoreError

MEMORY_URL = "sqlite://"
_SQLITE = ("sqlite", "sqlite+pysqlite")
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")
_PASSWORD = re.compile(r"(?<=://)([^:/@?]*):.*@", re.DOTALL)
_PASSWORD_PARAMETER = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)


def check_url(url: str) -> None:
    """Raise StoreError for what is no URL of a store, MissingExtra where its driver is not installed."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        name = re.sub(r"^[a-z]+:/?(?=[^\\/])", "", url) if url.startswith(("sqlite:", "file:")) else url
        hint = f"write sqlite:///{name}" if name else "write for example sqlite:///recorder.db"
        raise StoreError(f"{shown(url)!r} is not a database URL; {hint}")
    if scheme in _SQLITE:
        if rest.partition("?")[0] and not rest.startswith("/"):
            raise StoreError(f"{shown(url)!r} has a slash too few; write sqlite:///{rest}")
    elif scheme in _POSTGRES:
        _check_server(url, rest)
        if find_spec("psycopg") is None:
            raise MissingExtra("psycopg", "postgres")
    else:
        raise StoreError(f"{shown(url)!r} is no store; a URL begins with sqlite:/// or postgresql://")


def _check_server(url: str, rest: str) -> None:
    server = re.split(r"[/?]", rest.rpartition("@")[2], maxsplit=1)[0]
    port = server.rpartition("]")[2].partition(":")[2]
    if port and not port.isdigit():
        raise StoreError(
            f"{shown(url)!r} is not a database URL; write postgresql://user:password@host:port/name"
        )


def shown(url: str) -> str:
    """The URL as messages may show it: without its password, and without the driver that it is resolved to."""
    url = re.sub(r"^postgresql\+psycopg(?=://)", "postgresql", url)
    return _PASSWORD_PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))


def argument(url: str) -> str:
    """The URL as a shell takes it, for commands that messages name."""
    return shlex.quote(shown(url))


def is_sqlite(url: str) -> bool:
    """Whether the URL names a SQLite database."""
    return url.partition("://")[0] in _SQLITE


def is_memory(url: str) -> bool:
    """Whether the URL names SQLite's database in memory."""
    return is_sqlite(url) and url.partition("://")[2].partition("?")[0] in ("", "/", "/:memory:")


def sqlite_path(url: str) -> str | None:
    """The file that a SQLite URL names; None for one in memory, a `file:` URI and for servers."""
    if not is_sqlite(url) or is_memory(url):
        return None
    path = url.partition("://")[2].partition("?")[0][1:]
    return None if path.startswith("file:") else unquote(path)


def resolved(url: str) -> str:
    """The URL to connect to: absolute path, psycopg 3 as driver, one spelling for a database in memory."""
    if is_memory(url):
        return MEMORY_URL
    if (path := sqlite_path(url)) is not None:
        _, mark, query = url.partition("?")
        absolute = os.path.abspath(path).replace("%", "%25").replace("?", "%3F")  # as SQLAlchemy reads it
        return f"sqlite:///{absolute}{mark}{query}"
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if separator and scheme in _POSTGRES else url
