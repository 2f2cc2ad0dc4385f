"""One attempt at one call, from before the send to its end."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

from msgspec import Struct
from opentelemetry.trace import Span

from .body import read_answer
from .call import RequestHalf
from .cassettes import Recorded, Session, Slot
from .dialects import Dialect
from .exchange import Exchange
from .tagging import Tags
from .telemetry import Spans, SpanScope

if TYPE_CHECKING:
    from .capture import Capture

_Sent = tuple[tuple[str, int, bool], ...]
_sent: ContextVar[_Sent] = ContextVar("recorder_sent", default=())

Scope = tuple[Token[_Sent], SpanScope | None]


class Attempt(Struct, eq=False):
    """One attempt at one call; `half` is None while a replayed request was not read.

    `playback` is the recording that answers it; nothing is sent then. `replayed` says that the answer is a
    recording's, its own or that of a cassette further down. One that is not `kept` interests nobody once
    it is answered. Ids are numbers here, since text of them is needed later, if at all; 0 is none.
    """

    dialect: Dialect
    provider: str
    half: RequestHalf | None
    tags: Tags
    id: int
    operation_id: int
    on_end: Callable[[Attempt, Exchange], None]
    session: Session | None = None
    slot: Slot | None = None
    playback: Recorded | None = None
    replayed: bool = False
    span: Span | None = None
    trace_id: int = 0
    span_id: int = 0
    kept: bool = True
    capture: Capture = None  # type: ignore[assignment]  # set before anybody else sees the attempt

    def enter(self, store: str, request: object) -> Scope:
        """Begin to send: the span is current, and transports further down know that the call is recorded."""
        sent = _sent.set((*_sent.get(), (store, id(request), self.slot is not None)))
        return sent, Spans.enter(self.span) if self.span is not None else None

    @staticmethod
    def leave(scope: Scope) -> None:
        """The send is over: all is current that was so before.

        Does nothing in another context than the send began in, where a collected coroutine ends.
        """
        sent, span = scope
        try:
            _sent.reset(sent)
        except ValueError:
            return
        if span is not None:
            Spans.leave(span)

    def finish(self, exchange: Exchange) -> None:
        """The capture's end."""
        self.on_end(self, exchange)

    def is_complete(self, exchange: Exchange) -> bool:
        """Whether an exchange holds a whole answer, by the protocol's own end."""
        half = self.dialect.read_request(exchange.request, self.provider)
        return self.dialect.read_answer(exchange, read_answer(exchange), half).complete


def is_being_sent(store: str, request: object) -> bool:
    """Whether a transport further up is sending this very request, and records it in this store."""
    sent = _sent.get()
    return bool(sent) and any(each[:2] == (store, id(request)) for each in sent)


def is_recorded_live(request: object) -> bool:
    """Whether a transport further up is sending this very request for a cassette that is being recorded."""
    return any(live and asked == id(request) for _, asked, live in _sent.get())
