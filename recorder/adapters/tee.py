"""Tees: hand every chunk of a response on unchanged, after noting it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..capture import Capture
from ..recording import Recording
from ..telemetry import ChunkFilter


class Tee:
    """What both tees share. Iterable again after a break, since openai drains what its reader left.

    The collector may be the one that ends it; then the capture is only handed to the recording.
    """

    def __init__(
        self, stream: Any, capture: Capture, recording: Recording, chunk_filter: ChunkFilter | None
    ) -> None:
        self._stream = stream
        self._capture = capture
        self._recording = recording
        self._filter = chunk_filter

    def __del__(self) -> None:
        if self._capture.left:
            self._recording.abandon(self._capture)


class SyncTee(Tee):
    """A tee for sync readers."""

    def __iter__(self) -> Iterator[bytes]:
        return self._pass_on() if self._filter is None else self._pass_filtered(self._filter)

    def _pass_on(self) -> Iterator[bytes]:
        capture = self._capture
        stamp, append, clock = capture.stamps.append, capture.chunks.append, capture.clock
        try:
            for data in self._stream:
                stamp(clock())
                append(data)
                yield data
        except GeneratorExit:  # the reader stopped; close() or the collector says how it ended
            raise
        except BaseException as error:
            capture.fail(error, "response")
            raise
        capture.complete()

    def _pass_filtered(self, chunk_filter: ChunkFilter) -> Iterator[bytes]:
        for data in self._pass_on():
            if kept := chunk_filter.feed(data):
                yield kept
        if kept := chunk_filter.flush():
            yield kept

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            if self._capture.left:
                self._capture.close()


class AsyncTee(Tee):
    """A tee for async readers."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._apass_on() if self._filter is None else self._apass_filtered(self._filter)

    async def _apass_on(self) -> AsyncIterator[bytes]:
        capture = self._capture
        stamp, append, clock = capture.stamps.append, capture.chunks.append, capture.clock
        chunks = aiter(self._stream)
        try:
            async for data in chunks:
                stamp(clock())
                append(data)
                yield data
        except GeneratorExit:  # as above
            raise
        except BaseException as error:
            capture.fail(error, "response")
            raise
        finally:
            await _close(chunks)
        capture.complete()

    async def _apass_filtered(self, chunk_filter: ChunkFilter) -> AsyncIterator[bytes]:
        chunks = self._apass_on()
        try:
            async for data in chunks:
                if kept := chunk_filter.feed(data):
                    yield kept
        finally:
            await _close(chunks)
        if kept := chunk_filter.flush():
            yield kept

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            if self._capture.left:
                self._capture.close()


async def _close(chunks: AsyncIterator[bytes]) -> None:
    """Close a generator when ours is closed, as httpx2 does: else it would wait for the collector."""
    if (close := getattr(chunks, "aclose", None)) is not None:
        await close()
