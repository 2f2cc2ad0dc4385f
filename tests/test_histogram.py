"""Histograms against the values that they are made of."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from recorder.ledger.buckets import ACCURACY, bucket, count_buckets, middle
from recorder.ledger.histogram import added, decode, encode
from recorder.ledger.histogram_sum import Sum

TIMES = st.integers(1, 10**9) | st.integers(1, 2**63 - 1)
VALUES = st.lists(TIMES | st.just(0), max_size=60) | st.lists(st.integers(10**6, 2 * 10**6), max_size=600)


def of(values: Sequence[int]) -> bytes:
    return encode(Counter(map(bucket, values)))


@given(TIMES)
def test_a_bucket_is_at_most_one_percent_off(value: int) -> None:
    assert math.isclose(middle(bucket(value)), value, rel_tol=ACCURACY * (1 + 1e-9))


@given(st.integers(-(2**63), 0))
def test_what_is_no_time_has_a_bucket_of_its_own(value: int) -> None:
    assert middle(bucket(value)) == 0


@given(st.lists(TIMES, min_size=1, max_size=300), st.sampled_from([1, 50, 95, 99, 100]))
def test_percentiles_are_at_most_one_percent_off(values: list[int], percent: int) -> None:
    summed = Sum()
    summed.add(of(values))
    found = (summed.percentiles([percent]) or [0])[0]
    exact = sorted(values)[math.ceil(percent * len(values) / 100) - 1]
    assert math.isclose(found, exact, rel_tol=ACCURACY * (1 + 1e-9))


@given(VALUES)
def test_what_is_encoded_can_be_decoded(values: list[int]) -> None:
    assert decode(of(values)) == Counter(map(bucket, values))


@given(VALUES, VALUES)
def test_adding_histograms_is_adding_their_values(some: list[int], more: list[int]) -> None:
    assert added(of(some), Counter(map(bucket, more))) == of(some + more)


@given(VALUES, VALUES)
def test_taking_away_undoes_adding(some: list[int], more: list[int]) -> None:
    assert added(of(some + more), Counter(map(bucket, more)), -1) == of(some)


@given(st.lists(VALUES, max_size=5))
def test_sums_are_those_of_all_values(parts: list[list[int]]) -> None:
    summed, whole = Sum(), Sum()
    for part in parts:
        summed.add(of(part))
    whole.add(of([value for part in parts for value in part]))
    assert summed.counts() == whole.counts()
    assert summed.percentiles([50, 99]) == whole.percentiles([50, 99])


@given(VALUES, VALUES)
def test_sums_can_be_added_and_parts_taken_away(some: list[int], more: list[int]) -> None:
    summed, whole = Sum(), Sum()
    summed.add(of(more))
    whole.add(of(some))
    whole.add_sum(summed)
    whole.add(of(more), -1)
    assert whole.counts() == Counter(map(bucket, some))


@given(VALUES, VALUES, st.integers(1, 300))
def test_parts_can_be_taken_away_from_what_has_them(some: list[int], more: list[int], times: int) -> None:
    summed = Sum()
    for data, sign in ((of((some + more) * times), 1), (of(more * times), -1), (of(more), 1)):
        summed.add(data, sign)
    buckets, counts = summed.in_order()
    assert list(buckets) == sorted(buckets)
    kept = {index: count for index, count in zip(buckets, counts, strict=True) if count}
    assert kept == summed.counts() == Counter(map(bucket, some * times + more))


@given(st.integers(1, 2**40))
def test_counts_may_be_large(count: int) -> None:
    counts = dict.fromkeys(range(700, 710), count)
    summed = Sum()
    for _ in range(3):
        summed.add(encode(counts))
    assert summed.counts() == dict.fromkeys(counts, 3 * count)


def test_without_values_there_are_no_percentiles() -> None:
    assert Sum().percentiles([50]) is None
    assert encode({}) == b""


@given(st.lists(st.integers(-3, 2**46) | TIMES, max_size=50))
def test_buckets_of_many_values_are_those_of_each(values: list[int]) -> None:
    counts: Counter[int] = Counter()
    count_buckets(values, counts)
    assert counts == Counter(bucket(value) - 1 for value in values)
