"""Where a cassette's recordings come from and go to."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from ..errors import CassetteError
from ..exchange import Exchange, Request


class Unread:
    """An exchange of which only what is asked was read so far; `read` gives all of it, or raises CassetteError.

    Most are wanted once. So the first who gets it has it for himself: to read it again takes less time than
    to find memory for all that nobody wants any more. From the second time on it is kept.
    """

    __slots__ = ("_exchange", "_read", "_wanted", "request", "started_us")

    def __init__(self, request: Request, started_us: int, read: Callable[[], Exchange]) -> None:
        self.request = request
        self.started_us = started_us
        self._read = read
        self._exchange: Exchange | None = None
        self._wanted = False

    def make_ready(self) -> None:
        """Read it now for one who is going to get it; raises CassetteError."""
        if self._exchange is None:  # two threads may both read, and find the same
            self._exchange = self._all()

    def exchange(self) -> Exchange:
        """All of it, with this very request, by which recordings know one another."""
        exchange = self._exchange
        if exchange is None:
            exchange = self._all()
        self._exchange = exchange if self._wanted else None
        self._wanted = True
        return exchange

    def _all(self) -> Exchange:
        exchange = self._read()
        return exchange if exchange.request is self.request else replace(exchange, request=self.request)

    def __eq__(self, other: object) -> bool:
        return self.exchange() == (other.exchange() if isinstance(other, Unread) else other)

    def __hash__(self) -> int:
        return hash(self.exchange())


class Recorded(Struct, frozen=True, gc=False):
    """One recording of a cassette.

    `content` is its exchange, or one that is still to be read; then `exchange` may raise CassetteError.
    `lane` numbers the task or thread that asked, in order of first asking; `call_id` is the id of
    the call that it belongs to, "" where no store knows one. `credential` tells which credential of
    the cassette was sent, numbered by first use; 0 is none, or not known.
    """

    content: Exchange | Unread
    call_id: str
    lane: int = 0
    credential: int = 0

    @property
    def exchange(self) -> Exchange:
        """What went over the wire."""
        content = self.content
        return content.exchange() if isinstance(content, Unread) else content

    @property
    def request(self) -> Request:
        """What was asked, for which nothing else need be read."""
        return self.content.request

    @property
    def started_us(self) -> int:
        """When it was asked, in epoch microseconds."""
        return self.content.started_us


Change = Callable[[tuple[Recorded, ...] | None], Sequence[Recorded]]
"""What a cassette is to hold, given what it holds; None where there is no such cassette."""


class ForeignCassette(CassetteError):
    """The cassette is another program's, and not to be overwritten."""


class CassetteSource(Protocol):
    """A place that keeps one cassette.

    One that can also keep what was not to be saved has `reject(recordings)`, which gives the place, and
    one that leaves some requests to the network has `ignores(request)`, which tells them. One that keeps calls
    otherwise than they were has `kept_request(request)` and `kept_exchange(exchange)`, which give what it keeps, of an
    exchange maybe None. One that keeps not all request headers has `keep_headers(names)`, to be told those that
    are compared. One for which it takes long to read answers has `load_lazily()`, which is `load()` but for
    exchanges that are `Unread`.
    """

    @property
    def name(self) -> str: ...

    def load(self) -> tuple[Recorded, ...] | None:
        """The recordings in the order in which they were asked for; None where there is no such cassette."""

    def save(self, recordings: Sequence[Recorded]) -> None:
        """Replace the cassette by these recordings, as a whole or not at all."""

    def update(self, change: Change) -> None:
        """Load, change and save, while other threads and processes wait."""


def ignored(source: CassetteSource, request: Request) -> bool:
    """Whether a source leaves this request to the network."""
    ignores = getattr(source, "ignores", None)
    return ignores is not None and bool(ignores(request))


def as_kept(source: CassetteSource, request: Request) -> Request:
    """A request as a source keeps it, and compares it."""
    kept_request: Callable[[Request], Request] | None = getattr(source, "kept_request", None)
    return request if kept_request is None else kept_request(request)


def shown(name: str) -> str:
    """The name of a cassette as short as it can be said: a path below the working directory without that."""
    if not os.path.isabs(name):
        return name
    below = os.path.relpath(name) if os.path.splitdrive(name)[0] == os.path.splitdrive(os.getcwd())[0] else ""
    return below if below and not below.startswith(os.pardir) else name
