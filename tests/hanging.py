"""Upstreams that go on only so far, and then never."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from .drivers import Driver, Reply


def hanging_client(driver: Driver, reply: Reply, where: str, forever: Callable[[], Awaitable[Any]]) -> Any:
    """An async client whose answer hangs before its `head`, or in its `body` after one chunk; elsewhere it comes."""

    class Endless(driver.library.AsyncByteStream):  # type: ignore[misc, name-defined]
        async def __aiter__(self) -> AsyncIterator[Any]:
            yield reply.chunks[0]
            await forever()

    class Hanging(type(driver.wire())):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            if where == "head":
                await forever()
            response = self.reply(request)
            if where == "body":
                response.stream = Endless()
            return response

    return driver.client(Hanging(driver.library, [reply]))
