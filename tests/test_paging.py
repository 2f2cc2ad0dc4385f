"""Pages of calls in any order against all calls sorted here, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Select

from recorder.call import Call
from recorder.ledger import Store, extremes, listing, paging, stretches
from recorder.ledger.conditions import parse_conditions
from recorder.ledger.database import open_database
from recorder.ledger.ordering import SORTS, Mark, Order, Sort
from recorder.ledger.rollups import clear
from recorder.ledger.schema import downgrade, upgrade

from .databases import execute
from .ledger_calls import store_calls
from .test_rollups import BEGIN, CALLS, emptied, many
from .test_stretches import a_number_of_calls, assert_within

ORDERS = st.builds(Order, st.sampled_from(sorted(SORTS)), st.booleans())
VALUES = {
    "start": "started_us",
    "duration": "duration_s",
    "first_token": "first_token_s",
    "cost": "cost",
    "input": "input_tokens",
    "output": "output_tokens",
}
FILTERS: list[dict[str, Any]] = [
    {},
    {"since_us": BEGIN + 3_600_000_000, "until_us": BEGIN + 200_000_000_000},
    {"tags": {"team": "x"}},
    *(
        {"where": parse_conditions(texts)}
        for texts in (
            ["outcome=error"],
            ["outcome=ok"],
            ["outcome=interrupted", "host=model.test"],
            ["model=deepseek-chat"],
            ["model=nobody"],
            ["user_id=a"],
            ["cost=none"],
            ["cost>0.001"],
            ["cost_usd<=0.001", "duration_s>=0.0000005"],
            ["input_tokens<2000", "replayed=0"],
            ["output_tokens=0"],
            ["error_type!=none"],
        )
    ),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def short(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of stretches of two calls, into a few of which is looked at a time."""
    kinds = {"sqlite": "sqlite_url", "postgresql": "made_postgres_url"}
    for module in (stretches, extremes):
        monkeypatch.setattr(module, "CALLS", 2)
    monkeypatch.setattr(extremes, "_SOME", 2)
    monkeypatch.setattr(extremes, "_MOST", 1.0)
    monkeypatch.setattr(paging, "_FIRST_LOOK", 3)
    found: str = request.getfixturevalue(kinds[request.param])
    return found


def pages(store: Store, order: Order, size: int, **filters: Any) -> list[int]:
    """The calls of all pages, one page after the other."""
    found: list[int] = []
    after: Mark | None = None
    while page := store.page(size, order, after=after, **filters):
        found += [call["seq"] for call in page]
        after = (page[-1]["mark"], page[-1]["seq"])
    return found


def in_order(store: Store, order: Order, **filters: Any) -> list[int]:
    """The same calls, sorted here: the unknown are the last, and of the same the newest come first, or the oldest."""
    rows = store.calls(limit=None, **filters)
    sign = 1 if order.ascending else -1

    def place(row: dict[str, Any]) -> tuple[bool, float, int]:
        value = row[VALUES[order.sort]]
        return value is None, sign * (value or 0), sign * row["seq"]

    return [row["seq"] for row in sorted(rows, key=place)]


@many
@given(st.lists(CALLS, max_size=30), ORDERS, st.sampled_from(FILTERS), st.integers(1, 7))
def test_pages_are_all_calls_sorted(
    short: str, some: list[Call], order: Order, filters: dict[str, Any], size: int
) -> None:
    emptied(short)
    for start in range(0, len(some), 7):
        store_calls(short, *some[start : start + 7])
    store = Store(short)
    assert pages(store, order, size, **filters) == in_order(store, order, **filters)


@many
@given(st.lists(CALLS, max_size=30), st.sampled_from(FILTERS), st.integers(1, 7))
def test_pages_of_a_list_are_all_of_it(
    short: str, some: list[Call], filters: dict[str, Any], size: int
) -> None:
    emptied(short)
    for start in range(0, len(some), 7):
        store_calls(short, *some[start : start + 7])
    store = Store(short)
    whole = store.calls(limit=None, **filters)
    found: list[dict[str, Any]] = []
    before = None
    while page := store.calls(limit=size, before=before, **filters):
        found += page
        before = store.place(page[-1]["id"])
    assert found == whole
    assert store.calls(limit=size, newest_first=False, **filters) == whole[::-1][:size]


