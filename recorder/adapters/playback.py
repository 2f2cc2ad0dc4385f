"""Play a recording through the calling library: its response, chunks, times and errors."""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from time import sleep
from typing import Any

from ..capture import Capture
from ..cassettes import Pace
from ..errors import CassetteMiss
from ..exchange import Ending, Exchange, Request, ResponseHead

REPLAYED = "recorder.replayed"
"""The response extension that tells other recorders further up that nothing was sent; it holds the
`VirtualClock` that they are to measure with, or True."""

_LIBRARIES = ("httpx", "httpx2")
_PATIENCE_S = 1.0


class VirtualClock:
    """Shows how far into the recorded exchange its replay is, in nanoseconds; `left` are the chunks to come."""

    __slots__ = ("left", "now_ns")

    def __init__(self, left: int) -> None:
        self.left = left
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns

    def drive(self, capture: Capture) -> None:
        """Let a capture measure with this clock."""
        capture.clock, capture.start_ns = self, 0


class Player:
    """Steps through a recorded exchange; knows when to wait and how it ends, but does not wait itself.

    With pace `virtual` it moves a `clock` to the recorded times instead. `trip` makes the miss of a request
    that goes on where its recording stops; where its caller cancelled it, which only tasks can, they get the
    time to do so again, whatever the pace.
    """

    def __init__(
        self,
        exchange: Exchange,
        pace: Pace,
        library: Any,
        request: Any,
        is_complete: Callable[[], bool] = lambda: True,
        trip: Callable[[str], CassetteMiss] = CassetteMiss,
    ) -> None:
        self._exchange = exchange
        self._paced = pace == "recorded"
        self._library = library
        self._request = request
        self._is_complete = is_complete
        self._trip = trip
        self._chunks: Iterator[tuple[float, bytes]] | None = None
        self.clock = VirtualClock(len(exchange.chunks)) if pace == "virtual" else None

    def head_delay_s(self, *, in_task: bool = False) -> float:
        """How long to wait before the response head, or before the error that came instead."""
        head = self._exchange.head
        if head is None and in_task and (patience := self.patience_s()):
            return patience
        return (head.at_ns if head is not None else self._exchange.ending.at_ns) / 1e9 if self._paced else 0.0

    def patience_s(self) -> float:
        """How long to wait for a task to be cancelled, where the recorded one was, before it is a miss."""
        exchange = self._exchange
        if exchange.ending.kind != "cancelled" or (exchange.head is not None and self._is_complete()):
            return 0.0
        passed = exchange.arrivals_ns[-1:] or ((exchange.head.at_ns,) if exchange.head is not None else (0,))
        return (exchange.ending.at_ns - passed[0] * self._paced) / 1e9 + _PATIENCE_S

    def head(self) -> ResponseHead:
        """The response head; raises what was raised where none came."""
        head = self._exchange.head
        self._pass_time(head.at_ns if head is not None else self._exchange.ending.at_ns)
        if head is None:
            raise self._ending_error()
        return head

    def chunks(self) -> Iterator[tuple[float, bytes]]:
        """Each chunk with the seconds to wait before it; a second reader goes on where the first one stopped."""
        if self._chunks is None:
            self._chunks = _steps(self._exchange, self._paced, self.clock)
        return self._chunks

    def _pass_time(self, at_ns: int) -> None:
        if self.clock is not None:
            self.clock.now_ns = at_ns

    def close(self) -> None:
        """The reader leaves; one who had all chunks leaves when the recorded one did."""
        if self.clock is not None and self.clock.left == 0:
            self._pass_time(self._exchange.ending.at_ns)

    def end(self) -> None:
        """After the last chunk: nothing where the recording was whole, else what came then, or a miss."""
        ending = self._exchange.ending
        self._pass_time(ending.at_ns)
        if ending.kind == "complete" or (ending.kind != "error" and self._is_complete()):
            return
        raise self._ending_error()

    def _ending_error(self) -> BaseException:
        ending = self._exchange.ending
        if ending.kind == "error":
            return recorded_error(ending, self._library, self._request)
        request, count = self._exchange.request, len(self._exchange.chunks)
        if ending.kind == "complete":
            return self._trip(
                f"the recording of {request.method} {request.url} has no response, and no ending that says what came "
                "instead; record it anew with mode='rewrite'"
            )
        how = {"cancelled": "was cancelled by", "closed_early": "was left early by"}.get(
            ending.kind, "was abandoned by"
        )
        return self._trip(
            f"the recording of {request.method} {request.url} ends here: the call {how} its caller after {count} "
            "chunks, and this caller goes on; record it anew with mode='rewrite'"
        )


