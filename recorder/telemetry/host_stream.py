"""A stream whose call another instrumentation shows: that one may end its span as soon as it has the last event."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol

# A model may write these words as well; in its text neither a line's beginning nor a quotation mark is bare.
_TERMINAL: Final = re.compile(
    rb'[\r\n]data:[ \t]*\[DONE\]|"type"[ \t]*:[ \t]*"(?:message_stop|response\.(?:completed|incomplete|failed))"'
)
_LONGEST: Final = 64


class ChunkFilter(Protocol):
    """Decides what of the received bytes the caller gets."""

    def feed(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...


class TerminalWatch:
    """Hands all chunks on, through `inner` if there is one; calls `tell` before the one that ends the answer."""

    def __init__(self, tell: Callable[[], None], inner: ChunkFilter | None = None) -> None:
        self._tell = tell
        self._inner = inner
        self._tail = b"\n"

    def feed(self, data: bytes) -> bytes:
        """The chunk as the caller gets it; a marker may be split between two of them."""
        seen = self._tail + data
        if _TERMINAL.search(seen) is not None:
            self._tell()
        self._tail = seen[-_LONGEST:]
        return data if self._inner is None else self._inner.feed(data)

    def flush(self) -> bytes:
        """What is left. A stream without a marker has ended by now, which told all there is."""
        return b"" if self._inner is None else self._inner.flush()
