"""The headers that connect an upstream's own spans with this trace; baggage stays at home."""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()


def trace_headers(context: Context | None) -> dict[str, str]:
    """`traceparent`, and `tracestate` where there is one; nothing outside of a trace."""
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers, context)
    return headers
