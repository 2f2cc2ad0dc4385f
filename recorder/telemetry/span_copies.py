"""Spans as the SDK's tracer makes them, at a third of the cost: copies of one that it made, with late attributes.

This uses the SDK's private names. So it is imported only where a tracer of the SDK's is met, and used only where
`copy_check` finds no difference.
"""

from __future__ import annotations

import copy
from threading import Lock
from types import FunctionType
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk.trace import SpanProcessor, Tracer, sampling
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags, get_current_span

from .attributes import Attributes
from .late_attributes import LateAttributes, Read

OWN: Final = frozenset({"_name", "_context", "_start_time", "_lock", "_attributes", "_events", "_links"})
"""What no two spans of one tracer share."""

_GIVEN: Final = frozenset({"_parent", "_sampler", "_resource", "_span_processor"})
"""What a tracer may give another one of to each span."""

_START: Final = Tracer.start_span
_CLIENT: Final = SpanKind.CLIENT
_TELLS_RANDOM: Final = hasattr(IdGenerator, "is_trace_id_random")  # older SDKs do not
_RANDOM: Final[int] = getattr(TraceFlags, "RANDOM_TRACE_ID", 0)
_FLAGS: Final = tuple(
    TraceFlags(flags) for flags in (0, TraceFlags.SAMPLED, _RANDOM, TraceFlags.SAMPLED | _RANDOM)
)
_CHOICES: Final = tuple(
    f"_{where}_parent_{said}" for where in ("remote", "local") for said in ("sampled", "not_sampled")
)
_new = object.__new__


class CannotCopy(Exception):
    """The spans of this tracer are not as they are known here."""


class SpanCopies:
    """Starts the spans of one tracer. Raises CannotCopy where those are not as they are known."""

    def __init__(self, tracer: Tracer) -> None:
        if not _is_as_shipped(tracer):
            raise CannotCopy
        self._tracer: Any = tracer
        self._enabled: Any = getattr(tracer, "_is_enabled", None)
        self._metrics: Any = getattr(tracer, "_tracer_metrics", None)
        self._sampler: Any = None
        first, second = _two_spans(tracer)
        self._class = type(first)
        self._fields = _shared(vars(first), vars(second))
        self._events, self._links = (vars(first)[name]._dq.maxlen for name in ("_events", "_links"))
        attributes = vars(first)["_attributes"]
        self._limits = attributes.maxlen, attributes.max_value_len

    def start(
        self, name: str, context: Context, start_ns: int, asked: Read
    ) -> tuple[Span, LateAttributes | None] | None:
        """A span as the tracer's own, with its attributes if it is recorded; None where the tracer must be asked."""
        tracer = self._tracer
        sampler = tracer.sampler
        if Tracer.start_span is not _START or (sampler is not self._sampler and not self._takes(sampler)):
            return None
        if self._enabled is not None and not self._enabled():
            return None
        parent = get_current_span(context).get_span_context() if context else None
        ids = tracer.id_generator
        if parent is None or not parent.is_valid:
            parent, trace_id = None, ids.generate_trace_id()
        else:
            trace_id = parent.trace_id
        result = sampler.should_sample(context, trace_id, name, _CLIENT, None, ())
        decision = result.decision
        flags = 1 if decision.is_sampled() else 0
        if _TELLS_RANDOM and (
            ids.is_trace_id_random() if parent is None else parent.trace_flags.random_trace_id
        ):
            flags += 2
        made = SpanContext(trace_id, ids.generate_span_id(), False, _FLAGS[flags], result.trace_state)
        fields = self._fields.copy()
        if self._metrics is not None:
            fields["_record_end_metrics"] = self._metrics.start_span(parent, decision)
        if not decision.is_recording():
            return NonRecordingSpan(made), None
        attributes = LateAttributes(*self._limits, asked)
        fields["_name"] = name
        fields["_context"] = made
        fields["_parent"] = parent
        fields["_sampler"] = sampler
        fields["_resource"] = tracer.resource
        fields["_span_processor"] = processor = tracer.span_processor
        fields["_start_time"] = start_ns
        fields["_lock"] = Lock()
        fields["_attributes"] = attributes
        fields["_events"] = BoundedList(self._events)
        fields["_links"] = BoundedList(self._links)
        span: Span = _new(self._class)
        span.__dict__ = fields
        processor.on_start(span, parent_context=context)
        return span, attributes

    def _takes(self, sampler: Any) -> bool:
        """Whether a sampler decides without attributes, and adds none."""
        if not is_blind(sampler):
            return False
        self._sampler = sampler
        return True


def is_blind(sampler: Any) -> bool:
    """Whether a sampler is one of the SDK's that do not look at attributes, and hand them on as they are."""
    decides = type(sampler).should_sample
    if decides is sampling.ParentBased.should_sample:
        return all(is_blind(getattr(sampler, name)) for name in ("_root", *_CHOICES))
    return decides in (sampling.StaticSampler.should_sample, sampling.TraceIdRatioBased.should_sample)


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
        and start.__module__ == Tracer.__module__
        and "start_span" not in vars(tracer)
    )


def _two_spans(tracer: Tracer) -> tuple[Any, Any]:
    """Two spans as the tracer makes them, of which nobody hears."""
    twin: Any = copy.copy(tracer)
    twin.sampler, twin.span_processor, twin.id_generator = (
        sampling.ALWAYS_ON,
        SpanProcessor(),
        RandomIdGenerator(),
    )
    if hasattr(twin, "_tracer_metrics"):
        twin._tracer_metrics = _NoMetrics()
    first, second = (started(twin, f"span {at}", Context(), at) for at in (10**18, 10**18 + 1))
    return first, second


class _NoMetrics:
    def start_span(self, *about: Any) -> None:
        """Counts nothing."""


def _shared(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """What all spans of a tracer have in common. Raises CannotCopy where that is not known."""
    own = {name for name, value in first.items() if value is not second.get(name)}
    kinds = {name: type(value) for name, value in first.items()}
    if (
        own != OWN
        or first.keys() != second.keys()
        or not first.keys() >= _GIVEN
        or (kinds["_attributes"], kinds["_events"], kinds["_links"])
        != (BoundedAttributes, BoundedList, BoundedList)
    ):
        raise CannotCopy
    return {name: value for name, value in first.items() if name not in OWN}
