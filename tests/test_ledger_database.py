from __future__ import annotations

import gc
import logging
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ArgumentError, DataError, OperationalError

from recorder.errors import StoreError, StoreNotFound
from recorder.ledger.access import reading, writing
from recorder.ledger.database import Database, open_database
from recorder.ledger.failure import diagnose, explain


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/calls.db", keep=True)
    yield database
    database.close()


def test_connections_are_set_up(database: Database) -> None:
    database.use_wal()
    with database.read() as connection:
        pragmas = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert values == ["wal", 1, 5000, 1]


def test_the_time_to_wait_for_locks_can_be_set(tmp_path: Path) -> None:
    with open_database(f"sqlite:///{tmp_path}/calls.db?timeout=0.25").read() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 250


def test_a_refused_wal_is_a_warning(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("recorder.ledger.database._journal_mode", lambda connection, deadline: "delete")
    with caplog.at_level(logging.WARNING, "recorder"):
        database.use_wal()
    assert "journal mode 'delete'" in caplog.text


def test_ddl_is_undone_with_its_transaction(database: Database) -> None:
    def create() -> None:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE t (a)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        create()
    with database.read() as connection, pytest.raises(OperationalError, match="no such table"):
        connection.execute(text("SELECT * FROM t"))


def test_a_writing_transaction_holds_the_lock_from_its_start(database: Database, tmp_path: Path) -> None:
    database.use_wal()
    other = open_database(f"sqlite:///{tmp_path}/calls.db?timeout=0")
    with database.write(), pytest.raises(OperationalError, match="locked"), other.write():
        pass


def test_foreign_keys_are_on_again_after_a_migration(database: Database) -> None:
    with database.migrate() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 0
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_database_in_memory_is_one_for_all_threads_while_it_is_held() -> None:
    database = open_database("sqlite://")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (a)"))

    def add() -> None:
        for _ in range(50):
            with open_database("sqlite:///:memory:").write() as connection:
                connection.execute(text("INSERT INTO t VALUES (1)"))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM t")) == 200
    del database, connection
    gc.collect()
    with open_database("sqlite://").read() as connection, pytest.raises(OperationalError):
        connection.execute(text("SELECT * FROM t"))


def refusal(url: str) -> str:
    with pytest.raises(StoreError) as caught, writing(open_database(url)):
        pass
    return str(caught.value)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    assert f"directory {tmp_path}/no/such does not exist; create it" in refusal(
        f"sqlite:///{tmp_path}/no/such/calls.db"
    )


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    assert f"{tmp_path} is a directory; name a file in it" in refusal(f"sqlite:///{tmp_path}")


def test_another_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Buy milk. " * 100)
    assert "is not a SQLite database; choose another store" in refusal(f"sqlite:///{tmp_path}/notes.txt")
    assert (tmp_path / "notes.txt").read_text().startswith("Buy milk.")


def test_a_lock_is_explained(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db?timeout=0"
    with writing(open_database(url)):
        assert "is locked by another program" in refusal(url)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreNotFound, match=r"nothing was recorded in sqlite:.* yet"),
        reading(open_database(f"sqlite:///{tmp_path}/calls.db")),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def sqlite_error(code: int, name: str = "the driver's words") -> OperationalError:
    error = sqlite3.OperationalError(name)
    error.sqlite_errorcode = code
    return OperationalError("INSERT", {}, error)


class ServerError(Exception):
    def __init__(self, sqlstate: str | None, words: str = "the server's words") -> None:
        super().__init__(words)
        self.sqlstate = sqlstate


FILE = "sqlite:////var/calls.db"
SERVER = "postgresql://ann:hunter2@host/calls"


@pytest.mark.parametrize(
    ("error", "url", "kind"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), FILE, "full"),
        (sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED), FILE, "readonly"),
        (sqlite_error(sqlite3.SQLITE_CORRUPT), FILE, "corrupt"),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), FILE, "locked"),
        (sqlite_error(sqlite3.SQLITE_ERROR), FILE, "other"),
        (OperationalError("", {}, ServerError(None, "connection refused")), SERVER, "unreachable"),
        (OperationalError("", {}, ServerError("57P01")), SERVER, "unreachable"),
        (OperationalError("", {}, ServerError("53100")), SERVER, "full"),
        (OperationalError("", {}, ServerError("40P01")), SERVER, "locked"),
        (DataError("", {}, ServerError("22003")), SERVER, "record"),
        (OSError(28, "No space left on device"), FILE, "full"),
        (OverflowError("too large"), FILE, "record"),
        (ArgumentError("no URL"), "sqlite://x", "url"),
    ],
    ids=str,
)
def test_failures_are_told_apart(error: Exception, url: str, kind: str) -> None:
    failure = diagnose(error, url)
    assert failure.kind == kind
    assert "\n" not in failure.message
    assert "hunter2" not in failure.message


def test_passwords_are_kept_out_of_what_the_driver_says() -> None:
    error = OperationalError("", {}, ServerError(None, "cannot connect with hunter2 to host"))
    said = str(explain(error, SERVER))
    assert "cannot connect with *** to host" in said
    assert "hunter2" not in said
