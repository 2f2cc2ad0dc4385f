"""What telemetry keeps of an attempt while it lasts, and makes current around its send."""

from __future__ import annotations

from contextvars import Token

from msgspec import Struct
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Span, set_span_in_context

from .attributes import Attributes
from .hosts import Host

SpanScope = Token[Context]


class Traced(Struct, eq=False):
    """An attempt that somebody listens to: by a span of its own, by metrics alone, or by a `host`'s span.

    `attributes` are those of the start, without secrets, `caller` is the context that the span was started in.
    `told` says that the host has got its answer.
    """

    attributes: Attributes
    span: Span | None = None
    caller: Context | None = None
    host: Host | None = None
    told: bool = False

    @property
    def context(self) -> Context | None:
        """The context that metrics and events belong to; None where that is the current one."""
        return None if self.span is None else set_span_in_context(self.span)

    def enter(self) -> SpanScope | None:
        """Make the span current; undo with `leave` in the same frame, never across a yield."""
        if self.span is None:
            return None
        return attach(set_span_in_context(self.span, self.caller))

    def give_up(self) -> None:
        """End the span of an attempt that recorder could not read."""
        if self.span is not None:
            self.span.end()


def leave(scope: SpanScope | None) -> None:
    """Make current what was so before."""
    if scope is not None:
        detach(scope)
