"""One CLIENT span for each attempt: started before the send, current only around it, ended with the answer."""

from __future__ import annotations

from contextvars import Token

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from ..call import Call, RequestHalf
from ..tagging import Tags
from .attributes import answer_attributes, request_attributes, tag_attributes

SpanScope = Token[otel_context.Context]


class Spans:
    """Makes the spans; without an OpenTelemetry SDK each step is a cheap no-op.

    Without `tracer_provider` it follows the global one, also one that is set later.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("recorder", tracer_provider=tracer_provider)

    def start(
        self, half: RequestHalf, started_us: int, tags: Tags
    ) -> tuple[Span | None, str | None, str | None]:
        """Start the span of an attempt as a child of the caller's current one.

        Gives the span, its trace id and its span id as lower-case hex. Without an SDK there is no span,
        and the trace id is that of the trace which the caller is in, if any.
        """
        name = f"{half.operation or 'request'} {half.model}" if half.model else half.operation or "request"
        attributes = request_attributes(half)
        if any(tags):
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
            return None, None, None
        trace_id = f"{context.trace_id:032x}"
        if not span.is_recording() and trace.get_current_span().get_span_context().span_id == context.span_id:
            return None, trace_id, None
        return span, trace_id, f"{context.span_id:016x}"

    @staticmethod
    def enter(span: Span) -> SpanScope:
        """Make the span current; undo with `leave` in the same frame, never across a yield."""
        return otel_context.attach(trace.set_span_in_context(span))

    @staticmethod
    def leave(scope: SpanScope) -> None:
        """Make current what was so before."""
        otel_context.detach(scope)

    @staticmethod
    def end(span: Span, call: Call | None) -> None:
        """Set what the answer gave, and end the span at the call's end; now, where the call is not known."""
        if call is None:
            span.end()
            return
        if span.is_recording():
            span.set_attributes(answer_attributes(call))
            if call.error is not None:
                span.set_status(Status(StatusCode.ERROR, call.error.message))
        span.end(call.started_us * 1000 + call.duration_ns)
