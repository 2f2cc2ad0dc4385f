"""Months on PostgreSQL: each row is where it belongs, and none is ever refused."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.cassettes.source import Recorded
from recorder.ids import id_text, new_id
from recorder.ledger import schema
from recorder.ledger.database import open_database
from recorder.ledger.partitions import MonthsAhead, arrange, partition_name, smallest_id
from recorder.ledger.store import Store
from recorder.ledger.writer import Writer

from .databases import Server, execute, with_parts
from .ledger_calls import a_call, an_exchange, put_calls, record, store_calls

NOW = datetime.now(UTC)


def id_at(moment: datetime) -> str:
    return id_text(new_id(int(moment.timestamp() * 1000)))


def months(url: str, table: str = "calls") -> dict[str, int]:
    """The partitions, by name, and how many rows each has."""
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ?::regclass ORDER BY 1"
    names = [name for (name,) in execute(url, query, table)]
    return {name: execute(url, f"SELECT count(*) FROM {name}")[0][0] for name in names}


def next_months(count: int) -> list[str]:
    months = [(NOW.year * 12 + NOW.month - 1 + n) for n in range(count)]
    return [f"calls_{month // 12}_{month % 12 + 1:02}" for month in months]


@given(st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1)))
def test_ids_sort_into_their_months(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    month = date(moment.year, moment.month, 1)
    after = date(moment.year + moment.month // 12, moment.month % 12 + 1, 1)
    assert smallest_id(month) <= id_at(moment) < smallest_id(after)
    assert partition_name("calls", month) == f"calls_{moment:%Y_%m}"


def test_a_new_store_has_this_month_and_the_next_two(postgres_url: str) -> None:
    schema.ensure(open_database(postgres_url))
    assert list(months(postgres_url)) == [*next_months(3), "calls_default"]
    assert [name.replace("payloads", "calls") for name in months(postgres_url, "payloads")] == list(
        months(postgres_url)
    )


def test_rows_go_to_their_month_and_all_others_to_the_default(postgres_url: str) -> None:
    ids = [id_at(NOW), id_at(datetime(2021, 3, 5, tzinfo=UTC)), "no id of ours", "\U0010ffff"]
    store_calls(postgres_url, *(a_call(id=id) for id in ids))
    counts = months(postgres_url)
    assert (counts[next_months(1)[0]], counts["calls_default"]) == (1, 3)
    assert {call["id"] for call in Store(postgres_url).calls()} == set(ids)
    assert Store(postgres_url).exchange("no id of ours") == an_exchange()


def test_upgrading_moves_rows_of_the_past_to_their_months(postgres_url: str) -> None:
    past = [
        datetime(2021, 3, 5, tzinfo=UTC),
        datetime(2021, 3, 31, 23, 59, tzinfo=UTC),
        datetime(2022, 1, 1, tzinfo=UTC),
    ]
    calls = [a_call(id=id_at(moment)) for moment in past]
    store_calls(postgres_url, *calls, a_call(id="no id of ours"))
    before = Store(postgres_url).calls()
    Store(postgres_url).upgrade()
    for table in ("calls", "payloads"):
        counts = months(postgres_url, table)
        assert [counts[f"{table}_{name}"] for name in ("2021_03", "2022_01", "default")] == [2, 1, 1]
    assert Store(postgres_url).calls() == before
    assert Store(postgres_url).check() == []
    store_calls(postgres_url, *calls)
    assert Store(postgres_url).calls() == before


def test_an_older_store_with_calls_becomes_one_of_months(postgres_url: str) -> None:
    database = open_database(postgres_url)
    schema.upgrade(database)
    calls = [a_call(id=id_at(moment)) for moment in (NOW, datetime(2022, 1, 1, tzinfo=UTC))]
    store_calls(postgres_url, *calls)
    store = Store(postgres_url)
    store.cassette("kept").save([Recorded(an_exchange(), call.id) for call in calls])
    before = store.calls()
    schema.downgrade(database, "0002")
    assert execute(postgres_url, "SELECT relkind FROM pg_class WHERE relname = 'calls'") == [("r",)]
    assert schema.upgrade(database) == ("0002", schema.HEAD)
    assert (months(postgres_url)["calls_2022_01"], months(postgres_url)["calls_default"]) == (1, 0)
    assert Store(postgres_url).calls() == before
    assert len(store.cassette("kept").load() or ()) == 2
    store_calls(postgres_url, *calls, a_call())
    assert [call["seq"] for call in store.calls(after_seq=0, newest_first=False)][:2] == [1, 2]
    assert len(store.calls()) == 3
    assert store.check() == []


def test_a_running_writer_makes_months_ahead(postgres_url: str) -> None:
    database = open_database(postgres_url)
    schema.ensure(database)
    seconds, now = [0.0], [NOW]
    ahead = MonthsAhead(lambda: seconds[0], lambda: now[0])
    ahead.keep(database)
    now[0] = datetime(NOW.year + 5, 11, 30, tzinfo=UTC)
    ahead.keep(database)
    assert f"calls_{NOW.year + 5}_11" not in months(postgres_url)
    seconds[0] += 3_600
    ahead.keep(database)
    names = [f"calls_{NOW.year + 5}_11", f"calls_{NOW.year + 5}_12", f"calls_{NOW.year + 6}_01"]
    assert set(names) < set(months(postgres_url))


def test_months_are_made_while_others_write_and_read(postgres_url: str) -> None:
    schema.ensure(open_database(postgres_url))
    writer = Writer(postgres_url, 64 << 20)
    past = [id_at(datetime(2021 + n % 3, 1 + n % 12, 1, tzinfo=UTC)) for n in range(3_000)]
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            Store(postgres_url).calls(limit=5)

    reader = threading.Thread(target=read)
    reader.start()
    for n, id in enumerate(past):
        writer.put(record(a_call(id=id)))
        if n % 1_000 == 500:
            arrange(open_database(postgres_url), NOW)
    assert writer.close(60.0)
    ended.set()
    reader.join()
    arrange(open_database(postgres_url), NOW)
    assert months(postgres_url)["calls_default"] == 0
    assert {call["id"] for call in Store(postgres_url).calls(limit=None)} == set(past)
    assert Store(postgres_url).check() == []


def test_who_may_only_insert_goes_on_without_months(
    postgres_url: str, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    schema.ensure(open_database(postgres_url))
    role = f"writer_{postgres_url.partition('?')[0].rpartition('/')[2]}"
    server.execute(f"CREATE ROLE {role} LOGIN")
    try:
        execute(postgres_url, f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {role}")
        execute(postgres_url, f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
        execute(
            postgres_url,
            f"GRANT UPDATE, DELETE ON rollups, rollup_state, value_numbers, value_counts, stretches TO {role}",
        )
        for name in next_months(3):
            execute(postgres_url, f"DROP TABLE {name}")
        with caplog.at_level(logging.WARNING, "recorder"):
            writer = Writer(with_parts(postgres_url, user=role), 64 << 20)
            put = put_calls(writer, 3)
            assert writer.close(30.0)
        assert {call["id"] for call in Store(postgres_url).calls()} == set(put)
        assert caplog.text.count("have no partitions yet") == 1
        assert "recorder db upgrade" in caplog.text
    finally:
        execute(postgres_url, f"DROP OWNED BY {role}")
        server.execute(f"DROP ROLE {role}")
