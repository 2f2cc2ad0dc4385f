"""Collects a replay: only notes its times, and makes an exchange of them once somebody asks."""

from __future__ import annotations

from msgspec.structs import replace

from .capture import Capture, nobody
from .exchange import Ending, Exchange, ResponseHead


class ReplayCapture(Capture):
    """A capture whose end, where all of the answer was read, costs its caller next to nothing.

    It then gives `on_end` not its exchange, but what makes it.
    """

    __slots__ = ("_ended_ns", "_head_ns", "_played")

    _played: tuple[bytes, ...]

    def play(self, head: ResponseHead, chunks: tuple[bytes, ...]) -> None:
        """The head is in, and from now on as many of these chunks as there are stamps."""
        self._head, self._played = head, chunks
        self._head_ns = self.clock()

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
        on_end(self._whole)  # type: ignore[arg-type] # which takes both, unlike those of other captures

    def _whole(self) -> Exchange:
        return self._exchange(Ending("complete", self._ended_ns - self.start_ns))

    def _exchange(self, ending: Ending) -> Exchange:
        chunks: tuple[bytes, ...] | None = getattr(self, "_played", None)
        if chunks is not None and self._head is not None:
            self.chunks = list(chunks)
            self._head = replace(self._head, at_ns=self._head_ns - self.start_ns)
            del self._played
        return super()._exchange(ending)
