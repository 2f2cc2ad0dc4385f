from __future__ import annotations

import threading
from pathlib import Path

import pytest

from recorder.errors import StoreError, StoreOutdated, StoreTooNew
from recorder.ledger import schema
from recorder.ledger.database import Database, open_database
from recorder.ledger.store import Store

from .databases import execute
from .ledger_calls import a_call, store_calls


@pytest.fixture
def database(url: str, absent: None) -> Database:
    return open_database(url)


def test_a_new_store_is_created(database: Database) -> None:
    schema.ensure(database)
    with database.read() as connection:
        assert schema.state(connection) == "current"


def test_an_empty_file_becomes_a_store(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "calls.db").touch()
    schema.ensure(open_database(sqlite_url))
    assert Store(sqlite_url).calls() == []


def test_tables_of_others_are_left_alone(database: Database, url: str) -> None:
    execute(url, "CREATE TABLE alembic_version (version_num TEXT)")
    schema.ensure(database)
    assert Store(url).check() == []


@pytest.mark.parametrize("clash", ["CREATE TABLE calls (number TEXT)", "CREATE VIEW v_calls AS SELECT 1"])
def test_a_database_of_others_with_names_of_ours_is_refused(database: Database, url: str, clash: str) -> None:
    execute(url, clash)
    with pytest.raises(StoreError, match="belongs to another application"):
        schema.ensure(database)
    with pytest.raises(StoreError, match="belongs to another application"):
        Store(url).calls()


def test_a_newer_store_is_refused(url: str) -> None:
    store_calls(url, a_call())
    execute(url, "UPDATE recorder_schema SET version_num = '9999'")
    store = Store(url)
    with pytest.raises(StoreTooNew, match="newer recorder"):
        store.calls()
    with pytest.raises(StoreTooNew):
        store.upgrade()
    assert "newer" in store.check()[0]


def test_an_older_store_on_a_server_is_left_to_the_user(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_calls(postgres_url, a_call())
    monkeypatch.setattr(schema, "HEAD", "9999")
    with pytest.raises(StoreOutdated, match=r"recorder db upgrade --store '?postgresql:"):
        schema.ensure(open_database(postgres_url))


def test_threads_that_open_a_new_store_together_all_succeed(url: str) -> None:
    errors: list[Exception] = []
    barrier = threading.Barrier(8)

    def ensure() -> None:
        database = open_database(url)
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
