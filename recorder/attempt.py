"""One attempt at one call, from before the send to the Call that it became."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

from opentelemetry.trace import Span

from .body import read_answer
from .call import AnswerHalf, Call, CallError, Outcome, RequestHalf
from .cassettes import Recorded, Session, Slot
from .dialects import Dialect
from .exchange import Exchange
from .ids import new_id
from .tagging import Tags
from .telemetry import Spans, SpanScope

if TYPE_CHECKING:
    from .capture import Capture

_Sent = tuple[tuple[str, int], ...]
_sent: ContextVar[_Sent] = ContextVar("recorder_sent", default=())

Scope = tuple[Token[_Sent], SpanScope | None]


class Attempt:
    """One attempt at one call.

    `playback` is the recording that answers it; nothing is sent then. `replayed` says that the answer
    is a recording's, its own or that of a cassette further down.
    """

    __slots__ = (
        "_on_end",
        "capture",
        "dialect",
        "half",
        "id",
        "operation_id",
        "playback",
        "replayed",
        "session",
        "slot",
        "span",
        "span_id",
        "tags",
        "trace_id",
    )

    def __init__(
        self, dialect: Dialect, half: RequestHalf, tags: Tags, on_end: Callable[[Attempt, Exchange], None]
    ) -> None:
        self.dialect = dialect
        self.half = half
        self.tags = tags
        self.id = new_id()
        self.operation_id = self.id
        self.session: Session | None = None
        self.slot: Slot | None = None
        self.playback: Recorded | None = None
        self.replayed = False
        self.span: Span | None = None
        self.trace_id: str | None = None
        self.span_id: str | None = None
        self.capture: Capture
        self._on_end = on_end

    def enter(self, store: str, request: object) -> Scope:
        """Begin to send: the span is current, and transports further down know that the call is recorded."""
        sent = _sent.set((*_sent.get(), (store, id(request))))
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
        self._on_end(self, exchange)

    def is_complete(self, exchange: Exchange) -> bool:
        """Whether an exchange holds a whole answer, by the protocol's own end."""
        return self.dialect.read_answer(exchange, read_answer(exchange), self.half).complete


def is_being_sent(store: str, request: object) -> bool:
    """Whether a transport further up is sending this very request, and records it in this store."""
    sent = _sent.get()
    return bool(sent) and (store, id(request)) in sent


def join(attempt: Attempt, exchange: Exchange, answer: AnswerHalf) -> Call:
    """Both halves and the circumstances, as one call."""
    ending, head, half, tags = exchange.ending, exchange.head, attempt.half, attempt.tags
    outcome, error = _outcome(exchange, answer)
    return Call(
        id=attempt.id,
        operation_id=attempt.operation_id,
        started_us=exchange.started_us,
        duration_ns=ending.at_ns,
        request=half,
        answer=answer,
        outcome=outcome,
        http_status=head.status if head is not None else None,
        error=error,
        first_byte_ns=head.at_ns if head is not None else None,
        trace_id=attempt.trace_id,
        span_id=attempt.span_id,
        session_id=tags.session_id,
        user_id=half.user_id if tags.user_id is None else tags.user_id,
        tags=tags.others,
        replayed=attempt.replayed,
        cassette=attempt.session.name if attempt.session is not None else None,
    )


def _outcome(exchange: Exchange, answer: AnswerHalf) -> tuple[Outcome, CallError | None]:
    """An answer that came whole is `ok`, however its stream was left; what the transport raised is an error."""
    ending = exchange.ending
    if ending.kind == "error":
        return "error", CallError(ending.exception or "_OTHER", ending.message or ending.exception or "")
    if answer.error is not None:
        return "error", answer.error
    if answer.complete:
        return "ok", None
    if ending.kind == "cancelled":
        return "cancelled", None
    redirected = exchange.head is not None and 300 <= exchange.head.status < 400
    return ("ok" if redirected and ending.kind == "complete" else "incomplete"), None
