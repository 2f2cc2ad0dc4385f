"""Where the chunks of a body ended, said relative to its events, so that it survives an edit."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

from .document import ChunkFields
from .structure import Number, Tree


def write_chunks(chunks: Sequence[bytes], events: Sequence[int] | None) -> Tree:
    """How a body was cut, or None where it came as is usual: an event a chunk, or all in one.

    With events, whose lengths these are, each item is how many more of them were complete after a
    chunk, or that and how many bytes of the next there were. Without, it is the chunk's length.
    """
    lengths = [len(chunk) for chunk in chunks]
    if lengths == _usual(sum(lengths), events):
        return None
    if events is None:
        return [Number(length) for length in lengths]
    bounds = list(accumulate(events, initial=0))
    items: list[Tree] = []
    complete = 0
    for end in accumulate(lengths):
        now = bisect_right(bounds, end) - 1
        more, part = Number(now - complete), end - bounds[now]
        items.append([more, Number(part)] if part else more)
        complete = now
    return items


def cut(body: bytes, fields: ChunkFields | None, events: Sequence[int] | None) -> tuple[bytes, ...]:
    """The body in chunks; as is usual where the fields do not say it, or do not fit an edited body."""
    if fields is not None:
        ends = _event_ends(fields, events) if events is not None else list(accumulate(map(_whole, fields)))
        if (ends[-1] if ends else 0) == len(body):
            return tuple([body[start:end] for start, end in pairwise((0, *ends))])
    ends = list(accumulate(_usual(len(body), events)))
    return (body,) if len(ends) == 1 else tuple([body[start:end] for start, end in pairwise((0, *ends))])


def _usual(size: int, events: Sequence[int] | None) -> list[int]:
    if events is not None:
        return list(events)
    return [size] if size else []


def _whole(item: int | tuple[int, int]) -> int:
    return item if isinstance(item, int) else sum(item)


def _event_ends(fields: ChunkFields, events: Sequence[int]) -> list[int]:
    """The end of each chunk; what an edit added at the end comes an event a chunk."""
    bounds = list(accumulate(events, initial=0))
    ends: list[int] = []
    complete = last = 0
    for item in fields:
        more, part = (item, 0) if isinstance(item, int) else item
        complete = min(complete + max(more, 0), len(events))
        room = events[complete] if complete < len(events) else 0
        last = max(last, bounds[complete] + min(part, room))
        ends.append(last)
    return ends + [bound for bound in bounds if bound > last]
