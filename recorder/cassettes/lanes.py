"""Lanes: which task or thread asks, numbered in the order of first asking, or named by the user."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary
from zlib import crc32

_NAMED = 1 << 30

_named: ContextVar[int | None] = ContextVar("recorder_lane", default=None)


class Lanes:
    """Number the tasks and threads that ask one cassette; not thread-safe, its owner locks."""

    def __init__(self) -> None:
        self._numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._count = 0

    def current(self) -> int:
        """The lane named in this context, else that of the running task, else of the running thread."""
        if (named := _named.get()) is not None:
            return named
        asker = current_task() or threading.current_thread()
        number = self._numbers.get(asker)
        if number is None:
            number = self._numbers[asker] = self._count
            self._count += 1
        return number


@contextmanager
def named_lane(name: str) -> Iterator[None]:
    """Within, requests are asked in the lane of this name, whichever task or thread asks them."""
    token = _named.set(_NAMED | crc32(name.encode()) & (_NAMED - 1))
    try:
        yield
    finally:
        _named.reset(token)


def current_task() -> Any:
    """The running task of asyncio or trio, or None."""
    try:
        if (task := asyncio.current_task()) is not None:
            return task
    except RuntimeError:
        pass
    trio = sys.modules.get("trio")
    if trio is None:
        return None
    try:
        return trio.lowlevel.current_task()
    except RuntimeError:
        return None
