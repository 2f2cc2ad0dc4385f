"""Turns: the writer works in short pieces while calls are made, so that no caller waits for the interpreter.

A thread that wants the interpreter's lock while another computes gets it after 5 ms. A caller gives it up
whenever it waits for its upstream, so without turns each of its calls could take that long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_PIECE_S: Final = 0.0002
_LONGEST_S: Final = 0.005
_BEHIND_S: Final = 0.000_000_2
_PAUSE_S: Final = 0.00005


class Turns:
    """Between one writer and all callers; these set `called`, which costs them nothing."""

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.called = False
        self._clock = clock
        self._sleep = sleep
        self._since = clock()
        self._piece_s = _PIECE_S

    def measure(self, waiting: int) -> None:
        """Work in longer pieces the more records wait: callers that never rest would let them grow without end."""
        self._piece_s = min(_LONGEST_S, max(_PIECE_S, waiting * _BEHIND_S))

    def give(self) -> None:
        """Let callers go first, if there were any since the last time and the piece was long enough."""
        if self.called and self._clock() - self._since > self._piece_s:
            self.called = False
            (self._sleep or time.sleep)(_PAUSE_S)  # looked up late: gevent puts its own there
            self._since = self._clock()
