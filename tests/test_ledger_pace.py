"""How many records a batch has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recorder.ledger.pace import HOLD_ALONE_S, HOLD_S, Pace


def sizes(*calls_a_second: float, waited_s: float = 0.0) -> list[int]:
    """The sizes of batches that are stored at these rates, each as large as may be."""
    pace, found = Pace(1_000), []
    for rate in calls_a_second:
        found.append(pace.size)
        pace.took(pace.size, pace.size / rate, waited_s)
    return found


def test_batches_grow_while_they_are_quick() -> None:
    assert sizes(*[100_000.0] * 4) == [250, 500, 1_000, 1_000]


def test_batches_that_take_long_get_smaller() -> None:
    assert sizes(*[600.0] * 3) == [250, 150, 150]


def test_batches_that_keep_others_waiting_get_smaller_yet() -> None:
    assert sizes(*[1_000.0] * 3, waited_s=0.2) == [250, 100, 100]


def test_others_that_were_met_are_remembered_for_a_while() -> None:
    pace = Pace(1_000)
    pace.took(250, 0.5, 0.2)
    met = []
    for _ in range(12):
        pace.took(pace.size, pace.size / 500.0)
        met.append(pace.size)
    assert met == [*[50] * 9, 100, 125, 125]


def test_batches_are_never_so_small_that_they_get_nowhere() -> None:
    assert sizes(*[1.0] * 3) == [250, 50, 50]


def test_a_few_records_say_nothing_of_many() -> None:
    pace = Pace(1_000)
    pace.took(3, HOLD_S / 2)
    assert pace.size == 250


def test_there_is_no_more_than_the_most() -> None:
    assert Pace(100).size == 100


@given(
    st.lists(st.tuples(st.floats(10, 1e6), st.floats(0, 2)), max_size=30),
    st.floats(200, 50_000),
)
def test_trouble_that_is_over_is_forgotten(trouble: list[tuple[float, float]], rate: float) -> None:
    pace = Pace(1_000)
    for slow, waited_s in trouble:
        pace.took(pace.size, pace.size / slow, waited_s)
    for _ in range(30):
        pace.took(pace.size, pace.size / rate)
    assert min(1_000, int(rate * HOLD_ALONE_S)) - 1 <= pace.size <= 1_000
