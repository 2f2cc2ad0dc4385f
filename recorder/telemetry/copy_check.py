"""Makes sure that copies of spans are what the SDK in use would have made itself; where not, none are made."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import SpanProcessor, sampling
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context

from .attributes import Attributes
from .late_attributes import hand
from .span_copies import CannotCopy, SameIds, SpanCopies, started

_ASKED: Final[Attributes] = {"text": "x", "number": 1, "share": 0.5, "flag": True, "texts": ["a", "b"]}
_ANSWERED: Final[Attributes] = {"number": 2, "text": "y"}
_STATE: Final = TraceState([("vendor", "1")])
_PARENTS: Final = (
    SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(3), trace_state=_STATE),
    SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1)),
    SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(0), trace_state=_STATE),
)
_CONTEXTS: Final = (Context(), *(set_span_in_context(NonRecordingSpan(each), Context()) for each in _PARENTS))


def checked_copies(tracer: Any) -> SpanCopies:
    """What starts the spans of a tracer in its place. Raises CannotCopy where that would make a difference."""
    copies = SpanCopies(tracer)
    heard = _Heard()
    twin = _twin(tracer, heard)
    quick = SpanCopies(twin)
    for context in _CONTEXTS:
        if heard.of(quick, context) != heard.of(twin, context):
            raise CannotCopy
        heard.looks = not heard.looks
    return copies


class _Heard(SpanProcessor):
    """A processor that may look at a start, and the metrics of a tracer: keeps what it is told, in plain values."""

    looks = False

    def __init__(self) -> None:
        self._told: list[Any] = []

    def of(self, starts: Any, context: Context) -> list[Any]:
        """What is told of a span with attributes, which copies start or a tracer."""
        self._told = told = []
        if isinstance(starts, SpanCopies):
            span, late, *_ = starts.start("name", context, 10, lambda: _ASKED) or (None, None)
        else:
            span, late = started(starts, "name", context, 10, _ASKED), None
        if span is None:
            raise CannotCopy
        told += [type(span), span.get_span_context()]
        if late is None or not hand(late, lambda: _ANSWERED):
            span.set_attributes(_ANSWERED)
        span.end(20)
        return told

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        self._told.append((_plain(span) if self.looks else None, parent_context))

    def on_end(self, span: Any) -> None:
        self._told.append(_plain(span))

    def start_span(self, *about: Any) -> Any:
        self._told.append(about)
        return self.end_span

    def end_span(self) -> None:
        self._told.append("ended")


def _twin(tracer: Any, heard: _Heard) -> Any:
    """A tracer of the same kind, of which nobody else hears; its limits are wide, since the SDK logs each excess."""
    twin, limits = copy.copy(tracer), copy.copy(tracer._span_limits)
    limits.max_span_attributes = limits.max_span_attribute_length = 99
    twin.sampler, twin.span_processor, twin.id_generator = sampling.DEFAULT_ON, heard, SameIds()
    twin._span_limits = limits
    if hasattr(twin, "_tracer_metrics"):
        twin._tracer_metrics = heard
    return twin


def _plain(span: Any) -> dict[str, Any]:
    """What a span consists of, such that two can be compared."""
    return {name: _value(value) for name, value in vars(span).items() if name != "_lock"}


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        items, fields = list(value.items()), vars(value)
        return items, type(value), {name: fields[name] for name in fields.keys() - {"_dict", "_lock"}}
    if isinstance(value, BoundedList):
        return tuple(value), type(value), vars(value)["_dq"].maxlen, value.dropped
    return value
