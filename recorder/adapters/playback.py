"""Play a recording through the calling library: its response, chunks, times and errors."""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from time import sleep
from typing import Any

from ..cassettes import Pace
from ..errors import CassetteMiss
from ..exchange import Ending, Exchange, Request, ResponseHead

REPLAYED = "recorder.replayed"
"""The response extension that tells other recorders further up that nothing was sent."""

_LIBRARIES = ("httpx", "httpx2")


class Player:
    """Steps through a recorded exchange; knows when to wait and how it ends, but does not wait itself."""

    def __init__(
        self, exchange: Exchange, pace: Pace, library: Any, request: Any, is_complete: Callable[[], bool]
    ) -> None:
        self._exchange = exchange
        self._paced = pace == "recorded"
        self._library = library
        self._request = request
        self._is_complete = is_complete
        self._chunks = self._steps()

    def head_delay_s(self) -> float:
        """How long to wait before the response head, or before the error that came instead."""
        head = self._exchange.head
        return (head.at_ns if head is not None else self._exchange.ending.at_ns) / 1e9 if self._paced else 0.0

    def head(self) -> ResponseHead:
        """The response head; raises what was raised where none came."""
        if self._exchange.head is None:
            raise self._ending_error()
        return self._exchange.head

    def chunks(self) -> Iterator[tuple[float, bytes]]:
        """Each chunk with the seconds to wait before it; a second reader goes on where the first one stopped."""
        return self._chunks

    def _steps(self) -> Iterator[tuple[float, bytes]]:
        exchange = self._exchange
        before = exchange.head.at_ns if exchange.head is not None else 0
        for at, chunk in zip(exchange.arrivals_ns, exchange.chunks, strict=True):
            yield ((at - before) / 1e9 if self._paced else 0.0), chunk
            before = at

    def end(self) -> None:
        """After the last chunk: nothing where the recording was whole, else what came then, or a miss."""
        ending = self._exchange.ending
        if ending.kind == "complete" or (ending.kind != "error" and self._is_complete()):
            return
        raise self._ending_error()

    def _ending_error(self) -> BaseException:
        ending = self._exchange.ending
        if ending.kind == "error":
            return recorded_error(ending, self._library, self._request)
        how = {"cancelled": "was cancelled by", "closed_early": "was left early by"}.get(
            ending.kind, "was abandoned by"
        )
        request, count = self._exchange.request, len(self._exchange.chunks)
        return CassetteMiss(
            f"the recording of {request.method} {request.url} ends here: the call {how} its caller after {count} "
            "chunks, and this caller goes on; record it anew with mode='rewrite'"
        )


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


def build_response(library: Any, head: ResponseHead, stream: Any) -> Any:
    """The recorded head around a stream, as a transport returns it."""
    extensions: dict[str, Any] = {"http_version": head.http_version, REPLAYED: True}
    if head.reason is not None:
        extensions["reason_phrase"] = head.reason
    return library.Response(head.status, headers=list(head.headers), stream=stream, extensions=extensions)


class PlaybackStream:
    """The recorded chunks as a stream, for sync and async readers."""

    def __init__(self, player: Player) -> None:
        self._player = player

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
        self._player.end()


async def pause(seconds: float) -> None:
    """Sleep on asyncio or trio, whichever runs."""
    import anyio  # the libraries bring it along, and sync callers never need it

    await anyio.sleep(seconds)
