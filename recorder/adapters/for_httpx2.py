"""The recording transport bound to httpx2."""

from __future__ import annotations

import httpx2

from . import tee, transport
from .async_transport import AsyncRecordingTransport
from .at_once import AtOnceStream
from .playback import PlaybackStream
from .read_stream import ReadStream
from .sync_transport import SyncRecordingTransport


class _SyncTee(tee.SyncTee, httpx2.SyncByteStream):
    pass


class _AsyncTee(tee.AsyncTee, httpx2.AsyncByteStream):
    pass


class _PlaybackStream(PlaybackStream, httpx2.SyncByteStream, httpx2.AsyncByteStream):
    pass


class _AtOnceStream(AtOnceStream, httpx2.SyncByteStream, httpx2.AsyncByteStream):
    pass


class _ReadStream(ReadStream, httpx2.SyncByteStream, httpx2.AsyncByteStream):
    pass


_BINDING = transport.Binding(httpx2, _SyncTee, _AsyncTee, _PlaybackStream, _AtOnceStream, _ReadStream)


class SyncTransport(SyncRecordingTransport, httpx2.BaseTransport):
    """Records a sync httpx2 transport."""

    _binding = _BINDING


class AsyncTransport(AsyncRecordingTransport, httpx2.AsyncBaseTransport):
    """Records an async httpx2 transport."""

    _binding = _BINDING


class DualTransport(
    SyncRecordingTransport,
    AsyncRecordingTransport,
    httpx2.BaseTransport,
    httpx2.AsyncBaseTransport,
):
    """Records an httpx2 transport that is both."""

    _binding = _BINDING
