"""What is kept once in a store comes back exactly, on both databases, whoever else writes, collects or upgrades."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import ANY

import pytest
from msgspec.structs import replace

from recorder.exchange import Exchange
from recorder.ledger import schema
from recorder.ledger.content import lease
from recorder.ledger.content.carrying import carry_over
from recorder.ledger.content.collecting import Collected, collect, unreferenced
from recorder.ledger.content.keeping import Keeper
from recorder.ledger.content.reading import Reader
from recorder.ledger.content.renewing import renew_dictionaries
from recorder.ledger.database import open_database
from recorder.ledger.retention import Retention
from recorder.ledger.retention.erasing import Person
from recorder.ledger.sink import Sink
from recorder.ledger.store import Store
from recorder.ledger.url import sqlite_path
from recorder.ledger.writer import Writer

from .conversations import compact, recorded, talk
from .databases import execute
from .ledger_calls import Read, a_call, an_exchange, record

_DICTIONARIES = "SELECT id FROM dictionaries ORDER BY id"


def talked(conversations: int, turns: int, seed: int = 1) -> list[Read]:
    return [
        recorded(number, session, body, said)
        for number, (session, body, said) in enumerate(talk(conversations, turns, seed))
    ]


def stored(url: str, records: Sequence[Read], batch: int = 60) -> None:
    sink = Sink(url)
    for start in range(0, len(records), batch):
        sink.store(records[start : start + batch])
    sink.close()


def exchanges(url: str, records: Sequence[Read]) -> list[Exchange]:
    with open_database(url).read() as connection:
        found = Reader(connection).read([each.call.id for each in records])
        return [found[each.call.id].exchange() for each in records]


def count(url: str, table: str) -> int:
    return int(execute(url, f"SELECT count(*) FROM {table}")[0][0])


def as_they_were(url: str, records: Sequence[Read]) -> bool:
    return exchanges(url, records) == [each.exchange for each in records]


def bytes_a_call(url: str, number: int) -> float:
    path = sqlite_path(url)
    assert path is not None
    execute(url, "PRAGMA wal_checkpoint(TRUNCATE)")
    return os.path.getsize(path) / number


def test_conversations_come_back_as_they_were_and_are_kept_once(url: str) -> None:
    records = talked(10, 20)
    stored(url, records)
    assert as_they_were(url, records)
    # A node a turn; a blob for each question and each answer, and one for what all are told.
    assert (count(url, "nodes"), count(url, "blobs")) == (200, 10 * 20 * 2 + 1)
    assert Store(url).check() == []


def test_storing_again_adds_nothing(url: str) -> None:
    records = talked(3, 4)
    stored(url, records)
    before = count(url, "nodes"), count(url, "blobs"), count(url, "payloads")
    stored(url, [*records, *talked(3, 4)])
    assert (count(url, "nodes"), count(url, "blobs")) == before[:2]
    assert count(url, "payloads") == 2 * before[2]


def test_a_tool_list_and_an_image_are_kept_once(url: str) -> None:
    tools = [{"type": "function", "function": {"name": f"f{n}", "description": "x" * 90}} for n in range(9)]
    image = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "A" * 200_000}}]}
    said = [image, *({"role": "user", "content": f"And {n}? " + "Well, " * 20} for n in range(5))]
    bodies = [compact({"messages": said[: n + 1], "tools": tools}) for n in range(6)]
    records = [record(a_call(), an_exchange(body)) for body in bodies]
    stored(url, records, batch=2)
    assert as_they_were(url, records)
    assert execute(url, "SELECT count(*) FROM blobs WHERE size > 200000") == [(1,)]
    assert count(url, "blobs") == 1 + 1 + 5


def test_long_records_are_blobs_and_come_back(url: str) -> None:
    chunks = tuple(b"data: %d\n\n" % (n * 7919) for n in range(3_000))
    records = [record(a_call(), an_exchange(chunks=chunks, arrivals_ns=tuple(range(3_000))))]
    stored(url, records)
    assert execute(url, "SELECT count(*) FROM payloads WHERE record IS NULL") == [(1,)]
    assert as_they_were(url, records)


def test_new_dictionaries_are_learned_and_the_former_ones_still_read(url: str) -> None:
    records = talked(8, 10)
    stored(url, records)
    assert execute(url, _DICTIONARIES) == [(1,), (2,), (3,), (4,)]
    forms = {form for (form,) in execute(url, "SELECT DISTINCT form FROM blobs")}
    assert forms >= {1, 3}
    assert as_they_were(url, records)


def test_a_store_grows_with_new_text_only(sqlite_url: str) -> None:
    records = talked(50, 40)
    stored(sqlite_url, records[:1_000])
    half = bytes_a_call(sqlite_url, 1)
    stored(sqlite_url, records[1_000:])
    whole = bytes_a_call(sqlite_url, 1)
    assert whole / len(records) < 1_350
    # By then each call sends three times as much.
    assert whole - half < half


@pytest.mark.soak
def test_ten_thousand_calls_of_conversations_take_little_room(sqlite_url: str) -> None:
    records = talked(200, 50)
    stored(sqlite_url, records)
    sent = sum(len(each.exchange.request.body) + len(each.exchange.body) for each in records)
    print(f"sent {sent / 10_000:,.0f} bytes a call, kept {bytes_a_call(sqlite_url, 10_000):,.0f}")
    assert bytes_a_call(sqlite_url, 10_000) <= 1_200
    assert as_they_were(sqlite_url, records[::50])


def test_damage_is_named(url: str) -> None:
    records = talked(1, 3)
    stored(url, records)
    execute(url, "UPDATE nodes SET parent = id WHERE id = 3")
    assert [problem.rpartition(": ")[2] for problem in Store(url).check()] == [
        "node 3 comes before its parent"
    ]
    execute(url, "DELETE FROM blobs WHERE id = (SELECT min(id) FROM blobs)")
    assert [problem.rpartition(": ")[2] for problem in Store(url).check()][:2] == ["blob 1 is missing"] * 2
    execute(url, "DELETE FROM dictionaries")
    assert "is not in the store" in Store(url).check()[0]


def write_turns(url: str, seed: int, barrier: Any) -> None:
    """What another process does: write conversations that all processes have, and some of its own."""
    barrier.wait(60)
    writer = Writer(url, 64 << 20)
    for each in [*talked(5, 15), *talked(3, 5, seed)]:
        writer.put(each)
    if not writer.close(120.0):
        raise SystemExit(str(writer.last_error))


def test_processes_that_say_the_same_at_once_keep_it_once(url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(3)
    running = [spawn.Process(target=write_turns, args=(url, seed, barrier)) for seed in (11, 12, 13)]
    for process in running:
        process.start()
    for process in running:
        process.join(180)
    assert [process.exitcode for process in running] == [0] * 3
    assert count(url, "payloads") == 3 * (75 + 15)
    shared, own = 5 * 15 * 2 + 1, 3 * 5 * 2 + 1
    assert count(url, "blobs") <= shared + 3 * own
    assert Store(url).check() == []


def forgotten(url: str, records: Sequence[Read]) -> None:
    for each in records:
        execute(url, "DELETE FROM payloads WHERE call_id = ?", each.call.id)
        execute(url, "DELETE FROM calls WHERE id = ?", each.call.id)


def test_what_nothing_refers_to_is_collected(url: str) -> None:
    kept, gone = talked(3, 6), talked(3, 6, seed=2)
    stored(url, kept)
    before = count(url, "nodes"), count(url, "blobs")
    stored(url, gone)
    database = open_database(url)
    assert collect(database) == Collected()
    forgotten(url, gone)
    with database.read() as connection:
        expected = unreferenced(connection)
    assert (expected.nodes, expected.blobs) == (18, 18 * 2 + 1)
    assert expected.bytes > 18 * 200
    assert collect(database) == expected
    assert (count(url, "nodes"), count(url, "blobs")) == before
    assert as_they_were(url, kept)


def test_a_writer_never_refers_to_what_was_collected_meanwhile(url: str) -> None:
    records = talked(3, 6)
    database = open_database(url)
    schema.ensure(database)
    keeper = Keeper()
    sink = Sink(url)
    sink.store(records)
    with database.read() as connection:
        prepared = keeper.prepare(connection, [("again", records[-1].exchange)])
    forgotten(url, records)
    assert collect(database).nodes == 18
    with database.write() as connection:
        (row,) = keeper.insert(connection, prepared)
        connection.exec_driver_sql("SELECT 1")
    assert row["node"] in [id for (id,) in execute(url, "SELECT id FROM nodes")]
    again = [Read(each.exchange, replace(each.call, id=f"{each.call.id}-b")) for each in records]
    sink.store(again)
    sink.close()
    assert as_they_were(url, again)


def test_collecting_beside_writers_harms_nobody(url: str) -> None:
    database = open_database(url)
    schema.ensure(database)
    records = talked(6, 12)
    stored(url, records)
    rounds = [[Read(r.exchange, replace(r.call, id=f"{r.call.id}-{n}")) for r in records] for n in range(4)]

    def write(mine: Sequence[Sequence[Read]]) -> None:
        for some in mine:
            stored(url, some, batch=7)

    forgotten(url, records)
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, rounds[n::2]) for n in range(2)]
        while not all(writer.done() for writer in writers):
            collect(open_database(url))
    assert [writer.exception() for writer in writers] == [None, None]
    assert Store(url).check() == []
    assert all(as_they_were(url, some) for some in rounds)
    assert count(url, "used") == 0


def test_a_collection_that_died_is_taken_over(url: str) -> None:
    records = talked(2, 3)
    stored(url, records)
    execute(url, "UPDATE collection SET collector = ?", f"{int(time.time())}-dead")
    stored(url, talked(2, 3, seed=2))
    assert count(url, "used") == 6
    forgotten(url, records)
    assert collect(open_database(url)).nodes == 6
    assert count(url, "used") == 0
    assert execute(url, "SELECT collector FROM collection") == [(None,)]


def die_collecting(url: str) -> None:
    """What a process does that is killed while it collects."""
    collect(open_database(url), progress=lambda done, total: os.kill(os.getpid(), signal.SIGKILL))


def test_writers_stop_taking_notes_for_a_collector_that_was_killed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (talked(2, 3, seed=seed) for seed in (1, 2, 3))
    stored(url, first)
    forgotten(url, first)
    child = multiprocessing.get_context("spawn").Process(target=die_collecting, args=(url,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    stored(url, second)
    assert count(url, "used") == 6
    monkeypatch.setattr(lease, "LEASE_S", -1)
    stored(url, third)
    assert count(url, "used") == 0
    assert execute(url, "SELECT collector FROM collection") == [(None,)]
    assert Store(url).check() == []


def test_a_collector_that_was_taken_for_dead_deletes_nothing_more(url: str) -> None:
    records = talked(2, 3)
    stored(url, records)
    forgotten(url, records)
    database = open_database(url)

    def end(done: int, total: int) -> None:
        with database.write() as connection:
            lease.forget(connection)

    assert collect(database, progress=end) == Collected(nodes=6, bytes=ANY)
    assert count(url, "blobs") > 0


def test_new_dictionaries_take_the_place_of_all_former_ones(url: str) -> None:
    records = talked(8, 10)
    sink = Sink(url)
    sink.store(records[:40])
    steps: list[tuple[int, int]] = []
    renew_dictionaries(open_database(url), lambda done, total: steps.append((done, total)))
    sink.store(records[40:])
    sink.close()
    assert steps[-1][0] == steps[-1][1] > 0
    assert min(execute(url, _DICTIONARIES)) > (2,)
    assert as_they_were(url, records)
    assert Store(url).check() == []


@pytest.fixture
def former(url: str) -> list[Read]:
    """Calls whose payloads have the former form still, as after an upgrade of the tables alone."""
    records = [*talked(10, 30), record(a_call(), an_exchange(b"\x00 no JSON"))]
    stored(url, records)
    database = open_database(url)
    schema.downgrade(database, "0006")
    schema.upgrade(database)
    assert (count(url, "payloads"), count(url, "former_payloads")) == (0, 301)
    return records


def test_payloads_of_the_former_form_are_read_and_carried_over(url: str, former: list[Read]) -> None:
    assert as_they_were(url, former)
    steps: list[tuple[int, int]] = []
    store = Store(url)
    store.upgrade(lambda done, total: steps.append((done, total)))
    assert steps == [(200, 301), (301, 301)]
    assert (count(url, "payloads"), count(url, "former_payloads")) == (301, 0)
    assert as_they_were(url, former)
    assert store.check() == []
    assert count(url, "blobs") <= 10 * 30 * 2 + 1


def test_payloads_of_the_former_form_count_where_something_is_to_be_removed(
    url: str, former: list[Read]
) -> None:
    retention = Retention(url)
    plan = retention.plan(time.time_ns() // 1000, payloads_only=True)
    assert plan.payloads == len(former)
    assert plan.payload_bytes > 100 * len(former)
    held = retention.holdings(Person(session=former[0].call.session_id))
    assert held.payloads == held.calls > 0
    assert retention.prune(plan).payloads == len(former)
    assert count(url, "former_payloads") == 0


def test_carrying_over_can_be_interrupted_and_goes_on(url: str, former: list[Read]) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_over(open_database(url), interrupt)
    assert (count(url, "payloads"), count(url, "former_payloads")) == (200, 101)
    stored(url, talked(1, 2, seed=3))
    assert as_they_were(url, former)
    assert Store(url).check() == []
    assert carry_over(open_database(url)) == 101
    assert as_they_were(url, former)


def test_what_is_damaged_stays_in_the_former_form(url: str, former: list[Read]) -> None:
    execute(url, "UPDATE former_payloads SET request_headers = ? WHERE call_id = ?", b"", former[0].call.id)
    assert carry_over(open_database(url)) == 300
    assert count(url, "former_payloads") == 1
    assert carry_over(open_database(url)) == 0
    (problem,) = Store(url).check()
    assert former[0].call.id in problem


def test_sizes_tell_what_keeping_once_saves(url: str) -> None:
    records = talked(10, 20)
    stored(url, records)
    measured = Store(url).sizes()
    sent = sum(len(each.exchange.request.body) + len(each.exchange.body) for each in records)
    assert measured.sent == sent
    assert [part.name for part in measured.parts][:3] == ["calls", "payloads", "blobs"]
    assert [part.rows for part in measured.parts][:3] == [200, 200, 401]
    assert measured.ratio is not None
    assert measured.ratio > 3
    path = sqlite_path(url)
    if path is not None:
        execute(url, "PRAGMA wal_checkpoint(TRUNCATE)")
        assert measured.total == os.path.getsize(path)
