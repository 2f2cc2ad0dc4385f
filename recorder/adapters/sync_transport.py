"""The recording transport for sync clients: what waits, around what `transport` decides."""

from __future__ import annotations

from time import sleep
from types import TracebackType
from typing import Any, Self

from ..attempt import Attempt
from ..errors import CassetteMiss
from ..exchange import Exchange
from ..played import Played
from ..routes import Route
from .transport import RecordingTransport


class SyncRecordingTransport(RecordingTransport):
    """Records what passes through a sync transport."""

    def handle_request(self, request: Any) -> Any:
        url = str(request.url)
        route = self._route(request, url, self._binding.library.SyncByteStream)
        if route is None:
            return self.inner.handle_request(request)
        if type(request.stream) is self._binding.library.ByteStream:
            body: bytes = request.read()
        else:
            body = self._read_body(request, route, url)
        try:
            attempt = self._begin(request, route, url, body)
        except CassetteMiss as miss:
            if not miss.respond:
                raise
            return self._respond_miss(request, miss)
        if attempt is None:
            return self.inner.handle_request(request)
        if isinstance(attempt, Played):
            return self._play_whole(attempt, asynchronous=False)
        if attempt.playback is not None:
            return self._play(attempt, attempt.playback, request)
        outgoing = self._outgoing(attempt, request, body) if self.recording.rewrites else request
        scope = attempt.enter(self.recording.settings.store, outgoing)
        try:
            response = self.inner.handle_request(outgoing)
        except BaseException as error:
            attempt.capture.fail(error, "request")
            raise
        finally:
            attempt.leave(scope)
        return self._receive(response, attempt, self._binding.sync_tee, asynchronous=False)

    def _read_body(self, request: Any, route: Route, url: str) -> bytes:
        """The body of a request that can be read once only; put back so that it can be read once more."""
        parts: list[bytes] = []
        try:
            parts.extend(request.stream)
        except BaseException as error:
            self._body_failed(request, route, url, parts, error)
            raise
        request.stream = self._binding.read_stream(parts, request.stream)
        return b"".join(parts)

    def _play(self, attempt: Attempt, exchange: Exchange, request: Any) -> Any:
        try:
            player = self._player(attempt, exchange, request)
            if (delay := player.head_delay_s()) > 0:
                sleep(delay)
            response = self._respond(player)
        except BaseException as error:
            attempt.capture.fail(error, "request")
            raise
        return self._receive_played(response, attempt, self._binding.sync_tee, asynchronous=False)

    def close(self) -> None:
        self.inner.close()

    def __enter__(self) -> Self:
        self.inner.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.inner.__exit__(exc_type, exc_value, traceback)
