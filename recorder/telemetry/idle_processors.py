"""Whether anybody does anything when a span starts: most processors wait for its end."""

from __future__ import annotations

from types import FunctionType
from typing import Any, Final

from opentelemetry.sdk.trace import SynchronousMultiSpanProcessor


class IdleProcessors:
    """Remembers what it was asked last, since the processors of a provider seldom change."""

    def __init__(self) -> None:
        self._known: tuple[Any, Any, bool] = (None, None, False)

    def at_start(self, processor: Any) -> bool:
        """Whether a provider's processor, and all those in it, have nothing to do at a start."""
        of, inner, idle = self._known
        if of is processor and inner is processor._span_processors:
            return idle
        if type(processor) is not SynchronousMultiSpanProcessor:
            return False
        inner = processor._span_processors
        idle = all(map(_is_idle, inner))
        self._known = processor, inner, idle
        return idle


def _is_idle(processor: Any) -> bool:
    """Whether a processor's `on_start` is empty, which its code tells, of whichever version it is."""
    starts = type(processor).on_start
    return (
        type(starts) is FunctionType
        and starts.__code__.co_code in _EMPTY
        and "on_start" not in vars(processor)
    )


def _empty(self: Any, span: Any, parent_context: Any = None) -> None:
    pass


def _documented(self: Any, span: Any, parent_context: Any = None) -> None:
    """Nothing."""


_EMPTY: Final = (_empty.__code__.co_code, _documented.__code__.co_code)
