"""Reports of the largest groups only, against reports of all groups."""

from __future__ import annotations

from typing import Any

import pytest

from recorder.audit import report
from recorder.ledger import Retention, Store, answers
from recorder.ledger.conditions import parse_conditions
from recorder.ledger.retention.erasing import Person

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


@pytest.mark.parametrize(
    "by",
    [
        ("day",),
        ("hour",),
        ("user", "day"),
        ("day", "user"),
        ("model", "day"),
        ("day", "session"),
        ("tag", "day"),
    ],
)
def test_the_first_groups_in_time_are_the_first_of_all(url: str, by: tuple[str, ...]) -> None:
    store = store_some(url)
    for asked in ({}, {"since_us": START_US + 3 * DAY_US}, {"where": {"user": "zoe"}}):
        whole = report(store, by, **asked)
        for limit in (1, 4, 30):
            found = report(store, by, limit=limit, **asked)
            assert found.rows == whole.rows[:limit]
            assert (found.more, found.total) == (max(0, len(whole.rows) - limit), whole.total)


@pytest.mark.parametrize("by", ["user", "session"])
def test_the_largest_of_many_are_found_among_the_calls_too(
    url: str, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    store = store_some(url)
    where = parse_conditions(["duration_s>0", "session_id!=s-3"])
    whole = report(store, (by,), where=where)
    monkeypatch.setattr(answers, "_MANY", 1)
    for limit in (1, 3, 20):
        found = report(store, (by,), where=where, limit=limit)
        assert found.rows == whole.rows[:limit]
        assert (found.more, found.total) == (max(0, len(whole.rows) - limit), whole.total)


def test_groups_that_are_left_out_are_no_more_when_their_calls_are_gone(url: str) -> None:
    store = store_some(url)
    before = report(store, ("session",), limit=2)
    Retention(url).erase(Person(session="s-4"))
    Retention(url).erase(Person(session="s-5"), keep_numbers=True)
    after = report(store, ("session",), limit=2)
    assert (before.more, after.more) == (7, 6)  # eight are left, and calls without a session
    assert after.total.calls + after.total.replayed == before.total.calls + before.total.replayed - 5
