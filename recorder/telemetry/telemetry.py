"""Each attempt as OpenTelemetry shows it: one CLIENT span, metrics, and events where they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from .. import __version__
from ..call import AnswerHalf, Call, CallError, RequestHalf
from ..exchange import Exchange
from ..ids import id_text
from ..pricing import Cost
from ..redact import Redactor
from ..tagging import NO_TAGS, Tags
from . import listeners
from .attributes import (
    OPERATION_ID,
    REPLAYED,
    Attributes,
    add_usage,
    answer_attributes,
    parameter_attributes,
    place_attributes,
    tag_attributes,
    without_secrets,
)
from .costs import cost_attributes
from .events import Events
from .hosts import host_of, is_suppressed, told_to_host
from .messages import Messages, messages_of
from .metrics import Metrics
from .names import INFERENCES, SCOPE, UNKNOWN
from .options import TelemetrySettings
from .propagation import trace_headers
from .traced import Traced

Price = Callable[[Call, Exchange], Cost]
Later = Callable[[Callable[[], None]], None]

_NO_MESSAGES = Messages()
_Started = tuple[Traced | None, int, int]
"""What is kept of the attempt, its trace id and its span id; 0 is none."""


class Outcome(Protocol):
    """An attempt that has ended, as far as telemetry reads it; what is not `wire` or `seen` is without secrets."""

    @property
    def wire(self) -> Exchange: ...

    @property
    def exchange(self) -> Exchange: ...

    @property
    def call(self) -> Call: ...

    def seen(self) -> tuple[AnswerHalf, CallError | None]: ...


class Telemetry:
    """Makes spans, metrics and events; without an OpenTelemetry SDK each step is a cheap no-op.

    Where no providers are set it follows the global ones, also those that are set later. Halves and what
    was `seen` may hold secrets, which `redactor` keeps out; tags are clean already. `price` says what a call
    cost; `later` runs in another thread what no call should wait for.
    """

    def __init__(
        self,
        redactor: Redactor,
        settings: TelemetrySettings | None = None,
        price: Price | None = None,
        later: Later | None = None,
    ) -> None:
        self._settings = settings = settings or TelemetrySettings()
        self._redactor = redactor
        self.names = names = settings.names
        self._price = price if settings.cost_attribute is not None else None
        self._later = later
        self._tracer = trace.get_tracer(SCOPE, __version__, settings.tracer_provider, names.schema_url)
        self._metrics = Metrics(names, __version__, settings.meter_provider)
        self._events = Events(names, __version__, settings.logger_provider)
        self._reads_call = settings.content.wanted or self._price is not None
        self._place = lru_cache(maxsize=256)(self._read_place)
        self.replays = settings.replay_spans and settings.otel != "off"
        self.propagates = settings.propagate and settings.otel != "off"

    def start(
        self, half: RequestHalf, started_us: int, tags: Tags, operation: int, *, replayed: bool = False
    ) -> _Started:
        """Start the span of an attempt as a child of the caller's current one, unless somebody else has done so.

        Without a span of its own the ids are those of the caller's trace.
        """
        context = otel_context.get_current()
        otel = self._settings.otel
        if context and otel == "auto":
            if is_suppressed(context):
                return None, *_ids(context)
            if (host := host_of(context, half.operation)) is not None:
                return Traced({}, host=host), *_ids(context)
        if otel == "off" or not self._heard():
            return None, _ids(context)[0] if context else 0, 0
        attributes, name = self._read_start(half, tags, operation)
        if replayed:
            attributes[REPLAYED] = True
        span = self._tracer.start_span(
            name,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=started_us * 1000,
            record_exception=False,
            set_status_on_exception=False,
        )
        ids = span.get_span_context()
        if not ids.is_valid or (not span.is_recording() and _ids(context)[1] == ids.span_id):
            return Traced(attributes), ids.trace_id, 0  # nobody makes spans
        return Traced(attributes, span), ids.trace_id, ids.span_id

    def carried(self, traced: Traced | None) -> dict[str, str]:
        """The headers that tell the upstream of the trace, if they are to be sent."""
        if not self.propagates:
            return {}
        return trace_headers(None if traced is None else traced.context)

    def tell_host(self, traced: Traced, provider: str, outcome: Outcome) -> None:
        """What a host should know, told while its span still lasts: before its reader gets a stream's last chunk."""
        if traced.host is None or traced.told:
            return
        call = outcome.call
        half, error = call.request, call.error
        attributes = {
            **place_attributes(half),
            **parameter_attributes(half, self.names),
            **self._read_answer(provider, outcome, call.answer, error, replayed=call.replayed),
            **messages_of(call, self._settings, traced.host.span).on_span,
        }
        traced.told = True
        traced.host.enrich(told_to_host(attributes, failed=error is not None))

    def end(self, traced: Traced, provider: str, outcome: Outcome, replayed: bool) -> None:
        """Set what the answer gave, and end the span when the exchange ended; count and tell it."""
        if traced.host is not None:
            self.tell_host(traced, provider, outcome)
            return
        span, exchange = traced.span, outcome.wire
        call = outcome.call if self._reads_call else None
        answer, error = outcome.seen() if call is None else (call.answer, call.error)
        attributes = self._read_answer(provider, outcome, answer, error, replayed=replayed)
        if call is None:
            attributes = without_secrets(attributes, self._redactor)
        messages = _NO_MESSAGES if call is None else messages_of(call, self._settings, span)
        if span is not None:
            shown = {**attributes, **messages.on_span} if messages.on_span else attributes
            self._end_span(span, exchange, shown, error)
        if not replayed:
            self._measure(traced, exchange, answer, attributes)
        if self._settings.content.events or exchange.ending.kind == "error":
            self._tell(traced, exchange, attributes, messages)

    def _heard(self) -> bool:
        """Whether anybody listens to spans, metrics or events."""
        settings = self._settings
        return (
            settings.tracer_provider is not None
            or settings.meter_provider is not None
            or listeners.traced()
            or listeners.measured()
            or (settings.content.events and self._events.wanted)
        )

    def _read_place(
        self,
        dialect: str,
        provider: str,
        host: str,
        port: int,
        operation: str | None,
        model: str | None,
        stream: bool,
    ) -> tuple[Attributes, str]:
        """What many attempts begin with: their common attributes, and the span's name."""
        half = RequestHalf(dialect, provider, host, port, operation, model, stream)
        attributes = without_secrets(place_attributes(half), self._redactor)
        model_name = attributes.get("gen_ai.request.model")
        operation_name = str(attributes["gen_ai.operation.name"])
        return attributes, f"{operation_name} {model_name}" if model_name else operation_name

    def _read_start(self, half: RequestHalf, tags: Tags, operation: int) -> tuple[Attributes, str]:
        common, name = self._place(
            half.dialect, half.provider, half.host, half.port, half.operation, half.model, half.stream
        )
        asked = parameter_attributes(half, self.names)
        if half.user_id is not None:
            asked["user.id"] = half.user_id
        attributes = {**common, **(without_secrets(asked, self._redactor) if asked else asked)}
        if tags is not NO_TAGS:
            attributes |= tag_attributes(tags)
        attributes[OPERATION_ID] = id_text(operation)
        return attributes, name

    def _read_answer(
        self,
        provider: str,
        outcome: Outcome,
        answer: AnswerHalf,
        error: CallError | None,
        *,
        replayed: bool,
    ) -> Attributes:
        head = outcome.wire.head
        attributes = answer_attributes(provider, None if head is None else head.status, answer, error)
        if replayed:  # usage and cost were counted when it was recorded
            attributes[REPLAYED] = True
            return attributes
        if answer.usage is not None:
            add_usage(attributes, answer.usage, answer.raw_usage, self.names)
        name = self._settings.cost_attribute
        if name is not None and self._price is not None:
            attributes |= cost_attributes(self._price(outcome.call, outcome.exchange), name)
        return attributes

    def _end_span(
        self, span: Span, exchange: Exchange, attributes: Attributes, error: CallError | None
    ) -> None:
        if span.is_recording():
            span.set_attributes(attributes)
            if error is not None:
                span.set_status(Status(StatusCode.ERROR, self._redactor.error_text(error.message)))
        span.end(exchange.started_us * 1000 + exchange.ending.at_ns)

    def _measure(self, traced: Traced, exchange: Exchange, answer: AnswerHalf, answered: Attributes) -> None:
        if self._settings.meter_provider is None and not listeners.measured():
            return
        asked = traced.attributes
        if asked["gen_ai.operation.name"] == UNKNOWN:
            return
        metrics, context = self._metrics, traced.context
        attributes = metrics.attributes(asked, answered)
        metrics.record(exchange, answer, attributes, context)
        if not answer.streamed or asked["gen_ai.operation.name"] not in INFERENCES:
            return
        if self._later is None:
            metrics.record_chunks(exchange, attributes, context)
        else:
            self._later(lambda: metrics.record_chunks(exchange, attributes, context))

    def _tell(self, traced: Traced, exchange: Exchange, answered: Attributes, messages: Messages) -> None:
        if not self._events.wanted:
            return
        context = traced.context
        if exchange.ending.kind == "error":
            self._events.tell_exception(exchange, self._redactor, context)
        if self._settings.content.events:
            self._events.tell_details(
                {**traced.attributes, **answered, **messages.on_event}, exchange, context
            )


def _ids(context: Context) -> tuple[int, int]:
    """The ids of the caller's trace and span."""
    ids = trace.get_current_span(context).get_span_context()
    return ids.trace_id, ids.span_id
