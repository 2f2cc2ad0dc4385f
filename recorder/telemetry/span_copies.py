"""Spans as the SDK's tracer makes them, at a third of the cost: copies of one that it made, with late attributes.

This uses the SDK's private names. So it is imported only where a tracer of the SDK's is met, and used only where
`copy_check` finds no difference.
"""

from __future__ import annotations

import copy
import random
from threading import Lock
from types import FunctionType
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.trace import SpanProcessor, Tracer, sampling
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import (
    DEFAULT_TRACE_STATE,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    get_current_span,
)

from .attributes import Attributes
from .late_attributes import LateAttributes, Read, late_attributes
from .late_list import late_list
from .verdicts import Verdicts, is_blind, verdicts_of

_OWN: Final = frozenset({"_name", "_context", "_start_time", "_lock", "_attributes", "_events", "_links"})
"""What no two spans of one tracer share."""

_GIVEN: Final = frozenset({"_parent", "_sampler", "_resource", "_span_processor"})
"""What a tracer may give another one of to each span."""

_START: Final = Tracer.start_span
_CLIENT: Final = SpanKind.CLIENT
_SAMPLED: Final = Decision.RECORD_AND_SAMPLE
_DROPPED: Final = Decision.DROP
_TELLS_RANDOM: Final = hasattr(IdGenerator, "is_trace_id_random")  # older SDKs do not
_RANDOM: Final[int] = getattr(TraceFlags, "RANDOM_TRACE_ID", 0)
_FLAGS: Final = tuple(
    TraceFlags(flags) for flags in (0, TraceFlags.SAMPLED, _RANDOM, TraceFlags.SAMPLED | _RANDOM)
)
_USUALLY_RANDOM: Final = bool(_TELLS_RANDOM and RandomIdGenerator().is_trace_id_random())
_VALID: Final = 5
_LAST_TRACE_ID: Final = 2**128 - 1
_LAST_SPAN_ID: Final = 2**64 - 1
_TRACE_ID: Final = RandomIdGenerator.generate_trace_id
_SPAN_ID: Final = RandomIdGenerator.generate_span_id
_new_tuple = tuple.__new__
_new = object.__new__

Started = tuple[Span, LateAttributes | None, int, int]
"""A span, its attributes if it is recorded, its trace id and its own."""


class CannotCopy(Exception):
    """The spans of this tracer are not as they are known here."""


