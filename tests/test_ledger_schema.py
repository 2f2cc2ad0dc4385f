from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from recorder.errors import StoreError, StoreOutdated, StoreTooNew
from recorder.ledger import schema
from recorder.ledger.database import Database, open_database
from recorder.ledger.store import Store

from .ledger_calls import a_call, store_calls


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


@pytest.fixture
def database(path: Path) -> Database:
    return open_database(f"sqlite:///{path}")


def execute(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()


def test_a_new_store_is_created(database: Database, path: Path) -> None:
    schema.ensure(database)
    with database.read() as connection:
        assert schema.state(connection) == "current"
    assert path.exists()


def test_an_empty_file_becomes_a_store(database: Database, path: Path) -> None:
    path.touch()
    schema.ensure(database)
    assert Store(f"sqlite:///{path}").calls() == []


def test_tables_of_others_are_left_alone(database: Database, path: Path) -> None:
    execute(path, "CREATE TABLE alembic_version (version_num TEXT)")
    schema.ensure(database)
    assert Store(f"sqlite:///{path}").check() == []


@pytest.mark.parametrize("clash", ["CREATE TABLE calls (number TEXT)", "CREATE VIEW v_calls AS SELECT 1"])
def test_a_database_of_others_with_names_of_ours_is_refused(
    database: Database, path: Path, clash: str
) -> None:
    execute(path, clash)
    with pytest.raises(StoreError, match="belongs to another application"):
        schema.ensure(database)
    with pytest.raises(StoreError, match="belongs to another application"):
        Store(f"sqlite:///{path}").calls()


def test_a_newer_store_is_refused(path: Path) -> None:
    store_calls(f"sqlite:///{path}", a_call())
    execute(path, "UPDATE recorder_schema SET version_num = '9999'")
    store = Store(f"sqlite:///{path}")
    with pytest.raises(StoreTooNew, match="newer recorder"):
        store.calls()
    with pytest.raises(StoreTooNew):
        store.upgrade()
    assert "newer" in store.check()[0]


def test_an_older_store_on_a_server_is_left_to_the_user(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_calls(f"sqlite:///{path}", a_call())
    monkeypatch.setattr(schema, "HEAD", "9999")
    monkeypatch.setattr(Database, "is_sqlite", False)
    with pytest.raises(StoreOutdated, match="recorder db upgrade --store sqlite:"):
        schema.ensure(open_database(f"sqlite:///{path}"))


def test_threads_that_open_a_new_store_together_all_succeed(path: Path) -> None:
    errors: list[Exception] = []
    barrier = threading.Barrier(8)

    def ensure() -> None:
        database = open_database(f"sqlite:///{path}")
        barrier.wait(30)
        try:
            schema.ensure(database)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to show it
            errors.append(error)

    threads = [threading.Thread(target=ensure) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
