"""Numbers that are missing among those seen, and may still turn up.

A server gives a row its number before the row can be seen: of two writers the one with the lower numbers may commit
later, and who reads on from the highest number seen would miss its rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from msgspec import Struct

LATE_S: Final = 60.0
"""How long a missing number is looked for. A writer's transaction takes less; one that was undone never shows."""

_MOST = 200


class _Gap(Struct, frozen=True):
    first: int
    last: int
    until: float


class Gaps:
    """The missing numbers up to the highest seen one."""

    def __init__(self, highest: int = 0) -> None:
        self.highest = highest
        self._gaps: list[_Gap] = []

    def open(self, now: float) -> list[tuple[int, int]]:
        """The ranges to look into again, both ends included."""
        self._gaps = [gap for gap in self._gaps if gap.until > now]
        return [(gap.first, gap.last) for gap in self._gaps]

    def see(self, numbers: Iterable[int], now: float) -> None:
        """Take note of numbers that turned up, in any order; none is seen twice."""
        ordered = sorted(numbers)
        late = [number for number in ordered if number <= self.highest]
        self._gaps = [part for gap in self._gaps for part in _without(gap, late)]
        new = ordered[len(late) :]
        self._gaps += [
            _Gap(before + 1, after - 1, now + LATE_S)
            for before, after in pairwise([self.highest, *new])
            if after > before + 1
        ]
        self._gaps = self._gaps[-_MOST:]
        self.highest = new[-1] if new else self.highest


def _without(gap: _Gap, numbers: list[int]) -> Iterable[_Gap]:
    inside = [number for number in numbers if gap.first <= number <= gap.last]
    if not inside:
        return (gap,)
    bounds = pairwise([gap.first - 1, *inside, gap.last + 1])
    return [_Gap(before + 1, after - 1, gap.until) for before, after in bounds if after > before + 1]
