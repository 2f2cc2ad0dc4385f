"""Collects a replay that ends before its end: what was noted of it until then, and how it went on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from .capture import Capture, Owner
from .exchange import Exchange, Request, ResponseHead


class ReplayCapture(Capture):
    """A capture that begins late: `stamps` are when the first of these chunks came, by the clock of `start_ns`."""

    __slots__ = ()

    def __init__(
        self,
        request: Request,
        started_us: int,
        on_end: Callable[[Exchange], None],
        start_ns: int,
        head: ResponseHead | None,
        head_ns: int,
        chunks: Sequence[bytes],
        stamps: Sequence[int],
        owner: Owner | None,
    ) -> None:
        super().__init__(request, started_us, on_end)
        self.start_ns = start_ns
        if head is not None and head_ns:
            self._head = replace(head, at_ns=head_ns - start_ns)
        self.stamps = list(stamps)
        self.chunks = list(chunks[: len(self.stamps)])
        self._owner = owner
