"""Histograms added up, and the percentiles of all that is in them."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Final

from .buckets import middle
from .histogram import WIDTHS, in_order, lowest

_LANE: Final = 8


class Sum:
    """Histograms added up; nothing is done to them before something is asked for."""

    __slots__ = ("_counts", "_parts")

    def __init__(self) -> None:
        self._parts: list[tuple[bytes, int]] = []
        self._counts: dict[int, int] = {}

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
        indices, counts = self._summed()
        ends = list(accumulate(counts))
        if not ends or not (total := ends[-1]):
            return None
        return [middle(indices[bisect_left(ends, -(-percent * total // 100))]) for percent in percents]

    def counts(self) -> dict[int, int]:
        """The counts of buckets, those of zero left out."""
        return {index: count for index, count in zip(*self._summed(), strict=True) if count}

    def _summed(self) -> tuple[Sequence[int], Sequence[int]]:
        """Buckets in order, and their counts."""
        if len(self._parts) == 1 and not self._counts:
            data, sign = self._parts[0]
            if sign > 0:
                return in_order(data)
        few: list[_Few] = []
        if self._counts:
            indices = sorted(self._counts)
            few.append((indices, [self._counts[index] for index in indices], 1))
        dense: tuple[list[bytes], list[bytes]] = ([], [])
        for data, sign in self._parts:
            if data[0] in WIDTHS:
                dense[sign < 0].append(data)
            else:
                few.append((*in_order(data), sign))
        more, less = map(_joined, dense)
        if less[1]:
            few.append((range(less[0], less[0] + len(less[1])), less[1], -1))
        return _with(*more, few)


_Few = tuple[Sequence[int], Sequence[int], int]
"""Buckets in order, their counts, and whether these are added or taken away."""


def _joined(dense: Sequence[bytes]) -> tuple[int, list[int]]:
    """Histograms of one count a bucket added up: the counts from the lowest bucket on."""
    if not dense:
        return 0, []
    if len(dense) == 1:
        indices, counts = in_order(dense[0])
        return indices[0], list(counts)
    wide: dict[int, int] = {}
    for data in dense:
        low = lowest(data)
        wide[low] = wide.get(low, 0) + _wide(data)
    low = min(wide)
    # Numbers of any length are added in one go, each count in eight bytes of its own.
    whole = sum(row << 8 * _LANE * (start - low) for start, row in wide.items())
    size = -(-whole.bit_length() // (8 * _LANE))
    return low, list(struct.unpack(f"<{size}Q", whole.to_bytes(size * _LANE, "little")))


def _with(low: int, row: list[int], few: Sequence[_Few]) -> tuple[Sequence[int], Sequence[int]]:
    """Counts from the lowest bucket on, with those of some buckets added."""
    if few:
        least = min(indices[0] for indices, _, _ in few)
        most = max(indices[-1] for indices, _, _ in few)
        if not row:
            low = least
        elif least < low:
            row = [0] * (low - least) + row
            low = least
        row += [0] * (most + 1 - low - len(row))
        for indices, counts, sign in few:
            if sign > 0:
                for index, count in zip(indices, counts, strict=True):
                    row[index - low] += count
            else:
                for index, count in zip(indices, counts, strict=True):
                    row[index - low] -= count
    return range(low, low + len(row)), row


def _wide(data: bytes) -> int:
    """All counts as one number, each in eight bytes."""
    width = data[0]
    if width == _LANE:
        return int.from_bytes(data[3:], "little")
    wide = bytearray((len(data) - 3) // width * _LANE)
    for place in range(width):
        wide[place::_LANE] = data[3 + place :: width]
    return int.from_bytes(wide, "little")
