"""Lanes: which task or thread asks, numbered in the order of first asking."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any
from weakref import WeakKeyDictionary


class Lanes:
    """Number the tasks and threads that ask one cassette; not thread-safe, its owner locks."""

    def __init__(self) -> None:
        self._numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._count = 0

    def current(self) -> int:
        """The lane of the running task, else of the running thread."""
        asker = current_task() or threading.current_thread()
        number = self._numbers.get(asker)
        if number is None:
            number = self._numbers[asker] = self._count
            self._count += 1
        return number


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
