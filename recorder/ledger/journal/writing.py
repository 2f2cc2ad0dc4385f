"""Writing to a segment without letting other threads have the interpreter meanwhile.

A write takes some microseconds. `os.write` gives the interpreter away for that time, and whoever computes then, a
thread of the caller's or the one that stores, keeps it for up to 5 ms.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final

try:
    import ctypes
except ImportError:  # an interpreter that was built without it
    _held: Any = None
else:
    try:
        _held = ctypes.PyDLL(None).write
    except (OSError, AttributeError, TypeError):  # Windows
        _held = None
    else:
        _held.restype = (
            ctypes.c_ssize_t
        )  # without types of arguments, which take as long to check as the call does

_MOST_BYTES: Final = 2**31 - 1
"""The greatest size that can be passed without its type."""

_SLOW_S: Final = 0.05
_WHILE_S: Final = 10.0


class Writing:
    """Appends to files; where that once took long, other threads may go on meanwhile for some time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slow_until = 0.0 if _held is not None else float("inf")

    def write(self, file: int, data: bytes) -> int:
        """How many bytes of the data were written. Raises OSError where none could be."""
        began, size = self._clock(), len(data)
        if began < self._slow_until or size > _MOST_BYTES:
            return os.write(file, data)
        written: int = _held(file, data, size)
        if self._clock() - began > _SLOW_S:
            self._slow_until = began + _WHILE_S
        if written < 0:  # for a signal, which is handled on the way back, or for a reason that this one tells
            return os.write(file, data)
        return written
