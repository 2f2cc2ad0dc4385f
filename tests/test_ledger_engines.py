"""How writers of SQLite wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from recorder.ledger.database import Database, open_database


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/calls.db"
    open_database(url).use_wal()
    return url


def patience_ms(database: Database) -> int:
    with database.read() as connection:
        return int(connection.exec_driver_sql("PRAGMA busy_timeout").scalar() or 0)


@contextmanager
def waiting(database: Database) -> Iterator[threading.Event]:
    """Somebody else who wants to write, and whether they do."""
    done = threading.Event()

    def write() -> None:
        with database.write():
            done.set()

    thread = threading.Thread(target=write)
    thread.start()
    yield done
    thread.join(60)


def test_who_waits_writes_when_others_have_ended(url: str) -> None:
    with ExitStack() as stack, open_database(url).write():
        done = stack.enter_context(waiting(open_database(url + "?timeout=60")))
        assert not done.wait(0.05)
    assert done.is_set()


def test_who_has_waited_long_enough_is_told(url: str) -> None:
    impatient = open_database(url + "?timeout=0.05", keep=True)
    with open_database(url).write(), pytest.raises(OperationalError, match="locked"), impatient.write():
        pass
    assert patience_ms(impatient) == 50
    with impatient.write():
        pass
    assert patience_ms(impatient) == 50
    impatient.close()


def test_what_is_wrong_otherwise_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "calls.db").write_bytes(b"Buy milk. " * 100)
    with (
        pytest.raises(Exception, match="not a database"),
        open_database(f"sqlite:///{tmp_path}/calls.db?timeout=60").write(),
    ):
        pass