def _steps(exchange: Exchange, paced: bool, clock: VirtualClock | None) -> Iterator[tuple[float, bytes]]:
    """Not a method: a generator that its player holds must not hold the player."""
    before = exchange.head.at_ns if exchange.head is not None else 0
    for at, chunk in zip(exchange.arrivals_ns, exchange.chunks, strict=True):
        if clock is not None:
            clock.now_ns = at
            clock.left -= 1
        yield ((at - before) / 1e9 if paced else 0.0), chunk
        before = at


def recorded_error(ending: Ending, library: Any, request: Any) -> BaseException:
    """The recorded exception as one of the calling library's own class.

    Builtin and already imported exceptions come back as themselves, others as a TransportError that names them.
    """
    module, _, name = (ending.exception or "").rpartition(".")
    root = module.partition(".")[0]
    message = ending.message or ""
    home = library if root in _LIBRARIES else builtins if module == "builtins" else sys.modules.get(module)
    kind = getattr(home, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        for options in ({"request": request}, {}) if root in _LIBRARIES else ({},):
            try:
                return kind(message, **options)
            except TypeError:
                continue
    error: BaseException = library.TransportError(f"{ending.exception}: {message}")
    return error


def miss_exchange(request: Request, miss: CassetteMiss) -> Exchange:
    """A 409 that no SDK retries and whose error message says what was missed, as if it had been recorded."""
    body = json.dumps(
        {"error": {"message": str(miss), "type": "cassette_miss", "code": "cassette_miss"}}
    ).encode()
    headers = (
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-should-retry", b"false"),
    )
    return Exchange(
        request, 0, Ending("complete"), ResponseHead(409, headers, reason=b"Conflict"), (body,), (0,)
    )


def build_response(library: Any, head: ResponseHead, stream: Any, clock: VirtualClock | None = None) -> Any:
    """The recorded head around a stream, as a transport returns it."""
    extensions: dict[str, Any] = {"http_version": head.http_version, REPLAYED: clock or True}
    if head.reason is not None:
        extensions["reason_phrase"] = head.reason
    response = library.Response(head.status, headers=head.headers, stream=stream, extensions=extensions)
    if b"".join([text for pair in head.headers for text in pair]).isascii():
        response.headers.encoding = (
            "ascii"  # as the library finds out, which takes it a look at each by itself
        )
    return response


class PlaybackStream:
    """The recorded chunks as a stream, for sync and async readers.

    `response` is the one whose `elapsed` becomes the recorded time: the client has set it to the real
    time just before it closes this stream.
    """

    def __init__(self, player: Player) -> None:
        self._player = player
        self.response: Callable[[], Any] | None = None

    def __iter__(self) -> Iterator[bytes]:
        for delay, chunk in self._player.chunks():
            if delay > 0:
                sleep(delay)
            yield chunk
        self._player.end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for delay, chunk in self._player.chunks():
            if delay > 0:
                await pause(delay)
            yield chunk
        if (patience := self._player.patience_s()) > 0:
            await pause(patience)
        self._player.end()

    def close(self) -> None:
        clock = self._player.clock
        if clock is None:
            return
        self._player.close()
        response = self.response() if self.response is not None else None
        if response is not None:
            response.elapsed = timedelta(microseconds=clock.now_ns / 1000)

    async def aclose(self) -> None:
        self.close()


async def pause(seconds: float) -> None:
    """Sleep on asyncio or trio, whichever runs."""
    import anyio  # the libraries bring it along, and sync callers never need it

    await anyio.sleep(seconds)
