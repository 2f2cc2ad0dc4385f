"""Collects a replay: only notes its times, for others to make an exchange of them once somebody asks."""

from __future__ import annotations

from msgspec.structs import replace

from .capture import Capture, nobody
from .exchange import Ending, Exchange, Request, ResponseHead

Noted = tuple[Request, int, int, int, tuple[int, ...], int]
"""What was asked and when by the wall clock; then by the capture's: the start, the head, each chunk, the end."""


class ReplayCapture(Capture):
    """A capture whose end, where all of the answer was read, costs its caller next to nothing.

    It then gives `on_end` not an exchange, but itself.
    """

    __slots__ = ("_ended_ns", "_head_ns", "_played")

    _played: tuple[bytes, ...]

    def play(self, head: ResponseHead, chunks: tuple[bytes, ...]) -> None:
        """The head is in, and from now on as many of these chunks as there are stamps."""
        self._head, self._played = head, chunks
        self._head_ns = self.clock()

    @property
    def at_once(self) -> bool:
        """Whether it was given all chunks at once."""
        return hasattr(self, "_played")

    def complete(self) -> None:
        """The stream reached its end."""
        try:
            self._turn.pop()
        except IndexError:
            return
        if self._owner is not None:
            self._owner.leave()
        self._ended_ns = self.clock()
        on_end, self._on_end = self._on_end, nobody
        on_end(self)  # type: ignore[arg-type] # which takes both, unlike those of other captures

    def noted(self) -> Noted:
        """What is needed to tell of a replay that was given all chunks at once, and is complete."""
        stamps = tuple(self.stamps)
        return self._request, self._started_us, self.start_ns, self._head_ns, stamps, self._ended_ns

    def whole(self) -> Exchange:
        """The exchange, once it is complete."""
        return self._exchange(Ending("complete", self._ended_ns - self.start_ns))

    def _exchange(self, ending: Ending) -> Exchange:
        if self._head is not None and self.at_once:
            self.chunks = list(self._played)
            self._head = replace(self._head, at_ns=self._head_ns - self.start_ns)
            del self._played
        return super()._exchange(ending)
