"""Keeps misses out of the loops of other plugins: an error that is no `Exception` ends a loop for all tests to come."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ..errors import CassetteMiss


class HeldMiss:
    """What a coroutine function raised of misses, to be raised when its loop has gone on."""

    def __init__(self) -> None:
        self._held: BaseException | None = None

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is called in a loop; it ends without a miss."""

        @wraps(function)
        async def held(*arguments: Any, **options: Any) -> Any:
            try:
                return await function(*arguments, **options)
            except CassetteMiss as miss:
                self._held = miss
            except BaseExceptionGroup as group:  # a miss in a task group
                if group.subgroup(CassetteMiss) is None:
                    raise
                self._held = group

        return held

    def release(self) -> None:
        """Raise what was held."""
        if self._held is not None:
            raise self._held