class SpanCopies:
    """Starts the spans of one tracer. Raises CannotCopy where those are not as they are known."""

    def __init__(self, tracer: Tracer) -> None:
        if not _is_as_shipped(tracer):
            raise CannotCopy
        self._tracer: Any = tracer
        self._enabled: Any = getattr(tracer, "_is_enabled", None)
        metrics: Any = getattr(tracer, "_tracer_metrics", None)
        self._metrics = None if type(metrics).__name__ == "NoOpTracerMetrics" else metrics
        self._judged: tuple[Any, Verdicts] = (None, ())
        first, second = _two_spans(tracer)
        self._class = type(first)
        self._fields = _shared(vars(first), vars(second))
        self._events, self._links = (
            late_list(vars(first)[name]._dq.maxlen) for name in ("_events", "_links")
        )
        attributes = vars(first)["_attributes"]
        self._limits = attributes.maxlen, attributes.max_value_len

    def start(self, name: str, context: Context, start_ns: int, asked: Read) -> Started | None:
        """A span as the tracer's own; None where that one must be asked.

        One long function, since each call of another costs as much as a line of this three times.
        """
        tracer = self._tracer
        sampler, verdicts = self._judged
        if Tracer.start_span is not _START or "start_span" in tracer.__dict__:
            return None
        if self._enabled is not None and not self._enabled():
            return None
        if sampler is not tracer.sampler and not self._takes(tracer.sampler):
            return None
        sampler, verdicts = self._judged
        parent: Any = get_current_span(context).get_span_context() if context else None
        if parent is not None and type(parent) is not SpanContext:
            return None
        ids = tracer.id_generator
        usual = (
            type(ids) is RandomIdGenerator
            and not ids.__dict__  # where somebody may have put a method of his
            and RandomIdGenerator.generate_trace_id is _TRACE_ID
            and RandomIdGenerator.generate_span_id is _SPAN_ID
        )
        if parent is not None and parent[_VALID]:
            trace_id, _, remote, above, state, _ = parent
            decision = verdicts[1 + (above & 1) + (2 if remote else 0)]
            at_random = _TELLS_RANDOM and above & _RANDOM
        else:
            parent = state = None
            trace_id = (usual and random.getrandbits(128)) or ids.generate_trace_id()
            decision = verdicts[0]
            at_random = _USUALLY_RANDOM if usual else _TELLS_RANDOM and ids.is_trace_id_random()
        if decision is None:
            result = sampler.should_sample(context, trace_id, name, _CLIENT, None, ())
            decision, state = result.decision, result.trace_state
        flags = (1 if decision is _SAMPLED else 0) + (2 if at_random else 0)
        span_id = (usual and random.getrandbits(64)) or ids.generate_span_id()
        valid = 0 < trace_id <= _LAST_TRACE_ID and 0 < span_id <= _LAST_SPAN_ID
        made = _new_tuple(
            SpanContext,
            (trace_id, span_id, False, _FLAGS[flags], DEFAULT_TRACE_STATE if state is None else state, valid),
        )
        fields = self._fields.copy()
        if self._metrics is not None:
            fields["_record_end_metrics"] = self._metrics.start_span(parent, decision)
        if decision is _DROPPED:
            return NonRecordingSpan(made), None, trace_id, span_id
        fields["_name"] = name
        fields["_context"] = made
        fields["_parent"] = parent
        fields["_sampler"] = sampler
        fields["_resource"] = tracer.resource
        fields["_span_processor"] = processor = tracer.span_processor
        fields["_start_time"] = start_ns
        fields["_lock"] = Lock()
        fields["_attributes"] = attributes = late_attributes(self._limits, asked)
        fields["_events"] = _new(self._events)
        fields["_links"] = _new(self._links)
        span: Span = _new(self._class)
        span.__dict__ = fields
        processor.on_start(span, parent_context=context)
        return span, attributes, trace_id, span_id

    def _takes(self, sampler: Any) -> bool:
        """Whether a sampler decides without attributes, and adds none."""
        if not is_blind(sampler):
            return False
        self._judged = sampler, verdicts_of(sampler)
        return True


def started(
    tracer: Tracer, name: str, context: Context, start_ns: int, attributes: Attributes | None = None
) -> Span:
    """A span that the tracer itself makes."""
    return tracer.start_span(
        name,
        context,
        _CLIENT,
        attributes,
        start_time=start_ns,
        record_exception=False,
        set_status_on_exception=False,
    )


def _is_as_shipped(tracer: Any) -> bool:
    """Whether a tracer is the SDK's own, and nobody has put something of his in its place."""
    start = vars(Tracer).get("start_span")
    return (
        type(tracer) is Tracer
        and type(start) is FunctionType
        and start.__globals__ is vars(sdk_trace)  # what wraps it may have taken over its module's name
        and "start_span" not in vars(tracer)
    )


def _two_spans(tracer: Tracer) -> tuple[Any, Any]:
    """Two spans as the tracer makes them, of which nobody hears."""
    twin: Any = copy.copy(tracer)
    twin.sampler, twin.span_processor, twin.id_generator = sampling.ALWAYS_ON, SpanProcessor(), SameIds()
    if hasattr(twin, "_tracer_metrics"):
        twin._tracer_metrics = _NoMetrics()
    first, second = (started(twin, f"span {at}", Context(), at) for at in (10**18, 10**18 + 1))
    return first, second


class SameIds(RandomIdGenerator):
    """Ids for spans of which nobody hears; random ones would change what a program with a seed gets next."""

    def generate_trace_id(self) -> int:
        return 5

    def generate_span_id(self) -> int:
        return 7


class _NoMetrics:
    def start_span(self, *about: Any) -> None:
        """Counts nothing."""


def _shared(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """What all spans of a tracer have in common. Raises CannotCopy where that is not known."""
    own = {name for name, value in first.items() if value is not second.get(name)}
    kinds = {name: type(value) for name, value in first.items()}
    if (
        own != _OWN
        or first.keys() != second.keys()
        or not first.keys() >= _GIVEN
        or (kinds["_attributes"], kinds["_events"], kinds["_links"])
        != (BoundedAttributes, BoundedList, BoundedList)
    ):
        raise CannotCopy
    return {name: value for name, value in first.items() if name not in _OWN}
