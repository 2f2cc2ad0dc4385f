"""One attempt at one call, from before the send to its end."""

from __future__ import annotations

import weakref
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from .body import read_answer
from .call import RequestHalf
from .cassettes import Session, Slot
from .dialects import Dialect
from .exchange import Exchange, Request
from .particulars import Particulars, particulars
from .tagging import Tags
from .telemetry import SpanScope, Traced, leave

if TYPE_CHECKING:
    from .capture import Capture


class _Sending(Struct, frozen=True):
    """A request on its way down through transports: who records it, and for which cassette."""

    request: weakref.ref[Any]  # an id alone may be another request's by now, in a context that was copied
    store: str
    session: Session | None


_Sent = tuple[_Sending, ...]
_sent: ContextVar[_Sent] = ContextVar("recorder_sent", default=())

is_sending = _sent.get
"""Asks whether transports further up are sending anything at all, at the least cost."""

Scope = tuple[Token[_Sent], SpanScope | None]


class Attempt(Struct, eq=False):
    """One attempt at one call; `half` is None while nobody has read the request.

    `playback` is the recorded exchange that answers it; nothing is sent then. `replayed` says that the answer is a
    recording's, its own or that of a cassette further down. One that is not `kept` interests nobody once
    it is answered. Ids are numbers here, since text of them is needed later, if at all; 0 is none. `clean`
    is the request without secrets where somebody wanted it before the send, `journalled` that the journal
    knows of the start. A `bare` one is kept without its content, a `paused` one is nobody's.
    """

    dialect: Dialect
    provider: str
    half: RequestHalf | None
    tags: Tags
    id: int
    operation_id: int
    session: Session | None = None
    slot: Slot | None = None
    playback: Exchange | None = None
    replayed: bool = False
    traced: Traced | None = None
    trace_id: int = 0
    span_id: int = 0
    kept: bool = True
    clean: Request | None = None
    bare: bool = False
    paused: bool = False
    journalled: bool = False
    capture: Capture = None  # type: ignore[assignment]  # set before anybody else sees the attempt

    def enter(self, store: str, request: Any) -> Scope:
        """Begin to send: the span is current, and transports further down know that the call is recorded."""
        sending = _Sending(weakref.ref(request), store, self.session)
        sent = _sent.set((*_sent.get(), sending))
        return sent, self.traced.enter() if self.traced is not None else None

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
        leave(span)

    def particulars(self) -> Particulars:
        """What is known of the call besides its exchange."""
        cassette = self.session.name if self.session is not None else None
        return particulars(self.id, self.operation_id, self.trace_id, self.span_id, self.tags, cassette)

    def is_complete(self, exchange: Exchange) -> bool:
        """Whether an exchange holds a whole answer, by the protocol's own end."""
        half = self.dialect.read_request(exchange.request, self.provider)
        return self.dialect.read_answer(exchange, read_answer(exchange), half).complete


def sessions_above(store: str, request: object) -> list[Session | None]:
    """The cassettes, or None for none, for which transports further up are sending this very request to be recorded in
    this store."""
    sent = _sent.get()
    return (
        [each.session for each in sent if each.store == store and each.request() is request] if sent else []
    )


def takers(request: object) -> list[Session | None]:
    """The cassettes, or None for none, for which transports further up are sending this very request, in any store."""
    return [each.session for each in _sent.get() if each.request() is request]
