"""Counts of buckets as bytes, to which more can be added, and from which some can be taken away.

They are kept in one way only, so that equal histograms are equal bytes: the first byte says how. A few are pairs of
bucket and count; many are one count a bucket, from the lowest to the highest, where that is shorter.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Mapping, MutableSequence, Sequence
from functools import lru_cache
from typing import Any, Final

PAIRS: Final = 0
_LARGE_PAIRS: Final = 9
WIDTHS: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}
"""Of how many bytes the counts of a histogram are that has one for each bucket, and their letters."""

_FEW: Final = 12
"""Up to so many buckets are always pairs: what is shorter takes longer to find out than it saves."""


class Inconsistent(ArithmeticError):
    """More was to be taken away than there is: somebody has changed calls past the figures of them."""


def encode(counts: Mapping[int, int]) -> bytes:
    """The counts of buckets as bytes; those of zero are left out."""
    if 0 in counts.values():
        counts = {index: count for index, count in counts.items() if count}
    if not counts:
        return b""
    if len(counts) > _FEW and (found := _encode_many(counts)):
        return found
    indices = sorted(counts)
    values = [counts[index] for index in indices]
    try:
        return _pairs(len(indices), "B").pack(PAIRS, *indices, *values)
    except struct.error:  # a count of more than one byte
        return _pairs(len(indices), "Q").pack(_LARGE_PAIRS, *indices, *values)


def decode(data: bytes) -> dict[int, int]:
    """The counts of buckets."""
    if not data:
        return {}
    found = dict(zip(*in_order(data), strict=True))
    return {index: count for index, count in found.items() if count} if data[0] in WIDTHS else found


def in_order(data: bytes) -> tuple[Sequence[int], Sequence[int]]:
    """The buckets of a histogram in order, and their counts, some of which may be zero."""
    if data[0] in WIDTHS:
        row = data[3:] if data[0] == 1 else _row(data)
        low = lowest(data)
        return range(low, low + len(row)), row
    size, letter = (3, "B") if data[0] == PAIRS else (10, "Q")
    number = len(data) // size
    numbers = _pairs(number, letter).unpack(data)
    return numbers[1 : number + 1], numbers[number + 1 :]


def joined_pairs(some: Sequence[bytes]) -> tuple[Sequence[int], bytes, int, int]:
    """The buckets of histograms that are pairs, in no order, and their counts; the lowest and the highest of them."""
    buckets, counts, lows, highs = [], [], [], []
    for data in some:
        end = len(data) // 3 * 2 + 1
        buckets.append(data[1:end])
        counts.append(data[end:])
        lows.append(data[1] | data[2] << 8)
        highs.append(data[end - 2] | data[end - 1] << 8)
    # One loop through all of them takes less time than one through each.
    return _unpacked("H", b"".join(buckets)), b"".join(counts), min(lows), max(highs)


def added(data: bytes, counts: Mapping[int, int], sign: int = 1) -> bytes:
    """A histogram with more counts, or with `sign` -1 with fewer. Raises Inconsistent."""
    if not counts:
        return data
    if sign > 0:
        if not data:
            return encode(counts)
        if data[0] in WIDTHS and (found := _added_in_place(data, counts)):
            return found
    known = decode(data)
    for index, count in counts.items():
        known[index] = now = known.get(index, 0) + sign * count
        if now < 0:
            raise Inconsistent
    return encode(known)


def lowest(data: bytes) -> int:
    """The lowest bucket, where there is one count a bucket."""
    return data[1] | data[2] << 8


def _encode_many(counts: Mapping[int, int]) -> bytes | None:
    """One count a bucket; None where pairs are shorter."""
    low, high, largest = min(counts), max(counts), max(counts.values())
    width = 1 if largest < 1 << 8 else 2 if largest < 1 << 16 else 4 if largest < 1 << 32 else 8
    span = high - low + 1
    if not _shorter(span, width, len(counts)):
        return None
    row = _empty(span, width)
    for index, count in counts.items():
        row[index - low] = count
    return _dense(low, row, width)


def _added_in_place(data: bytes, counts: Mapping[int, int]) -> bytes | None:
    """One count a bucket with more counts; None where that is not the way any more."""
    width, low = data[0], lowest(data)
    row = bytearray(data[3:]) if width == 1 else _row(data)
    least, most = min(counts), max(counts)
    if least < low:
        row = _empty(low - least, width) + row
        low = least
    if most >= low + len(row):
        row += _empty(most + 1 - low - len(row), width)
    try:
        for index, count in counts.items():
            row[index - low] += count
    except (ValueError, OverflowError):  # wider ones are needed
        return None
    return _dense(low, row, width) if _shorter(len(row), width, len(row) - row.count(0)) else None


def _shorter(span: int, width: int, number: int) -> bool:
    """Whether one count for each bucket of a span is shorter than pairs of those that are not zero."""
    return span * width + 3 <= number * (3 if width == 1 else 10) + 1


def _empty(number: int, width: int) -> Any:
    return bytearray(number) if width == 1 else array(WIDTHS[width], bytes(number * width))


def _row(data: bytes) -> array[int]:
    return _unpacked(WIDTHS[data[0]], data[3:])


def _unpacked(letter: str, data: bytes) -> array[int]:
    row = array(letter, data)
    if sys.byteorder == "big":
        row.byteswap()
    return row


def _dense(low: int, row: MutableSequence[int], width: int) -> bytes:
    if isinstance(row, array) and sys.byteorder == "big":
        row.byteswap()
    return bytes((width, low & 0xFF, low >> 8)) + bytes(row)


@lru_cache(maxsize=512)
def _pairs(number: int, letter: str) -> struct.Struct:
    return struct.Struct(f"<B{number}H{number}{letter}")
