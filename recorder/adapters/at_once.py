"""Plays what needs neither waiting nor an error, as nearly all that is replayed: a head, and all chunks at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from time import perf_counter_ns

from ..played import Played


class AtOnceStream:
    """The chunks of a recording as a stream, for sync and async readers; `played` notes what they get.

    A second reader goes on where the first one stopped. The collector may be the one that ends it, as with a tee.
    """

    def __init__(self, chunks: tuple[bytes, ...], played: Played | None) -> None:
        self._left = iter(chunks)
        self._played = played

    def __del__(self) -> None:
        played = self._played
        if played is not None and played.is_open:
            played.home.abandon(played)

    def __iter__(self) -> Iterator[bytes]:
        return self._left if self._played is None else self._noted(self._played)

    def _noted(self, played: Played) -> Iterator[bytes]:
        stamp = played.stamps.append
        for data in self._left:
            stamp(perf_counter_ns())
            yield data
        played.complete()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for data in self:
            yield data

    def close(self) -> None:
        if self._played is not None and self._played.is_open:
            self._played.close()

    async def aclose(self) -> None:
        self.close()
