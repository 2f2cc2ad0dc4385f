"""Spans whose attributes are read late, where nobody can tell: so a call need not wait for them."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context
from opentelemetry.trace import ProxyTracer, Tracer

from ..call import AnswerHalf, Glance
from ..dialects import Dialect
from ..exchange import Exchange, Request
from ..tagging import Tags
from .attributes import Attributes, add_usage
from .clean_attributes import CleanAttributes
from .late_attributes import hand
from .names import Names
from .traced import Started, Traced, span_started

if TYPE_CHECKING:
    from .span_copies import SpanCopies

_SDK: Final = "opentelemetry.sdk.trace"
_logger = logging.getLogger("recorder")


class LateSpans:
    """Starts and ends those spans, of requests that nobody has read yet."""

    def __init__(self, tracer: Tracer, clean: CleanAttributes, names: Names) -> None:
        self._tracer = tracer
        self._clean = clean
        self._names = names
        self._known: tuple[Any, SpanCopies | None] = (None, None)

    def start(
        self,
        dialect: Dialect,
        provider: str,
        request: Request,
        context: Context,
        started_us: int,
        tags: Tags,
        operation: int,
    ) -> Started | None:
        """Start a span for a request that nobody has read; None where the request or the tracer is none for this."""
        if (copies := self._copies()) is None or (model := dialect.model_asked(request.body)) is None:
            return None
        name = self._clean.name(dialect.name, provider, request.url, dialect.operation, model)
        asked = partial(self._asked, dialect, provider, request, tags, operation)
        started = copies.start(name, context, started_us * 1000, asked)
        if started is None:
            return None
        span, late, trace_id, span_id = started
        if late is None or not (trace_id and span_id):
            return span_started(Traced(None, span, context, None, False, late, asked))
        return Traced(None, span, context, None, False, late, asked), trace_id, span_id

    def start_read(
        self, attributes: Attributes, name: str, context: Context, started_us: int
    ) -> Started | None:
        """The same for one that was read, of which the SDK is told late."""
        copies = self._copies()
        started = copies and copies.start(name, context, started_us * 1000, attributes.copy)
        return span_started(Traced(attributes, started[0], context, late=started[1])) if started else None

    def end(self, traced: Traced, provider: str, exchange: Exchange, answer: Glance) -> bool:
        """End the span of an answer without an error; False where somebody has looked at its attributes already."""
        late, head = traced.late, exchange.head
        span: Any = traced.span
        if late is None or span._attributes is not late:  # a processor may have put others there
            return False
        read = partial(self._answered, provider, None if head is None else head.status, answer)
        if type(answer) is AnswerHalf:  # which is large
            read = partial(dict, read())
        if not hand(late, read):
            return False
        span.end(exchange.started_us * 1000 + exchange.ending.at_ns)
        return True

    def _copies(self) -> SpanCopies | None:
        tracer: Any = self._tracer
        if type(tracer) is ProxyTracer:
            tracer = tracer._tracer
        known, copies = self._known
        if tracer is not known:
            copies = copies_of(tracer)
            self._known = tracer, copies
        return copies

    def _asked(
        self, dialect: Dialect, provider: str, request: Request, tags: Tags, operation: int
    ) -> Attributes:
        return self._clean.asked(dialect.read_request(request, provider), tags, operation)[0]

    def _answered(self, provider: str, status: int | None, answer: Glance) -> Attributes:
        attributes = self._clean.served(provider, status, answer)
        if (usage := answer.usage) is not None:
            add_usage(attributes, usage, answer.raw_usage, self._names)
        return attributes


def copies_of(tracer: Any) -> SpanCopies | None:
    """What makes copies of a tracer's spans, if that is the SDK's, which is imported then."""
    if type(tracer).__module__ != _SDK:
        return None
    try:
        from .copy_check import checked_copies

        return checked_copies(tracer)
    except Exception as error:  # noqa: BLE001 - another SDK than those known may fail anywhere
        _logger.debug("spans are started by the tracer itself: %r", error)
    return None
