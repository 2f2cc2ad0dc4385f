"""Keeps misses out of the loops of other plugins: an error that is no `Exception` ends a loop for all tests to come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, ismethod
from types import MethodType
from typing import Any

import pytest

from ..errors import CassetteMiss


def runs_in_a_loop(function: Any) -> bool:
    """Whether a plugin runs it that knows of event loops."""
    return iscoroutinefunction(function) or isasyncgenfunction(function)


class HeldMiss:
    """What a coroutine function or an async generator raised of misses, to be raised when its loop has gone on."""

    def __init__(self) -> None:
        self._held: BaseException | None = None

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is called in a loop; it ends without a miss. A method stays one."""
        if ismethod(function):
            return MethodType(self.around(function.__func__), function.__self__)
        return self._generator(function) if isasyncgenfunction(function) else self._coroutine(function)

    def release(self) -> None:
        """Raise what was held, once."""
        held, self._held = self._held, None
        if held is not None:
            raise held

    def release_late(self) -> None:
        """The same where a test is torn down, which pytest goes on with only after failures and exceptions."""
        try:
            self.release()
        except (CassetteMiss, BaseExceptionGroup) as miss:
            pytest.fail(f"{type(miss).__name__}: {miss}", pytrace=False)

    def _coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        async def held(*arguments: Any, **options: Any) -> Any:
            with self._holding():
                return await function(*arguments, **options)

        return held

    def _generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        async def held(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
            given = False
            with self._holding():
                async with aclosing(function(*arguments, **options)) as values:
                    async for value in values:
                        given = True
                        yield value
            if not given:
                yield None  # as whoever runs it expects

        return held

    @contextmanager
    def _holding(self) -> Iterator[None]:
        try:
            yield
        except CassetteMiss as miss:
            self._held = miss
        except BaseExceptionGroup as group:  # a miss in a task group
            if group.subgroup(CassetteMiss) is None:
                raise
            self._held = group
