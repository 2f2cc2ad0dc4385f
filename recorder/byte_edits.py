"""Edits of bytes in place: in order, apart from each other, and repeated until nothing is left to edit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

Span = tuple[int, int]
"""Where bytes start and where they end."""

_ROUNDS = 8


class Edit(NamedTuple):
    """Bytes from `start` to `end` that become `new`."""

    start: int
    end: int
    new: bytes


Find = Callable[[bytes], list[Edit]]


def merged(edits: Iterable[Edit], data: bytes) -> list[Edit]:
    """Edits in order and apart: where two overlap the outer counts, and those that change nothing go."""
    apart: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if apart and edit.start < apart[-1].end:
            apart[-1] = apart[-1]._replace(end=max(edit.end, apart[-1].end))
        else:
            apart.append(edit)
    return [edit for edit in apart if data[edit.start : edit.end] != edit.new]


def settled(data: bytes, find: Find, ends: list[int] | None = None) -> bytes:
    """Apply edits until none is found; the same object back where there was none.

    Taking one thing out can leave what looks like another, so the result is looked at again, some times.
    `ends` are offsets that move along; one within an edit goes to its end.
    """
    for _ in range(_ROUNDS):
        if not (edits := find(data)):
            break
        if ends is not None:
            ends[:] = _moved(ends, edits)
        stops = (0, *(edit.end for edit in edits))
        kept = [data[stop : edit.start] + edit.new for stop, edit in zip(stops, edits, strict=False)]
        data = b"".join((*kept, data[stops[-1] :]))
    return data


def _moved(offsets: Iterable[int], edits: Sequence[Edit]) -> Iterator[int]:
    shift, reach, index = 0, 0, 0
    for offset in offsets:
        while index < len(edits) and edits[index].start < offset:
            edit = edits[index]
            shift += len(edit.new) - (edit.end - edit.start)
            reach = edit.end
            index += 1
        yield max(offset, reach) + shift
