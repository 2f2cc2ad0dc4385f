"""Stretches of a program whose calls are not to be recorded."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_paused: ContextVar[bool] = ContextVar("recorder_paused", default=False)


@contextmanager
def pause() -> Generator[None]:
    """Record none of the calls begun inside: no row, no journal, no span, nothing added to a cassette.

    They go out as if no Recorder had wrapped their client. What a cassette can answer is still answered by
    it, and what its mode forbids is still a miss; a replay leaves no row either. A stream begun inside
    stays unrecorded wherever it is read, one begun before is recorded to its end. Follows tasks, but not
    bare threads, as tags do.
    """
    token = _paused.set(True)
    try:
        yield
    finally:
        _paused.reset(token)


is_paused = _paused.get
"""Asks whether calls of the running context are not to be recorded."""
