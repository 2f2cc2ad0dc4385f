"""Periods cut into the months, days and hours that rollups have, and what is left at their edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .cells import HOUR_US


class Span(NamedTuple):
    """Whole cells of so many hours: from one hour on, before another; None where it has no bound."""

    hours: int
    first: int | None
    last: int | None


class Edge(NamedTuple):
    """A part of a period that no whole cell covers, in microseconds; None where it has no bound."""

    since_us: int | None
    until_us: int | None


def cut(since_us: int | None, until_us: int | None, widths: Sequence[int]) -> tuple[list[Span], list[Edge]]:
    """The widest cells that lie within a period, and its edges, so that nothing is missing or there twice.

    `widths` are those that cells have, in hours, the narrowest first.
    """
    unit = widths[0] * HOUR_US
    first = None if since_us is None else -(-since_us // unit) * widths[0]
    last = None if until_us is None else until_us // unit * widths[0]
    if first is not None and last is not None and first >= last:
        return [], [Edge(since_us, until_us)]
    edges = []
    if first is not None and first * HOUR_US != since_us:
        edges.append(Edge(since_us, first * HOUR_US))
    if last is not None and last * HOUR_US != until_us:
        edges.append(Edge(last * HOUR_US, until_us))
    return _spans(first, last, widths), edges


def _spans(first: int | None, last: int | None, widths: Sequence[int]) -> list[Span]:
    """Spans from one hour to another, both at the bounds of the narrowest cells."""
    narrow, *wider = widths
    if not wider:
        return [Span(narrow, first, last)]
    begin = None if first is None else -(-first // wider[0]) * wider[0]
    end = None if last is None else last // wider[0] * wider[0]
    if begin is not None and end is not None and begin >= end:
        return [Span(narrow, first, last)]
    spans = _spans(begin, end, wider)
    if begin != first:
        spans.append(Span(narrow, first, begin))
    if end != last:
        spans.append(Span(narrow, end, last))
    return spans
