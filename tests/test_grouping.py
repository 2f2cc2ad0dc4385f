"""Calls that the database counts, against the same calls counted one by one, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, Select, select

from recorder.call import Call
from recorder.ledger import grouping
from recorder.ledger.counting import tallies
from recorder.ledger.database import Database, open_database
from recorder.ledger.figures import FACT_COLUMNS, Tally
from recorder.ledger.question import fetched
from recorder.ledger.tables import calls
from recorder.ledger.views import model_name

from .ledger_calls import a_call, store_calls
from .test_rollups import CALLS, emptied, many

_c = calls.c
KEYS: list[list[ColumnElement[Any]]] = [[], [_c.user_id], [model_name, _c.session_id], [_c.tags]]
MONEY = st.tuples(
    st.none() | st.integers(0, 10**13),
    st.sampled_from([None, "USD", "CNY"]),
    st.none() | st.integers(0, 10**9),
)


def asking(*columns: ColumnElement[Any]) -> Select[Any]:
    return select(*columns).where(_c.seq > 0)


def plain(tally: Tally) -> tuple[Any, ...]:
    """What a tally has, without what is zero."""
    times = [{index: number for index, number in counts.items() if number} for counts in tally.times]
    return tally.counts, tally.errors, {of: sums for of, sums in tally.money.items() if any(sums)}, times


def assert_counted_alike(database: Database, key: list[ColumnElement[Any]]) -> None:
    with database.read() as connection:
        found = grouping.grouped(connection, asking, key)
        one_by_one = tallies(fetched(connection, asking(*key, *FACT_COLUMNS)), len(key))
    assert {raw: plain(tally) for raw, tally in found.items()} == {
        raw: plain(tally) for raw, tally in one_by_one.items()
    }


def change(database: Database, number: int, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(calls.update().where(_c.seq % 7 == number).values(**values))


@many
@given(
    st.lists(CALLS, max_size=25),
    st.sampled_from(KEYS),
    st.lists(MONEY, max_size=7),
    st.sampled_from([0, 1]),
    st.sampled_from([2, 1_000_000]),
)
def test_the_database_counts_as_one_by_one(
    url: str,
    some: list[Call],
    key: list[ColumnElement[Any]],
    money: list[tuple[Any, ...]],
    stream: int,
    at_once: int,
) -> None:
    database = emptied(url)
    store_calls(url, *some)
    for number, (pico, currency, saved) in enumerate(money):
        change(
            *(database, number), cost_pico=pico, currency=currency, cache_saved_pico=saved, stream=number % 2
        )
    change(database, 3, first_reasoning_us=5_000, stream=stream)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "_AT_ONCE", at_once)
        assert_counted_alike(database, key)


@pytest.mark.parametrize(
    "values", [{"output_tokens": 2**62}, {"input_tokens": 2**62}, {"cost_pico": 2**63 - 1, "currency": "USD"}]
)
def test_what_the_database_cannot_count_to_is_counted_one_by_one(url: str, values: dict[str, int]) -> None:
    store_calls(url, *[a_call() for _ in range(5)])
    database = open_database(url)
    with database.write() as connection:
        connection.execute(calls.update().values(**values))
    assert_counted_alike(database, [_c.user_id])
