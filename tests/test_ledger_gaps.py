from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recorder.ledger.gaps import LATE_S, Gaps


@given(st.lists(st.sets(st.integers(1, 40)), max_size=10))
def test_every_number_is_found_once_in_whatever_order_they_appear(batches: list[set[int]]) -> None:
    gaps, found, there = Gaps(), list[int](), set[int]()
    for batch in batches:
        there |= batch
        ranges = gaps.open(0.0)
        new = [n for n in there if n > gaps.highest or any(first <= n <= last for first, last in ranges)]
        gaps.see(new, 0.0)
        found += new
    assert sorted(found) == sorted(there)


def test_missing_numbers_are_looked_for_a_while() -> None:
    gaps = Gaps(10)
    gaps.see([12, 15], 0.0)
    assert gaps.open(1.0) == [(11, 11), (13, 14)]
    gaps.see([14], 1.0)
    assert gaps.open(LATE_S - 1) == [(11, 11), (13, 13)]
    assert gaps.open(LATE_S) == []
    assert gaps.highest == 15


def test_not_more_is_remembered_than_a_query_takes() -> None:
    gaps = Gaps()
    gaps.see(range(2, 10_000, 2), 0.0)
    assert len(gaps.open(0.0)) == 200
