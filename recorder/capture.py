"""Collect one exchange while it happens. Does no I/O: it is told what was sent and received."""

from __future__ import annotations

import asyncio
import math
import sys
import weakref
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from .errors import CassetteMiss
from .exchange import Ending, EndingKind, Exchange, Headers, Phase, Request, ResponseHead

Clock = Callable[[], int]


class Capture:
    """One exchange in the making; gives it to `on_end` exactly once, however it ends.

    `chunks` and `stamps` are filled by the tee itself, one append each, so that a chunk costs no
    call. Times are nanoseconds of a monotonic `clock`; `started_us` is the wall clock. `left` holds one item until the
    exchange is handed over.
    """

    __slots__ = (
        "_head",
        "_on_end",
        "_owner",
        "_request",
        "_started_us",
        "chunks",
        "clock",
        "left",
        "stamps",
        "start_ns",
        "usage_asked",
    )

    def __init__(
        self,
        request: Request,
        started_us: int,
        on_end: Callable[[Exchange], None],
        clock: Clock = perf_counter_ns,
    ) -> None:
        self._request = request
        self._started_us = started_us
        self._on_end = on_end
        self._head: ResponseHead | None = None
        self._owner: Owner | None = None
        self.left = [True]
        self.chunks: list[bytes] = []
        self.stamps: list[int] = []
        self.usage_asked = False
        self.clock = clock
        self.start_ns = clock()

    def own(self) -> None:
        """Remember the running task, whose cancellation later explains a stream that nobody closed."""
        self._owner = running_owner()

    def receive_head(
        self, status: int, headers: Headers, http_version: bytes = b"HTTP/1.1", reason: bytes | None = None
    ) -> None:
        """The response's status line and headers are in."""
        self._head = ResponseHead(status, headers, http_version, reason, self.clock() - self.start_ns)

    def receive(self, data: bytes) -> None:
        """One chunk of the response body is in."""
        self.stamps.append(self.clock())
        self.chunks.append(data)

    def so_far(self) -> Exchange:
        """The exchange as it would be if its reader left it now."""
        return self._exchange(Ending("closed_early", self.clock() - self.start_ns))

    def complete(self) -> None:
        """The stream reached its end."""
        self._end("complete")

    def close(self) -> None:
        """The reader closed the stream, of its own will or because its task is being cancelled."""
        if not self.left:
            return
        if self._owner is not None and _collects(_current_task()):
            cancelled = self._owner.cancelled()
        else:
            cancelled = _leaves_cancelled()
        self._end("cancelled" if cancelled else "closed_early")

    def abandon(self, *, collected: bool = False) -> None:
        """Nobody holds the stream any more, or the process ends.

        The collector may come long after the reader has gone: what it ends has ended with the last that arrived.
        """
        cancelled = self._owner is not None and self._owner.cancelled()
        self._end("cancelled" if cancelled else "abandoned", at_ns=self._last_ns() if collected else None)

    def fail(self, error: BaseException, phase: Phase) -> None:
        """The transport raised, or the caller was cancelled inside it."""
        if isinstance(error, GeneratorExit):
            self.abandon()
        elif is_cancellation(error):
            self._end("cancelled", phase, error)
        else:
            self._end("error", phase, error)

    def forget(self) -> None:
        """Give up without a record: the parent process, not this fork of it, owns the exchange."""
        self.left.clear()

    def _last_ns(self) -> int | None:
        """When something arrived last, counted from the start."""
        if self.stamps:
            return self.stamps[-1] - self.start_ns
        return None if self._head is None else self._head.at_ns

    def _end(
        self,
        kind: EndingKind,
        phase: Phase | None = None,
        error: BaseException | None = None,
        at_ns: int | None = None,
    ) -> None:
        try:
            self.left.pop()  # atomic: of two threads that end it, one goes on
        except IndexError:
            return
        if self._owner is not None:
            self._owner.leave()
        ending = Ending(
            kind,
            self.clock() - self.start_ns if at_ns is None else at_ns,
            phase,
            None if error is None else qualified_name(type(error)),
            None if error is None else _message(error),
        )
        on_end, self._on_end = self._on_end, nobody  # else capture and attempt would hold each other
        on_end(self._exchange(ending))

    def _exchange(self, ending: Ending) -> Exchange:
        count, start = min(len(self.chunks), len(self.stamps)), self.start_ns
        return Exchange(
            self._request,
            self._started_us,
            ending,
            self._head,
            tuple(self.chunks[:count]),
            tuple([stamp - start for stamp in self.stamps[:count]]),
            usage_asked=self.usage_asked,
        )


def _leaves_cancelled() -> bool:
    """Whether a cancellation is on its way out where the stream is being closed.

    A generator that is closed on that way hides it; then the task is asked whether it is being cancelled.
    """
    error = sys.exc_info()[1]
    if not isinstance(error, GeneratorExit):
        return is_cancellation(error)
    if (task := _current_task()) is not None:
        return task.cancelling() > 0
    trio = sys.modules.get("trio")
    try:
        return trio is not None and trio.current_effective_deadline() == -math.inf
    except RuntimeError:  # no trio runs here
        return False


def nobody(exchange: Exchange) -> None:
    """Gets no exchange, since each is given once."""


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a stranger's __str__, which must not replace the error itself
        return ""


class Owner:
    """The task that reads a stream; does not keep it alive, nor anything that it holds."""

    __slots__ = ("_callback", "_fate", "_task")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        fate: list[bool] = []
        self._fate = fate
        self._callback = lambda done: fate.append(done.cancelled())
        self._task = weakref.ref(task)
        task.add_done_callback(self._callback)

    def cancelled(self) -> bool:
        """Whether the task was cancelled, or is being cancelled now."""
        task = self._task()
        return any(self._fate) or (task is not None and (task.cancelled() or task.cancelling() > 0))

    def leave(self) -> None:
        """Take back the callback, since a long-lived task makes many calls."""
        if not self._fate and (task := self._task()) is not None:
            task.remove_done_callback(self._callback)


def running_owner() -> Owner | None:
    """The task that runs, as the owner of a stream that it is about to get."""
    task = _current_task()
    return None if task is None else Owner(task)


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs, or another one than asyncio's
        return None


def _collects(task: asyncio.Task[Any] | None) -> bool:
    """Whether this is a task that asyncio made to close a dropped generator."""
    return task is not None and type(task.get_coro()).__name__ == "async_generator_athrow"


def is_cancellation(error: BaseException | None) -> bool:
    """Whether this is a cancellation (asyncio's, trio's) or an interrupt, rather than a failure."""
    return error is not None and not isinstance(error, (Exception, GeneratorExit, CassetteMiss))


def qualified_name(kind: type) -> str:
    """`httpx2.ReadTimeout`; both libraries name themselves, not their modules, as the home of their errors."""
    return f"{kind.__module__}.{kind.__qualname__}"
