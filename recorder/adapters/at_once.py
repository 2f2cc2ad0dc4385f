"""Plays what needs neither waiting nor an error, as nearly all that is replayed: a head, and all chunks at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from ..attempt import Attempt
from ..exchange import Exchange, ResponseHead
from ..recording import Recording
from ..replay_capture import ReplayCapture


def whole_head(attempt: Attempt, recorded: Exchange) -> ResponseHead | None:
    """The head of what can be played at once; None where there is more to it."""
    head, session = recorded.head, attempt.session
    if head is None or head.status == 101 or recorded.ending.kind != "complete" or recorded.usage_asked:
        return None
    if attempt.traced is not None and attempt.traced.host is not None:  # to be told before the last chunk
        return None
    return head if session is not None and session.pace == "instant" else None


class AtOnceStream:
    """The chunks of a recording as a stream, for sync and async readers; a `capture` notes what they get.

    A second reader goes on where the first one stopped. The collector may be the one that ends it, as with a tee.
    """

    def __init__(
        self, chunks: tuple[bytes, ...], capture: ReplayCapture | None, recording: Recording
    ) -> None:
        self._left = iter(chunks)
        self._capture = capture
        self._recording = recording

    def __del__(self) -> None:
        if self._capture is not None and not self._capture.ended:
            self._recording.abandon(self._capture)

    def __iter__(self) -> Iterator[bytes]:
        return self._left if self._capture is None else self._noted(self._capture)

    def _noted(self, capture: ReplayCapture) -> Iterator[bytes]:
        stamp, clock = capture.stamps.append, capture.clock
        for data in self._left:
            stamp(clock())
            yield data
        capture.complete()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for data in self:
            yield data

    def close(self) -> None:
        if self._capture is not None:
            self._capture.close()

    async def aclose(self) -> None:
        self.close()
