"""The recording transport, once, over whatever httpx and httpx2 share."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from msgspec import Struct

from ..attempt import Attempt, is_sending, sessions_above
from ..cassettes import Session
from ..errors import CassetteMiss
from ..exchange import Exchange, Request
from ..played import Played
from ..recording import Recording
from ..routes import Route
from ..telemetry import ChunkFilter
from .at_once import AtOnceStream
from .playback import REPLAYED, PlaybackStream, Player, build_response, miss_exchange
from .read_stream import ReadStream
from .tee import AsyncTee, SyncTee
from .usage_asking import asking_for_usage, usage_filter


class Binding(Struct, frozen=True):
    """One library, and the stream classes that its clients accept."""

    library: Any
    sync_tee: Callable[..., SyncTee]
    async_tee: Callable[..., AsyncTee]
    playback_stream: Callable[[Player], PlaybackStream]
    at_once_stream: Callable[..., AtOnceStream]
    read_stream: Callable[[list[bytes], Any], ReadStream]


class RecordingTransport:
    """What the sync and the async transport share.

    `session` is the cassette that this transport was made for; None lets the recording choose.
    Attributes that it does not have are the inner transport's.
    """

    _binding: Binding

    def __init__(self, inner: Any, recording: Recording, session: Session | None = None) -> None:
        self.inner = inner
        self.recording = recording
        self.session = session

    def __getattr__(self, name: str) -> Any:
        if name in ("inner", "recording", "session"):  # while a copy is being made, before __init__
            raise AttributeError(name)
        return getattr(self.inner, name)

    def _route(self, request: Any, url: str, stream_kind: type) -> Route | None:
        """How to read the request; None where it passes through untouched."""
        recording = self.recording
        route = recording.route(request.method, url, self.session)
        if route is None:
            return None
        stream = request.stream
        if type(stream) is not self._binding.library.ByteStream and not isinstance(stream, stream_kind):
            return None  # async content on a sync client, or the reverse: the library says so better
        return None if is_sending() and self._is_done_above(request) else route

    def _is_done_above(self, request: Any) -> bool:
        """Whether a transport further up has this request recorded in the same store, and for the same cassette."""
        above = sessions_above(self.recording.settings.store, request)
        if not above:
            return False
        session = self.recording.cassettes.session_for(self.session)
        return session is None or session in above

    def _begin(self, request: Any, route: Route, url: str, body: bytes) -> Attempt | Played | None:
        recording, session = self.recording, self.session
        nested = bool(is_sending() and sessions_above(recording.settings.store, request))
        asked = Request(request.method, url, tuple(request.headers.raw), body)
        if session is not None or recording.cassettes.sessions:
            session = recording.cassettes.session_for(session)
        return recording.begin(asked, route, session, nested=nested)

    def _body_failed(
        self, request: Any, route: Route, url: str, body: list[bytes], error: BaseException
    ) -> None:
        """The caller's own body raised while it was read: a call of which only so much is known."""
        try:
            attempt = self._begin(request, route, url, b"".join(body))
        except CassetteMiss:  # it would have missed, but has failed before
            return
        if attempt is not None:
            attempt.capture.fail(error, "request")

    def _outgoing(self, attempt: Attempt, request: Any, request_body: bytes) -> Any:
        """What is sent: the caller's own request, or a copy that asks for usage or carries the trace."""
        outgoing = request
        if (
            self.recording.settings.include_usage
            and attempt.half is not None
            and attempt.dialect.name == "chat"
        ):
            with self.recording.guard:
                outgoing = asking_for_usage(self._binding.library, attempt, request, request_body)
        carried = self.recording.carried(attempt)
        if not carried:
            return outgoing
        headers = [pair for pair in outgoing.headers.raw if pair[0].lower().decode("latin-1") not in carried]
        return self._binding.library.Request(
            outgoing.method,
            outgoing.url,
            headers=[*headers, *((name.encode(), value.encode()) for name, value in carried.items())],
            stream=outgoing.stream,
            extensions=outgoing.extensions,
        )

    def _play_whole(self, played: Played, *, asynchronous: bool) -> Any:
        """The response of a recording that comes whole."""
        playback = played.playback
        assert playback.head is not None
        try:
            stream = self._binding.at_once_stream(playback.chunks, played if played.kept else None)
            response = build_response(self._binding.library, playback.head, stream)
        except BaseException as error:
            played.fail(error, "request")
            raise
        if played.kept:
            played.head_ns = perf_counter_ns()
            if asynchronous:
                with self.recording.guard:
                    played.own()
        return response

    def _player(self, attempt: Attempt, exchange: Exchange, request: Any) -> Player:
        assert attempt.session is not None
        player = Player(
            exchange,
            attempt.session.pace,
            self._binding.library,
            request,
            lambda: attempt.is_complete(exchange),
            attempt.session.trip,
        )
        if attempt.kept:
            attempt.capture.usage_asked = exchange.usage_asked
        if player.clock is not None and attempt.kept:
            player.clock.drive(attempt.capture)
        return player

    def _respond(self, player: Player) -> Any:
        head, stream = player.head(), self._binding.playback_stream(player)
        response = build_response(self._binding.library, head, stream, player.clock)
        if player.clock is not None:
            stream.response = weakref.ref(response)
        return response

    def _respond_miss(self, request: Any, miss: CassetteMiss) -> Any:
        exchange = miss_exchange(Request(request.method, str(request.url)), miss)
        return self._respond(Player(exchange, "instant", self._binding.library, request))

    def _receive(
        self, response: Any, attempt: Attempt, tee: Callable[..., Any], *, asynchronous: bool
    ) -> Any:
        """The head is in: note it, and let the body pass through a tee."""
        capture = attempt.capture
        try:
            extensions = response.extensions
            if (replayed := extensions.get(REPLAYED)) is not None:
                attempt.replayed = True
                if replayed is not True:
                    replayed.drive(capture)
            capture.receive_head(response.status_code, tuple(response.headers.raw), *_status_line(extensions))
            if response.status_code == 101:
                capture.complete()
            elif response.is_stream_consumed:
                self._receive_read(response, attempt)
            else:
                if asynchronous:
                    capture.own()
                traced, chunk_filter = attempt.traced, None
                if capture.usage_asked or (traced is not None and traced.host is not None):
                    chunk_filter = self._chunk_filter(response, attempt)
                response.stream = tee(response.stream, capture, self.recording, chunk_filter)
            return response
        except BaseException as error:
            if not self.recording.guard.takes(error):
                raise
        capture.abandon()
        return response

    def _receive_played(
        self, response: Any, attempt: Attempt, tee: Callable[..., Any], *, asynchronous: bool
    ) -> Any:
        """The same for a recorded response, whose head is known."""
        capture = attempt.capture
        if not attempt.kept:
            return response
        head = attempt.playback.head if attempt.playback is not None else None
        if head is None or head.status == 101:
            return self._receive(response, attempt, tee, asynchronous=asynchronous)
        with self.recording.guard:
            capture.receive_head(head.status, head.headers, head.http_version, head.reason)
            if asynchronous:
                capture.own()
            chunk_filter = self._chunk_filter(response, attempt)
            response.stream = tee(response.stream, capture, self.recording, chunk_filter)
        return response

    def _chunk_filter(self, response: Any, attempt: Attempt) -> ChunkFilter | None:
        """What is done with the chunks besides noting them, if anything."""
        chunk_filter = usage_filter(response, attempt.capture)
        if attempt.traced is None or attempt.traced.host is None:
            return chunk_filter
        return self.recording.watch_for_host(attempt, chunk_filter)

    def _receive_read(self, response: Any, attempt: Attempt) -> None:
        """A response that was read before it came here; its stream will never be iterated."""
        library, capture = self._binding.library, attempt.capture
        if isinstance(response.stream, library.ByteStream):
            for chunk in response.stream:
                capture.receive(chunk)
        else:  # the wire bytes are gone, what is left is decoded
            capture.receive_head(
                response.status_code,
                tuple(
                    pair
                    for pair in response.headers.raw
                    if pair[0].lower() not in (b"content-encoding", b"content-length")
                ),
                *_status_line(response.extensions),
            )
            capture.receive(response.content)
        capture.complete()


def _status_line(extensions: Any) -> tuple[bytes, bytes | None]:
    """The version and the reason that a transport tells beside its response, if it does."""
    if not extensions:
        return b"HTTP/1.1", None
    return _bytes(extensions.get("http_version")) or b"HTTP/1.1", _bytes(extensions.get("reason_phrase"))


def _bytes(value: Any) -> bytes | None:
    """What a transport put into the extensions; some put text there."""
    return (
        value.encode("latin-1", "replace")
        if isinstance(value, str)
        else value
        if isinstance(value, bytes)
        else None
    )
