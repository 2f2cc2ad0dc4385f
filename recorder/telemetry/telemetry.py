"""Each attempt as OpenTelemetry shows it: one CLIENT span, metrics, and events where they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import SpanKind, Status, StatusCode

from .. import __version__
from ..call import AnswerHalf, Call, CallError, Glance, RequestHalf
from ..dialects import Dialect
from ..exchange import Exchange, Request
from ..pricing import Cost
from ..redact import Redactor
from ..tagging import Tags
from . import listeners
from .attributes import REPLAYED, Attributes, add_usage, asked_attributes
from .clean_attributes import CleanAttributes
from .costs import cost_attributes
from .events import Events
from .hosts import host_of, is_suppressed, told_to_host
from .late_spans import LateSpans
from .messages import Messages, messages_of
from .metrics import Metrics
from .names import INFERENCES, SCOPE, UNKNOWN
from .options import TelemetrySettings
from .parameters import add_parameters
from .propagation import trace_headers
from .traced import Started, Traced, ids_of, span_started

Price = Callable[[Call, Exchange], Cost]
Later = Callable[[Callable[[], None]], None]

_NO_MESSAGES = Messages()
_CLIENT = SpanKind.CLIENT


class Outcome(Protocol):
    """An attempt that has ended, as far as telemetry reads it; what is not `wire` or `seen` is without secrets."""

    @property
    def wire(self) -> Exchange: ...

    @property
    def exchange(self) -> Exchange: ...

    @property
    def call(self) -> Call: ...

    def seen(self) -> tuple[AnswerHalf, CallError | None]: ...

    def glance(self) -> tuple[Glance, CallError | None]: ...


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
        self._given = settings.tracer_provider is not None or settings.meter_provider is not None
        self._metered = settings.meter_provider is not None
        self._details = settings.content.events
        self._clean = CleanAttributes(names, redactor)
        self._glances = not (names.modalities or names.counters)  # both want the raw usage
        self._late = LateSpans(self._tracer, self._clean, names)
        self._yields = settings.otel == "auto"
        self._off = settings.otel == "off"
        self._waits = not (self._off or self._reads_call or self._details or self._metered)  # for attributes
        self.replays = settings.replay_spans and not self._off
        self.propagates = settings.propagate and not self._off

    def heard(self) -> bool:
        """Whether a call is of interest here: somebody listens, or the caller's context may say something of it."""
        return self._given or self._heard_elsewhere() or bool(get_current())

    def start(
        self, half: RequestHalf, started_us: int, tags: Tags, operation: int, *, replayed: bool = False
    ) -> Started:
        """Start the span of an attempt as a child of the caller's current one, unless somebody else has done so.

        Without a span of its own the ids are those of the caller's trace.
        """
        context = get_current()
        if (elsewhere := self._elsewhere(context, half.operation)) is not None:
            return elsewhere
        attributes, name = self._clean.asked(half, tags, operation)
        if replayed:
            attributes[REPLAYED] = True
        if self._waits and not listeners.measured():
            started = self._late.start_read(attributes, name, context, started_us)
            if started is not None:
                return started
        span = self._tracer.start_span(
            name,
            context,
            _CLIENT,
            attributes,
            start_time=started_us * 1000,
            record_exception=False,
            set_status_on_exception=False,
        )
        return span_started(Traced(attributes, span, context))

    def start_unread(
        self,
        dialect: Dialect,
        provider: str,
        request: Request,
        started_us: int,
        tags: Tags,
        operation: int,
    ) -> Started | None:
        """The same for a request that nobody has read, where somebody has `heard`; None where it must be read first."""
        if not self._waits or listeners.measured():
            return None
        context = get_current()
        if context and (elsewhere := self._elsewhere(context, dialect.operation)) is not None:
            return elsewhere
        return self._late.start(dialect, provider, request, context, started_us, tags, operation)

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
        attributes = asked_attributes(half)
        add_parameters(attributes, attributes, half, self.names)
        attributes |= self._read_answer(provider, outcome, call.answer, error, replayed=call.replayed)
        attributes |= messages_of(call, self._settings, traced.host.span, self._redactor).on_span
        traced.told = True
        traced.host.enrich(told_to_host(attributes, failed=error is not None))

    def end(self, traced: Traced, provider: str, outcome: Outcome, replayed: bool) -> None:
        """Set what the answer gave, and end the span when the exchange ended; count and tell it."""
        if traced.host is not None:
            self.tell_host(traced, provider, outcome)
            return
        span, exchange = traced.span, outcome.wire
        measured = not replayed and (self._metered or listeners.measured())
        told = (self._details or exchange.ending.kind == "error") and self._events.wanted
        if not (measured or told or (span is not None and span.is_recording())):
            traced.give_up()  # nobody looks: the answer need not be read
            return
        answer: Glance
        messages = _NO_MESSAGES
        if self._reads_call:
            call = outcome.call
            answer, error = call.answer, call.error
            messages = messages_of(call, self._settings, span, self._redactor)
        else:
            answer, error = outcome.glance() if self._glances else outcome.seen()
        if not (error or measured or replayed) and self._late.end(traced, provider, exchange, answer):
            return
        attributes = self._read_answer(provider, outcome, answer, error, replayed=replayed)
        if span is not None:
            span.set_attributes({**attributes, **messages.on_span} if messages.on_span else attributes)
            if error is not None:
                span.set_status(Status(StatusCode.ERROR, self._redactor.error_text(error.message)))
            span.end(exchange.started_us * 1000 + exchange.ending.at_ns)
        if measured:
            self._measure(traced, exchange, answer, attributes)
        if told:
            self._tell(traced, exchange, attributes, messages)

    def _elsewhere(self, context: Context, operation: str | None) -> Started | None:
        """What is kept of an attempt that gets no span here, since somebody else is at it or nobody listens."""
        if context and self._yields:
            if is_suppressed(context):
                return None, *ids_of(context)
            if (host := host_of(context, operation)) is not None:
                return Traced({}, host=host), *ids_of(context)
        if self._off or not (self._given or self._heard_elsewhere()):
            return None, ids_of(context)[0] if context else 0, 0
        return None

    def _heard_elsewhere(self) -> bool:
        """Whether anybody listens by a global provider, or to events."""
        return listeners.traced() or listeners.measured() or (self._details and self._events.wanted)

    def _read_answer(
        self,
        provider: str,
        outcome: Outcome,
        answer: Glance,
        error: CallError | None,
        *,
        replayed: bool,
    ) -> Attributes:
        attributes = self._clean.answered(provider, outcome.wire, answer, error)
        if replayed:  # usage and cost were counted when it was recorded
            attributes[REPLAYED] = True
            return attributes
        if (usage := answer.usage) is not None:
            add_usage(attributes, usage, answer.raw_usage, self.names)
        name = self._settings.cost_attribute
        if name is not None and self._price is not None:
            attributes |= cost_attributes(self._price(outcome.call, outcome.exchange), name)
        return attributes

    def _measure(self, traced: Traced, exchange: Exchange, answer: Glance, answered: Attributes) -> None:
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
        context = traced.context
        if exchange.ending.kind == "error":
            self._events.tell_exception(exchange, self._redactor, context)
        if self._details:
            self._events.tell_details(
                {**traced.attributes, **answered, **messages.on_event}, exchange, context
            )
