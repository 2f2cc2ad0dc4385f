"""The figures of `audit.report`, against naive ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.audit import ReportRow, report
from recorder.audit.report import percentile
from recorder.ledger import Store

COUNTS = st.none() | st.integers(0, 10_000)
TIMES = st.none() | st.floats(0, 1000)
ROWS = st.fixed_dictionaries(
    {
        "started_us": st.integers(0, 10**15),
        "response_model": st.sampled_from([None, "a", "b"]),
        "request_model": st.sampled_from([None, "a", "c"]),
        "provider": st.sampled_from(["p", "q"]),
        "outcome": st.sampled_from(["ok", "error", "cancelled", "incomplete", "interrupted"]),
        "replayed": st.sampled_from([0, 0, 0, 1]),
        "duration_s": TIMES,
        "first_token_s": TIMES,
        "input_tokens": COUNTS,
        "cached_tokens": COUNTS,
        "output_tokens": COUNTS,
        "reasoning_tokens": COUNTS,
        "cost_pico": COUNTS,
        "currency": st.just("USD"),
        "tags": st.sampled_from(["{}", '{"team":"x"}', '{"team":7}']),
    }
)
OUTCOMES = ("errors", "incomplete", "cancelled", "interrupted")
SUMS = ("calls", "replayed", "without_usage", "without_cost", *OUTCOMES)
TOKENS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
PLAIN: dict[str, Any] = {
    "started_us": 0,
    "response_model": "m",
    "request_model": "m",
    "outcome": "ok",
    "replayed": 0,
    "duration_s": 1.0,
    "tags": "{}",
}


class Rows:
    """A store that is a list."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = rows
        self.where: Mapping[str, Any] = {}

    def iterate_calls(self, columns: Sequence[str], **filters: Any) -> Iterator[tuple[Any, ...]]:
        self.where = filters["where"]
        return (tuple(row.get(name) for name in columns) for row in self.rows)


def report_of(rows: Sequence[Mapping[str, Any]], *by: str, **filters: Any) -> tuple[ReportRow, ...]:
    return report(cast(Store, Rows(rows)), by or ("model",), **filters)


@given(
    st.lists(ROWS, max_size=30), st.sampled_from([("model",), ("day", "provider"), ("tag:team", "model"), ()])
)
def test_totals_equal_the_sum_of_rows(rows: list[dict[str, Any]], by: tuple[str, ...]) -> None:
    *groups, total = report(cast(Store, Rows(rows)), by)
    assert total.total
    assert not any(group.total for group in groups)
    for name in SUMS:
        assert getattr(total, name) == sum(getattr(group, name) for group in groups)
    for name in TOKENS:
        known = [getattr(group, name) for group in groups if getattr(group, name) is not None]
        assert getattr(total, name) == (sum(known) if known else None)
    assert dict(total.cost_pico).get("USD", 0) == sum(dict(group.cost_pico).get("USD", 0) for group in groups)


@given(st.lists(ROWS, max_size=30))
def test_totals_equal_naive_ones(rows: list[dict[str, Any]]) -> None:
    total = report_of(rows)[-1]
    live = [row for row in rows if not row["replayed"]]
    assert total.calls == len(live)
    assert total.replayed == len(rows) - len(live)
    assert total.errors == sum(row["outcome"] == "error" for row in live)
    assert total.without_usage == sum(all(row[name] is None for name in TOKENS) for row in live)
    durations = [row["duration_s"] for row in live if row["duration_s"] is not None]
    assert (total.duration_s is None) == (not durations)
    if total.duration_s is not None:
        assert total.duration_s.p95 == naive_percentile(durations, 95)


@given(st.lists(st.floats(0, 1e9), min_size=1), st.sampled_from([50, 95, 99]))
def test_percentiles_equal_naive_ones(values: list[float], percent: int) -> None:
    assert percentile(sorted(values), percent) == naive_percentile(values, percent)


def naive_percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least so many of a hundred do not exceed."""
    enough = percent * len(values) / 100
    return min(value for value in values if sum(other <= value for other in values) >= enough)


def test_the_model_is_the_served_one_else_the_requested_one() -> None:
    unserved = {**PLAIN, "response_model": None, "request_model": "asked"}
    rows = [PLAIN, unserved, {**unserved, "request_model": None}]
    assert {row.key for row in report_of(rows)[:-1]} == {("m",), ("asked",), (None,)}


def test_the_model_can_be_filtered_in_that_sense() -> None:
    rows = [PLAIN, {**PLAIN, "response_model": "other"}, {**PLAIN, "response_model": None}]
    assert report_of(rows, where={"model": "m"})[-1].calls == 2


def test_days_are_those_of_utc_and_in_order() -> None:
    late = int(datetime(2026, 11, 1, 23, 59, 59, tzinfo=UTC).timestamp() * 1e6)
    rows = [{**PLAIN, "started_us": at} for at in (late + 1_000_000, late, late)]
    days = report_of(rows, "day")[:-1]
    assert [(row.key, row.calls) for row in days] == [(("2026-11-01",), 2), (("2026-11-02",), 1)]


def test_without_days_the_most_calls_come_first() -> None:
    rows = [PLAIN, {**PLAIN, "response_model": "b"}, {**PLAIN, "response_model": "b"}]
    assert [row.key for row in report_of(rows)[:-1]] == [("b",), ("m",)]


def test_tags_are_grouped_by_value() -> None:
    rows = [{**PLAIN, "tags": text} for text in ('{"team":"x"}', '{"team":7}', "{}", '{"team":"x"}')]
    groups = {row.key: row.calls for row in report_of(rows, "tag:team")[:-1]}
    assert groups == {("x",): 2, ("7",): 1, (None,): 1}


def test_replayed_calls_are_only_counted() -> None:
    total = report_of([{**PLAIN, "replayed": 1, "input_tokens": 5}, PLAIN])[-1]
    assert (total.calls, total.replayed, total.input_tokens) == (1, 1, None)


def test_sums_of_a_currency_are_exact() -> None:
    dollars = {**PLAIN, "cost_pico": 10**17 + 1, "currency": "USD"}
    rows = [*[dollars] * 3, {**PLAIN, "cost_pico": 5, "currency": "CNY"}]
    assert report_of(rows)[-1].cost_pico == (("CNY", 5), ("USD", 3 * 10**17 + 3))


def test_without_calls_there_is_only_an_empty_total() -> None:
    (total,) = report_of([])
    assert (total.calls, total.error_rate, total.input_tokens, total.duration_s) == (0, None, None, None)


@pytest.mark.parametrize("name", ["colour", "tag:", ""])
def test_unknown_groups_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="known are model"):
        report_of([], name)


def test_a_share_of_errors_is_that_of_the_calls_that_count() -> None:
    rows = [PLAIN, {**PLAIN, "outcome": "error"}, {**PLAIN, "outcome": "error", "replayed": 1}]
    rate = report_of(rows)[-1].error_rate
    assert rate is not None
    assert math.isclose(rate, 0.5)
