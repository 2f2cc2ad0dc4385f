"""One CLIENT span for each attempt: started before the send, current only around it, ended with the answer."""

from __future__ import annotations

from contextvars import Token

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from ..call import Call, RequestHalf
from ..identity import Tags
from .attributes import answer_attributes, request_attributes, tag_attributes

SpanScope = Token[otel_context.Context]


class Spans:
    """Makes the spans; without an OpenTelemetry SDK each step is a cheap no-op.

    Without `tracer_provider` it follows the global one, also one that is set later.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("recorder", tracer_provider=tracer_provider)

    def start(self, half: RequestHalf, started_us: int, tags: Tags) -> Span:
        """Start the span of an attempt as a child of the caller's current one."""
        name = f"{half.operation or 'request'} {half.model}" if half.model else half.operation or "request"
        attributes = request_attributes(half)
        if any(tags):
            attributes |= tag_attributes(tags)
        return self._tracer.start_span(
            name,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=started_us * 1000,
            record_exception=False,
            set_status_on_exception=False,
        )

    @staticmethod
    def enter(span: Span) -> SpanScope:
        """Make the span current; undo with `leave` in the same frame, never across a yield."""
        return otel_context.attach(trace.set_span_in_context(span))

    @staticmethod
    def leave(scope: SpanScope) -> None:
        """Make current what was so before."""
        otel_context.detach(scope)

    @staticmethod
    def end(span: Span, call: Call) -> None:
        """Set what the answer gave, and end the span at the call's end."""
        if span.is_recording():
            span.set_attributes(answer_attributes(call))
            if call.error is not None:
                span.set_status(Status(StatusCode.ERROR, call.error.message))
        span.end(call.started_us * 1000 + call.duration_ns)


def span_ids(span: Span | None) -> tuple[str | None, str | None]:
    """Trace id and span id as lower-case hex; without a span of ours, the trace that the caller is in."""
    context = (span or trace.get_current_span()).get_span_context()
    if not context.is_valid:
        return None, None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}" if span is not None else None
