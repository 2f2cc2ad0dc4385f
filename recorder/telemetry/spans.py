"""One CLIENT span for each attempt: started before the send, current only around it, ended with the answer."""

from __future__ import annotations

from contextvars import Token

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from ..call import AnswerHalf, CallError, RequestHalf
from ..exchange import Exchange
from ..redact import Redactor
from ..tagging import NO_TAGS, Tags
from .attributes import answer_attributes, request_attributes, tag_attributes, without_secrets

SpanScope = Token[otel_context.Context]


class Spans:
    """Makes the spans; without an OpenTelemetry SDK each step is a cheap no-op.

    Without `tracer_provider` it follows the global one, also one that is set later. Halves and calls may
    hold secrets, which `redactor` keeps out of the spans; tags are clean already.
    """

    def __init__(self, redactor: Redactor, tracer_provider: TracerProvider | None = None) -> None:
        self._redactor = redactor
        self._tracer = trace.get_tracer("recorder", tracer_provider=tracer_provider)

    def start(self, half: RequestHalf, started_us: int, tags: Tags) -> tuple[Span | None, int, int]:
        """Start the span of an attempt as a child of the caller's current one.

        Gives the span, its trace id and its span id. Without an SDK there is no span, and the trace id is
        that of the trace which the caller is in, 0 if there is none.
        """
        attributes = without_secrets(request_attributes(half), self._redactor)
        model = attributes.get("gen_ai.request.model")
        name = f"{half.operation or 'request'} {model}" if model else half.operation or "request"
        if tags is not NO_TAGS:
            attributes |= tag_attributes(tags)
        span = self._tracer.start_span(
            name,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=started_us * 1000,
            record_exception=False,
            set_status_on_exception=False,
        )
        context = span.get_span_context()
        if not context.is_valid:
            return None, 0, 0
        if not span.is_recording() and trace.get_current_span().get_span_context().span_id == context.span_id:
            return None, context.trace_id, 0
        return span, context.trace_id, context.span_id

    @staticmethod
    def enter(span: Span) -> SpanScope:
        """Make the span current; undo with `leave` in the same frame, never across a yield."""
        return otel_context.attach(trace.set_span_in_context(span))

    @staticmethod
    def leave(scope: SpanScope) -> None:
        """Make current what was so before."""
        otel_context.detach(scope)

    def end(
        self, span: Span, provider: str, exchange: Exchange, answer: AnswerHalf, error: CallError | None
    ) -> None:
        """Set what the answer gave, and end the span when the exchange ended."""
        status = None if exchange.head is None else exchange.head.status
        attributes = answer_attributes(provider, status, answer, error)
        span.set_attributes(without_secrets(attributes, self._redactor))
        if error is not None:
            span.set_status(Status(StatusCode.ERROR, self._redactor.error_text(error.message)))
        span.end(exchange.started_us * 1000 + exchange.ending.at_ns)
