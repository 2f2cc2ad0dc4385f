"""Pages of calls that bounds of stretches find, against pages of a scan of all calls."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from recorder.call import AnswerHalf, Call, Usage
from recorder.ledger import Store, extremes, paging, stretches
from recorder.ledger.conditions import parse_conditions
from recorder.ledger.copies import CallCopy
from recorder.ledger.database import open_database
from recorder.ledger.ordering import SORTS, Mark, Order, Sort
from recorder.ledger.rows import call_row
from recorder.ledger.sink import Sink
from recorder.ledger.tables import BOUNDED, calls
from recorder.ledger.tables import stretches as kept

from .databases import execute
from .ledger_calls import START_US, a_call, an_exchange, store_calls
from .test_rollups import emptied, many

NUMBERS = st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 9)), min_size=9, max_size=40)
ORDERS = st.builds(Order, st.sampled_from(sorted(SORTS)), st.booleans())
FILTERS: list[dict[str, Any]] = [
    {},
    {"where": parse_conditions(["duration_s>0.000004"])},
    {"since_us": START_US + 9},
    {"since_us": START_US + 3, "until_us": START_US + 20},
]


def a_number_of_calls(numbers: list[tuple[int, int | None]]) -> list[Call]:
    """Calls of so many microseconds and tokens."""
    return [
        a_call(
            started_us=START_US + place,
            duration_ns=1_000 * duration,
            answer=AnswerHalf(
                complete=True,
                usage=None if tokens is None else Usage(tokens, None, None, 9 - tokens),
                first_token_ns=None if tokens is None else 1_000 * tokens,
            ),
        )
        for place, (duration, tokens) in enumerate(numbers)
    ]


def store_in_batches(url: str, some: list[Call]) -> None:
    for start in range(0, len(some), 5):
        store_calls(url, *some[start : start + 5])


def pages(store: Store, order: Order, **filters: Any) -> list[int]:
    """The calls of all pages, one page after the other."""
    found: list[int] = []
    after: Mark | None = None
    while page := store.page(3, order, after=after, **filters):
        found += [call["seq"] for call in page]
        after = (page[-1]["mark"], page[-1]["seq"])
    return found


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (stretches, extremes):
        monkeypatch.setattr(module, "CALLS", 2)
    monkeypatch.setattr(extremes, "_SOME", 2)
    monkeypatch.setattr(extremes, "_MOST", 1.0)


@many
@given(NUMBERS, ORDERS, st.sampled_from(FILTERS))
def test_pages_are_those_of_a_scan(
    sqlite_url: str,
    short_stretches: None,
    numbers: list[tuple[int, int | None]],
    order: Order,
    filters: dict[str, Any],
) -> None:
    emptied(sqlite_url)
    store_in_batches(sqlite_url, a_number_of_calls(numbers))
    found = pages(Store(sqlite_url), order, **filters)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "first_seqs", lambda *asked: None)
        assert found == pages(Store(sqlite_url), order, **filters)


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("sort", ["duration", "first_token", "input"])
@pytest.mark.usefixtures("short_stretches")
def test_few_stretches_are_looked_into(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, sort: Sort, ascending: bool
) -> None:
    store_in_batches(sqlite_url, a_number_of_calls([(number, number % 10) for number in range(40)]))
    monkeypatch.setattr(extremes, "_MOST", 0.1)
    order = Order(sort, ascending)
    with open_database(sqlite_url).read() as connection:
        found = extremes.first_seqs(connection, select, order, None, 1, {})
    assert found is not None
    assert found.seqs == [call["seq"] for call in Store(sqlite_url).page(1, order)]


@pytest.mark.usefixtures("short_stretches")
def test_bounds_are_those_of_the_calls(sqlite_url: str) -> None:
    store_in_batches(
        sqlite_url, a_number_of_calls([(number % 7, number % 5 or None) for number in range(30)])
    )
    assert_within(sqlite_url)
    assert execute(sqlite_url, "SELECT count(*), min(stretch) FROM stretches") == [(15, 0)]


@pytest.mark.usefixtures("short_stretches")
def test_bounds_are_widened_for_what_is_changed(sqlite_url: str) -> None:
    store_in_batches(sqlite_url, a_number_of_calls([(1, 1)] * 12))
    with open_database(sqlite_url).write() as connection:
        connection.execute(calls.update().where(calls.c.seq == 5).values(cost_pico=7, duration_us=0))
        stretches.widen(connection, calls.c.seq.in_([5, 12]))
    assert_within(sqlite_url)
    (page,) = Store(sqlite_url).page(1, Order("cost"))
    assert (page["seq"], page["mark"]) == (5, 7)


@pytest.mark.usefixtures("short_stretches")
def test_bounds_are_found_anew_where_calls_were_changed_by_hand(sqlite_url: str) -> None:
    store_in_batches(sqlite_url, a_number_of_calls([(1, 1)] * 40))
    execute(sqlite_url, "UPDATE calls SET cost_pico = 7, duration_us = 9 WHERE seq = 5")
    Store(sqlite_url).roll_up(rebuild=True)
    assert_within(sqlite_url)
    assert execute(sqlite_url, "SELECT count(*) FROM stretches") == [(20,)]
    for sort in ("cost", "duration"):
        (page,) = Store(sqlite_url).page(1, Order(sort))
        assert page["seq"] == 5


@pytest.mark.usefixtures("short_stretches")
def test_copies_of_calls_have_bounds(sqlite_url: str) -> None:
    exchange = an_exchange()
    sink = Sink(sqlite_url)
    for call in a_number_of_calls([(number, number) for number in range(9)]):
        sink.copy([CallCopy(call_row(call, exchange), exchange)])
    sink.close()
    assert_within(sqlite_url)
    assert execute(sqlite_url, "SELECT count(*) FROM stretches") == [(4,)]


def assert_within(url: str) -> None:
    """No call of a stretch is beyond its bounds."""
    bounds = [of(calls.c[name]) for name in BOUNDED for of in (func.min, func.max)]
    with open_database(url).read() as connection:
        number = stretches.stretch_of(calls.c.seq)
        found = {row[0]: row[1:] for row in connection.execute(select(number, *bounds).group_by(number))}
        for stretch, *known in connection.execute(select(kept)):
            for place in range(0, len(known), 2):
                least, most = found[stretch][place : place + 2]
                assert (least is None and known[place] is None) or known[place] <= least <= most <= known[
                    place + 1
                ]
