"""The messages of a call, ready for a span and for an event: short enough, and without secrets as the call is."""

from __future__ import annotations

import json
from typing import Any, Final

from msgspec import Struct
from opentelemetry.trace import Span

from ..call import Call
from ..redact import Redactor
from .attributes import Attributes
from .content import input_messages, output_messages, system_instructions, tool_definitions
from .options import TelemetrySettings
from .secret_fields import without_secret_fields
from .shortening import fitting

_LIMITS: Final = ("max_span_attribute_length", "max_attribute_length")


class Messages(Struct, frozen=True):
    """JSON text for the span, whose readers want strings; the structure itself for the event."""

    on_span: Attributes = {}
    on_event: dict[str, Any] = {}


def messages_of(call: Call, settings: TelemetrySettings, span: Span | None, redactor: Redactor) -> Messages:
    """What a call says, as far as it is wanted."""
    content = settings.content
    on_span = content.on_spans and span is not None and span.is_recording()
    if not on_span and not content.on_events:
        return Messages()
    texts = _texts(call, min(settings.content_limit, _span_limit(span)), redactor)
    return Messages(
        on_span=dict(texts) if on_span else {},
        on_event={name: json.loads(text) for name, text in texts.items()} if content.on_events else {},
    )


def _texts(call: Call, limit: int, redactor: Redactor) -> dict[str, str]:
    parts = {
        "gen_ai.system_instructions": system_instructions(call.request),
        "gen_ai.input.messages": without_secret_fields(input_messages(call.request), redactor),
        "gen_ai.output.messages": without_secret_fields(output_messages(call.answer), redactor),
        "gen_ai.tool.definitions": tool_definitions(call.request),
    }
    texts = {name: fitting(items, limit) for name, items in parts.items() if items}
    return {name: text for name, text in texts.items() if text is not None}


def _span_limit(span: Span | None) -> int:
    """The length at which the SDK would cut the JSON itself, in the middle."""
    limits = getattr(span, "_limits", None)
    found = (getattr(limits, name, None) for name in _LIMITS)
    return min((limit for limit in found if isinstance(limit, int)), default=2**31)
