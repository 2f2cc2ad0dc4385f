"""A call as the journal kept it: read like one that has just ended."""

from __future__ import annotations

from ...body import read_answer
from ...call import Call
from ...dialects import dialect_named
from ...exchange import Ending, Exchange
from ...guard import Guard
from ...particulars import join, read_answer_half
from ...sampling import Content, content_of
from .entries import End, Start

_RECORD_BYTES = 4_096
_CHUNK_BYTES = 64


class Kept:
    """A record out of the journal; without an end it was interrupted, `heard_us` being its last sign of life."""

    __slots__ = ("_call", "_exchange", "_guard", "end", "size", "start")

    def __init__(self, start: Start, end: End | None, guard: Guard, heard_us: int = 0) -> None:
        self.start = start
        self.end = end
        self._guard = guard
        self._exchange = _interrupted(start, heard_us) if end is None else _exchange(start, end)
        self._call: Call | None = None
        chunks = self._exchange.chunks
        bodies = 2 * len(start.request.body) + sum(map(len, chunks))
        self.size = _RECORD_BYTES + bodies + _CHUNK_BYTES * len(chunks)

    @property
    def id(self) -> bytes:
        """The id of the call, as the journal has it."""
        return self.start.id

    @property
    def exchange(self) -> Exchange:
        """What went over the wire."""
        return self._exchange

    @property
    def call(self) -> Call:
        """What it meant."""
        if self._call is None:
            self._call = self._read()
        return self._call

    @property
    def content(self) -> Content:
        """What is to be stored of its content."""
        if self.end is None:
            return "not stored" if self.start.bare else "kept"
        return content_of(self.end.rule, self.call)

    def _read(self) -> Call:
        start, end, exchange = self.start, self.end, self._exchange
        if end is not None and end.told is not None:
            return end.told
        dialect = dialect_named(start.dialect)
        asked = dialect.read_request(exchange.request, start.provider)
        answer = read_answer_half(dialect, exchange, read_answer(exchange), asked, self._guard)
        return join(
            start.particulars,
            asked,
            exchange,
            answer,
            replayed=end is not None and end.replayed,
            interrupted=end is None,
        )


def _exchange(start: Start, end: End) -> Exchange:
    return Exchange(
        start.request,
        start.started_us,
        end.ending,
        end.head,
        end.chunks,
        end.arrivals_ns,
        redacted=end.redacted or start.redacted,
        usage_asked=end.usage_asked,
    )


def _interrupted(start: Start, heard_us: int) -> Exchange:
    """What is left of a call that ended with its process."""
    lasted_ns = max(0, heard_us - start.started_us) * 1_000
    return Exchange(start.request, start.started_us, Ending("abandoned", lasted_ns), redacted=start.redacted)
