"""Rollups against the calls that they are made of, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import false, select

from recorder.audit import Report, report
from recorder.call import AnswerHalf, Call, CallError, RequestHalf, Usage
from recorder.ids import id_text, new_id
from recorder.ledger import PriceList, Retention, Store, cut_rows
from recorder.ledger.cells import HOUR_US, KIND, SINGLE, USER
from recorder.ledger.database import Database, open_database
from recorder.ledger.histogram import decode
from recorder.ledger.retention.erasing import Person
from recorder.ledger.rollups import forget, restore, withdraw
from recorder.ledger.schema import ensure
from recorder.ledger.tables import calls, rollup_state, rollups, value_counts, value_numbers
from recorder.ledger.tallying import tally
from recorder.ledger.value_counts import PART

from .databases import execute
from .ledger_calls import a_call, store_calls

BEGIN = 489_912 * HOUR_US
COUNTS = st.none() | st.integers(0, 5_000)
NAMES = st.sampled_from([None, "a", "b"])
CALLS = st.builds(
    lambda at, model, host, outcome, error, tags, user, session, usage, times, replayed, attempt: a_call(
        started_us=BEGIN + at,
        duration_ns=times[0],
        request=RequestHalf("chat", "deepseek", host, 443, "chat", "asked", stream=True, attempt=attempt),
        answer=AnswerHalf(model=model, usage=usage, first_chunk_ns=times[1], first_token_ns=times[2]),
        outcome=outcome,
        http_status=200,
        error=error and CallError(error, ""),
        tags=tags,
        user_id=user,
        session_id=session,
        replayed=replayed,
    ),
    st.integers(0, 72 * HOUR_US),
    st.sampled_from([None, "deepseek-chat", "deepseek-reasoner", "x" * 400]),
    st.sampled_from(["api.deepseek.com", "model.test"]),
    st.sampled_from(["ok", "ok", "error", "cancelled", "incomplete", "interrupted"]),
    NAMES,
    st.sampled_from([{}, {"team": "x"}, {"team": 7, "more": True}, {"team": None}, {"team": ""}]),
    NAMES,
    NAMES,
    st.none() | st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS),
    st.tuples(st.integers(0, 10**12), st.none() | st.integers(0, 10**11), st.none() | st.integers(0, 10**11)),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([1, 1, 2]),
)
MOMENTS = (
    st.none()
    | st.integers(BEGIN, BEGIN + 72 * HOUR_US)
    | st.integers(0, 72).map(lambda hour: BEGIN + hour * HOUR_US)
)
GROUPS = [
    ("model", "day"),
    ("provider", "host", "hour"),
    ("user", "model"),
    ("session",),
    ("tag:team", "day"),
    ("tag",),
    ("outcome", "error"),
    ("user", "outcome"),
    ("tag:team", "user"),
    ("user", "hour"),
    (),
    ("outcome",),
    ("error", "hour"),
    ("status", "model"),
    ("operation", "day"),
    ("tag:team", "model"),
]
FILTERS: list[dict[str, Any]] = [
    {},
    {"where": {"model": "deepseek-chat"}},
    {"where": {"model": "x" * 400}},
    {"where": {"outcome": "error", "stream": "1"}},
    {"where": {"outcome": "error"}},
    {"where": {"status": "200"}},
    {"where": {"user": "a"}},
    {"where": {"host": "model.test", "session": "b"}},
    {"where": {"input_tokens": "7"}},
    {"tags": {"team": "x"}},
    {"tags": {"team": ""}},
    {"tags": {"team": "7", "more": "true"}},
]
many = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def at_most(cuts: int) -> Iterator[None]:
    """Cells with more cuts than so many have each in a row of its own."""
    with patch.object(cut_rows, "MOST_CUTS", cuts):
        yield


def emptied(url: str) -> Database:
    """The store without calls."""
    database = open_database(url)
    ensure(database)
    with database.write() as connection:
        for table in ("cost_changes", "payloads", "calls", "rollups", "value_counts", "value_numbers"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    return database


def kept(database: Database) -> set[tuple[Any, ...]]:
    with database.read() as connection:
        cells = {(*row[:6], bytes(row[6]), bytes(row[7])) for row in connection.execute(select(rollups))}
        numbers = {number: value for number, _, value in connection.execute(select(value_numbers))}
        counts = {
            (*row[:4], numbers[row[4] * PART + at], kind, number)
            for row in connection.execute(select(value_counts))
            for kind, data in (("calls", row[5]), ("replayed", row[6]))
            for at, number in decode(bytes(data)).items()
        }
        # Numbers are given in the order in which values come, which another time is another one.
        assert {row[4] for row in counts} == set(numbers.values())
        return cells | counts


def assert_kept_is_rebuilt(database: Database) -> None:
    before = kept(database)
    Store(database.url).roll_up(rebuild=True)
    assert kept(database) == before


def from_rows(url: str, *by: str, **filters: Any) -> Report:
    """What the calls themselves say: the rollups are held to lack some."""
    database = open_database(url)
    with database.write() as connection:
        connection.execute(rollup_state.update().values(after_seq=0, upto_seq=2**62))
    try:
        return report(Store(url), by, **filters)
    finally:
        with database.write() as connection:
            connection.execute(rollup_state.update().values(after_seq=0, upto_seq=0))


@many
@given(
    st.lists(CALLS, max_size=12),
    st.lists(CALLS, max_size=12),
    st.integers(0, 24),
    st.integers(0, 10**6),
    st.sampled_from([1, 2, 64]),
)
def test_rollups_kept_equal_rollups_rebuilt(
    url: str, some: list[Call], more: list[Call], number: int, pico: int, cuts: int
) -> None:
    with at_most(cuts):
        change_much(url, some, more, number, pico)
        assert_kept_is_rebuilt(open_database(url))


def change_much(url: str, some: list[Call], more: list[Call], number: int, pico: int) -> None:
    """Store calls, some of them twice, give some another price, and remove some."""
    database = emptied(url)
    store_calls(url, *some)
    store_calls(url, *some[:3], *more, *more[:2])
    ids = [call.id for call in (*some, *more)][:number]
    changed = calls.c.id.in_(ids[::2])
    gone = calls.c.id.in_(ids[::3])
    with database.write() as connection:
        withdraw(connection, changed)
        connection.execute(calls.update().where(changed).values(cost_pico=pico, currency="CNY", outcome="ok"))
        restore(connection, changed)
    with database.write() as connection:
        withdraw(connection, gone)
        for table, key in (("payloads", "call_id"), ("calls", "id")):
            marks = ", ".join(f"'{id}'" for id in ids[::3])
            if marks:
                connection.exec_driver_sql(f"DELETE FROM {table} WHERE {key} IN ({marks})")


@many
@given(
    st.lists(CALLS, max_size=25),
    st.sampled_from(GROUPS),
    st.sampled_from(FILTERS),
    MOMENTS,
    MOMENTS,
    st.sampled_from([1, 2, 64]),
)
def test_rollups_answer_as_the_calls_do(
    url: str,
    some: list[Call],
    by: tuple[str, ...],
    filters: dict[str, Any],
    since_us: int | None,
    until_us: int | None,
    cuts: int,
) -> None:
    emptied(url)
    with at_most(cuts):
        store_calls(url, *some)
    asked: dict[str, Any] = {"since_us": since_us, "until_us": until_us, **filters}
    assert report(Store(url), by, **asked) == from_rows(url, *by, **asked)


@many
@given(
    st.lists(st.tuples(CALLS, st.integers(-50 * HOUR_US, 3 * HOUR_US)), max_size=12),
    st.sampled_from(GROUPS[:2]),
    st.none() | st.integers(-50, 3).map(lambda hour: hour * HOUR_US) | st.integers(-50 * HOUR_US, 0),
)
def test_calls_of_a_clock_that_stood_before_1970_are_in_hours_and_days_of_their_own(
    url: str, some: list[tuple[Call, int]], by: tuple[str, ...], since_us: int | None
) -> None:
    emptied(url)
    store_calls(url, *(replace(call, started_us=at) for call, at in some))
    assert report(Store(url), by, since_us=since_us) == from_rows(url, *by, since_us=since_us)
    days = {row.key[0]: row.calls for row in report(Store(url), ("day",)).rows if row.calls}
    query = "SELECT day, sum(calls) FROM v_calls_daily GROUP BY day"
    assert days == {day: int(calls) for day, calls in execute(url, query)}
    assert_kept_is_rebuilt(open_database(url))


@many
@given(st.lists(CALLS, max_size=25), st.sampled_from(GROUPS[:5]))
def test_totals_equal_the_sum_of_rows_to_the_last_pico_unit(
    url: str, some: list[Call], by: tuple[str, ...]
) -> None:
    emptied(url)
    store_calls(url, *some)
    found = report(Store(url), by)
    rows = [row._asdict() for row in Store(url).iterate_calls(("cost_pico", "replayed", "cache_saved_pico"))]
    live = [row for row in rows if not row["replayed"]]
    for name in ("cost_pico", "cache_saved_pico"):
        exact = sum(row[name] or 0 for row in live)
        assert sum(amount for _, amount in getattr(found.total, name)) == exact
        assert sum(amount for row in found.rows for _, amount in getattr(row, name)) == exact
    assert sum(amount for _, amount in found.total.saved_pico) == sum(
        row["cost_pico"] or 0 for row in rows if row["replayed"]
    )
    assert found.total.calls == len(live)


def test_sums_beyond_64_bits_are_exact(url: str) -> None:
    store_calls(url, *[a_call() for _ in range(5)])
    large = 2**63 - 1
    with open_database(url).write() as connection:
        withdraw(connection, calls.c.seq > 0)
        connection.execute(calls.update().values(cost_pico=large, currency="USD", input_tokens=2**62))
        restore(connection, calls.c.seq > 0)
    total = report(Store(url)).total
    assert total.cost_pico == (("USD", 5 * large),)
    assert total.input_tokens == 5 * 2**62
    assert total == from_rows(url, "model").total


def test_repricing_changes_the_rollups(url: str) -> None:
    usage = Usage(1_000, 800, None, 100)
    request = RequestHalf("chat", "corp", "llm.corp.test", 443, "chat", "m")
    store_calls(url, *[a_call(request=request, answer=AnswerHalf(model="m", usage=usage)) for _ in range(3)])
    prices = PriceList(url)
    rates = {"model": "m", "host": "llm.corp.test", "input": "2", "cached": "0.5", "output": "3"}
    prices.set("m", rates)
    prices.reprice(since_us=None, until_us=None, model=None, dry_run=False, progress=lambda done, total: None)
    total = report(Store(url)).total
    assert total.cost_pico == (("USD", 3 * (200 * 2 + 800 // 2 + 100 * 3) * 10**6),)
    assert total.cache_saved_pico == (("USD", 3 * 800 * 3 * 10**6 // 2),)
    assert_kept_is_rebuilt(open_database(url))


def test_calls_of_an_older_store_are_counted_on_demand(url: str) -> None:
    store_calls(url, *[a_call() for _ in range(7)])
    database = open_database(url)
    with database.write() as connection:
        connection.execute(rollups.delete())
        connection.execute(rollup_state.update().values(after_seq=0, upto_seq=7_000))
    store = Store(url)
    assert not store.rolled_up()
    assert report(store).total.calls == 7
    told: list[tuple[int, int]] = []
    assert store.roll_up(lambda *progress: told.append(progress)) == 7
    assert store.rolled_up()
    assert told == [(7, 7)]
    assert report(store).total.calls == 7


def test_what_comes_in_before_older_calls_are_counted_is_counted_once(url: str) -> None:
    store_calls(url, *[a_call() for _ in range(3)])
    store = Store(url)
    with open_database(url).write() as connection:
        connection.execute(rollups.delete())
        connection.execute(rollup_state.update().values(after_seq=0, upto_seq=4))
    store_calls(url, a_call(), a_call())
    store.roll_up()
    assert report(store).total.calls == 5
    assert_kept_is_rebuilt(open_database(url))


def test_names_of_any_length_have_cells(url: str) -> None:
    long = "\N{GRINNING FACE}" * 450
    store_calls(
        url,
        *(
            a_call(
                request=RequestHalf("chat", long, long, 443, long, long),
                answer=AnswerHalf(model=long + end),
                error=CallError(long, ""),
                user_id=long + end,
                session_id=long,
                tags={long: long + end},
            )
            for end in "ab"
        ),
    )
    found = report(Store(url), ("model", "user"))
    assert [row.calls for row in found.rows] == [1, 1]
    assert found == from_rows(url, "model", "user")
    assert report(Store(url), (), where={"user": long + "a"}).total.calls == 1


def of_models(*numbers: int, **changed: Any) -> list[Call]:
    return [a_call(answer=AnswerHalf(model=f"m-{number}"), **changed) for number in numbers]


def longest_row(database: Database) -> int:
    return max(len(row[-1]) for row in kept(database) if isinstance(row[-1], bytes))


def test_a_call_of_another_model_does_not_write_what_is_kept_of_all_others(url: str) -> None:
    database = emptied(url)
    store_calls(url, *of_models(*range(60), user_id="u"))
    before = longest_row(database)
    for number in range(60, 300, 80):
        store_calls(url, *of_models(*range(number, number + 80), user_id="u"))
    assert longest_row(database) < before
    found = report(Store(url), ("model", "user"))
    assert {row.key: row.calls for row in found.rows} == {(f"m-{number}", "u"): 1 for number in range(300)}
    assert report(Store(url), ("user",)).total == from_rows(url, "user").total
    assert_kept_is_rebuilt(database)


def test_what_was_in_one_row_is_taken_apart_by_the_next_call(url: str) -> None:
    with at_most(1_000):
        store_calls(url, *of_models(*range(100)))
    database = open_database(url)
    store_calls(url, *of_models(7))
    assert_kept_is_rebuilt(database)
    assert report(Store(url), ("model",), where={"model": "m-7"}).total.calls == 2


def test_figures_of_a_name_with_many_models_are_forgotten_and_no_others(url: str) -> None:
    database = emptied(url)
    store_calls(url, *of_models(*range(70), user_id="u\x1fv"))
    others = {row for row in kept(database) if row[0] == USER}
    store_calls(url, *of_models(*range(80), user_id="u"))
    with database.write() as connection:
        forget(connection, USER, "u", false())
    assert {row for row in kept(database) if row[0] == USER} == others


def test_without_users_sessions_and_tags_there_are_no_cells_for_them() -> None:
    row = ("i", 0, "p", "h", None, None, "{}", *[None] * 11, "ok", None, 0, 1, 0, 5, *[None] * 11)
    assert {cell.dimension for cell in tally([row])} == {"", KIND, *SINGLE}


@pytest.mark.parametrize("by", ["outcome", "error", "status", "operation", "tag", "tag:team", "model"])
def test_calls_in_whole_quarters_of_an_hour_are_not_read(url: str, by: str) -> None:
    emptied(url)
    call = a_call(started_us=BEGIN + 40 * 60_000_000, tags={"team": "x"})
    store_calls(url, call)
    since_us = BEGIN + 31 * 60_000_000
    before = report(Store(url), (by,), since_us)
    with open_database(url).write() as connection:
        connection.execute(
            calls.update().values(input_tokens=None, outcome="error", error_type="e", tags="{}")
        )
    assert report(Store(url), (by,), since_us) == before


def test_what_is_pruned_or_erased_is_in_no_sum(url: str) -> None:
    month_us = 31 * 86_400_000_000
    for number in range(6):
        started_us = 1_750_000_000_000_000 + number * month_us
        call = a_call(
            id=id_text(new_id(started_us // 1000)), started_us=started_us, user_id=f"u-{number % 3}"
        )
        store_calls(url, call)
    retention = Retention(url)
    retention.prune(retention.plan(1_750_000_000_000_000 + 2 * month_us + 1, payloads_only=False))
    assert report(Store(url), ()).total.calls == 3
    retention.erase(Person(user="u-0"))
    retention.erase(Person(user="u-1"), keep_numbers=True)
    found = report(Store(url), ("user",))
    assert {row.key: row.calls for row in found.rows} == {(None,): 1, ("u-2",): 1}
    assert_kept_is_rebuilt(open_database(url))


def test_calls_that_were_changed_by_hand_are_counted_anew(url: str) -> None:
    call = a_call()
    store_calls(url, call, a_call())
    database = open_database(url)
    with database.write() as connection:
        connection.execute(calls.update().where(calls.c.id == call.id).values(outcome="error"))
    changed = calls.c.id == call.id
    with database.write() as connection:
        withdraw(connection, changed)
        connection.execute(calls.update().where(changed).values(cost_pico=5, currency="USD"))
        restore(connection, changed)
    assert not Store(url).rolled_up()
    total = report(Store(url), ()).total
    assert (total.calls, total.errors, dict(total.cost_pico)) == (2, 1, {"USD": 5})
    Store(url).roll_up()
    assert_kept_is_rebuilt(database)
