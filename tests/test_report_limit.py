"""Reports of the largest groups only, against reports of all groups."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.audit import compare, report
from recorder.call import Call
from recorder.ledger import (
    Retention,
    Store,
    answers,
    answers_of_rollups,
    leading,
    reading_cells,
    value_counts,
)
from recorder.ledger.conditions import parse_conditions
from recorder.ledger.retention.erasing import Person

from .ledger_calls import START_US, a_call, store_calls
from .test_rollups import CALLS, MOMENTS, emptied, many

DAY_US = 86_400_000_000
HOUR_US = DAY_US // 24


def store_some(url: str) -> Store:
    """Users with many ties, some calls without one, some that were replayed, over three months."""
    calls = [
        a_call(
            user_id=None if number % 7 == 0 else ("Ünal", "zoe", "Zoe", "a", "b")[number * number % 5],
            session_id=f"s-{number % 9}",
            replayed=number % 11 == 0,
            outcome="error" if number % 4 == 0 else "ok",
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


@many
@given(
    st.lists(CALLS, max_size=25),
    st.sampled_from(
        [
            *(("user",), ("session",), ("tag:team",), ("session", "day"), ("host",)),
            *(("user", "model"), ("host", "user"), ("session", "model")),
        ]
    ),
    st.tuples(MOMENTS, MOMENTS),
    st.sampled_from([{}, {}, {"model": "deepseek-chat"}]),
    st.integers(1, 4),
)
def test_the_first_groups_of_any_period_are_the_first_of_all(
    url: str,
    some: list[Call],
    by: tuple[str, ...],
    period: tuple[int | None, int | None],
    where: dict[str, str],
    limit: int,
) -> None:
    emptied(url)
    store_calls(url, *some)
    store = Store(url)
    whole, found = (report(store, by, *period, where, limit=most) for most in (None, limit))
    assert found.rows == whole.rows[:limit]
    assert (found.more, found.total) == (max(0, len(whole.rows) - limit), whole.total)


@pytest.mark.parametrize("by", ["user", "session"])
@pytest.mark.parametrize("cut_us", [HOUR_US // 3, HOUR_US * 2 // 3])
def test_the_largest_groups_of_a_period_that_cuts_an_hour_are_the_first_of_all(
    url: str, by: str, cut_us: int
) -> None:
    hour_us = START_US // HOUR_US * HOUR_US
    names = ["Ünal", "zoe", "Zoe", None]
    store_calls(
        url,
        *[
            a_call(
                user_id=names[number % 4],
                session_id=names[number % 3],
                started_us=hour_us + number * HOUR_US // 10,
            )
            for number in range(40)
        ],
    )
    for since_us, until_us in ((hour_us + cut_us, None), (None, hour_us + 3 * HOUR_US + cut_us)):
        whole, found = (report(Store(url), (by,), since_us, until_us, limit=limit) for limit in (None, 2))
        assert (found.rows, found.total, found.more) == (whole.rows[:2], whole.total, len(whole.rows) - 2)


@pytest.mark.parametrize("alike", [0, 2_000])
@pytest.mark.parametrize("by", [("user",), ("session",), ("user", "model")])
def test_the_largest_of_many_groups_of_a_period_are_found_part_by_part(
    url: str, monkeypatch: pytest.MonkeyPatch, by: tuple[str, ...], alike: int
) -> None:
    for module in (value_counts, leading):
        monkeypatch.setattr(module, "PART", 4)
    monkeypatch.setattr(leading, "_MOST_ALIKE", alike)
    numbers = [*range(40), *range(0, 40, 3), *range(0, 40, 5), *[3] * 300]
    store_calls(
        url,
        *[
            a_call(
                user_id=f"u-{number}",
                session_id=f"s-{number}",
                replayed=number % 7 == 0,
                started_us=START_US + place % 50 * HOUR_US,
            )
            for place, number in enumerate(numbers)
        ],
    )
    store = Store(url)
    period = START_US + HOUR_US, START_US + 47 * HOUR_US + 7
    whole = report(store, by, *period)
    for limit in (1, 5, 10, 39):
        found = report(store, by, *period, limit=limit)
        assert (found.rows, found.more) == (whole.rows[:limit], max(0, len(whole.rows) - limit))


def test_sessions_that_went_on_before_a_period_have_only_their_calls_in_it(url: str) -> None:
    starts = {"a": (0, 5), "b": (5, 6), "c": (4, 5, 6)}
    store_calls(
        url,
        *[
            a_call(session_id=name, started_us=START_US + hour * HOUR_US)
            for name, hours in starts.items()
            for hour in hours
        ],
    )
    found = report(Store(url), ("session",), START_US + 5 * HOUR_US - 1, limit=2)
    assert [(row.key, row.calls) for row in found.rows] == [(("b",), 2), (("c",), 2)]
    assert (found.more, found.total.calls) == (1, 5)


def test_very_many_sessions_of_a_period_are_the_first_of_all(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_cells, "MOST_NAMED", 3)
    monkeypatch.setattr(answers_of_rollups, "MOST_NAMED", 3)
    calls = [a_call(session_id=f"s-{number}", started_us=START_US + number * HOUR_US) for number in range(9)]
    store_calls(url, *calls)
    store, since_us = Store(url), START_US + 2 * HOUR_US
    whole = report(store, ("session",), since_us)
    for limit in (3, 5):
        assert report(store, ("session",), since_us, limit=limit).rows == whole.rows[:limit]


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


@pytest.mark.parametrize(
    "where",
    [
        *(["duration_s>0", "session_id!=s-3"], ["stream=0"], ["session_id=s-4"]),
        ["outcome=error", "duration_s>0"],
    ],
)
@pytest.mark.parametrize(
    "by",
    [
        *(("user",), ("session",), ("user", "model"), ("session", "user"), ("tag:a", "session")),
        *(("day", "user"), ("user", "hour"), ("session", "day")),
    ],
)
def test_the_largest_of_many_are_found_among_the_calls_too(
    url: str, monkeypatch: pytest.MonkeyPatch, by: tuple[str, ...], where: list[str]
) -> None:
    store = store_some(url)
    conditions = parse_conditions(where)
    since_us, until_us = START_US + DAY_US // 2, START_US + 5 * DAY_US + 1
    periods: list[dict[str, int]] = [{}, {"since_us": since_us, "until_us": until_us}]
    for name in ("_MANY", "_MANY_IN_TIME"):
        monkeypatch.setattr(answers, name, 1)
    for period in periods:
        assert_the_first_are_those_of_all(store, monkeypatch, by, where=conditions, **period)


def assert_the_first_are_those_of_all(
    store: Store, monkeypatch: pytest.MonkeyPatch, by: tuple[str, ...], **asked: Any
) -> None:
    """However few groups are shown, and of however few calls."""
    whole = report(store, by, **asked)
    for few_calls, limit in ((0, 1), (0, 3), (20_000, 3), (20_000, 20)):
        monkeypatch.setattr(answers, "_FEW_CALLS", few_calls)
        found = report(store, by, **asked, limit=limit)
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


@pytest.mark.parametrize("where", [[], ["user_id!=none"], ["duration_s>0", "session_id!=s-3"]])
@pytest.mark.parametrize("by", [("user",), ("session",), ("model",), ("user", "model"), ("tag:team",)])
def test_the_first_groups_of_a_comparison_are_the_first_of_all(
    url: str, by: tuple[str, ...], where: list[str]
) -> None:
    store = store_some(url)
    period = START_US + 21 * DAY_US + 7, START_US + 42 * DAY_US + 11
    conditions = parse_conditions(where)
    whole = compare(store, by, *period, conditions)
    for limit in (0, 1, 3, 20):
        found = compare(store, by, *period, conditions, limit=limit)
        assert found.rows == whole.rows[:limit]
        assert (found.more, found.total) == (max(0, len(whole.rows) - limit), whole.total)


@many
@given(
    st.lists(CALLS, max_size=25),
    st.sampled_from([("user",), ("session",), ("tag:team",), ("user", "model"), ("host", "user")]),
    st.tuples(MOMENTS, MOMENTS),
    st.sampled_from([{}, {}, {"model": "deepseek-chat"}]),
    st.integers(1, 4),
)
def test_the_first_groups_of_two_periods_are_the_first_of_two_reports(
    url: str,
    some: list[Call],
    by: tuple[str, ...],
    period: tuple[int | None, int | None],
    where: dict[str, str],
    limit: int,
) -> None:
    emptied(url)
    store_calls(url, *some)
    store = Store(url)
    since_us, until_us = sorted(moment or START_US for moment in period)
    found = compare(store, by, since_us, until_us, where, limit=limit)
    now = report(store, by, since_us, until_us, where)
    before = report(store, by, found.before_us, since_us, where)
    keys = [row.key for row in now.rows] + [row.key for row in before.rows]
    expected = list(dict.fromkeys(keys))
    assert [change.key for change in found.rows] == expected[:limit]
    assert found.more == max(0, len(expected) - limit)
    rows = [{row.key: row for row in each.rows} for each in (now, before)]
    assert [(each.now, each.before) for each in found.rows] == [
        (rows[0].get(key), rows[1].get(key)) for key in expected[:limit]
    ]
    assert (found.total.now, found.total.before) == (now.total, before.total)


@pytest.mark.parametrize("by", [("user",), ("session",), ("user", "model"), ("outcome",)])
def test_a_comparison_is_two_reports(url: str, by: tuple[str, ...]) -> None:
    store = store_some(url)
    before_us, since_us, until_us = (START_US + days * DAY_US + 5 for days in (8, 30, 52))
    found = compare(store, by, since_us, until_us, limit=100)
    now, before = report(store, by, since_us, until_us), report(store, by, before_us, since_us)
    assert tuple(change.now for change in found.rows if change.now is not None) == now.rows
    rows = {row.key: row for row in before.rows}
    assert {change.key: change.before for change in found.rows if change.before is not None} == rows
    assert (found.total.now, found.total.before) == (now.total, before.total)


def test_groups_are_counted_where_none_is_shown(url: str) -> None:
    store_calls(url, a_call(session_id="a"), a_call(session_id="b"))
    assert report(Store(url), ("session",), START_US - DAY_US, limit=0).more == 2
