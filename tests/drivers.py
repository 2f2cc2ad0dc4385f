"""Drive a client of either library, sync or async, with one test body: sync calls stand inside the same coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

URL = "https://api.deepseek.com/chat/completions"


@dataclass
class Reply:
    """One scripted answer; an exception among the chunks, or as `error`, is raised there."""

    status: int = 200
    headers: Sequence[tuple[str, str]] = (("content-type", "application/json"),)
    chunks: Sequence[bytes | BaseException] = (b'{"choices":[]}',)
    error: BaseException | None = None
    extensions: dict[str, Any] = field(default_factory=dict)
    read: bool = False


@dataclass
class Seen:
    """What a caller got: everything that replay must give again."""

    status: int | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    chunks: tuple[bytes, ...] = ()
    error: type[BaseException] | None = None
    message: str = ""


class Driver:
    """One library in one world."""

    def __init__(self, library: str, asynchronous: bool) -> None:
        self.library: Any = import_module(library)
        self.asynchronous = asynchronous

    def __repr__(self) -> str:
        return f"{self.library.__name__}-{'async' if self.asynchronous else 'sync'}"

    def wire(self, *replies: Reply) -> Any:
        """An in-memory transport that gives these replies in turn; `.requests` and `.bodies` are what it was sent."""
        return _wire_class(self.library)(self.library, list(replies))

    def client(self, transport: Any = None, **options: Any) -> Any:
        kind = self.library.AsyncClient if self.asynchronous else self.library.Client
        return kind(**({} if transport is None else {"transport": transport}), **options)

    def run(self, scenario: Callable[[], Awaitable[Any]]) -> Any:
        return asyncio.run(scenario())  # type: ignore[arg-type]

    async def send(self, client: Any, *arguments: Any, **options: Any) -> Any:
        """`client.request(...)`, whole."""
        response = client.request(*arguments, **options)
        return await response if self.asynchronous else response

    @asynccontextmanager
    async def stream(self, client: Any, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        if self.asynchronous:
            async with client.stream(*arguments, **options) as response:
                yield response
        else:
            with client.stream(*arguments, **options) as response:
                yield response

    async def raw(self, response: Any) -> AsyncIterator[bytes]:
        """The chunks as they come."""
        if self.asynchronous:
            async for chunk in response.aiter_raw():
                yield chunk
        else:
            for chunk in response.iter_raw():
                yield chunk

    async def close(self, client: Any) -> None:
        await client.aclose() if self.asynchronous else client.close()

    async def observe(
        self, client: Any, body: bytes, *, url: str = URL, leave_after: int | None = None, **options: Any
    ) -> Seen:
        """Post a body, read the answer raw, and tell all that a caller can tell; leaves early after so many chunks."""
        seen = Seen()
        chunks: list[bytes] = []
        try:
            async with self.stream(client, "POST", url, content=body, **options) as response:
                seen.status, seen.headers = response.status_code, tuple(response.headers.raw)
                stream = self.raw(response)
                if leave_after == 0:
                    return seen
                async for chunk in stream:
                    chunks.append(chunk)
                    if len(chunks) == leave_after:
                        break
        except Exception as error:  # noqa: BLE001 - the error is what is observed
            seen.error, seen.message = type(error), str(error)
        seen.chunks = tuple(chunks)
        return seen


def _stream_class(library: Any) -> Any:
    class Stream(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, wire: Any, chunks: Sequence[bytes | BaseException]) -> None:
            self.wire, self.chunks = wire, list(chunks)

        def __iter__(self) -> Iterator[bytes]:
            while self.chunks:
                chunk = self.chunks.pop(0)
                if isinstance(chunk, BaseException):
                    raise chunk
                yield chunk

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in self.__iter__():
                yield chunk

        def close(self) -> None:
            self.wire.closed += 1

        async def aclose(self) -> None:
            self.wire.closed += 1

    return Stream


def _wire_class(library: Any) -> Any:
    stream_class = _stream_class(library)

    class Wire(library.BaseTransport, library.AsyncBaseTransport):  # type: ignore[misc]
        def __init__(self, library: Any, replies: list[Reply]) -> None:
            self.library, self.replies = library, replies
            self.requests: list[Any] = []
            self.bodies: list[bytes] = []
            self.closed = 0

        def handle_request(self, request: Any) -> Any:
            self.bodies.append(b"".join(request.stream))
            return self.reply(request)

        def reply(self, request: Any) -> Any:
            self.requests.append(request)
            reply = self.replies.pop(0) if self.replies else Reply()
            if reply.error is not None:
                raise reply.error
            if reply.read:
                content = b"".join(chunk for chunk in reply.chunks if isinstance(chunk, bytes))
                return self.library.Response(reply.status, headers=list(reply.headers), content=content)
            return self.library.Response(
                reply.status,
                headers=list(reply.headers),
                stream=stream_class(self, reply.chunks),
                extensions=dict(reply.extensions),
            )

        async def handle_async_request(self, request: Any) -> Any:
            self.bodies.append(b"".join([part async for part in request.stream]))
            return self.reply(request)

    return Wire
