"""Pages of calls in any order, on both databases."""

from __future__ import annotations

import pytest

from recorder.call import AnswerHalf, Usage
from recorder.ledger import Store
from recorder.ledger.ordering import SORTS, Order, Sort

from .ledger_calls import a_call, store_calls


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("sort", SORTS)
def test_every_call_comes_once_and_the_unknown_last(url: str, sort: Sort, ascending: bool) -> None:
    halves = [AnswerHalf(complete=True, usage=Usage(number, None, None, number % 3)) for number in range(6)]
    store_calls(
        url, *(a_call(answer=half) for half in halves), *(a_call(answer=AnswerHalf()) for _ in range(5))
    )
    store, order, after, found = Store(url), Order(sort, ascending), None, []
    while page := store.page(2, order, after=after):
        found += page
        after = (page[-1]["mark"], page[-1]["seq"])
    assert len({call["id"] for call in found}) == len(found) == 11
    known = [call["mark"] for call in found if call["mark"] is not None]
    assert known == sorted(known, reverse=not ascending) == [call["mark"] for call in found[: len(known)]]


def test_search_finds_a_text_in_what_names_a_call(url: str) -> None:
    store_calls(url, a_call(session_id="trip-8"), a_call(tags={"feature": "trips"}), a_call())
    store = Store(url)
    assert len(store.page(9, Order(), search="trip")) == 2
    assert len(store.page(9, Order(), search="trip-8")) == 1
    assert store.page(9, Order(), search="%") == []
