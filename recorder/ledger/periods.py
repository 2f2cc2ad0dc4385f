"""Periods made of the months, days and hours that rollups have, and of parts of hours at their edges.

A bound goes with the bound of a cell before or after it: what lies between them is added, or, where the cell begins
or ends outside of the period, taken away, whichever is less. So no more than half of a cell is ever made of narrower
ones, or of calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .cells import HOUR_US, QUARTER, QUARTER_US


class Span(NamedTuple):
    """Whole cells of so many hours: from one hour on, before another; None where it has no bound.

    With `sign` -1 they are taken away from others.
    """

    hours: int
    first: int | None
    last: int | None
    sign: int = 1


class Edge(NamedTuple):
    """A part of a period that no whole cell covers, in microseconds; None where it has no bound."""

    since_us: int | None
    until_us: int | None
    sign: int = 1


class Hours(NamedTuple):
    """Whole hours since 1970, from one on, before another; None where there is no bound."""

    first: int | None
    last: int | None


def cut(
    since_us: int | None, until_us: int | None, known: Hours, unit_us: int = HOUR_US
) -> tuple[Hours | None, list[Edge]]:
    """The whole hours nearest to a period, and what the period has besides, or they have besides the period.

    There are calls in `known` hours alone. With another unit all hours are so many of these.
    """
    first, last = (
        None if each is None else _nearest(each, unit_us, _in_microseconds(known, unit_us)) // unit_us
        for each in (since_us, until_us)
    )
    if first is not None and last is not None and first >= last:
        return None, [Edge(since_us, until_us)]
    hours = Hours(first, last)
    begins, ends = _in_microseconds(hours, unit_us)
    between = (*_between(since_us, begins), *_between(ends, until_us))
    return hours, [Edge(*each) for each in between]


def spans_of(hours: Hours, widths: Sequence[int], known: Hours) -> list[Span]:
    """Cells that come to some hours, so that nothing is missing or there twice.

    `widths` are those that cells have, in hours, the narrowest first; each is a multiple of the one before. There are
    cells in `known` hours alone.
    """
    first, last = hours
    narrow, *wider = widths
    if not wider:
        return [Span(narrow, first, last)]
    begin, end = (None if each is None else _nearest(each, wider[0], known) for each in hours)
    if begin is not None and end is not None and begin >= end:
        return [Span(narrow, first, last)]
    between = (*_between(first, begin), *_between(end, last))
    return [*spans_of(Hours(begin, end), wider, known), *(Span(narrow, *each) for each in between)]


def narrowed(edges: Sequence[Edge], known: Hours) -> tuple[list[Span], list[Edge]]:
    """The quarters of an hour nearest to some edges, and what is left of these."""
    quarters = Hours(*(None if each is None else each * -QUARTER for each in known))
    spans, left = [], []
    for since_us, until_us, sign in edges:
        hours, rest = cut(since_us, until_us, quarters, QUARTER_US)
        if hours is not None and hours.first != hours.last:
            spans.append(Span(QUARTER, *hours, sign))
        left += [edge._replace(sign=sign * edge.sign) for edge in rest]
    return spans, left


def _in_microseconds(hours: Hours, unit_us: int) -> Hours:
    first, last = (None if each is None else each * unit_us for each in hours)
    return Hours(first, last)


def _nearest(place: int, unit: int, known: Hours) -> int:
    """The bound of a cell with the least between it and a place."""
    before = place // unit * unit
    after = before if before == place else before + unit
    return before if _size(before, place, known) < _size(place, after, known) else after


def _size(begin: int, end: int, known: Hours) -> int:
    """How much of what lies between two bounds is known."""
    first = begin if known.first is None else max(begin, known.first)
    last = end if known.last is None else min(end, known.last)
    return max(0, last - first)


def _between(place: int | None, next_place: int | None) -> Iterator[tuple[int, int, int]]:
    """What lies between two bounds: to be added where they are in order, else to be taken away."""
    if place is None or next_place is None or place == next_place:
        return
    yield (place, next_place, 1) if place < next_place else (next_place, place, -1)
