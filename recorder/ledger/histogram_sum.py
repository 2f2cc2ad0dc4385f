"""Histograms added up, and the percentiles of all that is in them."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from operator import add as plus
from operator import sub as minus
from typing import Final, NamedTuple

from .buckets import middle
from .histogram import PAIRS, WIDTHS, in_order, joined_pairs, lowest

_LANE: Final = 8
_FEW: Final = 256


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

    def add_all(self, some: Iterable[bytes]) -> None:
        """Add histograms."""
        self._parts += [(data, 1) for data in some if data]

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
        indices, counts = self.in_order()
        ends = list(accumulate(counts))
        if not ends or not (total := ends[-1]):
            return None
        return [middle(indices[bisect_left(ends, -(-percent * total // 100))]) for percent in percents]

    def counts(self) -> dict[int, int]:
        """The counts of buckets, those of zero left out."""
        return {index: count for index, count in zip(*self.in_order(), strict=True) if count}

    def in_order(self) -> tuple[Sequence[int], Sequence[int]]:
        """Buckets in order, and their counts, some of which may be zero."""
        if len(self._parts) == 1 and not self._counts:
            data, sign = self._parts[0]
            if sign > 0:
                return in_order(data)
        few: list[_Few] = []
        if self._counts:
            few.append(
                _Few(list(self._counts), list(self._counts.values()), min(self._counts), max(self._counts), 1)
            )
        more: list[bytes] = []
        less: list[bytes] = []
        pairs: tuple[list[bytes], list[bytes]] = ([], [])
        for data, sign in self._parts:
            if data[0] == PAIRS:
                pairs[sign < 0].append(data)
            elif data[0] in WIDTHS:
                (more if sign > 0 else less).append(data)
            else:
                few.append(_few(*in_order(data), sign))
        few += [_Few(*joined_pairs(some), sign) for some, sign in zip(pairs, (1, -1), strict=True) if some]
        if less and any(each.sign > 0 for each in few):
            # Of these some may be what is taken away.
            low, row = _joined(less)
            few.append(_few(range(low, low + len(row)), row, -1))
            less = []
        return _with(*_joined(more, less), few)


class _Few(NamedTuple):
    """Buckets in any order, their counts, lowest and highest of them, and whether they are added or taken away."""

    indices: Sequence[int]
    counts: Sequence[int]
    least: int
    most: int
    sign: int


def _few(indices: Sequence[int], counts: Sequence[int], sign: int) -> _Few:
    """Buckets that are in order."""
    return _Few(indices, counts, indices[0], indices[-1], sign)


def _joined(more: Sequence[bytes], less: Sequence[bytes] = ()) -> tuple[int, Sequence[int]]:
    """Histograms of one count a bucket added up, and some taken away: the counts from the lowest bucket on."""
    if not more:
        return 0, []
    if len(more) == 1 and not less:
        indices, counts = in_order(more[0])
        return indices[0], counts
    # The sum of so few counts takes no more than twice the bytes of the widest.
    widest = max(data[0] for data in (*more, *less))
    lane = min(2 * widest, _LANE) if len(more) < _FEW else _LANE
    low = min(map(lowest, (*more, *less)))
    # Numbers of any length are added in one go, each count in some bytes of its own.
    whole = _added(more, low, lane) - _added(less, low, lane)
    data = whole.to_bytes(-(-whole.bit_length() // (8 * lane)) * lane, "little")
    if lane == 2 and not data[1::2].strip(b"\0"):
        return low, data[::2]
    return low, struct.unpack(f"<{len(data) // lane}{WIDTHS[lane]}", data)


def _added(dense: Sequence[bytes], low: int, lane: int) -> int:
    wide: dict[int, int] = {}
    for data in dense:
        start = lowest(data)
        wide[start] = wide.get(start, 0) + _wide(data, lane)
    return sum(row << 8 * lane * (start - low) for start, row in wide.items())


def _with(low: int, known: Sequence[int], few: Sequence[_Few]) -> tuple[Sequence[int], Sequence[int]]:
    """Counts from the lowest bucket on, with those of some buckets added."""
    if not few:
        return range(low, low + len(known)), known
    row = list(known)
    least = min(each.least for each in few)
    most = max(each.most for each in few)
    if not row:
        low = least
    elif least < low:
        row = [0] * (low - least) + row
        low = least
    row += [0] * (most + 1 - low - len(row))
    for indices, counts, *_, sign in few:
        if isinstance(indices, range):
            within = slice(indices[0] - low, indices[-1] + 1 - low)
            row[within] = map(plus if sign > 0 else minus, row[within], counts)
        elif sign > 0:
            for index, count in zip(indices, counts, strict=True):
                row[index - low] += count
        else:
            for index, count in zip(indices, counts, strict=True):
                row[index - low] -= count
    return range(low, low + len(row)), row


def _wide(data: bytes, lane: int) -> int:
    """All counts as one number, each in so many bytes."""
    width = data[0]
    if width == lane:
        return int.from_bytes(data[3:], "little")
    wide = bytearray((len(data) - 3) // width * lane)
    for place in range(width):
        wide[place::lane] = data[3 + place :: width]
    return int.from_bytes(wide, "little")
