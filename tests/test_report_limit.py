"""Reports of the largest groups only, against reports of all groups."""

from __future__ import annotations

from typing import Any

import pytest

from recorder.audit import report
from recorder.ledger import Store

from .ledger_calls import START_US, a_call, store_calls

DAY_US = 86_400_000_000


def store_some(url: str) -> Store:
    """Users with many ties, some calls without one, some that were replayed, over three months."""
    calls = [
        a_call(
            user_id=None if number % 7 == 0 else ("Ünal", "zoe", "Zoe", "a", "b")[number * number % 5],
            session_id=f"s-{number % 9}",
            replayed=number % 11 == 0,
            started_us=START_US + number * DAY_US * 2,
        )
        for number in range(45)
    ]
    store_calls(url, *calls)
    return Store(url)


@pytest.mark.parametrize("asked", [{}, {"since_us": START_US + 9 * DAY_US}, {"where": {"model": "small-1"}}])
@pytest.mark.parametrize("by", ["user", "session"])
def test_the_largest_groups_are_the_first_of_all(url: str, by: str, asked: dict[str, Any]) -> None:
    store = store_some(url)
    whole = report(store, (by,), **asked)
    for limit in (1, 3, 5, 20):
        found = report(store, (by,), limit=limit, **asked)
        assert found.rows == whole.rows[:limit]
        assert found.more == max(0, len(whole.rows) - limit)
        assert found.total == whole.total
