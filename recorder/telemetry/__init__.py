"""OpenTelemetry: one span for each attempt, after the GenAI semantic conventions."""

from .spans import Spans, SpanScope

__all__ = ["SpanScope", "Spans"]
