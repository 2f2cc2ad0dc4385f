"""Hours of the week: read, written, and what they cover."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.pricing import Hours, read_hours

from .prices import us

DAY_US = 86_400_000_000
SPANS = st.tuples(st.integers(0, 1439), st.integers(0, 1440)).filter(lambda span: span[0] != span[1] % 1440)
HOURS = st.builds(
    Hours,
    st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]),
    st.lists(SPANS, min_size=1, max_size=3).map(tuple),
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    st.none() | st.just("CN"),
    st.sampled_from(["start", "end"]),
)


def covers(hours: str, at: str) -> bool:
    return read_hours(hours).cover(us(at), {})[0]


@given(HOURS)
def test_what_is_written_is_read_as_it_was(hours: Hours) -> None:
    assert read_hours(str(hours)) == hours


@given(st.integers(0, 2 * 10**15), SPANS)
def test_a_span_and_the_rest_of_the_day_share_all_time(at_us: int, span: tuple[int, int]) -> None:
    rest = (span[1] % 1440, span[0] or 1440)
    inside = Hours("UTC", (span,)).cover(at_us, {})[0]
    outside = rest[0] != rest[1] and Hours("UTC", (rest,)).cover(at_us, {})[0]
    assert inside != outside


@pytest.mark.parametrize(
    ("at", "covered"),
    [
        ("2026-11-20T16:29:59", False),
        ("2026-11-20T16:30:00", True),
        ("2026-11-20T23:59:59", True),
        ("2026-11-21T00:29:59", True),
        ("2026-11-21T00:30:00", False),
    ],
)
def test_a_span_goes_on_past_midnight(at: str, covered: bool) -> None:
    assert covers("16:30-00:30 UTC", at) is covered


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    assert covers("Fri 22:00-06:00 UTC", "2026-11-21T05:00")  # Saturday morning
    assert not covers("Fri 22:00-06:00 UTC", "2026-11-20T05:00")
    holidays = {("XX", 2026): frozenset({date(2026, 12, 31)}), ("XX", 2027): frozenset[date]()}
    assert read_hours("22:00-06:00 UTC except XX").cover(us("2027-01-01T05:00"), holidays) == (False, None)


@pytest.mark.parametrize(
    ("at", "covered"),
    [
        ("2026-03-29T00:30", False),  # 01:30 in Berlin, half an hour before the clocks go forward
        ("2026-03-29T01:00", True),  # 03:00
        ("2026-03-29T02:00", False),  # 04:00
        ("2026-10-24T23:59", False),
        ("2026-10-25T01:59", False),  # 02:59, for the second time
        ("2026-10-25T02:00", True),  # 03:00
        ("2026-07-01T01:00", True),
        ("2026-01-01T02:00", True),
    ],
)
def test_clocks_that_change_are_followed(at: str, covered: bool) -> None:
    assert covers("03:00-04:00 Europe/Berlin", at) is covered


def test_an_hour_that_comes_twice_counts_twice() -> None:
    inside = [covers("02:00-03:00 Europe/Berlin", f"2026-10-25T0{hour}:30") for hour in range(3)]
    assert inside == [True, True, False]


def test_holidays_are_those_of_the_zones_calendar() -> None:
    hours, days = (
        read_hours("00:00-24:00 Asia/Shanghai except CN"),
        {("CN", 2026): frozenset({date(2026, 10, 1)})},
    )
    assert hours.cover(us("2026-09-30T15:59:59"), days) == (True, None)
    assert hours.cover(us("2026-09-30T16:00:00"), days) == (False, None)
    assert hours.cover(us("2026-10-01T16:00:00"), days) == (True, None)


def test_a_year_without_a_list_is_doubtful() -> None:
    covered, doubt = read_hours("00:00-24:00 UTC except CN").cover(us("2030-05-01"), {})
    assert covered
    assert doubt is not None
    assert "has no 2030" in doubt


@pytest.mark.parametrize(
    "text",
    [
        "",
        "09:00-12:00",
        "9-12 UTC",
        "09:00-12:00 Mars/Olympus",
        "Caturday 09:00-12:00 UTC",
        "09:00-09:00 UTC",
        "24:00-01:00 UTC",
        "09:00-24:30 UTC",
        "09:00-12:00 UTC except",
        "09:00-12:00 UTC by noon",
        "09:00-12:00 ../../etc/passwd",
    ],
)
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write for example|time zone"):
        read_hours(text)
