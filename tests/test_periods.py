"""Periods made of whole cells and edges: every microsecond of them once, and no other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recorder.ledger.cells import DAY, FOUR_DAYS, HOUR, HOUR_US, MONTH, QUARTER, QUARTER_US
from recorder.ledger.periods import Edge, Hours, Span, cut, narrowed, spans_of

_FIRST, _LAST = 20_000, 24_000
_HOURS = st.integers(_FIRST, _LAST)
KNOWN = st.just(Hours(None, None)) | st.builds(lambda a, b: Hours(*sorted((a, b))), _HOURS, _HOURS)
MOMENTS = st.none() | st.integers(_FIRST * HOUR_US, _LAST * HOUR_US) | _HOURS.map(lambda hour: hour * HOUR_US)
WIDTHS = st.sampled_from([(HOUR,), (HOUR, DAY), (HOUR, DAY, MONTH), (HOUR, DAY, FOUR_DAYS, MONTH)])


def within(moment: int, bounds: tuple[int | None, int | None]) -> bool:
    first, last = bounds
    return (first is None or moment >= first) and (last is None or moment < last)


def number_of_times(moment: int, spans: list[Span], edges: list[Edge]) -> int:
    """How often a moment is in the cells and edges."""
    units = [QUARTER_US if span.hours == QUARTER else HOUR_US for span in spans]
    return sum(
        span.sign for span, unit in zip(spans, units, strict=True) if within(moment // unit, span[1:3])
    ) + sum(edge.sign for edge in edges if within(moment, edge[:2]))


@given(MOMENTS, MOMENTS, KNOWN, WIDTHS, st.lists(st.integers(_FIRST * HOUR_US, _LAST * HOUR_US), min_size=5))
def test_what_is_in_a_period_is_there_once(
    since_us: int | None, until_us: int | None, known: Hours, widths: tuple[int, ...], moments: list[int]
) -> None:
    hours, edges = cut(since_us, until_us, known)
    spans = [] if hours is None else spans_of(hours, widths, known)
    near = [at + by for at in (since_us, until_us) if at is not None for by in (-1, 0, 1)]
    for moment in (*moments, *near):
        asked = within(moment, (since_us, until_us))
        assert number_of_times(moment, spans, edges) == asked


@given(MOMENTS, MOMENTS, KNOWN, st.lists(st.integers(_FIRST * HOUR_US, _LAST * HOUR_US), min_size=5))
def test_quarters_of_hours_leave_less_to_count(
    since_us: int | None, until_us: int | None, known: Hours, moments: list[int]
) -> None:
    _, edges = cut(since_us, until_us, known)
    quarters, left = narrowed(edges, known)
    near = [at + by for at in (since_us, until_us) if at is not None for by in (-1, 0, 1)]
    for moment in (*moments, *near):
        assert number_of_times(moment, quarters, left) == number_of_times(moment, [], edges)
    if known == (None, None):
        assert all((end or 0) - (begin or 0) <= QUARTER_US for begin, end, _ in left)


@given(MOMENTS, MOMENTS, WIDTHS)
def test_cells_begin_and_end_where_cells_do(
    since_us: int | None, until_us: int | None, widths: tuple[int, ...]
) -> None:
    hours, _ = cut(since_us, until_us, Hours(None, None))
    for span in [] if hours is None else spans_of(hours, widths, Hours(None, None)):
        assert all(bound is None or bound % span.hours == 0 for bound in span[1:3])


def test_a_bound_goes_with_the_nearest_hour() -> None:
    minute = HOUR_US // 60
    hours, edges = cut(100 * HOUR_US + 10 * minute, 200 * HOUR_US + 50 * minute, Hours(None, None))
    assert hours == (100, 201)
    assert edges == [
        Edge(100 * HOUR_US, 100 * HOUR_US + 10 * minute, -1),
        Edge(200 * HOUR_US + 50 * minute, 201 * HOUR_US, -1),
    ]


def test_what_has_not_come_yet_costs_nothing() -> None:
    minute = HOUR_US // 60
    hours, _ = cut(None, 200 * HOUR_US + 10 * minute, Hours(100, 200))
    assert hours == (None, 201)
    spans = spans_of(Hours(None, 201), (HOUR, DAY, MONTH), Hours(100, 201))
    assert set(spans) == {Span(MONTH, None, 768), Span(DAY, 216, 768, -1), Span(HOUR, 201, 216, -1)}
