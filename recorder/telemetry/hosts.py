"""Whoever else is at a call already: their span is made richer, and no second one is made.

Nothing of theirs is imported: a host is known by what it leaves in the context.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import Span, get_current_span

from .attributes import Attributes
from .names import INFERENCES, NAMES, UNKNOWN

# Private in the API, yet what OpenTelemetry's own instrumentations ask; the plain ones are older, and OpenLLMetry's.
_SUPPRESSED: Final = frozenset(
    {
        getattr(otel_context, "_SUPPRESS_INSTRUMENTATION_KEY", "suppress_instrumentation"),
        "suppress_instrumentation",
        "suppress_language_model_instrumentation",
    }
)
_INFERENCE: Final = "opentelemetry.genai.client.inference.context"
"""Where opentelemetry-util-genai keeps the data of the inference that is going on."""

_RESENT: Final = "http.request.resend_count"
_CACHE_WRITE: Final = tuple(names.cache_write for names in NAMES.values())
_OPERATION: Final = "gen_ai.operation.name"
_KIND: Final = "openinference.span.kind"
_SDK: Final = "opentelemetry.sdk.trace"
_TELLING: Final = frozenset(
    {_OPERATION, _KIND}
)  # asked together, since the SDK is slow to say that one is not there
_KINDS: Final = {"LLM": INFERENCES, "EMBEDDING": frozenset({"embeddings"})}
_NOT_TOLD: Final = frozenset({"error.type"})
"""What a host says itself: it may try again, and then do well."""


class Host(Protocol):
    """The span of another instrumentation that covers this call."""

    @property
    def span(self) -> Span | None:
        """Its span, where messages may go; None where those are the host's own affair."""

    def enrich(self, attributes: Attributes) -> None:
        """Add what the host does not know itself."""


class SpanHost:
    """A span that says it is a model call."""

    def __init__(self, span: Span) -> None:
        self.span: Span | None = span

    def enrich(self, attributes: Attributes) -> None:
        span = self.span
        if span is None or not span.is_recording():
            return
        known = getattr(span, "attributes", None) or {}
        span.set_attributes(
            {
                name: value
                for name, value in attributes.items()
                if name == _RESENT or (name not in known and not _is_alias(name, known))
            }
        )


class DataHost:
    """The data from which opentelemetry-util-genai makes its span and metrics."""

    def __init__(self, data: Any) -> None:
        self.span: Span | None = None
        self._data = data

    def enrich(self, attributes: Attributes) -> None:
        data = self._data
        others = getattr(data, "attributes", None)
        for name, value in attributes.items():
            field = "usage_cache_write_input_tokens" if name in _CACHE_WRITE else _field(name)
            if hasattr(data, field):
                if getattr(data, field) is None:
                    setattr(data, field, value)
            elif isinstance(others, dict):
                others[name] = value


def is_suppressed(context: Context) -> bool:
    """Whether somebody has asked all instrumentation to be silent here."""
    return not _SUPPRESSED.isdisjoint(context) and any(context.get(key) for key in _SUPPRESSED)


def host_of(context: Context, operation: str | None) -> Host | None:
    """Who is at a call of this operation already."""
    if (data := context.get(_INFERENCE)) is not None:
        return DataHost(data)
    span = get_current_span(context)
    attributes = _telling(span)
    if attributes is None or not span.is_recording():
        return None
    theirs = attributes.get(_OPERATION)
    kind = _KINDS.get(attributes.get(_KIND), frozenset())
    same = operation in kind or (operation is None and bool(kind))
    if same or theirs in INFERENCES or (theirs is not None and theirs == operation):
        return SpanHost(span)
    return None


def _telling(span: Any) -> Any:
    """The attributes of a span, if they tell what it is of."""
    if type(span).__module__ == _SDK:
        known = getattr(
            getattr(span, "_attributes", None), "_dict", None
        )  # at once, which its own classes are not
        if type(known) is dict:
            return known if _OPERATION in known or _KIND in known else None
    attributes = getattr(span, "attributes", None)
    return None if not attributes or _TELLING.isdisjoint(attributes) else attributes


def told_to_host(attributes: Attributes, *, failed: bool) -> Attributes:
    """What a host gets of one attempt: of a failed one only what stays true when it tries again."""
    if failed:
        return {name: value for name, value in attributes.items() if name == _RESENT}
    unknown = attributes.get(_OPERATION) == UNKNOWN
    return {
        name: value
        for name, value in attributes.items()
        if name not in _NOT_TOLD and not (unknown and name == _OPERATION)
    }


def _is_alias(name: str, known: Any) -> bool:
    """Whether the same number is there by another version's name, and would be counted twice."""
    return name in _CACHE_WRITE and any(each in known for each in _CACHE_WRITE)


def _field(name: str) -> str:
    return name.removeprefix("gen_ai.").replace(".", "_")
