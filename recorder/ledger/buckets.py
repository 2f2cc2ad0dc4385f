"""Buckets of values that differ by two percent, so that the middle of each is wrong by one percent at most.

A value of at least 1 falls into the bucket `ceil(log(value) / log(1.0202))` (as in DDSketch,
https://arxiv.org/abs/1908.10693); smaller values have a bucket of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import repeat
from math import ceil, log
from operator import mul, sub
from typing import Final

ACCURACY: Final = 0.01
"""The largest relative error of a percentile."""

_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_SCALE = 1 / log(_GAMMA)


def bucket(value: int) -> int:
    """The number of the bucket that a value belongs to."""
    return 1 + ceil(log(value) * _SCALE) if value >= 1 else 0


def count_buckets(values: Sequence[int], counts: Counter[int]) -> None:
    """Count many values, none of them unknown, by the numbers of their buckets less one."""
    if values and min(values) < 1:
        counts.update(map(sub, map(bucket, values), repeat(1)))
    else:
        # All of it runs in C; adding one to each would take a quarter more.
        counts.update(map(ceil, map(mul, map(log, values), repeat(_SCALE))))


@cache
def middle(index: int) -> float:
    """The value that stands for a bucket: no value in it is further off than `ACCURACY`."""
    return 2 * _GAMMA ** (index - 1) / (1 + _GAMMA) if index else 0.0
