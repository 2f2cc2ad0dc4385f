"""How many records a batch has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recorder.ledger.pace import HOLD_S, Pace


def sizes(*calls_a_second: float) -> list[int]:
    """The sizes of batches that are stored at these rates, each as large as may be."""
    pace, found = Pace(1_000), []
    for rate in calls_a_second:
        found.append(pace.size)
        pace.took(pace.size, pace.size / rate)
    return found


def test_batches_grow_while_they_are_quick() -> None:
    assert sizes(*[100_000.0] * 4) == [250, 500, 1_000, 1_000]


def test_batches_that_keep_others_waiting_get_smaller() -> None:
    assert sizes(*[500.0] * 3) == [250, 50, 50]


def test_batches_are_never_so_small_that_they_get_nowhere() -> None:
    assert sizes(*[1.0] * 3) == [250, 20, 20]


def test_a_few_records_say_nothing_of_many() -> None:
    pace = Pace(1_000)
    pace.took(3, HOLD_S / 2)
    assert pace.size == 250


def test_there_is_no_more_than_the_most() -> None:
    assert Pace(100).size == 100


@given(st.lists(st.floats(10, 1e6), min_size=30, max_size=30).map(lambda rates: [*rates, *[20_000.0] * 8]))
def test_no_time_of_trouble_is_remembered(rates: list[float]) -> None:
    assert sizes(*rates)[-1] == 1_000
