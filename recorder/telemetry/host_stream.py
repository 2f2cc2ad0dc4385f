"""A stream whose call another instrumentation shows: that one may end its span as soon as it has the last event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

_TERMINAL: Final = (b"[DONE]", b"message_stop", b"response.completed")


class ChunkFilter(Protocol):
    """Decides what of the received bytes the caller gets."""

    def feed(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...


class TerminalWatch:
    """Hands all chunks on, through `inner` if there is one; calls `tell` before the one that ends the answer."""

    def __init__(self, tell: Callable[[], None], inner: ChunkFilter | None = None) -> None:
        self._tell = tell
        self._inner = inner
        self._tail = b""

    def feed(self, data: bytes) -> bytes:
        """The chunk as the caller gets it; a marker may be split between two of them."""
        seen = self._tail + data
        if any(marker in seen for marker in _TERMINAL):
            self._tell()
        self._tail = seen[-max(map(len, _TERMINAL)) :]
        return data if self._inner is None else self._inner.feed(data)

    def flush(self) -> bytes:
        """What is left. A stream without a marker has ended by now, which told all there is."""
        return b"" if self._inner is None else self._inner.flush()
