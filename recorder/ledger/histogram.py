"""Log-bucket histograms: percentiles within one percent, of any number of values, that can be added and taken away.

A value of at least 1 falls into the bucket `ceil(log(value) / log(1.0202))`, whose values differ by two percent (as in
DDSketch, https://arxiv.org/abs/1908.10693); its middle is wrong by one percent at most. Smaller values have
a bucket of their own. Counts are kept as bytes, in one way only, so that equal histograms are equal bytes: the first
byte says how. A few are pairs of bucket and count; many are one count a bucket, from the lowest to the highest.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import accumulate, repeat
from math import ceil, log
from typing import Final

ACCURACY: Final = 0.01
"""The largest relative error of a percentile."""

_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_SCALE = 1 / log(_GAMMA)
_PAIRS, _LARGE_PAIRS = 0, 9
_WIDTHS: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}
_LANE = 8
_LARGEST_BOUND = 1 << 46


def bucket(value: int) -> int:
    """The number of the bucket that a value belongs to."""
    return 1 + ceil(log(value) * _SCALE) if value >= 1 else 0


def buckets(values: Sequence[int]) -> Iterable[int]:
    """The numbers of the buckets of many values."""
    if values and max(values) > _LARGEST_BOUND:
        return map(bucket, values)
    return map(bisect_left, repeat(_bounds()), values)


@cache
def _bounds() -> list[int]:
    """The largest whole number in each bucket."""
    bounds = [0]
    while bounds[-1] <= _LARGEST_BOUND:
        number = len(bounds)
        bound = max(bounds[-1], int(_GAMMA ** (number - 1)))
        while bucket(bound) > number:
            bound -= 1
        while bucket(bound + 1) <= number:
            bound += 1
        bounds.append(bound)
    return bounds


def middle(index: int) -> float:
    """The value that stands for a bucket: no value in it is further off than `ACCURACY`."""
    return 2 * _GAMMA ** (index - 1) / (1 + _GAMMA) if index else 0.0


def encode(counts: Mapping[int, int]) -> bytes:
    """The counts of buckets as bytes; those of zero are left out."""
    kept = {index: count for index, count in counts.items() if count}
    if not kept:
        return b""
    low, high = min(kept), max(kept)
    largest = max(kept.values())
    width = 1 if largest < 1 << 8 else 2 if largest < 1 << 16 else 4 if largest < 1 << 32 else 8
    pair = 3 if width == 1 else 10
    span = high - low + 1
    if span * width + 3 <= len(kept) * pair + 1:
        lanes = [0] * span
        for index, count in kept.items():
            lanes[index - low] = count
        return _dense(low, lanes, width)
    indices = sorted(kept)
    kind, letter = (_PAIRS, "B") if width == 1 else (_LARGE_PAIRS, "Q")
    number = len(indices)
    return struct.pack(f"<B{number}H{number}{letter}", kind, *indices, *map(kept.__getitem__, indices))


def decode(data: bytes) -> dict[int, int]:
    """The counts of buckets."""
    if not data:
        return {}
    if (kind := data[0]) in _WIDTHS:
        low = _low(data)
        return {low + index: count for index, count in enumerate(_lanes(data)) if count}
    number = (len(data) - 1) // (3 if kind == _PAIRS else 10)
    numbers = struct.unpack_from(f"<{number}H{number}{'B' if kind == _PAIRS else 'Q'}", data, 1)
    return dict(zip(numbers[:number], numbers[number:], strict=True))


class Inconsistent(ArithmeticError):
    """More was to be taken away than there is: somebody has changed calls past the figures of them."""


def added(data: bytes, counts: Mapping[int, int], sign: int = 1) -> bytes:
    """A histogram with more counts, or with `sign` -1 with fewer. Raises Inconsistent."""
    if not counts:
        return data
    if data and sign > 0 and data[0] in _WIDTHS:
        return _added_in_place(data, counts)
    known = decode(data)
    for index, count in counts.items():
        known[index] = known.get(index, 0) + sign * count
        if known[index] < 0:
            raise Inconsistent
    return encode(known)


class Sum:
    """Histograms added up; nothing is done to them before something is asked for."""

    __slots__ = ("_counts", "_parts")

    def __init__(self) -> None:
        self._parts: list[tuple[bytes, int]] = []
        self._counts: Counter[int] = Counter()

    def add(self, data: bytes, sign: int = 1) -> None:
        """Add a histogram, or take it away."""
        if data:
            self._parts.append((data, sign))

    def add_counts(self, counts: Mapping[int, int], sign: int = 1) -> None:
        """Add the counts of buckets."""
        known = self._counts
        for index, count in counts.items():
            known[index] = known.get(index, 0) + sign * count

    def add_sum(self, other: Sum, sign: int = 1) -> None:
        """Add another sum, or take it away."""
        self._parts += other._parts if sign > 0 else [(data, -known) for data, known in other._parts]
        self.add_counts(other._counts, sign)

    def percentiles(self, percents: Iterable[int]) -> list[float] | None:
        """The values at nearest rank, each within `ACCURACY`; None where there are no values."""
        low, counts = self._summed()
        ends = list(accumulate(counts))
        if not ends or not (total := ends[-1]):
            return None
        return [middle(low + bisect_left(ends, -(-percent * total // 100))) for percent in percents]

    def counts(self) -> dict[int, int]:
        """The counts of buckets, those of zero left out."""
        low, counts = self._summed()
        return {low + index: count for index, count in enumerate(counts) if count}

    def _summed(self) -> tuple[int, Iterable[int]]:
        """The lowest bucket, and the counts from there on."""
        if len(self._parts) == 1 and not self._counts and self._parts[0][0][0] in _WIDTHS:
            data, _ = self._parts[0]
            return _low(data), _lanes(data)
        few = dict(self._counts)
        wide: tuple[dict[int, int], dict[int, int]] = ({}, {})
        for data, sign in self._parts:
            if data[0] in _WIDTHS:
                low, lanes = _low(data), wide[sign < 0]
                lanes[low] = lanes.get(low, 0) + _wide(data)
            else:
                for index, count in decode(data).items():
                    few[index] = few.get(index, 0) + sign * count
        more, less = map(_joined, wide)
        for index, count in enumerate(less[1], less[0]):
            if count:
                few[index] = few.get(index, 0) - count
        return _with(*more, few)


def _joined(wide: Mapping[int, int]) -> tuple[int, list[int]]:
    """Counts in long numbers, by the lowest bucket of each, added up."""
    if not wide:
        return 0, []
    low = min(wide)
    # Numbers of any length are added in one go, each count in eight bytes of its own.
    whole = sum(lanes << 8 * _LANE * (start - low) for start, lanes in wide.items())
    size = -(-whole.bit_length() // (8 * _LANE))
    return low, list(struct.unpack(f"<{size}Q", whole.to_bytes(size * _LANE, "little")))


def _with(low: int, lanes: list[int], few: Mapping[int, int]) -> tuple[int, list[int]]:
    """Counts from the lowest bucket on, with those of some buckets added."""
    if not lanes or not few:
        return (low, lanes) if lanes else _spread(few)
    lowest, highest = min(few), max(few)
    if lowest < low:
        lanes = [0] * (low - lowest) + lanes
        low = lowest
    lanes += [0] * (highest + 1 - low - len(lanes))
    for index, count in few.items():
        lanes[index - low] += count
    return low, lanes


def _spread(counts: Mapping[int, int]) -> tuple[int, list[int]]:
    kept = [index for index, count in counts.items() if count]
    if not kept:
        return 0, []
    low = min(kept)
    lanes = [0] * (max(kept) - low + 1)
    for index in kept:
        lanes[index - low] = counts[index]
    return low, lanes


def _dense(low: int, lanes: list[int], width: int) -> bytes:
    body = bytes(lanes) if width == 1 else struct.pack(f"<{len(lanes)}{_WIDTHS[width]}", *lanes)
    return bytes((width, low & 0xFF, low >> 8)) + body


def _low(data: bytes) -> int:
    return data[1] | data[2] << 8


def _lanes(data: bytes) -> Iterable[int]:
    width = data[0]
    if width == 1:
        return data[3:]
    return struct.unpack_from(f"<{(len(data) - 3) // width}{_WIDTHS[width]}", data, 3)


def _wide(data: bytes) -> int:
    """All counts as one number, each in eight bytes."""
    width = data[0]
    if width == _LANE:
        return int.from_bytes(data[3:], "little")
    wide = bytearray((len(data) - 3) // width * _LANE)
    for place in range(width):
        wide[place::_LANE] = data[3 + place :: width]
    return int.from_bytes(wide, "little")


def _added_in_place(data: bytes, counts: Mapping[int, int]) -> bytes:
    width, low = data[0], _low(data)
    lanes = list(_lanes(data))
    lowest, highest = min(counts), max(counts)
    if lowest < low:
        lanes[:0] = [0] * (low - lowest)
        low = lowest
    if highest >= low + len(lanes):
        lanes += [0] * (highest + 1 - low - len(lanes))
    largest = 0
    for index, count in counts.items():
        lanes[index - low] += count
        largest = max(largest, lanes[index - low])
    while largest >> 8 * width:
        width *= 2
    pair = 3 if width == 1 else 10
    if len(lanes) * width + 3 <= (len(lanes) - lanes.count(0)) * pair + 1:
        return _dense(low, lanes, width)
    return encode({low + index: count for index, count in enumerate(lanes) if count})
