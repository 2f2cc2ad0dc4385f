"""Buckets of values that differ by two percent, so that the middle of each is wrong by one percent at most.

A value of at least 1 falls into the bucket `ceil(log(value) / log(1.0202))` (as in DDSketch,
https://arxiv.org/abs/1908.10693); smaller values have a bucket of their own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import repeat
from math import ceil, log
from typing import Final

ACCURACY: Final = 0.01
"""The largest relative error of a percentile."""

_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_SCALE = 1 / log(_GAMMA)
_LARGEST_BOUND = 1 << 46


def bucket(value: int) -> int:
    """The number of the bucket that a value belongs to."""
    return 1 + ceil(log(value) * _SCALE) if value >= 1 else 0


def buckets(values: Sequence[int]) -> Iterable[int]:
    """The numbers of the buckets of many values."""
    if values and max(values) > _LARGEST_BOUND:
        return map(bucket, values)
    return map(bisect_left, repeat(bounds()), values)


@cache
def bounds() -> list[int]:
    """The largest whole number in each bucket, for all times below two years."""
    found = [0]
    while found[-1] <= _LARGEST_BOUND:
        number = len(found)
        bound = max(found[-1], int(_GAMMA ** (number - 1)))
        while bucket(bound) > number:
            bound -= 1
        while bucket(bound + 1) <= number:
            bound += 1
        found.append(bound)
    return found


def middle(index: int) -> float:
    """The value that stands for a bucket: no value in it is further off than `ACCURACY`."""
    return 2 * _GAMMA ** (index - 1) / (1 + _GAMMA) if index else 0.0
