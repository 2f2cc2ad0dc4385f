"""What telemetry keeps of an attempt while it lasts, and makes current around its send."""

from __future__ import annotations

from contextvars import Token
from typing import Final

from msgspec import Struct
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import INVALID_SPAN, Span, get_current_span, propagation, set_span_in_context

from .attributes import Attributes
from .hosts import Host
from .late_attributes import LateAttributes, Read

SpanScope = Token[Context]

# Private, yet where `set_span_in_context` puts a span, by three calls.
_SPAN_KEY: Final[str] = getattr(propagation, "_SPAN_KEY", "")
_KEY_KNOWN: Final = set_span_in_context(INVALID_SPAN, Context()) == {_SPAN_KEY: INVALID_SPAN}


class Traced(Struct, eq=False):
    """An attempt that somebody listens to: by a span of its own, by metrics alone, or by a `host`'s span.

    `known` are the attributes of the start, without secrets; where those are read late `read` does so, and the span
    has `late` ones. `caller` is the context that the span was started in. `told` says that the host has got its
    answer.
    """

    known: Attributes | None
    span: Span | None = None
    caller: Context | None = None
    host: Host | None = None
    told: bool = False
    late: LateAttributes | None = None
    read: Read | None = None

    @property
    def attributes(self) -> Attributes:
        """Those of the start."""
        if self.known is None:
            self.known = {} if self.read is None else self.read()
        return self.known

    @property
    def context(self) -> Context | None:
        """The context that metrics and events belong to; None where that is the current one."""
        return None if self.span is None else set_span_in_context(self.span)

    def enter(self) -> SpanScope | None:
        """Make the span current; undo with `leave` in the same frame, never across a yield."""
        if self.span is None:
            return None
        caller = self.caller
        if _KEY_KNOWN and caller is not None:
            return attach(Context({**caller, _SPAN_KEY: self.span}))
        return attach(set_span_in_context(self.span, caller))

    def give_up(self) -> None:
        """End the span of an attempt that recorder could not read."""
        if self.span is not None:
            self.span.end()


Started = tuple[Traced | None, int, int]
"""What is kept of an attempt, its trace id and its span id; 0 is none."""


def span_started(traced: Traced) -> Started:
    """An attempt whose span has been started, if there is anybody who makes spans."""
    span, caller = traced.span, traced.caller
    assert span is not None
    ids = span.get_span_context()
    trace_id, span_id = ids.trace_id, ids.span_id
    if not (trace_id and span_id) or (
        not span.is_recording() and caller is not None and ids_of(caller)[1] == span_id
    ):
        traced.span = traced.caller = traced.late = None
        return traced, trace_id, 0
    return traced, trace_id, span_id


def ids_of(context: Context) -> tuple[int, int]:
    """The ids of the caller's trace and span."""
    ids = get_current_span(context).get_span_context()
    return ids.trace_id, ids.span_id


def leave(scope: SpanScope | None) -> None:
    """Make current what was so before."""
    if scope is not None:
        detach(scope)
