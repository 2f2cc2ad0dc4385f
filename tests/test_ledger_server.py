"""What only a server does: it goes away and comes back, refuses, and has many writers at once."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, DateTime, Engine, MetaData, Table, Text, event, text

from recorder.errors import StoreError, StoreNotFound
from recorder.ledger import schema
from recorder.ledger.access import reading
from recorder.ledger.bulk import insert_new
from recorder.ledger.database import open_database
from recorder.ledger.rows import call_row
from recorder.ledger.store import Store
from recorder.ledger.tables import calls
from recorder.ledger.writer import Writer

from .databases import OwnServer, Server, execute, with_parts
from .ledger_calls import a_call, an_exchange, put_calls, store_calls, write_many


def ids(url: str) -> list[str]:
    return [call["id"] for call in Store(url).calls(limit=None, newest_first=False, after_seq=0)]


@contextmanager
def role(server: Server, url: str, rights: str) -> Iterator[str]:
    """The URL of a user who has these rights on all tables, and none else."""
    name = f"user_{url.partition('?')[0].rpartition('/')[2]}"
    server.execute(f"CREATE ROLE {name} LOGIN")
    execute(url, f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO {name}")
    try:
        yield with_parts(url, user=name)
    finally:
        execute(url, f"DROP OWNED BY {name}")
        server.execute(f"DROP ROLE {name}")


def refusal(url: str) -> str:
    with pytest.raises(StoreError) as caught, reading(open_database(url)):
        pass
    assert not isinstance(caught.value, StoreNotFound)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_database_is_named_with_the_way_to_make_it(server: Server) -> None:
    said = refusal(with_parts(server.url, database="nosuch"))
    assert 'database "nosuch" does not exist; create it (createdb nosuch)' in said


def test_an_unknown_user_is_named(server: Server) -> None:
    said = refusal(with_parts(server.url, user="nobody_at_all"))
    assert 'role "nobody_at_all" does not exist; check user, password and database' in said


def test_a_wrong_password_is_said_and_not_shown(server: Server) -> None:
    if not isinstance(server, OwnServer):
        pytest.skip("the rules of a named server are not ours to change")
    server.execute("CREATE ROLE ann LOGIN PASSWORD 'right'")
    server.demand_passwords("ann")
    said = refusal(with_parts(server.url, user="ann:wrong-hunter2"))
    assert 'password authentication failed for user "ann"; check user, password' in said
    assert "hunter2" not in said


def test_a_server_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    for url in ("postgresql://127.0.0.1:1/calls", f"postgresql:///calls?host={tmp_path}"):
        assert "cannot be reached" in refusal(url)
        assert "check that the server runs" in refusal(url)


def test_an_unknown_parameter_is_said(server: Server) -> None:
    assert 'cannot be used: invalid connection option "colour"' in refusal(
        with_parts(server.url, colour="red")
    )


def test_a_reader_may_have_no_right_to_write(postgres_url: str, server: Server) -> None:
    call = a_call()
    store_calls(postgres_url, call)
    with role(server, postgres_url, "SELECT") as url:
        assert [row["id"] for row in Store(url).calls()] == [call.id]
        assert Store(url).check() == []
        writer = Writer(url, 64 << 20)
        put_calls(writer, 1)
        assert not writer.flush(30.0)
        assert "does not permit that (permission denied for table calls); grant" in str(writer.last_error)
        writer.close(0.0)


def test_a_search_of_a_reader_without_the_right_to_write_says_so(postgres_url: str, server: Server) -> None:
    store_calls(postgres_url, a_call())
    with (
        role(server, postgres_url, "SELECT") as url,
        pytest.raises(StoreError, match=r"not in the index of words yet.*does not permit that.*db snapshot"),
    ):
        Store(url).index()
    Store(postgres_url).index()
    with role(server, postgres_url, "SELECT") as url:
        assert Store(url).index() == 0


def test_a_reader_without_rights_is_told(postgres_url: str, server: Server) -> None:
    store_calls(postgres_url, a_call())
    with role(server, postgres_url, "REFERENCES") as url:
        assert "does not permit that (permission denied for table recorder_schema)" in refusal(url)


def test_a_lock_that_stays_is_said_and_waited_for(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("recorder.ledger.database._LOCK_TIMEOUT", "SET LOCAL lock_timeout = '20ms'")
    store_calls(postgres_url, a_call())
    failed = threading.Event()

    def pause(failures: int) -> float:
        if failures > 1:
            failed.set()
        return 0.005

    writer = Writer(postgres_url, 64 << 20, pause=pause)
    with open_database(postgres_url).write() as connection:
        connection.execute(text("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE"))
        put = put_calls(writer, 3)
        assert failed.wait(30)
        assert "is locked by another program" in str(writer.last_error)
    assert writer.close(30.0)
    assert len(ids(postgres_url)) == len(put) + 1


def test_a_statement_that_takes_too_long_is_said(postgres_url: str) -> None:
    with pytest.raises(StoreError, match="took too long"), reading_slowly(postgres_url):
        pass


@contextmanager
def reading_slowly(url: str) -> Iterator[None]:
    store_calls(url, a_call())
    with reading(open_database(url)) as connection:
        connection.execute(text("SET LOCAL statement_timeout = '10ms'"))
        connection.execute(text("SELECT pg_sleep(5)"))
        yield


def test_a_server_killed_under_load_loses_and_doubles_nothing(
    own_server: OwnServer, caplog: pytest.LogCaptureFixture
) -> None:
    with own_server.database() as url:
        writer = Writer(url, 64 << 20, pause=lambda failures: 0.02)
        put = put_calls(writer, 3_000)
        while writer.stored < 600:
            threading.Event().wait(0.002)
        own_server.kill()
        assert writer.stored < 3_000
        put += put_calls(writer, 500)
        own_server.start()
        assert writer.close(60.0)
        assert ids(url) == put
        assert (writer.stored, writer.lost) == (len(put), 0)
        assert Store(url).losses() == 0
        assert Store(url).check() == []


def test_a_server_that_comes_late_gets_everything(own_server: OwnServer) -> None:
    with own_server.database() as url:
        own_server.kill()
        writer = Writer(url, 64 << 20, pause=lambda failures: 0.02)
        put = put_calls(writer, 20)
        assert not writer.flush(0.2)
        assert "cannot be reached" in str(writer.last_error)
        own_server.start()
        assert writer.close(30.0)
        assert ids(url) == put


def test_an_answer_lost_after_the_commit_doubles_nothing(postgres_url: str) -> None:
    store_calls(postgres_url, a_call())
    writer = Writer(postgres_url, 64 << 20, pause=lambda failures: 0.005)
    cut = iter([True])

    def commit(connection: Any) -> None:
        if next(cut, False):
            connection.connection.driver_connection.commit()
            connection.connection.driver_connection.close()

    event.listen(Engine, "commit", commit)
    try:
        put = put_calls(writer, 5)
        assert writer.close(30.0)
    finally:
        event.remove(Engine, "commit", commit)
    assert ids(postgres_url)[1:] == put
    assert (writer.stored, writer.lost) == (5, 0)


def test_a_batch_of_known_and_new_rows_adds_the_new_ones(postgres_url: str) -> None:
    known, new = a_call(), a_call()
    store_calls(postgres_url, known)
    store_calls(postgres_url, new, known, new)
    assert ids(postgres_url) == [known.id, new.id]


def test_rows_of_types_that_are_not_copied_are_inserted(postgres_url: str) -> None:
    table = Table("odd", MetaData(), Column("id", Text, primary_key=True), Column("at", DateTime))
    rows = [{"id": str(number), "at": datetime(2026, 1, 1)} for number in range(3)]
    with open_database(postgres_url).write() as connection:
        table.create(connection)
        insert_new(connection, table, "id", rows[:2])
        insert_new(connection, table, "id", rows)
    assert execute(postgres_url, "SELECT count(*) FROM odd") == [(3,)]


def test_calls_that_commit_late_are_not_missed_by_who_follows(postgres_url: str) -> None:
    store_calls(postgres_url, a_call(id="before"))
    with open_database(postgres_url).write() as slow:
        insert_number(slow, 2)
        store = Store(postgres_url)
        store_calls(postgres_url, a_call(id="third"))
        arrivals = store.follow(store.calls(after_seq=0, limit=1)[0]["seq"])
        assert arrivals.next() == []
        with open_database(postgres_url).write() as slower:
            insert_number(slower, 4)
            store_calls(postgres_url, a_call(id="fifth"))
            assert [call["id"] for call in arrivals.next()] == ["fifth"]
        assert [call["id"] for call in arrivals.next()] == ["number 4"]
    store_calls(postgres_url, a_call(id="sixth"))
    assert [call["id"] for call in arrivals.next()] == ["number 2", "sixth"]
    assert arrivals.next() == []


def insert_number(connection: Any, number: int) -> None:
    """What a writer does before it commits."""
    seq = connection.scalar(text("SELECT nextval('calls_seq_seq')"))
    assert seq == number
    connection.execute(
        calls.insert().values(seq=seq, **call_row(a_call(id=f"number {number}"), an_exchange()))
    )


def upgrade_together(url: str, barrier: Any, results: Any) -> None:
    """What another process does: open, wait for the others, upgrade, and tell what it found."""
    database = open_database(url)
    schema.migrations_path()
    barrier.wait(60)
    results.put(schema.upgrade(database))


def test_of_processes_that_upgrade_at_once_one_does_it(postgres_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier, results = spawn.Barrier(4), spawn.SimpleQueue()
    processes = [
        spawn.Process(target=upgrade_together, args=(postgres_url, barrier, results)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    found = Counter(results.get() for _ in processes)
    assert found == {(None, schema.HEAD): 1, (schema.HEAD, schema.HEAD): 3}
    assert Store(postgres_url).check() == []


def write_together(url: str, processes: int, number: int) -> None:
    """Write from many processes that find an empty database, and count."""
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(processes)
    names = [f"p{number}" for number in range(processes)]
    running = [spawn.Process(target=write_many, args=(url, name, number, barrier)) for name in names]
    for process in running:
        process.start()
    for process in running:
        process.join(300)
    assert [process.exitcode for process in running] == [0] * processes
    assert sorted(ids(url)) == sorted(f"{name}-{n}" for name in names for n in range(number))
    assert execute(url, "SELECT count(*) FROM payloads") == [(processes * number,)]
    assert Store(url).losses() == 0


def test_four_processes_write_at_once(postgres_url: str) -> None:
    write_together(postgres_url, 4, 1_000)


@pytest.mark.soak
def test_eight_processes_write_ten_thousand_each(postgres_url: str) -> None:
    write_together(postgres_url, 8, 10_000)


@pytest.mark.soak
def test_a_server_killed_twenty_times_loses_and_doubles_nothing(own_server: OwnServer) -> None:
    with own_server.database() as url:
        writer = Writer(url, 256 << 20, pause=lambda failures: 0.02)
        put: list[str] = []
        for turn in range(20):
            put += put_calls(writer, 1_000 + 137 * turn % 500)
            threading.Event().wait(0.01 * (turn * 7 % 20))
            own_server.kill()
            put += put_calls(writer, 100)
            own_server.start()
        assert writer.close(120.0)
        assert ids(url) == put
        assert Store(url).losses() == 0
        assert Store(url).check() == []


@pytest.mark.soak
def test_draining_is_fast_beside_a_naive_table(postgres_url: str) -> None:
    """Beside a naive table that gets the same bodies as text; measured in turn, so that both meet the same machine."""
    writer = Writer(postgres_url, 256 << 20)
    put_calls(writer, 1)
    assert writer.flush(30.0)
    execute(postgres_url, "CREATE TABLE naive (id text PRIMARY KEY, at float, request text, response text)")
    ours, naive = [], []
    for _ in range(3):
        began = time.perf_counter()
        put_calls(writer, 5_000)
        assert writer.flush(60.0)
        ours.append(5_000 / (time.perf_counter() - began))
        naive.append(insert_naively(postgres_url, 1_000))
    print(f"ours {max(ours):,.0f} calls/s, naive {max(naive):,.0f} calls/s")
    assert max(ours) > 4_000


def insert_naively(url: str, number: int) -> float:
    """Rows a second, each with a commit of its own."""
    import psycopg

    exchange = an_exchange()
    bodies = exchange.request.body.decode(), exchange.body.decode()
    with psycopg.connect(url, autocommit=True) as connection:
        began = time.perf_counter()
        for _ in range(number):
            row = (a_call().id, time.time(), *bodies)
            connection.execute("INSERT INTO naive VALUES (%s, %s, %s, %s)", row)
        return number / (time.perf_counter() - began)
