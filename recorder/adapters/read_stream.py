"""A request body that recorder has read: it can be read once more, and after that as its own stream lets it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any


class ReadStream:
    """The parts that were read of a stream, once; a further reader is left to the stream itself."""

    def __init__(self, parts: list[bytes], stream: Any) -> None:
        self._parts: list[bytes] | None = parts
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        parts, self._parts = self._parts, None
        yield from self._stream if parts is None else parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts, self._parts = self._parts, None
        if parts is None:
            async for part in self._stream:
                yield part
        else:
            for part in parts:
                yield part
