"""Functions each call of which runs within a context of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, TypeVar, cast

from .errors import CassetteError

F = TypeVar("F", bound=Callable[..., Any])


def decorated(function: F, entered: Callable[[], AbstractContextManager[Any]]) -> F:
    """The function, sync or async, each call of which enters what `entered` makes; its arguments stay as they are.

    Raises CassetteError for classes and generators, whose calls end before their work does.
    """
    if isinstance(function, type) or isgeneratorfunction(function) or isasyncgenfunction(function):
        raise CassetteError(
            f"a cassette decorates functions, and {function.__qualname__} is a class or generator; "
            "enter the cassette inside it with `with`"
        )
    if iscoroutinefunction(function):

        @wraps(function)
        async def within(*arguments: Any, **options: Any) -> Any:
            with entered():
                return await function(*arguments, **options)

    else:

        @wraps(function)
        def within(*arguments: Any, **options: Any) -> Any:
            with entered():
                return function(*arguments, **options)

    return cast("F", within)