@pytest.mark.parametrize("sort", ["duration", "cost", "input"])
def test_pages_are_right_while_calls_wait_to_be_counted(short: str, sort: Sort) -> None:
    store_calls(short, *a_number_of_calls([(number % 5, number % 7 or None) for number in range(20)]))
    clear(open_database(short))
    execute(short, "UPDATE calls SET duration_us = 99, cost_pico = 99, input_tokens = 99 WHERE seq = 5")
    store, order = Store(short), Order(sort)
    assert pages(store, order, 3) == in_order(store, order)
    store.roll_up()
    assert pages(store, order, 3) == in_order(store, order)
    assert store.page(1, order)[0]["seq"] == 5


@pytest.mark.parametrize("sort", ["start", "duration"])
def test_a_long_page_has_all_calls(short: str, monkeypatch: pytest.MonkeyPatch, sort: Sort) -> None:
    monkeypatch.setattr(paging, "_LONGEST", 5)
    store_calls(short, *a_number_of_calls([(number % 5, number) for number in range(20)]))
    store, order = Store(short), Order(sort)
    filters = {"where": parse_conditions(["duration_s>0.000001"])}
    assert pages(store, order, 6, **filters) == in_order(store, order, **filters)


def test_bounds_hold_what_is_stored(short: str) -> None:
    for _ in range(3):
        store_calls(short, *a_number_of_calls([(number % 7, number % 5 or None) for number in range(9)]))
    assert_within(short)
    assert execute(short, "SELECT count(*) FROM stretches")[0][0] in (13, 14)


def test_a_migration_finds_the_bounds_of_calls_that_are_there(url: str) -> None:
    store_calls(url, *a_number_of_calls([(number % 9, number % 5 or None) for number in range(150)]))
    for target in ("0011", "head"):
        (downgrade if target == "0011" else upgrade)(open_database(url), target)
    assert_within(url)
    assert [row[0] for row in execute(url, "SELECT stretch FROM stretches ORDER BY 1")][:2] == [0, 1]
    store, order = Store(url), Order("duration")
    assert pages(store, order, 40) == in_order(store, order)


def test_few_stretches_are_looked_into_for_a_condition_on_a_number(
    short: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_calls(short, *a_number_of_calls([(number, 1) for number in range(60)]))
    monkeypatch.setattr(extremes, "_MOST", 0.0)
    looked: list[int] = []
    look = extremes._look

    def noted(connection: Connection, asked: Any, some: Sequence[int]) -> list[tuple[int, int]]:
        looked.extend(some)
        return look(connection, asked, some)

    monkeypatch.setattr(extremes, "_look", noted)
    found = Store(short).page(9, Order("input"), where=parse_conditions(["duration_s>=0.000058"]))
    assert len(found) == 2
    assert len(looked) <= 4


def test_nobody_looks_through_all_calls_for_what_no_call_has(
    short: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_calls(short, *a_number_of_calls([(1, 1)] * 60))
    # Whatever is asked of all calls is asked by this.
    monkeypatch.setattr(paging, "_numbers", None)
    assert Store(short).page(5, Order("input"), where=parse_conditions(["model=nobody"])) == []


def test_a_list_of_calls_that_are_not_there_does_not_look_at_all_others(
    short: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_calls(short, *a_number_of_calls([(1, 1)] * 60))
    rows = listing._rows
    queries: list[str] = []

    def noted(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
        queries.append(str(query))
        return rows(connection, query)

    monkeypatch.setattr(listing, "_rows", noted)
    assert Store(short).calls(limit=9, where=parse_conditions(["model=nobody"])) == []
    assert ["OFFSET" in query for query in queries] == [True]
