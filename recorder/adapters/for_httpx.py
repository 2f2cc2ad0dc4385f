"""The recording transport bound to httpx."""

from __future__ import annotations

import httpx

from . import tee, transport
from .async_transport import AsyncRecordingTransport
from .at_once import AtOnceStream
from .playback import PlaybackStream
from .read_stream import ReadStream
from .sync_transport import SyncRecordingTransport


class _SyncTee(tee.SyncTee, httpx.SyncByteStream):
    pass


class _AsyncTee(tee.AsyncTee, httpx.AsyncByteStream):
    pass


class _PlaybackStream(PlaybackStream, httpx.SyncByteStream, httpx.AsyncByteStream):
    pass


class _AtOnceStream(AtOnceStream, httpx.SyncByteStream, httpx.AsyncByteStream):
    pass


class _ReadStream(ReadStream, httpx.SyncByteStream, httpx.AsyncByteStream):
    pass


_BINDING = transport.Binding(httpx, _SyncTee, _AsyncTee, _PlaybackStream, _AtOnceStream, _ReadStream)


class SyncTransport(SyncRecordingTransport, httpx.BaseTransport):
    """Records a sync httpx transport."""

    _binding = _BINDING


class AsyncTransport(AsyncRecordingTransport, httpx.AsyncBaseTransport):
    """Records an async httpx transport."""

    _binding = _BINDING


class DualTransport(
    SyncRecordingTransport,
    AsyncRecordingTransport,
    httpx.BaseTransport,
    httpx.AsyncBaseTransport,
):
    """Records an httpx transport that is both."""

    _binding = _BINDING
