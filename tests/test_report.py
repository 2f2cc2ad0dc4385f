"""What reports say, on stores of a few calls; `test_rollups` holds the figures themselves to the calls."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorder.audit import Report, ReportRow, compare, overview, report
from recorder.call import AnswerHalf, Call, CallError, RequestHalf, Usage
from recorder.ledger import Store
from recorder.ledger.conditions import parse_conditions
from recorder.ledger.database import open_database
from recorder.ledger.rollups import restore, withdraw
from recorder.ledger.tables import calls

from .ledger_calls import START_US, a_call, store_calls

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MIDNIGHT_US = START_US // DAY_US * DAY_US


def report_of(url: str, *made: Call, by: tuple[str, ...] = ("model",), **asked: Any) -> Report:
    store_calls(url, *made)
    return report(Store(url), by, **asked)


def serving(model: str | None, asked: str | None = "asked", **changes: Any) -> Call:
    request = RequestHalf("chat", "corp", "model.test", 443, "chat", asked, attempt=changes.pop("attempt", 1))
    answer = AnswerHalf(model=model, usage=changes.pop("usage", None))
    return a_call(request=request, answer=answer, **changes)


def priced(url: str, pico: int, **more: Any) -> None:
    """Let all calls have a cost."""
    everything = calls.c.seq > 0
    with open_database(url).write() as connection:
        withdraw(connection, everything)
        connection.execute(calls.update().values(cost_pico=pico, currency="USD", **more))
        restore(connection, everything)


def keys(found: Report) -> list[tuple[str | None, ...]]:
    return [row.key for row in found.rows]


def test_the_model_is_the_served_one_else_the_requested_one(sqlite_url: str) -> None:
    made = (serving("m", "m"), serving(None, "asked"), serving(None, None))
    assert set(keys(report_of(sqlite_url, *made))) == {("m",), ("asked",), (None,)}


@pytest.mark.parametrize("where", ["model=m", "model!=none", "model^=m"])
@pytest.mark.parametrize("since_us", [None, START_US])
def test_an_empty_name_of_a_model_is_none_in_filters_too(
    sqlite_url: str, where: str, since_us: int | None
) -> None:
    made = (serving("", "m"), serving("", ""), serving(None, None))
    found = report_of(sqlite_url, *made, where=parse_conditions([where]), since_us=since_us)
    assert keys(found) == [("m",)]
    assert found.total.calls == 1


def test_the_model_can_be_filtered_in_that_sense(sqlite_url: str) -> None:
    made = (serving("m", "other"), serving("other", "m"), serving(None, "m"))
    assert report_of(sqlite_url, *made, where={"model": "m"}).total.calls == 2


def test_days_are_those_of_utc_and_in_order(sqlite_url: str) -> None:
    late = int(datetime(2026, 11, 1, 23, 59, 59, tzinfo=UTC).timestamp() * 1e6)
    found = report_of(
        sqlite_url, *(a_call(started_us=at) for at in (late + 1_000_000, late, late)), by=("day",)
    )
    assert [(row.key, row.calls) for row in found.rows] == [(("2026-11-01",), 2), (("2026-11-02",), 1)]


def test_hours_are_those_of_utc(sqlite_url: str) -> None:
    at = int(datetime(2026, 11, 1, 23, 59, 59, tzinfo=UTC).timestamp() * 1e6)
    assert keys(report_of(sqlite_url, a_call(started_us=at), by=("hour",))) == [("2026-11-01 23:00",)]


def test_without_days_the_most_calls_come_first(sqlite_url: str) -> None:
    assert keys(report_of(sqlite_url, serving("m"), serving("b"), serving("b"))) == [("b",), ("m",)]


@pytest.mark.parametrize("by", ["model", "user", "session", "tag:team", "outcome"])
def test_a_limit_leaves_the_groups_with_fewest_calls_out(sqlite_url: str, by: str) -> None:
    made = [
        serving(name, user_id=name, session_id=name, tags={"team": name}, outcome=outcome)
        for name, outcome, number in (("a", "ok", 3), ("b", "error", 2), ("c", "cancelled", 1))
        for _ in range(number)
    ]
    whole = report_of(sqlite_url, *made, by=(by,))
    found = report(Store(sqlite_url), (by,), limit=2)
    assert (found.rows, found.more) == (whole.rows[:2], 1)
    assert found.total == whole.total


def test_tags_are_grouped_by_value(sqlite_url: str) -> None:
    made = [a_call(tags=tags) for tags in ({"team": "x"}, {"team": 7}, {}, {"team": "x"})]
    groups = {row.key: row.calls for row in report_of(sqlite_url, *made, by=("tag:team",)).rows}
    assert groups == {("x",): 2, ("7",): 1, (None,): 1}


def test_all_tags_are_grouped_by_name_and_value(sqlite_url: str) -> None:
    made = [a_call(tags=tags) for tags in ({"team": "x", "a": 1}, {"a": 1}, {})]
    found = report_of(sqlite_url, *made, by=("tag",))
    assert {row.key: row.calls for row in found.rows} == {("team=x",): 1, ("a=1",): 2}
    assert found.total.calls == 3


def test_replayed_calls_are_only_counted(sqlite_url: str) -> None:
    usage = Usage(5)
    store_calls(sqlite_url, serving("m", usage=usage, replayed=True), serving("m"))
    priced(sqlite_url, 7)
    total = report(Store(sqlite_url)).total
    assert (total.calls, total.replayed, total.input_tokens) == (1, 1, None)
    assert (total.cost_pico, total.saved_pico) == ((("USD", 7),), (("USD", 7),))


def test_what_retries_and_cancelled_calls_cost_is_told(sqlite_url: str) -> None:
    store_calls(sqlite_url, serving("m", attempt=2), serving("m", outcome="cancelled"), serving("m"))
    priced(sqlite_url, 5)
    total = report(Store(sqlite_url)).total
    assert (total.retried, total.cancelled) == (1, 1)
    assert total.cost_pico == (("USD", 15),)
    assert total.retried_pico == total.cancelled_pico == (("USD", 5),)


def test_the_cache_hit_rate_is_of_tokens_whose_caching_is_known(sqlite_url: str) -> None:
    made = [serving("m", usage=usage) for usage in (Usage(100, 75), Usage(300, 25), Usage(999), None)]
    assert report_of(sqlite_url, *made).total.cache_hit_rate == 0.25


def test_errors_are_told_by_type_the_most_frequent_first(sqlite_url: str) -> None:
    made = [serving("m", outcome="error", error=CallError(name, "")) for name in ("a", "b", "b")]
    assert report_of(sqlite_url, *made).total.errors_by_type == (("b", 2), ("a", 1))


def test_without_calls_there_is_only_an_empty_total(sqlite_url: str) -> None:
    found = report_of(sqlite_url, a_call(), where={"model": "none"})
    assert found.rows == ()
    assert found.total == ReportRow(key=(), total=True)


@pytest.mark.parametrize("name", ["colour", "tag:", ""])
def test_unknown_groups_are_refused(sqlite_url: str, name: str) -> None:
    with pytest.raises(ValueError, match="known are model"):
        report_of(sqlite_url, a_call(), by=(name,))


def test_a_share_of_errors_is_that_of_the_calls_that_count(sqlite_url: str) -> None:
    made = (a_call(), a_call(outcome="error"), a_call(outcome="error", replayed=True))
    rate = report_of(sqlite_url, *made).total.error_rate
    assert rate is not None
    assert math.isclose(rate, 0.5)


def test_speed_counts_from_the_first_token_where_the_answer_was_streamed(sqlite_url: str) -> None:
    second = 1_000_000_000
    streamed = RequestHalf("chat", "corp", "model.test", 443, "chat", "streamed", stream=True)
    answer = AnswerHalf(usage=Usage(output=201), first_reasoning_ns=2 * second, first_token_ns=5 * second)
    whole = serving("whole", usage=Usage(output=100), duration_ns=4 * second)
    found = report_of(sqlite_url, a_call(request=streamed, answer=answer, duration_ns=4 * second), whole)
    speeds = {row.key: row.tokens_per_s and row.tokens_per_s.p50 for row in found.rows}
    assert speeds == {("streamed",): pytest.approx(100, rel=0.01), ("whole",): pytest.approx(25, rel=0.01)}


def test_a_period_is_kept_to_the_microsecond(sqlite_url: str) -> None:
    moments = [MIDNIGHT_US + offset for offset in (0, 1, HOUR_US - 1, HOUR_US, DAY_US - 1, DAY_US)]
    store_calls(sqlite_url, *(a_call(started_us=at) for at in moments))
    for first, since in enumerate(moments):
        for last, until in enumerate(moments):
            found = report(Store(sqlite_url), (), since, until)
            assert found.total.calls == max(0, last - first)


def test_a_period_is_compared_with_the_one_before(sqlite_url: str) -> None:
    before, now = MIDNIGHT_US - HOUR_US, MIDNIGHT_US
    made = (
        serving("a", started_us=before),
        serving("gone", started_us=before),
        serving("a", started_us=now),
        serving("a", started_us=now + HOUR_US - 1),
        serving("new", started_us=now),
        serving("a", started_us=now - DAY_US),
    )
    store_calls(sqlite_url, *made)
    found = compare(Store(sqlite_url), ("model",), now, now + HOUR_US)
    counts = {
        change.key: tuple(row and row.calls for row in (change.before, change.now)) for change in found.rows
    }
    assert counts == {("a",): (1, 2), ("new",): (None, 1), ("gone",): (1, None)}
    assert found.total.before is not None
    assert found.total.before.calls == 2
    with pytest.raises(ValueError, match="the period before has other days"):
        compare(Store(sqlite_url), ("day",), now, now + HOUR_US)


def test_an_overview_has_a_series_that_adds_up(sqlite_url: str) -> None:
    store_calls(
        sqlite_url, *(serving("ab"[n % 2], started_us=MIDNIGHT_US + n * HOUR_US) for n in range(-3, 10))
    )
    found = overview(Store(sqlite_url), MIDNIGHT_US, MIDNIGHT_US + DAY_US)
    assert (found.step, found.total.calls, found.before.calls) == ("hour", 10, 3)
    assert [row.calls for row in found.series] == [1] * 10
    assert {row.key: row.calls for row in found.models} == {("a",): 5, ("b",): 5}
    assert sum(row.calls for row in found.by_model) == 10


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 10**10), min_size=1, max_size=50))
def test_percentiles_are_at_most_one_percent_off(sqlite_url: str, durations_us: list[int]) -> None:
    store_calls(sqlite_url, a_call())
    everything = calls.c.seq > 0
    with open_database(sqlite_url).write() as connection:
        withdraw(connection, everything)
        connection.exec_driver_sql("DELETE FROM payloads")
        connection.exec_driver_sql("DELETE FROM calls")
    store_calls(sqlite_url, *(a_call(duration_ns=us * 1000) for us in durations_us))
    found = report(Store(sqlite_url)).total.duration_s
    assert found is not None
    for percent in (50, 95, 99):
        exact = sorted(durations_us)[math.ceil(percent * len(durations_us) / 100) - 1] / 1e6
        assert math.isclose(getattr(found, f"p{percent}"), exact, rel_tol=0.01 * (1 + 1e-9))
