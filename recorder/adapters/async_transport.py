"""The recording transport for async clients: what waits, around what `transport` decides."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from ..attempt import Attempt
from ..errors import CassetteMiss
from ..exchange import Exchange
from ..played import Played
from ..routes import Route
from .playback import pause
from .transport import RecordingTransport


class AsyncRecordingTransport(RecordingTransport):
    """Records what passes through an async transport."""

    async def handle_async_request(self, request: Any) -> Any:
        url = str(request.url)
        route = self._route(request, url, self._binding.library.AsyncByteStream)
        if route is None:
            return await self.inner.handle_async_request(request)
        if type(request.stream) is self._binding.library.ByteStream:
            body: bytes = await request.aread()
        else:
            body = await self._aread_body(request, route, url)
        try:
            attempt = self._begin(request, route, url, body)
        except CassetteMiss as miss:
            if not miss.respond:
                raise
            return self._respond_miss(request, miss)
        if attempt is None:
            return await self.inner.handle_async_request(request)
        if isinstance(attempt, Played):
            return self._play_whole(attempt, asynchronous=True)
        if attempt.playback is not None:
            return await self._aplay(attempt, attempt.playback, request)
        outgoing = self._outgoing(attempt, request, body) if self.recording.rewrites else request
        scope = attempt.enter(self.recording.settings.store, outgoing)
        try:
            response = await self.inner.handle_async_request(outgoing)
        except BaseException as error:
            attempt.capture.fail(error, "request")
            raise
        finally:
            attempt.leave(scope)
        return self._receive(response, attempt, self._binding.async_tee, asynchronous=True)

    async def _aread_body(self, request: Any, route: Route, url: str) -> bytes:
        parts: list[bytes] = []
        try:
            async for part in request.stream:
                parts.append(part)  # noqa: PERF401 - what came before an error is kept
        except BaseException as error:
            self._body_failed(request, route, url, parts, error)
            raise
        request.stream = self._binding.read_stream(parts, request.stream)
        return b"".join(parts)

    async def _aplay(self, attempt: Attempt, exchange: Exchange, request: Any) -> Any:
        try:
            player = self._player(attempt, exchange, request)
            if (delay := player.head_delay_s(in_task=True)) > 0:
                await pause(delay)
            response = self._respond(player)
        except BaseException as error:
            attempt.capture.fail(error, "request")
            raise
        return self._receive_played(response, attempt, self._binding.async_tee, asynchronous=True)

    async def aclose(self) -> None:
        await self.inner.aclose()

    async def __aenter__(self) -> Self:
        await self.inner.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.inner.__aexit__(exc_type, exc_value, traceback)
